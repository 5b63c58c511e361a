import json
import socket

import pytest

from jargonaut.serving.service import Limits
from tests.serving.conftest import serving

CHAT, SEARCH = "/v1/chat/completions", "/v1/search"
JSON = {"content-type": "application/json"}
USER = {"role": "user", "content": "What is the default of SESSION_COOKIE_AGE?"}


def chat(**changes):
    body = {"model": "handbook", "messages": [USER], **changes}
    return json.dumps({name: value for name, value in body.items() if value is not None})


def search(**changes):
    return json.dumps({"query": "session cookie", **changes})


DEEP = '{"a":' * 5000 + "1" + "}" * 5000

BAD = [
    ("no body", CHAT, "", 400, "Field required"),
    ("not JSON", CHAT, "{", 400, "not valid JSON"),
    ("a list", CHAT, "[]", 400, "dictionary"),
    ("a number", CHAT, "7", 400, "dictionary"),
    ("invalid UTF-8", CHAT, b'{"model": "\xff"}', 400, "body"),
    ("deep JSON", CHAT, DEEP, 400, "body"),
    ("deep filter", CHAT, f'{{"model":"handbook","messages":[{json.dumps(USER)}],"filter":{DEEP}}}', 400, "body"),
    ("no model", CHAT, chat(model=None), 400, "model: Field required"),
    ("empty model", CHAT, chat(model=""), 400, "model"),
    ("model of the wrong type", CHAT, chat(model=7), 400, "model"),
    ("unknown model", CHAT, chat(model="handbok"), 404, "Did you mean `handbook`"),
    ("no messages", CHAT, chat(messages=None), 400, "messages: Field required"),
    ("empty messages", CHAT, chat(messages=[]), 400, "messages"),
    ("wrong role", CHAT, chat(messages=[{"role": "robot", "content": "hi"}]), 400, "messages.0.role"),
    ("nobody asks", CHAT, chat(messages=[{"role": "system", "content": "hi"}]), 400, "no message of the user"),
    ("empty question", CHAT, chat(messages=[{"role": "user", "content": " \n"}]), 400, "empty"),
    ("null question", CHAT, chat(messages=[{"role": "user", "content": None}]), 400, "empty"),
    ("over-long question", CHAT, chat(messages=[{"role": "user", "content": "x" * 8001}]), 400, "8001 characters"),
    (
        "an image",
        CHAT,
        chat(messages=[{"role": "user", "content": [{"type": "image_url"}]}]),
        400,
        "messages.0.content",
    ),
    ("half a character", CHAT, chat(messages=[{"role": "user", "content": "\ud800?"}]), 400, "surrogate"),
    ("two answers", CHAT, chat(n=2), 400, "n"),
    ("filter on an unknown field", CHAT, chat(filter={"colour": "red"}), 400, "Cannot filter on `colour`"),
    ("empty filter", CHAT, chat(filter={}), 400, "filter"),
    ("filter that is a list", CHAT, chat(filter=["uri"]), 400, "filter"),
    ("no query", SEARCH, "{}", 400, "query: Field required"),
    ("empty query", SEARCH, search(query=""), 400, "empty"),
    ("over-long query", SEARCH, search(query="x" * 8001), 400, "8001 characters"),
    ("unknown field", SEARCH, search(limit=3), 400, "limit"),
    ("no passage wanted", SEARCH, search(top_k=0), 400, "top_k"),
    ("too many passages", SEARCH, search(top_k=51), 400, "at most 50"),
    (
        "filter nested too deep",
        SEARCH,
        search(filter=json.loads('{"not":' * 9 + '{"uri":"a"}' + "}" * 9)),
        400,
        "nested",
    ),
    ("unknown knowledge base", SEARCH, search(model="x"), 404, "no model `x`"),
    ("unknown path", "/v1/images", "{}", 404, "There is no /v1/images"),
    ("wrong method", "/v1/models", "{}", 405, "does not take POST"),
    ("restore without a document", "/v1/documents/restore", "{}", 400, "uri: Field required"),
]


@pytest.mark.parametrize(("path", "body", "status", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_request_is_refused_in_our_shape(service, path, body, status, says):
    with service.http("writer") as client:
        got = client.post(path, content=body, headers={"content-type": "application/json"})
    assert got.status_code == status, got.text
    error = got.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert says in error["message"]
    assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")
    assert got.headers["x-request-id"]


def test_a_body_that_is_not_json_by_its_type_is_refused(service):
    with service.http() as client:
        got = client.post(CHAT, content=chat(), headers={"content-type": "text/plain"})
    assert got.status_code == 400, "a web page may send text/plain to anyone without asking"
    assert got.json()["error"]["type"] == "invalid_request_error"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(service):
    with service.http() as client:
        got = client.post(CHAT, content=b"x" * (256 * 1024 + 1))
        assert got.status_code == 413
        assert got.json()["error"]["code"] == "request_too_large"

        def endless():
            for _ in range(300):
                yield b"x" * 1024

        assert client.post(CHAT, content=endless()).status_code == 413


def test_a_declared_length_is_believed(service):
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999999999\r\n\r\n".encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 413")


def test_the_request_id_of_a_client_is_kept_if_it_is_one(service):
    with service.http() as client:
        assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
        other = client.get("/healthz", headers={"x-request-id": "a b; c"}).headers["x-request-id"]
    assert other.startswith("req_")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/v1/chat/completions", "/internal/grant", "/docs", "/v1/documents/a/../b"])
def test_nothing_is_open_to_strangers(service, method, path):
    with service.http(key="") as client:
        got = client.request(method, path)
    assert got.status_code == 401
    assert got.json()["error"]["type"] == "authentication_error"
    assert got.headers["www-authenticate"] == "Bearer"
    assert got.headers["x-request-id"]


def test_a_stranger_s_body_is_not_looked_at(service):
    with service.http(key="") as client:
        assert client.post(CHAT, content=DEEP).status_code == 401


def test_a_deadline_is_kept(built):
    with serving(built, limits=Limits(deadline_s=0.0)) as running, running.http() as client:
        got = client.post(CHAT, content=chat(), headers={"content-type": "application/json"})
    assert got.status_code == 504
    assert got.json()["error"]["code"] == "deadline_exceeded"


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/v1/documents", "GET, POST"), ("/v1/documents/a.md", "DELETE, GET, PUT"), ("/v1/search", "POST")],
)
def test_a_wrong_method_is_told_the_right_ones(service, path, allow):
    with service.http("writer") as client:
        got = client.patch(path)
    assert (got.status_code, got.headers["allow"]) == (405, allow)


def raw(service, *lines, body=b""):
    """Status line and body of the answer to a request that no client library would send."""
    host, port = service.url.removeprefix("http://").split(":")
    head = "\r\n".join((lines[0], f"Host: {host}", *lines[1:], f"Content-Length: {len(body)}", "", "")).encode(
        "latin-1"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def test_two_keys_are_none(service):
    key = f"Authorization: Bearer {service.secrets['hr']}"
    got = raw(service, "GET /v1/models HTTP/1.1", key, "Authorization: Bearer other")
    assert got.startswith(b"HTTP/1.1 400")
    assert b"more than once" in got


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer x\rX-Jargonaut-Identity: e30",
        "Authorization: Bearer x\x00y",
        "Authorization : Bearer x",
        "X-Request-Id: a\x0bb",
    ],
)
def test_a_header_that_hides_another_is_refused(service, line):
    got = raw(service, "GET /v1/models HTTP/1.1", line)
    assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))


def test_a_line_break_in_a_key_is_no_second_header(service):
    got = raw(service, "GET /v1/models?model=a%0d%0aX-Evil:%201 HTTP/1.1", "X-Request-Id: b%0d%0aX-Evil: 1")
    assert b"x-evil" not in got.lower().split(b"\r\n\r\n")[0].replace(b"%0d%0ax-evil", b"")


def test_a_slow_client_is_given_up_and_others_are_served(built, monkeypatch):
    from jargonaut.serving import boundary

    monkeypatch.setattr(boundary, "_BODY_TIMEOUT_S", 0.5)
    with serving(built) as running:
        host, port = running.url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port)), timeout=10) for _ in range(20)]
        for connection in slow:
            key = running.secrets.get("reader", "")
            head = f"POST {CHAT} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b"{")
        with running.http() as client:
            assert client.post(SEARCH, content=search(), headers=JSON).status_code == 200
        for connection in slow:
            assert connection.recv(4096).startswith(b"HTTP/1.1 400")
            connection.close()


NASTY = [
    "\x00",
    "\ud800",
    "\u202e",
    "\ufeff",
    "A\u0300" * 500,
    "\U0001f468\u200d\U0001f469",
    "' OR 1=1 --",
    "%s%n",
    "<b>",
]


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_a_nasty_question_is_answered_or_refused(service, text):
    bodies = [
        (CHAT, {"model": "handbook", "messages": [{"role": "user", "content": f"session {text} cookie"}]}),
        (SEARCH, {"query": f"session {text} cookie", "filter": {"uri": text}}),
        ("/v1/rerank", {"model": "handbook", "query": f"a {text}", "documents": [f"b {text}"]}),
        ("/v1/feedback", {"query": f"a {text}", "rating": "bad", "comment": text}),
        ("/dify/retrieval", {"knowledge_id": "handbook", "query": f"a {text}"}),
        ("/v1/documents/restore", {"uri": text}),
    ]
    with service.http("writer") as client:
        for path, body in bodies:
            got = client.post(path, content=json.dumps(body), headers=JSON)
            assert got.status_code < 500, (path, got.text)
            if got.status_code >= 400:
                assert set(got.json()["error"]) == {"message", "type", "param", "code"}
        assert client.get(f"/v1/models/{text.encode('utf-8', 'surrogatepass').hex()}").status_code == 404
