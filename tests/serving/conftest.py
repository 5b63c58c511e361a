import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import openai
import pytest
import uvicorn

from jargonaut.generation.extractive import ExtractiveGenerator
from jargonaut.serving.app import create_app
from jargonaut.serving.authentication import Authenticator
from jargonaut.serving.edge_signature import Signable, Verifier, sign
from jargonaut.serving.knowledge_bases import ServedKnowledgeBases
from jargonaut.state.keys import KeyRequest, KeyRing
from tests.answering.handbook import Handbook

SECRET = b"s" * 32


@dataclass
class Running:
    """A service on a port of this machine, with the handbook that it serves."""

    url: str
    handbook: Handbook
    keys: KeyRing
    secrets: dict[str, str]
    """Name of the key -> secret."""

    def http(self, key: str = "reader") -> httpx.Client:
        headers = {"authorization": f"Bearer {self.secrets[key]}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def sdk(self, key: str = "reader") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.secrets[key], max_retries=0)

    def ask(self, question: str, key: str = "reader", model: str = "handbook") -> str:
        with self.sdk(key) as client:
            messages = [{"role": "user", "content": question}]
            return client.chat.completions.create(model=model, messages=messages).choices[0].message.content

    def signed(self, method: str, target: str, body: bytes = b"", identity: str = "", nonce: str = "0" * 32) -> dict:
        """Headers of the edge."""
        import time

        signature = sign(Signable(method, target, body, identity), "k1", SECRET, int(time.time()), nonce)
        headers = {"x-jargonaut-signature": signature, "content-type": "application/json"}
        return headers | ({"x-jargonaut-identity": identity} if identity else {})


@contextmanager
def running(app) -> Iterator[str]:
    """A real server in a thread; the socket listens before it starts, so nobody has to wait for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the server does not stop"


@contextmanager
def serving(
    handbook: Handbook, *, with_keys: bool = True, load=None, generator=None, scopes=None, tokens=None, **options
) -> Iterator[Running]:
    keys = KeyRing(handbook.journal, [handbook.scope.tenant])
    issued = {
        "reader": KeyRequest("reader"),
        "hr": KeyRequest("hr", ["group:hr"]),
        "writer": KeyRequest("writer", ["group:hr"], ["write"]),
    }
    secrets = {name: keys.issue("default", request).secret for name, request in issued.items()} if with_keys else {}
    app = create_app(
        ServedKnowledgeBases(handbook.journal, scopes or [handbook.scope], load or handbook.load),
        Authenticator(keys, Verifier({"k1": SECRET}), tokens, open_tenant=None if with_keys else handbook.scope.tenant),
        lambda release: generator or ExtractiveGenerator(),
        **options,
    )
    with running(app) as url:
        yield Running(url, handbook, keys, secrets)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Handbook:
    handbook = Handbook(tmp_path_factory.mktemp("handbook"))
    handbook.promote(handbook.build())
    return handbook


@pytest.fixture(scope="module")
def service(built) -> Iterator[Running]:
    """One service for all tests of a module that change nothing."""
    with serving(built) as running_service:
        yield running_service


@pytest.fixture
def own(tmp_path) -> Iterator[Running]:
    """A service of the test's own, to change what it serves."""
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook) as running_service:
        yield running_service
