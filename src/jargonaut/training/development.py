"""A slice of the training questions that is not learned from, by which training sees whether it still gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.training.examples import NOTHING, Rows, TrainingSet

_LEAST, _MOST = 30, 150
"""Questions of a slice: fewer say nothing, more cost time."""
_POOL = 500
"""Passages that they are looked for among, at least."""
_LISTED = 3
"""Of which so many for each question are what the live ranking puts first."""


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Questions by what they are for."""

    learned_from: Rows
    development: Rows
    """None of whose answers, or their near-duplicates, answers a question that is learned from."""
    pool: Rows
    """Passages: the slice's answers, what the live ranking takes for answers, and others to fill up."""

    @property
    def judging(self) -> bool:
        """Whether there is a slice at all."""
        return len(self.development) > 0


def divide_questions(examples: TrainingSet, share: float, seed: int) -> Slices:
    """Keep the questions about some groups of passages apart; none, if they would be too few to judge by."""
    everything = np.arange(len(examples.questions))
    random = np.random.default_rng([seed, 3])
    groups = [set(examples.groups[rows].tolist()) for rows in examples.relevant]
    kinds = np.unique(examples.groups)
    wanted = round(share * len(kinds))
    apart = set(random.choice(kinds, wanted, replace=False).tolist()) if wanted else set()
    learned = [q for q in everything if apart.isdisjoint(groups[q])]
    judged = [q for q in everything if groups[q] <= apart]
    if len(judged) < _LEAST or not learned:
        return Slices(everything, NOTHING, NOTHING)
    if len(judged) > _MOST:
        judged = sorted(random.choice(judged, _MOST, replace=False).tolist())
    development = np.array(judged, dtype=np.intp)
    first = [examples.teacher[q].rows[:_LISTED] for q in judged] if examples.teacher else []
    pool = np.unique(np.concatenate([*(examples.relevant[q][:1] for q in judged), *first]))
    others = np.setdiff1d(np.arange(len(examples.passages)), pool)
    filling = random.choice(others, min(len(others), max(0, _POOL - len(pool))), replace=False)
    return Slices(np.array(learned, dtype=np.intp), development, np.union1d(pool, filling))


def reciprocal_rank(examples: TrainingSet, slices: Slices, scores: NDArray[np.float32]) -> float:
    """Mean reciprocal rank of the best answer among what is not right.

    Args:
        examples: The set.
        slices: Its slice.
        scores: Shape (questions of the slice, passages of its pool).
    """
    found = []
    for line, question in enumerate(slices.development):
        right = np.isin(slices.pool, examples.relevant[question])
        like = np.isin(examples.groups[slices.pool], examples.groups[examples.relevant[question]])
        wrong = ~like & ~np.isin(slices.pool, examples.hidden[question]) if examples.hidden else ~like
        best = scores[line][right].max()
        found.append(1 / (1 + np.count_nonzero(scores[line][wrong] >= best)))
    return float(np.mean(found))
