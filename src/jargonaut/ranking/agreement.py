"""The lexical weight from questions without labels: the one under which the ranking agrees with late interaction.

Late interaction compares tokens, and so shares neither the words of BM25 nor the one vector of the dense list as they
are; the passage that it puts first stands in for the answer. Some dozens of real questions are enough, and pseudo-
questions cut from the documents are not: they repeat the documents' words, and pull the weight up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.index.port import Candidates, Vector
from jargonaut.ranking.fit import WEIGHTS
from jargonaut.ranking.fuse import pool_signals
from jargonaut.ranking.late_interaction import LateScores
from jargonaut.ranking.whitening import Whitening

ENOUGH = 50
"""Questions below which the safe weight is kept: a weight picked on 25 lost about a point on average."""
_CUT = 10


@dataclass(frozen=True, slots=True, eq=False)
class UnlabelledQuery:
    """A question with its pool, and how well tokens match."""

    candidates: Candidates
    vector: Vector
    late: LateScores


@dataclass(frozen=True, slots=True)
class AgreedWeight:
    """What was agreed on."""

    lexical_weight: float
    queries: int
    """How many questions it rests on; 0 if there were too few, and it is the safe one."""
    agreement: tuple[float, ...] = ()
    """Of each of `WEIGHTS`: mean discounted gain of the passages that late interaction puts first."""


def agreed_weight(
    queries: Sequence[UnlabelledQuery], whitening: Whitening | None, safe_weight: float, pool: int = 100
) -> AgreedWeight:
    """The weight nearest `safe_weight` whose agreement is within one standard error of the highest.

    The passage that stands in for the answer comes from the same encoder as the dense list, and agrees with that too
    easily: where the agreement is flat, the safe weight is the better guess. With fewer than `ENOUGH` questions that
    have a pool, it is returned.
    """
    gains = np.array([gain for query in queries if (gain := _gains(query, whitening, pool)) is not None])
    if len(gains) < ENOUGH:
        return AgreedWeight(safe_weight, 0)
    means = gains.mean(axis=0)
    best = int(means.argmax())
    errors = (gains[:, [best]] - gains).std(axis=0) / np.sqrt(len(gains))
    within: list[int] = np.flatnonzero(means[best] - means <= errors + 1e-12).tolist()
    chosen = min(within, key=lambda option: (round(abs(WEIGHTS[option] - safe_weight), 9), WEIGHTS[option]))
    return AgreedWeight(WEIGHTS[chosen], len(gains), tuple(float(mean) for mean in means))


def _gains(query: UnlabelledQuery, whitening: Whitening | None, pool: int) -> list[float] | None:
    if not np.isfinite(query.late.score).any():
        return None
    first = int(np.nanargmax(query.late.score))
    signals = pool_signals(query.candidates, query.vector, pool, whitening)
    ranks = [int(np.flatnonzero(signals.order(signals.fused(weight)) == first)[0]) for weight in WEIGHTS]
    return [float(1 / np.log2(rank + 2)) if rank < _CUT else 0.0 for rank in ranks]
