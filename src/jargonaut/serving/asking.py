"""The two ways to the text of documents, both as the caller may see it, and both counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from jargonaut.answering.answer import Account, CitedStatement, answer
from jargonaut.answering.retrieve import Question, Retrieval, retrieve
from jargonaut.core.deadline import Deadline
from jargonaut.generation.port import Generator
from jargonaut.serving.authentication import Caller
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.service import Service


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
        """See `retrieve`."""
        seen = self.served.visibility(self.caller.principals)
        retrieval = await retrieve(self.served.release, question, seen, self.deadline)
        self.service.metrics.retrieved(retrieval.seconds)
        return retrieval

    async def answered(self, question: Question) -> AsyncGenerator[CitedStatement]:
        """See `answer`."""
        release, outcome = self.served.release, "failed"
        statements = answer(
            release,
            question,
            self.served.visibility(self.caller.principals),
            self.generator,
            self.deadline,
            self.service.policy_of(release.scope),
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
