"""What every generator promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Generator(Protocol):
    """Answers from passages only."""

    @property
    def name(self) -> str:
        """Name and model, as it stands in a recipe."""

    def generate(self, question: str, passages: Sequence[Passage], deadline: Deadline) -> AsyncIterator[Statement]:
        """Statements in order, as they become ready; none at all if the passages do not answer the question.

        Raises:
            UnavailableError: The generator cannot be reached.
            DeadlineError: It took too long.
        """
