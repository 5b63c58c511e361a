"""A small origin that speaks the contract for real: grants, signatures, echo, answers and streams, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote

import uvicorn

from jargonaut.core.errors import AuthenticationError
from jargonaut.serving.edge_signature import EDGE_ITSELF, Identity, Verifier

SECRET = "a secret of the tests"
SECRET_ID = "k1"
QUESTIONS = ("/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "/v1/search")

Send = Callable[[dict[str, Any]], Awaitable[None]]


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class Seen:
    """A request that arrived, with who asked."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    identity: Identity | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Origin:
    """Listens on a free port from `start` to `stop`; what it knows may be changed meanwhile."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Digest of a key -> tenant, principals, scopes."""
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    """JSON Web Token -> the same."""
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> channel, recipe, generation."""
    seen: list[Seen] = field(default_factory=list)
    grants: int = 0
    hits: list[dict[str, Any]] = field(default_factory=list)
    """Reports of hits."""
    refuses_hits: bool = False
    down: bool = False
    resets: int = 0
    """So many of the next answers are cut off."""
    html: bool = False
    """Answers like a gateway that knows no such service."""
    secrets: dict[str, bytes] = field(default_factory=lambda: {SECRET_ID: SECRET.encode()})
    open: bool = False
    """Whether no key is asked for."""
    echo: dict[str, str] = field(default_factory=dict)
    """Headers that replace those of answers."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Answers to `wait` wait for it."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when a client left before its answer was complete."""
    arrived: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        self._verifier = Verifier(self.secrets)
        self._socket = socket.create_server(("127.0.0.1", 0))
        # asyncio sets it only on sockets that name their protocol; accepted ones inherit it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            self._app, interface="asgi3", log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def reset(self, fresh: Origin) -> None:
        """Go on with what `fresh` knows; whoever still waits is let go."""
        self.gate.set()
        for item in fields(fresh):
            setattr(self, item.name, getattr(fresh, item.name))
        self._verifier = Verifier(self.secrets)

    def stop(self) -> None:
        self.gate.set()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def answered(self, path: str = "/v1/chat/completions") -> list[Seen]:
        """Requests to `path`, without grants."""
        return [seen for seen in self.seen if seen.target.partition("?")[0] == path]

    async def _app(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            identity = self._verifier.verify(scope["method"], target, body, headers)
        except AuthenticationError as error:
            return await _send_json(send, 401, _error(str(error), error.code))
        if target == "/internal/grant":
            return await self._grant(send, json.loads(body), identity)
        if target == "/internal/hits":
            assert identity == EDGE_ITSELF
            if not self.refuses_hits:
                self.hits += json.loads(body)["hits"]
            return await _send_json(send, 503 if self.refuses_hits else 204, None)
        seen = Seen(scope["method"], target, headers, body, identity)
        self.seen.append(seen)
        self.arrived.set()
        if self.down:
            return await _send_json(send, 503, _error("The index is down.", "unavailable"))
        if self.resets:
            self.resets -= 1
            return await _send_json(send, 200, {"object": "never whole"}, cut=True)
        if self.html:
            await _start(send, 404, {"content-type": "text/html"})
            return await send({"type": "http.response.body", "body": b"<h1>not here</h1>"})
        if scope["path"] in QUESTIONS:
            watcher = asyncio.create_task(self._watch(receive))
            try:
                await self._answer(send, seen, scope["path"])
            finally:
                watcher.cancel()
            return None
        answer = {"path": target, "tenant": identity.tenant if identity else None}
        if scope["path"] == "/v1/models":
            answer |= {"object": "list", "data": [{"id": name} for name in self.models]}
        return await _send_json(send, 200, answer, self.echo)

    async def _watch(self, receive: Callable[[], Awaitable[Any]]) -> None:
        if (await receive())["type"] == "http.disconnect":
            self.gone.set()

    async def _grant(self, send: Send, query: dict[str, Any], identity: Identity | None) -> None:
        self.grants += 1
        if self.down:
            return await _send_json(send, 503, _error("The state cannot be read.", "unavailable"))
        if identity != EDGE_ITSELF:
            return await _send_json(send, 401, _error("Not signed.", "invalid_signature"))
        key = self.tokens.get(query.get("token", "")) or self.keys.get(query["key_sha256"] or "")
        if self.open and key is None:
            key = {"tenant": "default", "key_id": None, "scopes": ["read"], "principals": ["public"]}
        if key is None:
            return await _send_json(
                send, 401, _error("There is no such key.", "invalid_api_key", "authentication_error")
            )
        live = {"knowledge_base": "", "channel": "", "recipe": "", "release": "", "generation": 0}
        if query["model"] is not None:
            name = query["model"].removesuffix("@live")
            if name not in self.models:
                return await _send_json(send, 404, _error("No such model.", "model_not_found", "not_found_error"))
            live = {"knowledge_base": name.partition("@")[0], **self.models[name]}
        return await _send_json(send, 200, {"key_id": "k_1", **key, **live})

    async def _answer(self, send: Send, seen: Seen, path: str) -> None:
        assert seen.identity is not None
        body, who = seen.json, seen.identity
        if "@" not in str(body.get("model")):
            return await _send_json(send, 400, _error("Which knowledge base?", "invalid_request"))
        question = body.get("query") or body.get("input") or body["messages"][-1]["content"]
        number = len(self.answered(path))
        name = who.knowledge_base if who.channel == "live" else f"{who.knowledge_base}@{who.channel}"
        model = self.models.get(name) or self.models[who.knowledge_base]
        headers = {
            "x-jargonaut-knowledge-base": quote(who.knowledge_base, safe=""),
            "x-jargonaut-channel": quote(who.channel, safe=""),
            "x-jargonaut-recipe": model["recipe"],
            "x-jargonaut-release": model["release"],
            "x-jargonaut-generation": str(model["generation"]),
            "x-jargonaut-store": "no" if question == "abstain" else "yes",
        } | self.echo
        if question == "wait":
            await asyncio.to_thread(self.gate.wait, 20)
        if question == "error":
            return await _send_json(send, 500, _error("It broke.", "internal_error"), headers)
        text = f"{question} answered for {who.tenant} {' '.join(who.principals)} by answer {number}"
        if body.get("stream"):
            return await self._stream(send, headers, text, question)
        usage = {"prompt_tokens": len(text), "total_tokens": len(text)}
        if path != "/v1/chat/completions":
            where = "results" if path == "/v1/rerank" else "data"
            return await _send_json(send, 200, {"object": "list", where: [{"text": text}], "usage": usage}, headers)
        reason = None if question == "unfinished" else "stop"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        answer = {"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage}
        return await _send_json(send, 200, answer, headers, cut=question == "half")

    async def _stream(self, send: Send, headers: dict[str, str], text: str, question: str) -> None:
        await _start(send, 200, {"content-type": "text/event-stream; charset=utf-8"} | headers)
        async for event in self._events(text, question):
            await send({"type": "http.response.body", "body": event, "more_body": True})
            while question == "trickle" and not self.gate.is_set() and not self.gone.is_set():
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
                await asyncio.sleep(0.02)
            if question == "hang" and not self.gate.is_set():
                await asyncio.to_thread(self.gate.wait, 20)
        if question == "half":
            # uvicorn closes the connection without the last chunk when the application ends before its answer does.
            raise ConnectionAbortedError
        await send({"type": "http.response.body", "body": b""})

    async def _events(self, text: str, question: str) -> AsyncIterator[bytes]:
        for word in text.split():
            yield _event({"choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]})
            if question == "half":
                return
        yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if question != "no done":
            yield b"data: [DONE]\n\n"


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _error(message: str, code: str, kind: str = "server_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _send_json(
    send: Send, status: int, value: Any, headers: dict[str, str] | None = None, cut: bool = False
) -> None:
    body = b"" if value is None else json.dumps(value).encode()
    await _start(send, status, {"content-type": "application/json", "content-length": str(len(body))} | (headers or {}))
    if cut:
        await send({"type": "http.response.body", "body": body[:-5], "more_body": True})
        raise ConnectionAbortedError
    await send({"type": "http.response.body", "body": body})


@contextlib.contextmanager
def running(origin: Origin):
    try:
        yield origin.start()
    finally:
        origin.stop()
