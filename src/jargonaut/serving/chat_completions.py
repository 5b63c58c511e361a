"""`POST /v1/chat/completions`: an answer with citations, whole or as it comes."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from jargonaut.answering.answer import CitedStatement, answer
from jargonaut.answering.retrieve import Question
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import JargonautError
from jargonaut.serving.boundary import while_connected
from jargonaut.serving.errors import RequestError, body_of
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.prose import Prose
from jargonaut.serving.service import Reader, ServiceDependency, echo, where
from jargonaut.serving.usage import usage_of
from jargonaut.serving.wire import AssistantMessage, ChatCompletion, ChatRequest, Choice, annotation_of

router = APIRouter()

Statements = AsyncGenerator[CitedStatement]


@router.post("/v1/chat/completions", response_model=ChatCompletion)
async def chat_completions(body: ChatRequest, request: Request, service: ServiceDependency, caller: Reader) -> Response:
    """Answer the user's last message from the documents that the caller may read."""
    text = service.question(_question(body), "messages")
    question = Question(text, where(body.filter))
    served = await service.serve(caller, body.model)
    statements = answer(
        served.release,
        question,
        served.visibility(caller.principals),
        service.generator_of(served.release),
        Deadline.after(service.limits.deadline_s),
    )
    # The headers say whether the answer may be kept, so that they wait until it is known whether there is one.
    first = await while_connected(request, anext(statements))
    headers = echo(served, store=first.kind != "abstention")
    completion = _Completion(body, request.state.request_id, text, served)
    if body.stream:
        events = completion.events(first, statements)
        return StreamingResponse(events, headers=headers | _STREAM_HEADERS, media_type="text/event-stream")
    whole = await while_connected(request, _all(first, statements))
    return JSONResponse(completion.whole(whole).model_dump(), headers=headers)


_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def _question(body: ChatRequest) -> str:
    for message in reversed(body.messages):
        if message.role == "user":
            return message.text
    raise RequestError("There is no message of the user.", "Its last one is the question.", param="messages")


async def _all(first: CitedStatement, rest: Statements) -> list[CitedStatement]:
    return [first, *[statement async for statement in rest]]


class _Completion:
    """One answer on its way to the wire."""

    def __init__(self, body: ChatRequest, request_id: str, question: str, served: Served) -> None:
        self._request_id = request_id
        self._question = question
        self._release = served.release
        self._include_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._shared: dict[str, Any] = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": served.model,
            "system_fingerprint": served.release.release_id,
        }

    def whole(self, statements: list[CitedStatement]) -> ChatCompletion:
        """The answer in one piece."""
        prose = Prose()
        for statement in statements:
            prose.add(statement)
        citations = [citation for statement in statements for citation in statement.citations]
        message = AssistantMessage(content=prose.text, annotations=[annotation_of(citation) for citation in citations])
        usage = usage_of(self._release, self._question, prose.text)
        return ChatCompletion(**self._shared, choices=[Choice(message=message)], usage=usage)

    async def events(self, first: CitedStatement, rest: Statements) -> AsyncIterator[str]:
        """The answer as server-sent events, each statement with its citations as soon as it is checked."""
        prose = Prose()
        try:
            yield self._event({"role": "assistant", "content": ""})
            yield self._statement(prose, first)
            async with aclosing(rest) as statements:
                async for statement in statements:
                    yield self._statement(prose, statement)
        except JargonautError as error:
            # The status is sent already: say it in the stream, and leave out the mark of a complete answer.
            yield _data(body_of(error, self._request_id))
            return
        yield self._event({}, finish_reason="stop")
        if self._include_usage:
            usage = usage_of(self._release, self._question, prose.text).model_dump()
            yield _data({**self._shared, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    def _statement(self, prose: Prose, statement: CitedStatement) -> str:
        delta: dict[str, Any] = {"content": prose.add(statement)}
        if statement.citations:
            delta["annotations"] = [annotation_of(citation).model_dump() for citation in statement.citations]
        return self._event(delta)

    def _event(self, delta: dict[str, Any], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._include_usage else {}
        return _data({**self._shared, "object": "chat.completion.chunk", "choices": [choice], **usage})


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n"
