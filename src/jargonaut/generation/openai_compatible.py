"""A generator over OpenAI-compatible endpoints: PAI-EAS, vLLM, DashScope, Ollama, llama.cpp and the like."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import httpx

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import DeadlineError, UnavailableError
from jargonaut.generation import follow_up
from jargonaut.generation.chat_endpoint import ChatEndpoint, EndpointError
from jargonaut.generation.cited_text import CitedText
from jargonaut.generation.extractive import NAME as EXTRACTIVE
from jargonaut.generation.ledger import Outcome, TokenLedger
from jargonaut.generation.port import Generator, Passage, Statement, TokenUsage, Turn
from jargonaut.generation.prompt import Messages, answer_prompt, estimated_tokens, rewrite_prompt

logger = logging.getLogger(__name__)

NAME = "openai-1"
"""Version of how models are asked, part of recipes."""

_THEN = " > "
_REWRITE_TOKENS = 120
_REWRITE_S = 8.0
"""Most seconds for making a question stand alone; then the rule does it."""
_LONGEST_REWRITE = 600
_FIRST_WAIT_S, _MOST_WAIT_S = 0.3, 5.0


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """How models are asked."""

    context_tokens: int = 6_000
    """Of the prompt."""
    answer_tokens: int = 700
    attempts: int = 3
    """At one endpoint, before the next is asked."""
    concurrency: int = 8
    """Requests at once; further ones wait."""


def recipe_name(models: Sequence[str], falls_back: bool) -> str:
    """How a recipe names this generator: the models in the order in which they are asked."""
    return _THEN.join([f"{NAME}:{model}" for model in models] + [EXTRACTIVE] * falls_back)


def models_of(name: str) -> tuple[list[str], bool]:
    """The models of a generator that `recipe_name` has named, and whether it falls back on quoting."""
    parts = name.split(_THEN)
    models = [part.removeprefix(f"{NAME}:") for part in parts if part.startswith(f"{NAME}:")]
    return models, parts[-1] == EXTRACTIVE


class OpenAiCompatibleGenerator:
    """A `Generator` that asks endpoints in order, until one begins to answer.

    Args:
        endpoints: At least one.
        limits: How they are asked.
        ledger: Told of every attempt.
        instructions: Of the user, behind ours.
        fallback: Answers if none of the endpoints begins to; None: the request fails.
    """

    def __init__(
        self,
        endpoints: Sequence[ChatEndpoint],
        limits: GenerationLimits,
        ledger: TokenLedger,
        instructions: str = "",
        fallback: Generator | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._limits = limits
        self._ledger = ledger
        self._instructions = instructions
        self._fallback = fallback
        self._free = asyncio.Semaphore(limits.concurrency)
        timeouts = httpx.Timeout(None, connect=10.0)
        self._client = httpx.AsyncClient(
            timeout=timeouts, limits=httpx.Limits(max_connections=limits.concurrency * 2), follow_redirects=False
        )

    @property
    def name(self) -> str:
        """See `Generator.name`."""
        return recipe_name([endpoint.model for endpoint in self._endpoints], self._fallback is not None)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def standalone(self, question: str, earlier: Sequence[Turn], deadline: Deadline) -> str:
        """See `Generator.standalone`: by the model, and by rule if that fails or says something unlikely."""
        by_rule = follow_up.standalone(question, (turn.text for turn in earlier if turn.role == "user"))
        if by_rule == question and not any(turn.role == "assistant" for turn in earlier):
            return question
        sooner = Deadline.after(min(_REWRITE_S, max(deadline.left_s / 3, 0)))
        try:
            written = [
                piece
                async for piece in self._written(rewrite_prompt(question, earlier), _REWRITE_TOKENS, sooner)
                if isinstance(piece, str)
            ]
        except UnavailableError as error:
            logger.warning("A follow-up was made to stand alone by rule: %s", error.message)
            return by_rule
        rewritten = "".join(written).strip().strip('"').removeprefix("Question:").strip()
        return rewritten if 0 < len(rewritten) <= _LONGEST_REWRITE and "\n" not in rewritten else by_rule

    async def generate(
        self, question: str, passages: Sequence[Passage], deadline: Deadline
    ) -> AsyncGenerator[Statement | TokenUsage]:
        """See `Generator.generate`."""
        packed = answer_prompt(question, passages, self._limits.context_tokens, self._instructions)
        text, begun = CitedText(), False
        try:
            async with aclosing(self._written(packed.messages, self._limits.answer_tokens, deadline)) as pieces:
                async for piece in pieces:
                    begun = True
                    if isinstance(piece, TokenUsage):
                        yield piece
                        continue
                    for statement in text.add(piece):
                        yield statement
        except UnavailableError:
            if begun or self._fallback is None or deadline.left_s <= 0:
                raise
            logger.warning("No model answers; the answer is quoted instead.")
            async for item in self._fallback.generate(question, passages, deadline):
                yield item
            return
        for statement in text.end():
            yield statement

    async def _written(
        self, messages: Messages, max_tokens: int, deadline: Deadline
    ) -> AsyncGenerator[str | TokenUsage]:
        """What the first endpoint that begins to answer writes."""
        failure: EndpointError | None = None
        async with self._a_turn(deadline):
            for endpoint in self._endpoints:
                for attempt in range(self._limits.attempts):
                    begun = False
                    try:
                        async with aclosing(self._once(endpoint, messages, max_tokens, deadline)) as pieces:
                            async for piece in pieces:
                                begun = True
                                yield piece
                        return
                    except EndpointError as error:
                        logger.warning("%s Attempt %d of %d.", error.message, attempt + 1, self._limits.attempts)
                        if begun:
                            raise
                        failure = error
                        if not error.again or attempt + 1 == self._limits.attempts:
                            break
                        await _wait(error.wait_s, attempt, deadline)
        assert failure is not None, "there is at least one endpoint"
        raise failure

    async def _once(
        self, endpoint: ChatEndpoint, messages: Messages, max_tokens: int, deadline: Deadline
    ) -> AsyncGenerator[str | TokenUsage]:
        """One attempt, in the ledger however it ends."""
        usage: TokenUsage | None = None
        known: TokenUsage | None = None
        written: list[str] = []
        outcome: Outcome = "left"
        try:
            async with aclosing(_in_time(endpoint.stream(self._client, messages, max_tokens), deadline)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, TokenUsage):
                        usage = piece
                    else:
                        written.append(piece)
                        yield piece
            outcome = "answered"
        except EndpointError as error:
            outcome = error.outcome
            raise
        except DeadlineError:
            outcome = "timeout"
            raise
        finally:
            self._ledger.attempt(endpoint.model, outcome)
            if written or usage:
                known = usage or TokenUsage(
                    sum(estimated_tokens(message["content"]) for message in messages),
                    estimated_tokens("".join(written)),
                )
                self._ledger.tokens(endpoint.model, known.prompt, known.completion, estimated=usage is None)
        if known is not None:
            yield known

    @asynccontextmanager
    async def _a_turn(self, deadline: Deadline) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(max(deadline.left_s, 0)):
                await self._free.acquire()
        except TimeoutError:
            raise UnavailableError("All places at the generator are taken.", "Try again.") from None
        try:
            yield
        finally:
            self._free.release()


async def _in_time(pieces: AsyncIterator[str | TokenUsage], deadline: Deadline) -> AsyncGenerator[str | TokenUsage]:
    try:
        while True:
            try:
                async with asyncio.timeout(max(deadline.left_s, 0)):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise DeadlineError("The model took longer than allowed.", "Try again.") from None
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def _wait(asked_s: float | None, attempt: int, deadline: Deadline) -> None:
    wait = _FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.5) if asked_s is None else asked_s
    if wait > min(_MOST_WAIT_S, deadline.left_s):
        return  # the next attempt, or endpoint, has better prospects now
    await asyncio.sleep(wait)
