"""One OpenAI-compatible endpoint: a request for a chat completion, and its stream of text."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from jargonaut.core.errors import UnavailableError
from jargonaut.generation.ledger import Outcome
from jargonaut.generation.port import TokenUsage

_LONGEST_EVENT = 1 << 20
"""Bytes of a line; an endpoint that sends more is broken."""


class EndpointError(UnavailableError):
    """An endpoint gave no whole answer. The message names model and reason, never a key or a text."""

    def __init__(self, message: str, outcome: Outcome, *, again: bool, wait_s: float | None = None) -> None:
        super().__init__(message, "The service's log says more; `[generator]` says where it asks.")
        self.outcome = outcome
        self.again = again
        """Whether the same request may succeed if it is sent again."""
        self.wait_s = wait_s
        """As the endpoint asks for."""


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where a model is asked, and how."""

    url: str
    """Up to and with `/v1`, or what stands in its place."""
    model: str
    key: str = field(default="", repr=False)
    authorization: Literal["bearer", "token"] = "bearer"
    """`token`: the key alone is the header, as PAI-EAS wants it."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the request."""
    first_byte_s: float = 20.0
    """Most seconds until an answer begins."""
    stall_s: float = 20.0
    """Most seconds between two parts of it."""

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        if not self.key:
            return {}
        return {"authorization": f"Bearer {self.key}" if self.authorization == "bearer" else self.key}

    async def stream(
        self, client: httpx.AsyncClient, messages: list[dict[str, str]], max_tokens: int
    ) -> AsyncIterator[str | TokenUsage]:
        """Pieces of text as they come, and what it took, if the endpoint says so.

        Raises:
            EndpointError: It gives none, or stops half-way.
        """
        body = {
            "model": self.model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.extra,
        }
        request = client.build_request(
            "POST", f"{self.url.rstrip('/')}/chat/completions", json=body, headers=self.headers
        )
        try:
            async with asyncio.timeout(self.first_byte_s):
                response = await client.send(request, stream=True)
        except (TimeoutError, httpx.TimeoutException):
            raise self._error("did not answer in time", "timeout", again=True) from None
        except httpx.TransportError as error:
            raise self._error(f"cannot be reached ({type(error).__name__})", "unreachable", again=True) from error
        try:
            if response.status_code != 200:
                raise await self._refusal(response)
            async for piece in self._pieces(response):
                yield piece
        finally:
            await response.aclose()

    async def _pieces(self, response: httpx.Response) -> AsyncIterator[str | TokenUsage]:
        whole = False
        async for data in self._events(response):
            if data == b"[DONE]":
                whole = True
                break
            try:
                event: Any = json.loads(data)
                if "error" in event:
                    raise self._error("reported an error within its answer", "failed", again=False)
                choices, usage = event.get("choices") or [], event.get("usage")
                for choice in choices:
                    text = (choice.get("delta") or {}).get("content")
                    if text:
                        yield str(text)
                    whole = whole or bool(choice.get("finish_reason"))
                if usage:
                    yield TokenUsage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise self._error("sent an event that cannot be read", "malformed", again=False) from error
        if not whole:
            raise self._error("broke off in the middle of its answer", "failed", again=False)

    async def _events(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The data of each event. Lines are cut as bytes, so that half a character waits for its other half."""
        rest, parts = b"", response.aiter_bytes()
        while True:
            try:
                async with asyncio.timeout(self.stall_s):
                    part = await anext(parts, None)
            except (TimeoutError, httpx.TimeoutException):
                raise self._error("stalled in the middle of its answer", "timeout", again=False) from None
            except httpx.TransportError as error:
                raise self._error("broke off in the middle of its answer", "failed", again=False) from error
            if part is None:
                break
            rest += part
            *lines, rest = re.split(rb"\r\n|\n|\r(?!$)", rest)
            for line in lines:
                if line.startswith(b"data:"):
                    yield line[5:].strip()
            if len(rest) > _LONGEST_EVENT:
                raise self._error("sent an event that has no end", "malformed", again=False)
        if rest.startswith(b"data:"):
            yield rest[5:].strip()

    async def _refusal(self, response: httpx.Response) -> EndpointError:
        status = response.status_code
        if status == 429:
            return self._error("is busy (429)", "limited", again=True, wait_s=_retry_after(response))
        if status >= 500 or status == 408:
            return self._error(f"failed ({status})", "failed", again=True, wait_s=_retry_after(response))
        if status in (401, 403):
            return self._error(f"refused our key ({status}): see api_key_env", "refused", again=False)
        return self._error(f"refused the request ({status})", "refused", again=False)

    def _error(self, what: str, outcome: Outcome, *, again: bool, wait_s: float | None = None) -> EndpointError:
        return EndpointError(f"The model `{self.model}` {what}.", outcome, again=again, wait_s=wait_s)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"\d{1,4}(?:\.\d{1,3})?", text) else None
