from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.errors import SettingsError, UnavailableError
from jargonaut.serving.edge_signature import (
    EDGE_ITSELF,
    IDENTITY_HEADER,
    SIGNATURE_HEADER,
    Identity,
    InvalidSignatureError,
    Signable,
    Verifier,
    encode_identity,
    sign,
)

VECTORS = json.loads((Path(__file__).parents[2] / "contract" / "signatures.json").read_text())
SECRETS = {"k1": b"one", "k2": b"two"}
WHO = Identity("acme", "k_1", ("read",), "手册", "live", ("group:hr", "public"))
NOW = 1_700_000_000


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def signed(
    who=WHO, *, method="POST", target="/v1/search?a=b", body=b"{}", secret_id="k1", secret=b"one", at=NOW, nonce=1
):
    identity = encode_identity(who)
    signature = sign(Signable(method, target, body, identity), secret_id, secret, at, f"{nonce:032x}")
    return {IDENTITY_HEADER: identity, SIGNATURE_HEADER: signature}


def verify(verifier, headers, method="POST", target="/v1/search?a=b", body=b"{}"):
    return verifier.verify(method, target, body, headers)


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["name"])
def test_golden_signatures(vector):
    request = vector["request"]
    signable = Signable(request["method"], request["target"], request["body"].encode(), vector["identity"])
    secret = vector["secret"].encode()
    assert sign(signable, vector["secret_id"], secret, vector["time"], vector["nonce"]) == vector["signature"]
    headers = {IDENTITY_HEADER: vector["identity"], SIGNATURE_HEADER: vector["signature"]}
    verifier = Verifier({vector["secret_id"]: secret}, clock=Clock(vector["time"]))
    who = verifier.verify(signable.method, signable.target, signable.body, headers)
    if vector["who"] is None:
        assert who == EDGE_ITSELF
    else:
        lists = {name: tuple(value) for name, value in vector["who"].items() if isinstance(value, list)}
        assert who == Identity(**(vector["who"] | lists))
        assert encode_identity(who) == vector["identity"]


def test_who_signed_is_who_asks():
    verifier = Verifier(SECRETS, clock=Clock())
    assert verify(verifier, signed()) == WHO
    assert verify(verifier, signed(secret_id="k2", secret=b"two", nonce=2)) == WHO
    assert verify(verifier, signed(EDGE_ITSELF, nonce=3)) == EDGE_ITSELF
    assert EDGE_ITSELF.principals == EDGE_ITSELF.scopes == ()


def test_an_unsigned_request_is_nobodys():
    assert verify(Verifier(SECRETS, clock=Clock()), {"accept": "*/*"}) is None


@pytest.mark.parametrize(
    "change",
    [{"method": "GET"}, {"target": "/v1/search"}, {"target": "/v1/search?a=c"}, {"body": b"{} "}],
    ids=str,
)
def test_nothing_signed_may_be_changed(change):
    with pytest.raises(InvalidSignatureError) as caught:
        verify(Verifier(SECRETS, clock=Clock()), signed(), **change)
    assert (caught.value.http_status, caught.value.code) == (401, "invalid_signature")


@pytest.mark.parametrize(
    "headers",
    [
        {IDENTITY_HEADER: signed()[IDENTITY_HEADER]},
        signed() | {IDENTITY_HEADER: encode_identity(Identity("globex", None, (), "a", "live", ()))},
        signed() | {IDENTITY_HEADER: ""},
        {SIGNATURE_HEADER: signed()[SIGNATURE_HEADER]},
        signed() | {SIGNATURE_HEADER: ""},
        signed() | {SIGNATURE_HEADER: "k=k1,t=1,n=0,v1=0"},
        signed() | {SIGNATURE_HEADER: signed()[SIGNATURE_HEADER] + " "},
        signed(secret=b"wrong"),
        signed(secret_id="k3"),
        signed(secret_id="k3", secret=b"\0"),
        signed(at=NOW - 61),
        signed(at=NOW + 61),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(headers):
    with pytest.raises(InvalidSignatureError):
        verify(Verifier(SECRETS, clock=Clock()), headers)


@pytest.mark.parametrize("identity", ["bm9wZQ", "e30", "W10", "ä", "eyJ0ZW5hbnQiOiAxfQ"])
def test_an_identity_that_cannot_be_read_is_refused_even_if_signed(identity):
    signature = sign(Signable("POST", "/v1/search?a=b", b"{}", identity), "k1", b"one", NOW, "0" * 32)
    with pytest.raises(InvalidSignatureError):
        verify(Verifier(SECRETS, clock=Clock()), {IDENTITY_HEADER: identity, SIGNATURE_HEADER: signature})


@pytest.mark.parametrize("ahead", [-60, 0, 60])
def test_a_replay_is_refused_for_as_long_as_its_time_would_be_accepted(ahead):
    clock = Clock()
    verifier = Verifier(SECRETS, clock=clock)
    headers = signed(at=NOW + ahead)
    assert verify(verifier, headers) == WHO
    for later in range(0, 130, 5):
        clock.now = NOW + later
        with pytest.raises(InvalidSignatureError):
            verify(verifier, headers)


def test_a_wrong_signature_does_not_use_up_a_nonce():
    verifier = Verifier(SECRETS, clock=Clock())
    with pytest.raises(InvalidSignatureError):
        verify(verifier, signed(secret=b"wrong"))
    assert verify(verifier, signed()) == WHO


def test_memory_is_bounded_and_closes_when_full():
    clock = Clock()
    verifier = Verifier(SECRETS, clock=clock, memory=3)
    for nonce in range(3):
        verify(verifier, signed(nonce=nonce))
    with pytest.raises(UnavailableError):
        verify(verifier, signed(nonce=3))
    clock.now += 121
    assert verify(verifier, signed(nonce=3, at=NOW + 121)) == WHO


@given(
    st.builds(
        Identity,
        st.text(min_size=1),
        st.none() | st.text(),
        st.lists(st.text()).map(tuple),
        st.text(),
        st.text(),
        st.lists(st.text()).map(tuple),
    )
)
def test_every_identity_survives_the_header(who):
    verifier = Verifier(SECRETS, clock=Clock())
    assert verify(verifier, signed(who)) == who


def test_two_secrets_count_while_one_replaces_the_other(tmp_path, monkeypatch):
    """The service takes what both edges sign, named by their secrets' digests."""
    from jargonaut.deployment.edge_settings import secret_id
    from jargonaut.settings import load_settings
    from jargonaut.wiring import Workspace, create_service, signing_secret

    (tmp_path / "docs").mkdir()
    (tmp_path / "jargonaut.toml").write_text(
        '[edge]\nsecret_env = "NEW"\nprevious_secret_env = "OLD"\nstale_if_error_s = 30\n'
        '[[knowledge_bases]]\nname = "kb"\n[[knowledge_bases.sources]]\npath = "docs"\n'
    )
    workspace = Workspace(load_settings(tmp_path / "jargonaut.toml"), tmp_path / "home")
    monkeypatch.setenv("NEW", "new secret")
    with pytest.raises(SettingsError, match=r"OLD, which \[edge\] previous_secret_env"):
        create_service(workspace, signing_secret(workspace.settings))
    monkeypatch.setenv("OLD", "old secret")
    service = create_service(workspace, signing_secret(workspace.settings)).state.service
    verifier, question = service.authenticator.verifier, Signable("POST", "/internal/grant", b"{}", "")
    for number, secret in enumerate(("new secret", "old secret")):
        headers = {
            SIGNATURE_HEADER: sign(question, secret_id(secret), secret.encode(), int(time.time()), f"{number:032x}")
        }
        assert verifier.verify(question.method, question.target, question.body, headers) == EDGE_ITSELF
    # A receipt says when no edge answers from before.
    assert service.limits.edge_bound_s == 35
