"""What every request passes first: its id, the limits on its body, who asks, and the errors of all that follows."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jargonaut.core.errors import JargonautError
from jargonaut.serving.authentication import Caller, SignedRequest
from jargonaut.serving.edge_signature import IDENTITY_HEADER, SIGNATURE_HEADER
from jargonaut.serving.errors import RequestError, TooLargeError, error_body, response_of
from jargonaut.serving.metrics import OTHER, Metrics
from jargonaut.serving.tracing import Tracing

logger = logging.getLogger(__name__)

PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Answered without asking who asks. Every other path, known or not, needs a caller."""

_ONCE = ("authorization", "content-length", "content-type", "host", IDENTITY_HEADER, SIGNATURE_HEADER)
"""Headers of which two could be understood in two ways."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BODY_TIMEOUT_S = 20.0

Authenticate = Callable[[SignedRequest], Awaitable[Caller]]
T = TypeVar("T")


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class RequestBoundary:
    """ASGI middleware around the whole service.

    Sets `request.state.request_id` and `request.state.caller`. The body is read before anything is parsed, so that
    signatures are checked over exactly what was sent, and nothing of a stranger's request is looked at.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticate: Authenticate,
        max_body_bytes: int,
        max_upload_bytes: int,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._authenticate = authenticate
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        response = _Response(send, request_id)
        started = time.perf_counter()
        with self._tracing.request(Headers(scope=scope)) as span, self._metrics.in_progress.track_inprogress():
            await self._answered(scope, receive, response, request_id)
            route, status = getattr(scope.get("route"), "path", OTHER), response.status or 500
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("jargonaut.request_id", request_id)
        seconds = time.perf_counter() - started
        self._metrics.answered(route, scope["method"], status, seconds)
        logger.info(
            "%s %s %r -> %s in %.1f ms", request_id, scope["method"], scope["path"], response.status, seconds * 1e3
        )

    async def _answered(self, scope: Scope, receive: Receive, response: _Response, request_id: str) -> None:
        try:
            await self._handle(scope, receive, response)
        except ClientGoneError:
            response.status = 499
        except JargonautError as error:
            await self._answer(response_of(error, request_id, scope["path"]), scope, receive, response)
        except Exception:
            logger.exception("%s failed", request_id)
            body = error_body(500, "The service failed; its log says why, under this request's id.", "internal_error")
            await self._answer(JSONResponse(body, 500), scope, receive, response)

    async def _handle(self, scope: Scope, receive: Receive, response: _Response) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise RequestError(f"The header `{name}` was sent more than once.")
        known = SignedRequest(scope["method"], _target(scope), b"", headers, path)
        caller: Caller | None
        if _is_upload(known):
            # Of a large body, not a byte is read for a stranger.
            caller = await self._authenticate(known)
            caller.require("write")
            body = await _read_body(scope, receive, max(self._max_upload_bytes, self._max_body_bytes))
        else:
            body = await _read_body(scope, receive, self._max_body_bytes)
            caller = None if path in PUBLIC_PATHS else await self._authenticate(replace(known, body=body))
            _check_text(body)
        if caller is not None:
            scope["state"]["caller"] = caller
        await self._app(scope, _replay(body, receive), response)

    async def _answer(self, answer: JSONResponse, scope: Scope, receive: Receive, response: _Response) -> None:
        if response.status is None:
            await answer(scope, receive, response)
        # Otherwise part of the answer is out; ending here without its last message makes the server cut the connection.


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client goes away.

    Raises:
        ClientGoneError: It went away first.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        for pending in (task, gone):
            pending.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Response:
    """`send` that adds the request's id and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self._request_id
        await self._send(message)


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    too_large = TooLargeError(f"The request's body is larger than {limit} bytes.")
    declared = Headers(scope=scope).get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    parts, size, more = [], 0, True
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise too_large
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestError(f"The request's body did not arrive within {_BODY_TIMEOUT_S:.0f} s.") from None
    return b"".join(parts)


def _check_text(body: bytes) -> None:
    """JSON can spell half a character, which no text can hold: refused here, since nothing behind could store it."""
    if _SURROGATE.search(body) is None:
        return
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RequestError("The body holds half a character (a lone surrogate).") from None
    except (ValueError, RecursionError):
        return  # it is not JSON; the route says so


def _is_upload(request: SignedRequest) -> bool:
    """Whether the body may be a whole file. What the edge signs is not: its signature covers the body."""
    is_signed = SIGNATURE_HEADER in request.headers or IDENTITY_HEADER in request.headers
    return request.method == "PUT" and request.path.startswith("/v1/documents/") and not is_signed


def _replay(body: bytes, receive: Receive) -> Receive:
    delivered = False

    async def replay() -> Message:
        nonlocal delivered
        if delivered:
            return await receive()
        delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _target(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")
