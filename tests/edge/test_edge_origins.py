"""Several origins: who is asked, when one fails, and where a tenant's requests may not go."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from jargonaut.deployment.edge_settings import Origin as EdgeOrigin
from tests.edge.origin import Origin, running


@pytest.fixture
def twin(origin) -> Iterator[Origin]:
    """Another origin that knows the same."""
    other = Origin(keys=origin.keys, models=origin.models)
    with running(other) as other.url:
        yield other


@contextmanager
def raw_origin(behave) -> Iterator[str]:
    """Something on a port that treats each connection as `behave` says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=treat, args=(connection,), daemon=True))
            threads[-1].start()

    def treat(connection) -> None:
        with connection:
            behave(connection)

    threads = [threading.Thread(target=serve, daemon=True)]
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(5)


def reset(connection):
    connection.recv(1 << 16)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def hang(connection):
    while connection.recv(1 << 16):
        pass


def named(*urls, **more):
    return tuple(EdgeOrigin(url, name, **more) for url, name in zip(urls, "abcdef", strict=False))


def test_a_second_origin_answers_when_the_first_is_not_there(edge_with, origin, question):
    origins = (EdgeOrigin("http://127.0.0.1:1", "gone", weight=1e9), EdgeOrigin(origin.url, "here", weight=1e-9))
    with edge_with(origins=origins) as client:
        for number in range(6):
            assert client.post(**question(f"question {number}")).status_code == 200
        assert client.get("/v1/documents").status_code == 200


@pytest.mark.parametrize("behave", [reset, hang])
def test_one_that_resets_or_hangs_costs_one_try_and_is_then_left_alone(edge_with, origin, question, behave):
    with raw_origin(behave) as url:
        origins = (EdgeOrigin(url, "bad", weight=1e9), EdgeOrigin(origin.url, "good", weight=1e-9))
        with edge_with(origins=origins, header_deadline_s=0.5, bound_s=0.5) as client:
            took = []
            for number in range(5):
                begun = time.monotonic()
                assert client.post(**question(f"question {number}")).status_code == 200
                took.append(time.monotonic() - begun)
        assert max(took) < 2.5
        # Grant and question each had one slow try; after three it is not asked.
        assert took[-1] < 0.4


def test_an_answer_of_503_is_tried_elsewhere_and_the_last_one_is_passed_on(edge_with, origin, twin, question):
    origin.down = True
    with edge_with(origins=named(origin.url, twin.url), bound_s=0.01) as client:
        assert {client.post(**question(f"question {n}")).status_code for n in range(6)} == {200}
        twin.down = True
        said = client.post(**question())
        assert (said.status_code, said.headers["retry-after"]) == (503, "1")


def test_what_does_something_is_sent_once(edge_with, origin, twin):
    origin.resets = twin.resets = 1
    with edge_with(origins=named(origin.url, twin.url)) as client:
        with pytest.raises(httpx.HTTPError):
            client.post("/v1/feedback", json={"good": True}).raise_for_status()
        assert len(origin.seen) + len(twin.seen) == 1


def test_a_tenant_is_served_where_it_resides_and_nowhere_else(edge_with, origin, twin, question):
    origins = (EdgeOrigin(origin.url, "eu"), EdgeOrigin(twin.url, "cn", grants=False))
    with edge_with(origins=origins, residency={"globex": ("cn",), "acme": ("eu",)}, bound_s=0) as client:
        for number in range(8):
            assert client.post(**question(f"question {number}", key="other")).status_code == 200
            assert client.post(**question(f"question {number}")).status_code == 200
        assert {seen.identity.tenant for seen in twin.seen} == {"globex"}
        assert {seen.identity.tenant for seen in origin.seen} == {"acme"}
        # Whose a key is, is asked only where that may be asked.
        assert (origin.grants, twin.grants) == (16, 0)
        twin.down = True
        assert client.post(**question("another", key="other")).status_code == 503
        assert len(origin.seen) == 8


def test_all_tries_together_keep_one_deadline(edge_with, origin, question):
    with raw_origin(hang) as one, raw_origin(hang) as other:
        origins = (
            EdgeOrigin(origin.url, "grants", weight=0),
            EdgeOrigin(one, "one", grants=False),
            EdgeOrigin(other, "other", grants=False),
        )
        with edge_with(origins=origins, header_deadline_s=30, deadline_s=0.8) as client:
            begun = time.monotonic()
            said = client.post(**question())
            assert said.json()["error"]["code"] == "deadline_exceeded"
            assert time.monotonic() - begun < 1.6


def test_a_stream_that_goes_on_for_ever_ends_at_the_deadline(edge_with, origin, question):
    with edge_with(deadline_s=0.8) as client:
        begun = time.monotonic()
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(**question("trickle", stream=True))
        assert time.monotonic() - begun < 3
        assert origin.gone.wait(5)


def test_a_gateway_takes_off_its_path_gets_its_token_and_is_spared_large_bodies(edge_with, origin, question):
    """As PAI-EAS does: the path of the service is its own, and the rest is the origin's, which is what is signed."""
    from tests.edge.gateway import gateway_before

    with gateway_before(origin.url, "/api/predict/rag") as gateway:
        eas = EdgeOrigin(f"{gateway.url}/api/predict/rag/", "eas", body_limit=1000, token="raw-token")
        with edge_with(origins=(eas,)) as client:
            assert client.post(**question()).status_code == 200
            assert set(gateway.tokens) == {"raw-token"}
            assert origin.seen[-1].target == "/v1/chat/completions"
            refused = client.post(**question("x" * 1000))
            assert (refused.status_code, refused.json()["error"]["code"]) == (413, "body_too_large")
            assert "PAI-EAS" in refused.json()["error"]["message"]
        with edge_with(origins=(EdgeOrigin(origin.url), eas)) as client:
            assert client.post(**question("x" * 1000)).status_code == 200
        with edge_with(origins=(EdgeOrigin(f"{gateway.url}/predict", "eas", token="raw-token"),)) as client:
            said = client.get("/readyz")
            assert (said.status_code, said.json()["error"]["code"]) == (502, "origin_refused")
            assert "/api/predict/NAME" in said.json()["error"]["message"]


def test_errors_that_are_not_ours_get_our_shape(edge_with, origin, question):
    with edge_with() as client:
        assert client.post(**question()).status_code == 200
        origin.html = True
        said = client.post(**question("another"))
        assert (said.status_code, said.json()["error"]["type"]) == (502, "server_error")


def test_while_a_secret_is_replaced_both_edges_are_answered(edge_with, origin, question):
    from jargonaut.deployment.edge_settings import secret_id

    secrets = {secret_id(secret): secret.encode() for secret in ("old", "new")}
    origin.reset(Origin(keys=origin.keys, models=origin.models, secrets=secrets))
    for secret in ("old", "new"):
        with edge_with(secret=secret, secret_id=secret_id(secret)) as client:
            assert client.post(**question()).status_code == 200
    with edge_with(secret="older", secret_id=secret_id("older")) as client:
        assert client.post(**question()).json()["error"]["code"] == "invalid_signature"


def test_an_origin_killed_while_it_streams_gives_an_error_and_nothing_is_stored(edge_with, origin, question):
    def half(connection):
        connection.recv(1 << 16)
        body = b'data: {"choices":[]}\n\n'
        echo = b"".join(
            f"x-jargonaut-{name}: {value}\r\n".encode()
            for name, value in {
                "knowledge-base": "handbook",
                "channel": "live",
                "recipe": "r1",
                "generation": "7",
                "store": "yes",
            }.items()
        )
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + echo)
        connection.sendall(b"content-length: 1000\r\n\r\n" + body)

    with raw_origin(half) as url:
        origins = (EdgeOrigin(origin.url, "grants", weight=0), EdgeOrigin(url, "half", grants=False))
        with edge_with(origins=origins) as client:
            for _ in range(2):
                with client.stream("POST", **question(stream=True)) as answer:
                    assert answer.headers["x-jargonaut-cache"] == "MISS"
                    with pytest.raises(httpx.RemoteProtocolError):
                        answer.read()
