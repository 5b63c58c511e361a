"""Tokens of an identity provider, made and checked for real, with and without the edge in between."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jargonaut.core.errors import AuthenticationError, SettingsError, UnavailableError
from jargonaut.serving.tokens import TokenRules, TokenVerifier, is_token
from jargonaut.settings import load_settings

jwt = pytest.importorskip("jwt", reason="the extra `jwt` is not installed")

ISSUER, AUDIENCE = "https://login.example.com/", "jargonaut"


class Provider:
    """Publishes keys, and signs with them."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self.private = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("k1", "k2", "private")}
        self.published = ["k1"]
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                keys = [provider.jwk(name) for name in provider.published]
                body = json.dumps({"keys": keys}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def jwk(self, name):
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.private[name].public_key(), as_dict=True)
        return public | {"kid": name, "alg": "ES256", "use": "sig"}

    def token(self, key="k1", name=None, algorithm="ES256", **claims):
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": time.time() + 60} | claims
        said = {claim: value for claim, value in said.items() if value is not None}
        secret = self.private[key] if algorithm == "ES256" else "a secret that somebody made up, long enough"
        return jwt.encode(said, secret, algorithm, headers={"kid": name or key})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def provider():
    provider = Provider()
    yield provider
    provider.close()


def verifier(provider, **changes):
    rules = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": provider.url, "tenant": "default"} | changes
    return TokenVerifier(TokenRules(**rules), ["default", "acme"])


def test_claims_say_who_asks(provider):
    bearer = verifier(provider).bearer(provider.token(groups=["hr", "with blank", 7]))
    assert (bearer.subject, bearer.tenant) == ("ann", "default")
    assert bearer.principals == {"public", "user:ann", "group:hr"}
    by_claim = verifier(provider, tenant_claim="org", groups_claim="roles")
    bearer = by_claim.bearer(provider.token(org="acme", roles="ops"))
    assert (bearer.tenant, bearer.principals) == ("acme", {"public", "user:ann", "group:ops"})
    with pytest.raises(AuthenticationError, match="no tenant"):
        by_claim.bearer(provider.token(org="globex"))
    with pytest.raises(AuthenticationError, match="no tenant"):
        by_claim.bearer(provider.token())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"nbf": 9_999_999_999},
        {"key": "private"},
        {"key": "private", "name": "k1"},
    ],
)
def test_a_token_that_does_not_count_is_refused(provider, claims):
    with pytest.raises(AuthenticationError):
        verifier(provider).bearer(provider.token(**claims))


def test_no_algorithm_and_one_with_a_secret_are_refused(provider):
    head, body, signature = provider.token().split(".")
    nothing = jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "exp": time.time() + 60}, None, "none")
    with_a_secret = provider.token(algorithm="HS256", name="k1")
    tampered = f"{head}.{body[:-4]}AAAA.{signature}"
    for token in (nothing, nothing + "x", with_a_secret, tampered, "a.b.c", "x" * 9000):
        with pytest.raises(AuthenticationError):
            verifier(provider).bearer(token)


def test_a_new_key_is_found_and_unknown_ones_do_not_make_us_ask_again_and_again(provider):
    checking = verifier(provider)
    checking.bearer(provider.token())
    provider.published = ["k2"]
    assert checking.bearer(provider.token("k2")).subject == "ann"
    asked = provider.asked
    for number in range(5):
        with pytest.raises(AuthenticationError):
            checking.bearer(provider.token("private", name=f"unknown-{number}"))
    assert provider.asked == asked
    provider.published = ["k1"]


def test_keys_that_cannot_be_fetched_are_no_refusal():
    rules = TokenRules(ISSUER, AUDIENCE, "http://127.0.0.1:1/jwks.json", "default")
    with pytest.raises(UnavailableError):
        TokenVerifier(rules, ["default"]).bearer("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.AAAA")


def test_what_a_bearer_sees_through_service_and_grant(built, provider):
    from tests.serving.conftest import serving
    from tests.serving.test_grant import post

    token = provider.token(groups=["hr"])
    with serving(built) as service:
        body = {"model": "handbook", "messages": [{"role": "user", "content": "What is the yearly bonus?"}]}
        headers = {"authorization": f"Bearer {token}"}
        with service.http(key="") as client:
            assert client.post("/v1/chat/completions", json=body, headers=headers).status_code == 401
    with serving(built, tokens=verifier(provider)) as service, service.http(key="") as client:
        assert "7200" in client.post("/v1/chat/completions", json=body, headers=headers).text
        granted = post(service, "/internal/grant", {"key_sha256": None, "token": token, "model": "handbook"}).json()
        assert (granted["key_id"], granted["principals"]) == ("token:ann", ["group:hr", "public"])
        assert granted["scopes"] == ["read"]
        assert client.delete("/v1/documents/x.md", headers=headers).status_code == 403


def test_api_keys_are_no_tokens():
    assert not is_token("jg_abc-def_ghi")
    assert is_token("a.b.c")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('issuer = "https://a/"', "needs `audience`"),
        ('issuer = "a"\naudience = "b"\njwks_url = "http://a/jwks"', "https://"),
        ('issuer = "a"\naudience = "b"\njwks_url = "https://a/jwks"\ntenant = "acme"', "there are default"),
    ],
)
def test_settings_that_would_let_others_in_are_refused(tmp_path, table, said):
    (tmp_path / "docs").mkdir()
    path = tmp_path / "jargonaut.toml"
    path.write_text(
        f'[tokens]\n{table}\n[[knowledge_bases]]\nname = "kb"\n[[knowledge_bases.sources]]\npath = "docs"\n'
    )
    with pytest.raises(SettingsError, match=said):
        load_settings(path)
