"""The two ways to the text of documents, both as the caller may see it, and both counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from jargonaut.answering.answer import Account, CitedStatement, answer
from jargonaut.answering.retrieve import Question, Retrieval, retrieve
from jargonaut.core.deadline import Deadline
from jargonaut.generation.port import Generator
from jargonaut.serving.authentication import Caller
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.service import Service
from jargonaut.serving.tracing import Span


@dataclass(frozen=True, slots=True)
class Asking:
    """One caller before one release."""

    service: Service
    caller: Caller
    served: Served
    deadline: Deadline
    account: Account = field(default_factory=Account)

    @classmethod
    async def of(cls, service: Service, caller: Caller, model: str | None) -> Asking:
        """The caller before the release that `model` names; from now on time runs.

        Raises:
            UnknownNameError: There is no such model.
            UnavailableError: It is not loaded.
        """
        deadline = Deadline.after(service.limits.deadline_s)
        return cls(service, caller, await service.serve(caller, model), deadline)

    @property
    def generator(self) -> Generator:
        """What makes the statements of its answers."""
        return self.service.generator_of(self.served.release)

    async def found(self, question: Question) -> Retrieval:
        """See `retrieve`; without BM25 for whoever may not read everything.

        It depends on how many documents hold a word, those too that the asker may not know of.
        """
        seen = self.served.visibility(self.caller.principals)
        span = self.service.tracing.part("retrieve", self._about)
        try:
            retrieval = await retrieve(self.served.release, question, seen, self.deadline)
            _tell(span, retrieval)
        finally:
            span.end()
        self.service.metrics.retrieved(retrieval.seconds)
        if self.served.sees_everything(self.caller.principals):
            return retrieval
        hidden = (replace(found, scores=replace(found.scores, bm25=None)) for found in retrieval.passages)
        return replace(retrieval, passages=tuple(hidden))

    @property
    def _about(self) -> dict[str, str]:
        release = self.served.release
        return {"jargonaut.knowledge_base": release.scope.knowledge_base, "jargonaut.release": release.release_id}

    async def answered(self, question: Question) -> AsyncGenerator[CitedStatement]:
        """See `answer`."""
        release, outcome = self.served.release, "failed"
        span = self.service.tracing.part("answer", self._about)
        statements = answer(
            release,
            question,
            self.served.visibility(self.caller.principals),
            self.generator,
            self.deadline,
            self.account,
        )
        try:
            async with aclosing(statements):
                async for statement in statements:
                    outcome = "abstained" if statement.kind == "abstention" else "begun"
                    yield statement
            outcome = "answered" if outcome == "begun" else outcome
        finally:
            # What was begun and not ended was left by its reader, or broke off.
            self.service.metrics.account(release.scope, self.account, outcome)
            span.set_attribute("jargonaut.outcome", outcome)
            if self.account.retrieval is not None:
                _tell(span, self.account.retrieval)
            if self.account.usage is not None:
                span.set_attribute("jargonaut.prompt_tokens", self.account.usage.prompt)
                span.set_attribute("jargonaut.completion_tokens", self.account.usage.completion)
            span.end()


def _tell(span: Span, retrieval: Retrieval) -> None:
    span.set_attribute("jargonaut.passages", len(retrieval.passages))
    for stage, seconds in retrieval.seconds.items():
        span.set_attribute(f"jargonaut.{stage}_ms", round(seconds * 1e3, 2))
