"""How sure a mean of per-query scores is, and how often chance alone makes a difference.

Questions on the same document share its luck. `groups` says which belong together; whole groups are then resampled and
flipped, so that thirty questions on one document do not count as thirty pieces of evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.proof import Interval

RESAMPLES = 20_000
POWER = 0.95
"""Chance with which the declared smallest difference is seen."""
_BLOCK = 1_000_000
_GRID = 2_000
"""Steps that the largest difference is rounded to."""
_NOTHING = 1e-9
_LEAST_CHANCE = 1e-300
"""Of more than a thousand differences that all go one way, the chance is less than a number can be."""

Values = NDArray[np.float64]
Groups = Sequence[str]
"""For each query the name of its group: the document it is about."""


def bootstrap_interval(
    values: Values, groups: Groups | None = None, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean (Efron 1979); of paired differences, it is the paired bootstrap.

    Args:
        values: Shape (queries,); at least one.
        groups: One a query; every query its own if None.
        confidence: Two-sided.
        seed: Of the resampling.
    """
    sums, sizes = _group_sums(values, groups)
    rng = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for start, stop in _blocks(len(sums)):
        drawn = rng.integers(len(sums), size=(stop - start, len(sums)))
        means[start:stop] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def randomisation_p(differences: Values, groups: Groups | None = None) -> float:
    """One-sided p of the paired randomisation (sign-flip) test: how often chance gives a mean at least this high.

    Fisher 1935. The distribution over all sign flips is counted, not sampled (Pagano & Tritchler 1983), so that p is
    the same every time, and true far below a level of .001: a level that is divided among many proofs needs that.
    Differences are rounded to a grid first, which is symmetric, so the test on the rounded ones is exact by itself.
    """
    sums, _ = _group_sums(differences, groups)
    largest = np.abs(sums).max(initial=0.0)
    if largest <= _NOTHING:
        return 1.0
    whole = np.rint(sums * (_GRID / largest)).astype(np.int64)
    sizes = np.abs(whole[whole != 0])
    return _chance_of_at_least(sizes, int(whole.sum()))


def smallest_resolvable(differences: Values, level: float, groups: Groups | None = None) -> float:
    """Smallest true mean difference that a one-sided test at `level` shows with a chance of `POWER`.

    By normal approximation, from the paired variance as observed, taken as no less than if one query in all had
    differed by 1: two systems that agree on every query tell nothing of how much others would differ.
    """
    sums, sizes = _group_sums(differences - differences.mean(), groups)
    variance = max(float(np.square(sums).sum()), 1.0) / float(sizes.sum()) ** 2
    normal = NormalDist()
    return float((normal.inv_cdf(1 - level) + normal.inv_cdf(POWER)) * np.sqrt(variance))


def _chance_of_at_least(sizes: NDArray[np.int64], observed: int) -> float:
    """Chance that the sum of `sizes`, each with a random sign, reaches `observed`.

    A sum reaches it if those that are flipped to minus come to no more than half of what is missing to the full sum.
    """
    room = (int(sizes.sum()) - observed) // 2
    chances = np.zeros(room + 1)
    chances[0] = 1.0
    for size in sizes:
        if size <= room:
            chances[size:] = (chances[size:] + chances[: room + 1 - size]) / 2
            chances[:size] /= 2
        else:
            chances /= 2
    return min(max(float(chances.sum()), _LEAST_CHANCE), 1.0)


def _group_sums(values: Values, groups: Groups | None) -> tuple[Values, Values]:
    if groups is None:
        return values, np.ones(len(values))
    index = np.unique(np.asarray(groups), return_inverse=True)[1]
    sums: Values = np.bincount(index, weights=values).astype(np.float64)
    return sums, np.bincount(index).astype(np.float64)


def _blocks(columns: int) -> list[tuple[int, int]]:
    """Rows of a (RESAMPLES, columns) matrix in pieces that stay small in memory."""
    rows = max(1, _BLOCK // max(columns, 1))
    return [(start, min(start + rows, RESAMPLES)) for start in range(0, RESAMPLES, rows)]
