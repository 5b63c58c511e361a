import httpx
import pytest

from jargonaut.state.keys import KeyRequest
from tests.answering.handbook import Handbook
from tests.serving.conftest import serving

MODELS = "/v1/models"


def status(service, authorization, **headers):
    with service.http(key="") as client:
        return client.get(MODELS, headers={"authorization": authorization, **headers}).status_code


def test_a_key_lets_in(service):
    assert status(service, f"Bearer {service.secrets['reader']}") == 200
    assert status(service, f"bearer  {service.secrets['reader']}") == 200


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer jg_x", "Basic amdfOng=", "Bearer \xff", "Bearer " + "x" * 5000]
)
def test_anything_else_does_not(service, authorization):
    with service.http(key="") as client:
        got = client.get(MODELS, headers={"authorization": authorization.encode("latin-1")})
    assert got.status_code == 401
    assert got.json()["error"]["code"] == "invalid_api_key"


def test_a_revoked_key_is_refused_at_once(own):
    assert status(own, f"Bearer {own.secrets['reader']}") == 200
    own.keys.revoke("default", next(key.id for key in own.keys.issued("default") if key.name == "reader"))
    assert status(own, f"Bearer {own.secrets['reader']}") == 401


def test_claimed_principals_are_ignored(service):
    claim = {"x-jargonaut-principals": "group:hr"}
    with service.http() as client:
        got = client.get("/v1/documents", headers=claim).json()
    assert "hr/salaries.md" not in [item["uri"] for item in got["data"]]


@pytest.fixture
def open_service(tmp_path):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook, with_keys=False) as running:
        yield running


def test_an_open_service_asks_for_no_key_but_shows_what_is_public_only(open_service):
    with open_service.http(key="") as client:
        listed = client.get("/v1/documents").json()["data"]
        assert client.get(MODELS, headers={"authorization": "Bearer whatever-the-sdk-sends"}).status_code == 200
    assert listed
    assert "hr/salaries.md" not in [item["uri"] for item in listed]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "10.0.0.1"])
def test_an_open_service_answers_to_localhost_only(open_service, host):
    assert status(open_service, "", host=host) in (400, 401)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "[::1]"])
def test_by_whatever_name(open_service, host):
    assert status(open_service, "", host=host) == 200


def test_the_first_key_closes_an_open_service(open_service):
    issued = open_service.keys.issue("default", KeyRequest("first"))
    assert status(open_service, "") == 401
    open_service.keys.revoke("default", issued.key.id)
    assert status(open_service, "") == 401


def test_probes_need_no_key(service):
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert httpx.get(service.url + path).status_code == 200
