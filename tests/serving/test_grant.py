import hashlib
import itertools
import json

import pytest

from jargonaut.serving.edge_signature import Identity, encode_identity
from jargonaut.state.knowledge_base import permit_documents
from tests.answering.handbook import PAGES

CHAT = "/v1/chat/completions"
QUESTION = "What is the yearly bonus of an engineer?"
nonces = (f"{number:032x}" for number in itertools.count(1))


def post(service, path, body, identity="", headers=None):
    data = json.dumps(body).encode()
    with service.http(key="") as client:
        signed = service.signed("POST", path, data, identity, next(nonces))
        return client.post(path, content=data, headers=headers or signed)


def grant(service, key="reader", model="handbook"):
    digest = hashlib.sha256(service.secrets[key].encode()).hexdigest() if key else None
    return post(service, "/internal/grant", {"key_sha256": digest, "model": model})


def identity(principals=("public",), knowledge_base="handbook", channel="live", scopes=("read",)):
    return encode_identity(Identity("default", "k_1", scopes, knowledge_base, channel, principals))


def ask(service, who, model="handbook"):
    return post(service, CHAT, {"model": model, "messages": [{"role": "user", "content": QUESTION}]}, who)


def test_a_grant_says_who_asks_and_what_is_live(service):
    got = grant(service, "writer")
    assert got.status_code == 200
    granted = got.json()
    release = service.handbook.registry.names("releases")[0]
    assert granted == {
        "tenant": "default",
        "key_id": next(key.id for key in service.keys.issued("default") if key.name == "writer"),
        "scopes": ["read", "write"],
        "knowledge_base": "handbook",
        "channel": "live",
        "recipe": service.handbook.recipe.id,
        "release": release,
        "generation": granted["generation"],
        "principals": ["group:hr", "public"],
    }


def test_only_principals_that_the_corpus_uses_are_granted(own):
    from jargonaut.state.keys import KeyRequest

    many = ["group:hr", "user:ann", "group:sales"]
    own.secrets["ann"] = own.keys.issue("default", KeyRequest("ann", many)).secret
    assert grant(own, "ann").json()["principals"] == ["group:hr", "public"]
    permit_documents(own.handbook.journal, own.handbook.scope, {"ops/deploy.md": ("group:sales",)})
    assert grant(own, "ann").json()["principals"] == ["group:hr", "group:sales", "public"]


def test_without_a_model_only_the_key_is_resolved(service):
    granted = grant(service, "hr", None).json()
    assert granted["principals"] == ["group:hr", "public"]
    assert (granted["knowledge_base"], granted["release"], granted["generation"]) == ("", "", 0)


def test_a_release_can_be_granted_by_its_id(service):
    release = service.handbook.registry.names("releases")[0]
    granted = grant(service, model=f"handbook@{release}").json()
    assert (granted["channel"], granted["release"]) == (release, release)


def test_unknown_keys_and_models_are_errors(service):
    assert grant(service, model="handbok").status_code == 404
    unknown = post(service, "/internal/grant", {"key_sha256": "0" * 64, "model": "handbook"})
    assert unknown.status_code == 401
    assert post(service, "/internal/grant", {"key_sha256": None, "model": None}).status_code == 401
    assert post(service, "/internal/grant", {"key_sha256": "x", "model": None}).status_code == 400


def test_a_grant_is_for_the_edge_only(service):
    body = {"key_sha256": None, "model": "handbook"}
    unsigned = {"authorization": f"Bearer {service.secrets['writer']}"}
    assert post(service, "/internal/grant", body, headers=unsigned).status_code == 401
    in_the_name_of_someone = post(service, "/internal/grant", body, identity())
    assert in_the_name_of_someone.json()["error"]["code"] == "invalid_signature"


def test_an_answer_is_for_exactly_the_principals_signed(service):
    of_public, of_hr = ask(service, identity()), ask(service, identity(("group:hr", "public")))
    assert "7200" not in of_public.text
    assert "7200 euros" in of_hr.text
    assert of_hr.headers["x-jargonaut-store"] == "yes"


def test_grant_and_answer_agree(service):
    granted, answer = grant(service).json(), ask(service, identity())
    for name in ("recipe", "release", "channel", "generation"):
        assert str(granted[name]) == answer.headers[f"x-jargonaut-{name}"]


@pytest.mark.parametrize("who", [identity(knowledge_base="other"), identity(channel="canary")])
def test_an_identity_for_another_model_is_refused(service, who):
    assert ask(service, who).status_code == 403


def test_an_identity_without_the_scope_is_refused(service):
    assert ask(service, identity(scopes=())).status_code == 403


def test_a_signature_counts_once_and_for_one_request(service):
    body = json.dumps({"query": "session"}).encode()
    headers = service.signed("POST", "/v1/search", body, identity(), "e" * 32)
    with service.http(key="") as client:
        assert client.post("/v1/search", content=body, headers=headers).status_code == 200
        again = client.post("/v1/search", content=body, headers=headers)
        other = service.signed("POST", "/v1/search", body, identity(), "f" * 32)
        changed = client.post("/v1/search", content=body.replace(b"session", b"bonus"), headers=other)
        redirected = client.post("/v1/search?x=1", content=body, headers=other)
    for got in (again, changed, redirected):
        assert got.status_code == 401
        assert got.json()["error"]["code"] == "invalid_signature"


def test_an_identity_without_a_signature_is_refused_even_with_a_key(service):
    headers = {"x-jargonaut-identity": identity(), "authorization": f"Bearer {service.secrets['reader']}"}
    with service.http(key="") as client:
        assert client.get("/v1/models", headers=headers).status_code == 401


def test_names_in_any_script_stand_in_headers(tmp_path):
    from jargonaut.core.scope import Scope
    from tests.answering.handbook import Handbook
    from tests.serving.conftest import serving

    handbook = Handbook(tmp_path, Scope("default", "手册"))
    handbook.promote(handbook.build(PAGES))
    with serving(handbook) as running:
        got = ask(running, identity(knowledge_base="手册"), "手册")
        assert got.status_code == 200
        assert got.headers["x-jargonaut-knowledge-base"] == "%E6%89%8B%E5%86%8C"
