"""What the edge lets through, and as whom; and what it says when it cannot answer."""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from jargonaut.deployment.edge import Edge
from jargonaut.deployment.edge_settings import Origin
from jargonaut.serving.edge_signature import EDGE_ITSELF, Identity

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}


def refusal(response, status, code):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["code"] == code
    assert response.headers["x-request-id"]
    assert response.headers["cache-control"] == "no-store"
    return error


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/internal/grant",
        "/internal/",
        "//internal/grant",
        "/v1/../internal/grant",
        "/v1/documents/%2e%2e/%2e%2e/internal/grant",
        "/v1/documents/..%2f..%2finternal/grant",
        "/v1/documents/..%5cinternal",
        "/v1/documents/%zz",
        "/assets/../internal/grant",
        "/.answers/0000",
        "/v1/chat/completions/",
        "/v1",
    ],
)
def test_what_is_not_a_route_does_not_exist(edge, origin, path):
    connection = http.client.HTTPConnection(edge.url.removeprefix("http://"), timeout=10)
    for method in ("GET", "POST"):
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("content-length", "0")
        connection.endheaders()
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["code"]) == (404, "not_found")
    connection.close()
    assert (origin.seen, origin.grants) == ([], 0)


def test_a_wrong_method_is_told_the_right_one(client):
    refused = client.get(CHAT)
    refusal(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"model":"handbook","a":"' + b"x" * 262_144 + b'"}', 413, "body_too_large"),
        (b"[" * 200_000, 400, "invalid_request"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "invalid_request"),
        (b'{"model":"handbook","a":' + b"[" * 33 + b"]" * 33 + b"}", 400, "invalid_request"),
        (b'{"model":"handbook"', 400, "invalid_request"),
        (b'{"model":"handbook","a":"\xff"}', 400, "invalid_request"),
        (b'\xef\xbb\xbf{"model":"handbook"}', 400, "invalid_request"),
        (b'{"model":"handbook","a":"\\ud800"}', 400, "invalid_request"),
        (b'{"model":"handbook","a":1e999}', 400, "invalid_request"),
        (b'["model"]', 400, "invalid_request"),
        (b"null", 400, "invalid_request"),
        (b"", 400, "invalid_request"),
        (b'{"model":"handbooks"}', 404, "model_not_found"),
        (b'{"model":"' + b"x" * 300 + b'"}', 404, "model_not_found"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(client, origin, body, status, code):
    refusal(client.post(CHAT, content=body, headers=JSON), status, code)
    assert origin.seen == []


def test_a_body_of_unknown_length_has_the_same_cap(client):
    def pieces():
        for _ in range(80):
            yield b" " * 4096

    refusal(client.post(CHAT, content=pieces(), headers=JSON), 413, "body_too_large")


def test_a_body_just_under_the_cap_is_taken(ask):
    assert ask("x" * 262_000).status_code == 200


@pytest.mark.parametrize(("limit_kb", "size", "status"), [(1, 2000, 413), (300, 280_000, 200)])
def test_the_cap_is_that_of_the_settings(settings, workerd, limit_kb, size, status):
    body = {"model": "handbook", "messages": [{"role": "user", "content": "x" * size}]}
    with Edge(dataclasses.replace(settings, body_limit_kb=limit_kb), binary=workerd) as edge:
        answer = httpx.post(edge.url + CHAT, json=body, headers={"authorization": "Bearer alice"}, timeout=20)
    assert answer.status_code == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_only_json_is_a_question(client, content_type):
    refused = client.post(CHAT, content=b'{"model":"handbook"}', headers={"content-type": content_type})
    refusal(refused, 415, "unsupported_media_type")


def test_an_unknown_key_is_refused_before_anything_is_looked_up(ask, client, origin):
    assert ask().status_code == 200
    assert refusal(ask(key="stranger"), 401, "invalid_api_key")["type"] == "authentication_error"
    for value in ("Basic abc", "Bearer", "Bearer a b"):
        refusal(ask(headers={"authorization": value}), 401, "invalid_api_key")
    body = {"model": "handbook", "messages": []}
    refusal(httpx.post(f"{client.base_url}{CHAT}", json=body), 401, "invalid_api_key")
    assert len(origin.answered()) == 1


def test_headers_of_a_client_decide_nothing(ask, origin):
    forged = {
        "x-jargonaut-identity": "eyJ0ZW5hbnQiOiJnbG9iZXgifQ",
        "x-jargonaut-signature": "k=k1,t=1,n=00,v1=00",
        "x-jargonaut-store": "yes",
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-host": "evil.example",
        "x-request-id": "chosen",
        "cookie": "a=b",
        "accept-language": "de",
        "cloudflare-workers-version-overrides": "a=b",
        "cloudflare-workers-version-key": "a",
        "cf-connecting-ip": "1.2.3.4",
    }
    answer = ask(headers=forged)
    assert answer.headers["x-jargonaut-cache"] == "MISS"
    assert answer.headers["x-request-id"] != "chosen"
    (seen,) = origin.answered()
    assert seen.identity == Identity("acme", "k_1", ("read",), "handbook", "live", ("public",))
    assert not set(forged) - {"x-jargonaut-identity", "x-jargonaut-signature", "x-request-id"} & set(seen.headers)
    assert "authorization" not in seen.headers
    assert seen.headers["x-request-id"] == answer.headers["x-request-id"]
    assert ask().headers["x-jargonaut-cache"] == "HIT"


@pytest.mark.parametrize("body", [b'{"query":"q"}', b'{"model":7}'])
def test_a_question_that_names_no_knowledge_base_is_the_origins_to_answer(client, origin, body):
    for _ in range(2):
        client.post("/v1/search", content=body, headers=JSON)
    first, second = origin.answered("/v1/search")
    assert first.body == second.body == body
    assert first.identity == Identity("acme", "k_1", ("read",), "", "", ("public",))


def test_without_keys_only_this_machine_is_answered(edge, origin):
    origin.open = True
    body = {"model": "handbook", "messages": [{"role": "user", "content": "q"}]}
    port = edge.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", f"localhost:{port}", "[::1]:80"):
        assert httpx.post(edge.url + CHAT, json=body, headers={"host": host}).status_code == 200
    for host in (
        "rebound.example",
        f"rebound.example:{port}",
        "127.0.0.1.rebound.example",
        "localhost.rebound.example",
    ):
        answer = httpx.post(edge.url + CHAT, json=body, headers={"host": host})
        refusal(answer, 401, "invalid_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_other_routes_are_passed_through_signed_and_not_cached(client, origin):
    for method, target in [
        ("GET", "/v1/documents?knowledge_base=%E6%89%8B%E5%86%8C&limit=5"),
        ("DELETE", "/v1/documents/ref%2Fa%20b.md"),
        ("POST", "/v1/feedback"),
        ("PUT", "/v1/documents/new.md"),
        ("POST", "/dify/retrieval"),
        ("POST", "/mcp"),
    ]:
        for _ in range(2):
            answer = client.request(
                method, target, content=b"{}" if method in ("POST", "PUT") else None, headers={"accept": "a/b"}
            )
            assert answer.json() == {"path": target, "tenant": "acme"}
            assert "x-jargonaut-cache" not in answer.headers
        first, second = origin.seen[-2:]
        assert first.identity == second.identity == Identity("acme", "k_1", ("read",), "", "", ("public",))
        assert (first.method, first.headers["accept"]) == (method, "a/b")
        assert "authorization" not in first.headers
    refusal(client.get("/v1/documents", headers={"authorization": "Bearer x"}), 401, "invalid_api_key")


@pytest.mark.parametrize("path", ["/", "/assets/app.js", "/openapi.json", "/docs", "/readyz"])
def test_what_everyone_may_see_needs_no_key(edge, origin, path):
    assert httpx.get(edge.url + path).json() == {"path": path, "tenant": ""}
    assert origin.seen[-1].identity == EDGE_ITSELF
    assert origin.grants == 0


def test_a_knowledge_base_may_have_any_name(ask, origin):
    assert [ask(model="手册").headers["x-jargonaut-cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert origin.answered()[-1].identity.knowledge_base == "手册"


def test_no_hit_is_served_when_nobody_says_who_may_see_it(ask, client, origin, settings):
    assert ask().headers["x-jargonaut-cache"] == "MISS"
    origin.down = True
    until = time.monotonic() + settings.bound_s + 1
    while (answer := ask()).status_code == 200:
        assert time.monotonic() < until
    refusal(answer, 503, "grant_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 503
    origin.down = False
    assert ask().headers["x-jargonaut-cache"] == "HIT"


def test_an_origin_that_is_not_there(settings, workerd):
    with Edge(dataclasses.replace(settings, origins=(Origin("http://127.0.0.1:1"),)), binary=workerd) as edge:
        assert httpx.get(f"{edge.url}/healthz").json() == {"status": "ok"}
        for path in ("/readyz", "/v1/models"):
            answer = httpx.get(edge.url + path)
            refusal(answer, 502, "origin_unreachable")
            assert answer.headers["retry-after"] == "1"


def test_an_edge_with_another_secret(settings, workerd):
    with Edge(dataclasses.replace(settings, secret="another"), binary=workerd) as edge:
        answer = httpx.get(f"{edge.url}/v1/models", headers={"authorization": "Bearer alice"})
        refusal(answer, 502, "invalid_signature")


def test_an_origin_that_does_not_begin_in_time(settings, workerd, origin):
    with Edge(dataclasses.replace(settings, header_deadline_s=0.3), binary=workerd) as edge:
        body = {"model": "handbook", "messages": [{"role": "user", "content": "wait"}]}
        answer = httpx.post(edge.url + CHAT, json=body, headers={"authorization": "Bearer alice"}, timeout=10)
        refusal(answer, 504, "deadline_exceeded")
        assert origin.gone.wait(5)


def test_a_stream_that_falls_silent_is_given_up(settings, workerd, origin):
    with Edge(dataclasses.replace(settings, idle_gap_s=0.3), binary=workerd) as edge:
        body = {"model": "handbook", "stream": True, "messages": [{"role": "user", "content": "hang"}]}
        headers = {"authorization": "Bearer alice"}
        with (
            httpx.stream("POST", edge.url + CHAT, json=body, headers=headers, timeout=10) as answer,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            list(answer.iter_bytes())
        assert origin.gone.wait(5)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_takes_its_request_with_it(edge, origin, ask, stream):
    question = "trickle" if stream else "wait"
    body = {"model": "handbook", "stream": stream, "messages": [{"role": "user", "content": question}]}
    connection = http.client.HTTPConnection(edge.url.removeprefix("http://"), timeout=10)
    connection.request("POST", CHAT, json.dumps(body), JSON | {"authorization": "Bearer alice"})
    assert origin.arrived.wait(10)
    if stream:
        connection.getresponse().read(10)
    else:
        # workerd learns that a client is gone when it writes to it, or by a reset; it had nothing to write yet.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert origin.gone.wait(10)
    origin.gate.set()
    assert ask(question, stream=stream).headers["x-jargonaut-cache"] == "MISS"


def test_who_waits_for_another_that_leaves_is_answered(edge, origin, ask):
    body = json.dumps({"model": "handbook", "messages": [{"role": "user", "content": "wait"}]})
    first = http.client.HTTPConnection(edge.url.removeprefix("http://"), timeout=10)
    first.request("POST", CHAT, body, JSON | {"authorization": "Bearer alice"})
    assert origin.arrived.wait(10)
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(ask, "wait")
        first.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()
        assert origin.gone.wait(10)
        origin.gate.set()
        assert second.result().status_code == 200
