"""What a full tuning learns from: questions, the passages that answer them, and those that look as if they did.

`Example` is the seam: whoever reads labels, logs or documents gives examples; nothing behind it knows where they came
from. `training_set` turns them into rows over distinct passages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.canonical import digest_bytes, digest_of
from jargonaut.core.errors import InputError

Rows = NDArray[np.intp]

NOTHING: Rows = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage that answers a question."""

    text: str
    """As it is encoded in the index."""
    grade: float = 1.0
    """How well, relative to the other answers of the same question: how often it is drawn. Above 0."""
    document: str = ""
    """Whose passage it is. Passages of one document, or of near-duplicates given one name, are never each other's
    negatives. Empty: it stands alone."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question and its answers."""

    question: str
    """Without the query prompt."""
    answers: tuple[Answer, ...]
    hidden: tuple[str, ...] = ()
    """Names of passages that say nothing either way, such as where the question was taken from."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that training may read, whether it answers anything or not."""

    name: str
    """Its id in the index."""
    text: str
    """As it is encoded there."""
    document: str
    """See `Answer.document`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a ranking put first for one question; both arrays of shape (n,), best first."""

    rows: Rows
    scores: NDArray[np.float32]
    """Of the fused ranking, comparable within the list."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """n questions over m distinct passages of documents that training may read."""

    questions: tuple[str, ...]
    passages: tuple[str, ...]
    relevant: tuple[Rows, ...]
    """For each question, rows of `passages`; at least one."""
    grades: tuple[NDArray[np.float32], ...]
    """Beside `relevant`."""
    groups: Rows
    """Shape (m,): passages with the same number say much the same, or stand in one document."""
    hard: tuple[Rows, ...] = ()
    """For each question, passages that look right and are not; or none at all."""
    unclear: tuple[Rows, ...] = ()
    """For each question, passages that are probably right, though no label says so; or none at all."""
    hidden: tuple[Rows, ...] = ()
    """For each question, passages that say nothing either way: where it was taken from; or none at all."""
    teacher: tuple[Listed, ...] = ()
    """For each question, a ranking to learn from; or none at all."""
    vectors: NDArray[np.float32] | None = None
    """Shape (n, d): the questions as the base sees them, by which batches are made of neighbours."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Ids of the passages in the index; empty where they have none."""

    def __post_init__(self) -> None:
        n, m = len(self.questions), len(self.passages)
        optional = (self.hard, self.unclear, self.hidden, self.teacher)
        sides = (self.relevant, self.grades, *(side for side in optional if side))
        if any(len(side) != n for side in sides) or len(self.groups) != m:
            raise InputError("What is said of questions and passages must be as long as they are.")
        if not all(len(rows) for rows in self.relevant):
            raise InputError("A question has no answer.")
        if self.vectors is not None and not np.isfinite(self.vectors).all():
            raise InputError("A question's vector is not finite.", "Build the index again.")

    @property
    def digest(self) -> str:
        """Of everything in it that decides what is learned."""
        rows = [
            [part.tolist() for part in side]
            for side in (self.relevant, self.grades, self.hard, self.unclear, self.hidden)
        ]
        taught = [[listed.rows.tolist(), listed.scores.tolist()] for listed in self.teacher]
        drawn = "" if self.vectors is None else digest_bytes(np.ascontiguousarray(self.vectors).tobytes())
        return digest_of([self.questions, self.passages, rows, taught, self.groups.tolist(), drawn])


def training_set(examples: Iterable[Example], corpus: Iterable[Passage] = ()) -> TrainingSet:
    """Examples over distinct passages: the same question asked twice has the answers of both.

    Args:
        examples: Questions and answers.
        corpus: Passages that hard negatives may be found among; an answer with the text of one is that one.

    Raises:
        InputError: An example has no question, no answer, an empty answer or a grade that is not above 0.
    """
    rows: dict[str, int] = {}
    names: list[str] = []
    numbers: dict[str, int] = {}
    groups: list[int] = []

    def row_of(text: str, name: str, document: str) -> int:
        row = rows.setdefault(text, len(rows))
        if row == len(names):
            names.append(name)
            groups.append(numbers.setdefault(document or f"\0{row}", len(numbers)))
        return row

    by_name = {passage.name: row_of(passage.text, passage.name, passage.document) for passage in corpus}
    found: dict[str, dict[int, float]] = {}
    hidden: dict[str, set[int]] = {}
    for number, example in enumerate(examples, 1):
        _check(example, number)
        answers = found.setdefault(example.question, {})
        for answer in example.answers:
            row = row_of(answer.text, "", answer.document)
            answers[row] = max(answers.get(row, 0.0), answer.grade)
        hidden.setdefault(example.question, set()).update(by_name[name] for name in example.hidden if name in by_name)
    return TrainingSet(
        questions=tuple(found),
        passages=tuple(rows),
        relevant=tuple(np.array(sorted(answers), dtype=np.intp) for answers in found.values()),
        grades=tuple(np.array([answers[r] for r in sorted(answers)], dtype=np.float32) for answers in found.values()),
        groups=np.array(groups, dtype=np.intp),
        hidden=tuple(np.array(sorted(aside), dtype=np.intp) for aside in hidden.values()),
        names=tuple(names),
    )


def _check(example: Example, number: int) -> None:
    if not example.question.strip() or not example.answers:
        raise InputError(f"Example {number} has no {'answer' if example.question.strip() else 'question'}.")
    if not all(answer.text.strip() and answer.grade > 0 for answer in example.answers):
        raise InputError(f"Example {number} has an answer without text, or with a grade that is not above 0.")
