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
BOUNDED_LEVEL = 0.01
"""Level of `bounded_p` beside the sign-flip test. A loss of all that a ranking had, .6 on average, that is so rare
that a sample misses it, then passes with a chance of .01 ** (1 / .6) = .0005 at most. At the sign-flip test's own level
twice the questions would be needed."""
POWER = 0.95
"""Chance with which the declared smallest difference is seen."""
_BLOCK = 1_000_000
_GRID = 2_000
"""Steps that the largest difference is rounded to."""
_NOTHING = 1e-9
_STAKES = np.array([0.25, 0.9])
"""Shares of the wealth that are bet on each group of questions."""
_HALVINGS = 14
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


def bounded_p(differences: Values, groups: Groups | None = None) -> float:
    """One-sided p that holds however the differences are distributed, as long as they lie between -1 and 1.

    The sign-flip test takes gains and losses to be alike but for their sign. Many small gains that are paid for by a
    rare disaster are not: where the sample happens to hold no disaster, it is fooled. Here somebody bets on gains, at
    odds that are fair if there is none on average: that the wealth ever grows `1 / p`-fold has a chance of `p` at most
    (Waudby-Smith & Ramdas 2024). The wealth is the mean over fixed stakes, so that no order matters.
    """
    sums, sizes = _group_sums(differences, groups)
    logs = np.log1p(_STAKES[:, None] * np.maximum(sums / sizes.max(), -1)).sum(axis=1)
    wealth = float(np.logaddexp.reduce(logs)) - float(np.log(len(_STAKES)))
    return float(np.exp(-max(wealth, 0.0)))


def smallest_resolvable(differences: Values, level: float, groups: Groups | None = None, scale: float = 1.0) -> float:
    """Smallest true mean difference that a one-sided sign-flip test at `level` shows with a chance of `POWER`.

    From the paired variance as observed, with the quantiles of Student's t. It is taken as no less than if one query in
    all had differed by 1: two systems that agree on every query tell nothing of how much others would differ.

    Args:
        differences: As observed.
        level: Of the test.
        groups: What is resampled together.
        scale: How many times as many questions, and groups, there would be.
    """
    sums, sizes = _group_sums(differences - differences.mean(), groups)
    variance = max(float(np.square(sums).sum()), 1.0 / scale) / float(sizes.sum()) ** 2 / scale
    freedom = max(len(sums) * scale - 1, 1)
    return float((_t_quantile(1 - level, freedom) + _t_quantile(POWER, freedom)) * np.sqrt(variance))


def smallest_certain(differences: Values, level: float, groups: Groups | None = None, scale: float = 1.0) -> float:
    """The same for the sign-flip test and `bounded_p` at its own level together, which is what the gate asks for.

    The differences as observed are moved until the bets win with a chance of `POWER`, by normal approximation of the
    logarithm of the wealth. 1 if nothing would be enough.
    """
    sums, sizes = _group_sums(differences - differences.mean(), groups)
    wanted = float(np.log(len(_STAKES) / BOUNDED_LEVEL))
    deviations = NormalDist().inv_cdf(POWER)

    def wins(difference: float) -> bool:
        moved = np.clip((sums + difference * sizes) / sizes.max(), -1, 1)
        logs = np.log1p(_STAKES[:, None] * moved)
        spread = deviations * np.sqrt(scale * len(sums)) * logs.std(axis=1)
        return bool((scale * logs.sum(axis=1) - spread).max() >= wanted)

    low, high = smallest_resolvable(differences, level, groups, scale), 1.0
    if low >= high or not wins(high):
        return high
    if wins(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if wins(middle) else (middle, high)
    return high


def _t_quantile(chance: float, freedom: float) -> float:
    """Quantile of Student's t, by the expansion of Cornish and Fisher."""
    z = NormalDist().inv_cdf(chance)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


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
