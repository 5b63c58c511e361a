"""Which questions meet in a batch, and with which passages: decided by seed and step alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from jargonaut.training.examples import NOTHING, Rows, TrainingSet

_BLOCKS = 4
"""Blocks of neighbours in a batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """b questions and the u distinct passages that they are compared with."""

    questions: Rows
    """Shape (b,)."""
    passages: Rows
    """Shape (u,): rows, sorted."""
    answer: Rows
    """Shape (b,): column in `passages` of the answer drawn for each question."""
    allowed: NDArray[np.bool_]
    """Shape (b, u): whether a passage may stand in the softmax of a question; its answer always does."""
    teacher: NDArray[np.float32]
    """Shape (b, u): the teacher's scores, NaN outside of what was drawn from its list."""


class Batches:
    """All batches of a training.

    Args:
        examples: What they are of.
        chosen: Questions to draw from.
        size: Questions of a batch.
        hard: Hard negatives drawn for each question, in the mean.
        listed: Passages drawn for each question from its teacher's list.
        seed: Of every choice.
    """

    def __init__(self, examples: TrainingSet, chosen: Rows, size: int, hard: float, listed: int, seed: int) -> None:
        self._examples = examples
        self._chosen = chosen
        self.size = min(size, len(chosen))
        self._hard, self._listed, self._seed = hard, listed, seed
        self._in_epoch = lru_cache(maxsize=2)(self._epoch)

    @property
    def of_an_epoch(self) -> int:
        """Batches until every question was asked once, but for a remainder that is drawn anew each time."""
        return len(self._chosen) // self.size

    def batch(self, step: int) -> Batch:
        """That of one step, counted from 0."""
        epoch, place = divmod(step, self.of_an_epoch)
        questions = self._in_epoch(epoch)[place]
        random = np.random.default_rng([self._seed, 2, step])
        examples = self._examples
        answers = np.array([_drawn(examples.relevant[q], examples.grades[q], random) for q in questions], dtype=np.intp)
        counts = np.floor(self._hard + random.random(len(questions))).astype(int)
        extra = [self._sample(examples.hard, q, count, random) for q, count in zip(questions, counts, strict=True)]
        taught = [self._taught(q, random) for q in questions]
        passages = np.unique(np.concatenate([answers, *extra, *(rows for rows, _ in taught)]))
        column = {int(row): at for at, row in enumerate(passages)}
        answer = np.array([column[int(row)] for row in answers], dtype=np.intp)
        allowed = np.ones((len(questions), len(passages)), dtype=bool)
        teacher = np.full(allowed.shape, np.nan, dtype=np.float32)
        for line, question in enumerate(questions):
            self._exclude(allowed[line], int(question), passages)
            allowed[line, answer[line]] = True
            rows, scores = taught[line]
            teacher[line, [column[int(row)] for row in rows]] = scores
        return Batch(questions, passages, answer, allowed, teacher)

    def _exclude(self, allowed: NDArray[np.bool_], question: int, passages: Rows) -> None:
        """Passages that are right too, or may be: other answers, what is like an answer, what was found unclear."""
        examples = self._examples
        right = examples.relevant[question]
        allowed[np.isin(examples.groups[passages], examples.groups[right])] = False
        for side in (examples.unclear, examples.hidden):
            if side:
                allowed[np.isin(passages, side[question])] = False

    def _sample(self, side: Sequence[Rows], question: int, count: int, random: np.random.Generator) -> Rows:
        rows = side[question] if side and count else NOTHING
        return rows if len(rows) <= count else random.choice(rows, count, replace=False)

    def _taught(self, question: int, random: np.random.Generator) -> tuple[Rows, NDArray[np.float32]]:
        if not self._examples.teacher or not self._listed:
            return NOTHING, np.empty(0, dtype=np.float32)
        listed = self._examples.teacher[question]
        if len(listed.rows) <= self._listed:
            return listed.rows, listed.scores
        at = np.sort(random.choice(len(listed.rows), self._listed, replace=False))
        return listed.rows[at], listed.scores[at]

    def _epoch(self, epoch: int) -> list[Rows]:
        """Every question once, in batches that are made of blocks of neighbours.

        Neighbours are each other's hard negatives, and cost nothing (topic-aware sampling, Hofstätter et al. 2021); the
        topics are those of a few questions drawn anew for each epoch.
        """
        random = np.random.default_rng([self._seed, 1, epoch])
        order = random.permutation(len(self._chosen))
        vectors = self._examples.vectors
        if vectors is not None:
            own = vectors[self._chosen]
            topics = max(1, len(order) // self.size)
            centres = own[random.choice(len(order), topics, replace=False)]
            topic = np.concatenate([(part @ centres.T).argmax(1) for part in np.array_split(own, 1 + len(own) // 4096)])
            order = order[np.argsort(random.permutation(topics)[topic[order]], kind="stable")]
            block = max(1, self.size // _BLOCKS)
            blocks = [order[start : start + block] for start in range(0, len(order), block)]
            order = np.concatenate([blocks[at] for at in random.permutation(len(blocks))])
        return [self._chosen[order[at * self.size :][: self.size]] for at in range(self.of_an_epoch)]


def _drawn(rows: Rows, grades: NDArray[np.float32], random: np.random.Generator) -> int:
    chances = grades.astype(np.float64)
    return int(rows[0] if len(rows) == 1 else random.choice(rows, p=chances / chances.sum()))
