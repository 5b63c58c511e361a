from urllib.parse import quote

import pytest

from jargonaut.state.knowledge_base import Follower, permit_documents
from tests.answering.handbook import PAGES
from tests.serving.conftest import serving

QUESTION = "What is the default of SESSION_COOKIE_AGE?"
ABSTENTION = "The documents do not say."


def uris(client, **parameters):
    return [item["uri"] for item in client.get("/v1/documents", params=parameters).json()["data"]]


def test_the_list_shows_what_the_caller_may_read(service):
    with service.http("reader") as reader, service.http("hr") as hr:
        assert uris(reader) == sorted(uri for uri in PAGES if uri != "hr/salaries.md")
        assert uris(hr) == sorted(PAGES)
        listed = reader.get("/v1/documents").json()
    assert listed["data"][0]["status"] == "live"
    assert listed["data"][0]["allow"] == ["public"]
    assert listed["total"] == len(PAGES) - 1


def test_the_list_comes_in_pages(service):
    with service.http("hr") as client:
        seen, after = [], ""
        while True:
            page = client.get("/v1/documents", params={"limit": 2, "after": after}).json()
            seen += [item["uri"] for item in page["data"]]
            if not page["has_more"]:
                break
            after = seen[-1]
    assert seen == sorted(PAGES)


def test_a_delete_is_in_force_when_it_returns(own):
    assert "1209600" in own.ask(QUESTION)
    with own.http("writer") as client:
        got = client.delete("/v1/documents/ops/sessions.md")
        assert own.ask(QUESTION) == ABSTENTION
        receipt = got.json()
        assert receipt["deleted"] is True
        assert receipt["uri"] == "ops/sessions.md"
        assert receipt["generation"] == receipt["sequence"] == 2
        assert receipt["effective_at"].endswith("+00:00")
        assert receipt["edge_effective_within_s"] == 5.0
        listed = {item["uri"]: item["status"] for item in client.get("/v1/documents").json()["data"]}
        assert listed["ops/sessions.md"] == "deleted"
        again = client.post(
            "/v1/chat/completions", json={"model": "handbook", "messages": [{"role": "user", "content": QUESTION}]}
        )
        assert again.headers["x-jargonaut-generation"] == "2"


def test_a_delete_can_be_undone_when_no_release_holds_the_document_any_more(own):
    with own.http("writer") as writer:
        writer.delete("/v1/documents/ops/sessions.md").raise_for_status()
    without = {uri: page for uri, page in PAGES.items() if uri != "ops/sessions.md"}
    own.handbook.promote(own.handbook.build(without))
    with own.http("writer") as writer:
        restored = writer.post("/v1/documents/restore", json={"uri": "ops/sessions.md"})
        assert (restored.status_code, restored.json()["deleted"]) == (200, False)
        assert "ops/sessions.md" not in Follower(own.handbook.journal, own.handbook.scope).current().deleted
        unknown = writer.post("/v1/documents/restore", json={"uri": "ops/never.md"})
        assert unknown.status_code == 404


def test_the_deleted_stays_gone_in_every_release_and_comes_back_by_restore_only(own):
    handbook = own.handbook
    first = handbook.registry.names("releases")[0]
    with own.http("writer") as client:
        client.delete("/v1/documents/ops/sessions.md")
        handbook.promote(handbook.build({**PAGES, "new.md": PAGES["ops/deploy.md"]}))
        assert own.ask(QUESTION) == ABSTENTION
        handbook.promote(first)
        assert own.ask(QUESTION) == ABSTENTION, "a roll-back does not bring it back"
        assert own.ask(QUESTION, model=f"handbook@{first}") == ABSTENTION
        restored = client.post("/v1/documents/restore", json={"uri": "ops/sessions.md"}).json()
    assert restored["deleted"] is False
    assert "1209600" in own.ask(QUESTION)


def test_names_with_blanks_and_chinese_can_be_deleted(own):
    with own.http("writer") as client:
        assert client.delete("/v1/documents/运维/备份.md").json()["uri"] == "运维/备份.md"
    assert own.ask("备份文件保留多少天？") == "文档中没有说明。"


@pytest.mark.parametrize("uri", ["two\nlines.md", "ends with one.md\n"])
def test_a_name_with_a_line_break_can_be_deleted(own, uri):
    handbook = own.handbook
    handbook.promote(handbook.build({**PAGES, uri: PAGES["ops/deploy.md"]}))
    with own.http("writer") as client:
        got = client.delete(f"/v1/documents/{quote(uri)}")
        listed = {item["uri"]: item["status"] for item in client.get("/v1/documents").json()["data"]}
    assert got.json()["uri"] == uri
    assert listed[uri] == "deleted"


def test_only_a_key_with_the_scope_may_delete(own):
    with own.http("hr") as client:
        got = client.delete("/v1/documents/ops/sessions.md")
    assert got.status_code == 403
    assert got.json()["error"]["type"] == "permission_error"
    assert "1209600" in own.ask(QUESTION)


def test_what_one_may_not_read_one_cannot_delete_nor_learn_of(own):
    from jargonaut.state.keys import KeyRequest

    own.secrets["public writer"] = own.keys.issue("default", KeyRequest("w", scopes=["write"])).secret
    with own.http("public writer") as client:
        got = client.delete("/v1/documents/hr/salarie.md")
        hidden = client.delete("/v1/documents/hr/salaries.md")
    assert got.status_code == hidden.status_code == 404
    assert "salaries" not in got.json()["error"]["message"], "not even as a suggestion"


@pytest.mark.parametrize("uri", ["ops/session.md", "../../etc/passwd", "%2e%2e/x", "a" * 3000])
def test_an_unknown_document_cannot_be_deleted(service, uri):
    with service.http("writer") as client:
        got = client.delete(f"/v1/documents/{uri}")
    assert got.status_code in (404, 405)
    assert "error" in got.json()


def test_a_narrowed_permission_holds_at_once(own):
    permit_documents(own.handbook.journal, own.handbook.scope, {"ops/sessions.md": ("group:hr",)})
    assert own.ask(QUESTION, "reader") == ABSTENTION
    assert "1209600" in own.ask(QUESTION, "hr")
    with own.http("reader") as client:
        assert "ops/sessions.md" not in uris(client)


def test_if_the_state_cannot_be_read_nothing_is_answered(own):
    import sqlite3

    assert "1209600" in own.ask(QUESTION)
    with sqlite3.connect(own.handbook.folder / "state.sqlite") as connection:
        connection.execute("ALTER TABLE event RENAME TO gone")
    connection.close()
    with own.http() as client:
        got = client.post("/v1/search", json={"query": QUESTION})
        ready = client.get("/readyz")
    assert got.status_code == 503
    assert "sqlite" not in got.text
    assert ready.status_code == 503


def test_several_knowledge_bases_have_to_be_named(tmp_path):
    from jargonaut.core.scope import Scope
    from tests.answering.handbook import Handbook

    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    scopes = [handbook.scope, Scope("default", "other"), Scope("acme", "third")]
    with serving(handbook, scopes=scopes) as running, running.http() as client:
        got = client.get("/v1/documents")
        assert client.get("/v1/documents", params={"model": "handbook"}).status_code == 200
        assert client.get("/v1/documents", params={"model": "third"}).status_code == 404, "of another tenant"
        ready = client.get("/readyz")
    assert got.status_code == 400
    assert "handbook, other" in got.json()["error"]["message"]
    assert ready.json()["missing"] == {
        "acme/third": "it has no live release yet",
        "default/other": "it has no live release yet",
    }
