"""What is sent to break in, to break down or to poison: refused, or without effect. More in `test_edge_requests`."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time

import httpx
import pytest

from jargonaut.deployment.edge_settings import Origin as EdgeOrigin
from tests.edge.test_edge_origins import raw_origin

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json", "authorization": "Bearer alice"}


def error(response, status, code):
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code


def test_ten_megabytes_are_refused_without_being_kept(edge, client, origin):
    error(client.post(CHAT, content=b"x" * 10_000_000, headers=JSON), 413, "body_too_large")
    # Said before, or only found out: the rest is not read.
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as raw:
        raw.sendall(b"POST /v1/search HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10000000\r\n\r\n{")
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")
    assert (origin.seen, origin.grants) == ([], 0)
    assert edge.restarts == 0


def test_a_megabyte_of_nested_arrays_is_refused_quickly(edge_with, origin):
    with edge_with(body_limit_kb=2048) as client:
        for body in (b"[" * 1_000_000, b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}", b'{"a":' * 150_000):
            begun = time.monotonic()
            error(client.post(CHAT, content=body, headers=JSON), 400, "invalid_request")
            assert time.monotonic() - begun < 2
        wide = b'{"model":"handbook","a":[' + b"[]," * 300_000 + b"[]]}"
        assert client.post(CHAT, content=wide, headers=JSON).status_code in (200, 400, 413, 502)
        assert client.get("/healthz").json() == {"status": "ok"}


def test_huge_headers_are_refused_and_the_next_request_is_served(client, question):
    error(client.post(**question(key="x" * 20_000)), 401, "invalid_api_key")
    padded = client.post(**question(headers={"x-padding": "x" * 200_000}))
    assert padded.status_code == 200  # workerd takes it, and it goes no further
    with contextlib.suppress(httpx.HTTPError):  # cut off by workerd
        assert client.post(**question(headers={"x-padding": "x" * 5_000_000})).status_code in (200, 400, 431)
    assert client.post(**question()).headers["x-jargonaut-cache"] == "HIT"


def test_what_an_answer_says_it_varies_by_is_nothing_that_the_origin_saw(ask, origin):
    origin.echo = {"vary": "accept-language, authorization, x-anything"}
    german = ask(headers={"accept-language": "de", "x-anything": "1"})
    english = ask(headers={"accept-language": "en", "x-anything": "2"})
    assert [german.headers["x-jargonaut-cache"], english.headers["x-jargonaut-cache"]] == ["MISS", "HIT"]
    assert "vary" not in english.headers
    assert not {"accept-language", "authorization", "x-anything"} & set(origin.answered()[0].headers) - {
        "authorization"
    }
    assert "authorization" not in origin.answered()[0].headers


@pytest.mark.parametrize(
    "header",
    [
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "x-host",
        "forwarded",
        "cloudflare-workers-version-overrides",
        "cloudflare-workers-version-key",
        "x-jargonaut-question",
        "x-jargonaut-stored-at",
        "x-jargonaut-stored-for",
    ],
)
def test_headers_that_poison_caches_have_no_effect(ask, origin, header):
    poisoned = ask(headers={header: "/internal/grant"})
    assert poisoned.headers["x-jargonaut-cache"] == "MISS"
    assert header not in origin.answered()[0].headers
    assert "/internal/grant" not in poisoned.text
    clean = ask()
    assert clean.headers["x-jargonaut-cache"] == "HIT"
    assert clean.content == poisoned.content


def test_another_host_name_is_another_place_in_the_cache(edge, origin):
    body = json.dumps({"model": "handbook", "messages": [{"role": "user", "content": "q"}]})

    def ask(host):
        connection = http.client.HTTPConnection(edge.url.removeprefix("http://"), timeout=10)
        connection.request("POST", CHAT, body, JSON | {"host": host})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.headers["x-jargonaut-cache"]

    assert [ask("one.example"), ask("other.example"), ask("one.example")] == ["MISS", "MISS", "HIT"]


def test_query_and_path_cannot_move_an_answer_to_another_key(ask, client, origin):
    assert ask().headers["x-jargonaut-cache"] == "MISS"
    body = {"model": "handbook", "messages": [{"role": "user", "content": "what is a frobnicator?"}]}
    for path in (f"{CHAT}?utm=1", f"{CHAT}?model=other"):
        assert client.post(path, json=body).headers["x-jargonaut-cache"] == "HIT"
        assert client.post(path, json=body, headers={"cache-control": "no-store"}).status_code == 200
    # A query is not in the key, so the origin does not see it either.
    assert {seen.target for seen in origin.seen} == {CHAT}
    for path in (f"{CHAT}/", "/v1//chat/completions", "/v1/chat/completions%00", "/V1/chat/completions"):
        assert client.post(path, json=body).status_code == 404


def test_an_origin_cannot_put_more_into_the_cache_than_its_answer(edge_with, origin, question):
    """Not even one that was taken over may set cookies, or redirect."""
    origin.echo = {"location": "https://evil.example", "link": "<x>", "access-control-allow-origin": "*", "x-evil": "1"}
    with edge_with() as client:
        for response in (client.post(**question()), client.post(**question())):
            assert not {"location", "link", "access-control-allow-origin", "x-evil"} & set(response.headers)


def test_an_answer_that_is_no_http_is_an_error(edge_with, origin, question):
    def babble(connection):
        connection.recv(1 << 16)
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")

    with raw_origin(babble) as url:
        origins = (EdgeOrigin(origin.url, "grants", weight=0), EdgeOrigin(url, "bad", grants=False))
        with edge_with(origins=origins, residency={"acme": ("bad",)}) as client:
            error(client.post(**question()), 502, "origin_unreachable")


def test_documents_have_a_cap_of_their_own(edge_with, origin):
    with edge_with(body_limit_kb=1, upload_limit_kb=20) as client:
        assert client.put("/v1/documents/a.md", content=b"x" * 20_000).status_code == 200
        error(client.put("/v1/documents/a.md", content=b"x" * 21_000), 413, "body_too_large")
        error(client.post("/v1/feedback", content=b"x" * 2_000), 413, "body_too_large")
