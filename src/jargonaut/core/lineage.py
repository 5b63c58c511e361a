"""What the training of an encoder read, so that it is never judged on that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jargonaut.core.canonical import digest_of

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Lineage:
    """Digests of everything that a training read."""

    texts: frozenset[str]
    """`text_mark` of every document."""
    questions: frozenset[str]
    """`question_mark` of every question."""

    @property
    def digest(self) -> str:
        """Of all of it."""
        return digest_of([sorted(self.texts), sorted(self.questions)])

    def __or__(self, other: Lineage) -> Lineage:
        """What two trainings read, one after the other."""
        return Lineage(self.texts | other.texts, self.questions | other.questions)

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return {
            "kind": "lineage",
            "format": FORMAT,
            "texts": sorted(self.texts),
            "questions": sorted(self.questions),
        }


def lineage_from_json(value: Mapping[str, Any]) -> Lineage:
    """Read a record written by `Lineage.to_json`."""
    return Lineage(frozenset(value["texts"]), frozenset(value["questions"]))


def text_mark(text: str) -> str:
    """Names a text by its letters and digits alone: layout, case and marks make no difference."""
    return digest_of("".join(filter(str.isalnum, text.casefold())))[:16]


def question_mark(question: str) -> str:
    """Names a question the same way."""
    return text_mark(question)


def lineage_of(texts: Iterable[str], questions: Iterable[str]) -> Lineage:
    """The lineage of a training that read these."""
    return Lineage(frozenset(map(text_mark, texts)), frozenset(map(question_mark, questions)))
