"""Simulated proofs: recipes that are useless by construction, and recipes that are truly better by what is declared.

Ranks come from a mixture that resembles real sets: a third of the questions is easy, a third hard, and both recipes
share most of a question's luck, and of its document's. Whoever is useless has a true difference of 0, or below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.intervals import smallest_certain

GAINS = np.concatenate([1 / np.log2(np.arange(10) + 2), np.zeros(200)])
SIZES = (60, 80, 150, 300)
"""Judging questions."""
_POPULATION = 60_000
_PER_DOCUMENT = 2

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Scores of the live recipe and of a candidate, and the documents that the questions are about."""

    before: Values
    after: Values
    documents: list[str]


def drawn(rng: np.random.Generator, count: int, gain: float = 0.0) -> Drawn:
    """Questions, two to a document; of a share `gain` of them the candidate finds the answer first."""
    documents = np.arange(count) // _PER_DOCUMENT
    luck = np.repeat(rng.normal(0, 0.5, count // _PER_DOCUMENT + 1), _PER_DOCUMENT)[:count]
    hardness = rng.choice([-1.0, 1.0, 3.0], count) + luck
    own = np.repeat(rng.normal(0, 0.2, (2, count // _PER_DOCUMENT + 1)), _PER_DOCUMENT, axis=1)[:, :count]
    places = np.exp(hardness + own + rng.normal(0, 0.35, (2, count)))
    ranks = np.minimum(places, 150).astype(int)
    ranks[1][rng.random(count) < gain] = 0
    before, after = GAINS[ranks]
    return Drawn(before, after, [f"d{number}" for number in documents])


def exchangeable(rng: np.random.Generator, count: int) -> Drawn:
    """Another ranking, no better and no worse."""
    return drawn(rng, count)


def rare_disasters(rng: np.random.Generator, count: int) -> Drawn:
    """Small gains nearly everywhere, paid for by a loss of everything now and then: 0 on average.

    How often is drawn from what fools a test most: about as seldom as a sample of the size misses.
    """
    often = rng.uniform(3, 12) / count
    lost = rng.random(count) < often
    after = np.where(lost, 0.0, 0.6 + 0.6 * often / (1 - often))
    return Drawn(np.full(count, 0.6), after, [f"d{number}" for number in range(count)])


def lucky_documents(rng: np.random.Generator, count: int) -> Drawn:
    """The luck of whole documents, a dozen questions each."""
    groups = np.arange(count) // 12
    luck = rng.normal(0, 0.25, groups.max() + 1)[groups]
    before = np.full(count, 0.5)
    return Drawn(before, np.clip(before + luck + rng.normal(0, 0.05, count), 0, 1), [f"d{g}" for g in groups])


def slightly_worse(rng: np.random.Generator, count: int) -> Drawn:
    """Three in a hundred answers are lost."""
    found = drawn(rng, count)
    return Drawn(found.before, np.where(rng.random(count) < 0.03, 0.0, found.after), found.documents)


USELESS: tuple[Callable[[np.random.Generator, int], Drawn], ...] = (
    exchangeable,
    rare_disasters,
    lucky_documents,
    slightly_worse,
)


def promoted(found: Drawn, level: float) -> bool:
    contest = Contest("live", "candidate", found.before, found.after, found.documents)
    return decide(contest, Gate(level=level)).verdict == "better"


def useless_promoted(families: int, level: float) -> tuple[int, int]:
    """How many of how many."""
    tries = [
        promoted(make(np.random.default_rng([number, count, at]), count), level)
        for at, make in enumerate(USELESS)
        for count in SIZES
        for number in range(families)
    ]
    return sum(tries), len(tries)


def declared_gain(count: int, level: float) -> tuple[float, float]:
    """The share of questions to answer first for a true difference of what is declared; and that difference."""
    low, high = 0.0, 1.0
    difference = 0.0
    for _ in range(18):
        middle = (low + high) / 2
        found = drawn(np.random.default_rng(0), _POPULATION, middle)
        differences = found.after - found.before
        difference = float(differences.mean())
        # What is declared grows with the noise of the differences, which a gain adds to.
        declared = smallest_certain(differences, level, found.documents, count / _POPULATION)
        low, high = (middle, high) if difference < declared else (low, middle)
    return high, difference


def better_promoted(tries: int, level: float) -> list[tuple[int, float, int]]:
    """For each number of judging questions: the declared difference, and how many of `tries` candidates pass."""
    found = []
    for count in SIZES:
        gain, difference = declared_gain(count, level)
        passed = sum(
            promoted(drawn(np.random.default_rng([7, number, count]), count, gain), level) for number in range(tries)
        )
        found.append((count, difference, passed))
    return found
