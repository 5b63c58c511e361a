import re

from tests.serving.conftest import serving


def figures(service, key="admin"):
    with service.http(key) as client:
        got = client.get("/metrics")
    assert got.status_code == 200, got.text
    assert got.headers["content-type"].startswith("text/plain")
    lines = (line.rsplit(" ", 1) for line in got.text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_requests_answers_and_releases_are_counted(own):
    from jargonaut.state.keys import KeyRequest

    own.secrets["admin"] = own.keys.issue("default", KeyRequest("prometheus", scopes=["admin"])).secret
    own.ask("What is the default of SESSION_COOKIE_AGE?")
    own.ask("Who won the cup in 1966?")
    with own.http() as client:
        client.post("/v1/search", json={"query": "cookie"})
        client.get("/made/up/by/a/stranger")
        client.get("/v1/documents/a/name/of/their/own")
    found = figures(own)
    answers = 'jargonaut_answers_total{knowledge_base="handbook",outcome="%s",tenant="default"}'
    assert found[answers % "answered"] == 1
    assert found[answers % "abstained"] == 1
    chat = 'jargonaut_requests_total{method="POST",route="/v1/chat/completions",status="200"}'
    assert found[chat] == 2
    assert found['jargonaut_retrieval_seconds_count{stage="lexical"}'] == 3
    release = own.handbook.registry.names("releases")[0]
    live = [name for name in found if name.startswith("jargonaut_channel{")]
    assert len(live) == 1
    assert f'release="{release}"' in live[0]
    text = " ".join(found)
    assert "stranger" not in text, "whoever asks must not be able to make series"
    assert "their/own" not in text
    assert not re.search("cup|1966|SESSION", text), "never a question"


def test_only_an_admin_sees_them(service):
    with service.http("writer") as client:
        assert client.get("/metrics").status_code == 403
    with service.http("") as client:
        assert client.get("/metrics").status_code == 401


def test_on_a_machine_without_keys_they_are_open(tmp_path):
    from tests.answering.handbook import Handbook

    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook, with_keys=False) as open_service:
        assert figures(open_service, key="")
