"""What every generator promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from jargonaut.core.deadline import Deadline
from jargonaut.index.port import StoredChunk


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered passage that an answer may cite as `[number]`."""

    number: int
    chunk: StoredChunk
    score: float


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of an answer and the passages it rests on."""

    text: str
    """Without the citation marks."""
    cites: tuple[int, ...]
    """Passage numbers."""
    spans: tuple[tuple[int, int], ...] = ()
    """For each citation, offsets into the document's text that support it; the whole passage if unknown."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before, in the conversation that a question is part of."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What a model has read and written for one answer."""

    prompt: int
    completion: int


class Generator(Protocol):
    """Answers from passages only. One object serves all requests, in one event loop."""

    @property
    def name(self) -> str:
        """Name and model, as it stands in a recipe."""

    async def standalone(self, question: str, earlier: Sequence[Turn], deadline: Deadline) -> str:
        """`question` as one that can be understood without what was said before; itself if it can be already.

        Raises:
            UnavailableError: The generator cannot be reached.
            DeadlineError: It took too long.
        """

    def generate(
        self, question: str, passages: Sequence[Passage], deadline: Deadline
    ) -> AsyncIterator[Statement | TokenUsage]:
        """Statements in order, as they become ready; none at all if the passages do not answer the question.

        What it took, if that is known, comes last.

        Raises:
            UnavailableError: The generator cannot be reached.
            DeadlineError: It took too long.
        """
