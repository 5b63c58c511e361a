"""Choose the weights of a ranking and its whitening on development queries, cautiously."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.index.port import Candidates, Vector
from jargonaut.ranking.fuse import Signals, pool_signals
from jargonaut.ranking.late_interaction import LateScores
from jargonaut.ranking.whitening import Whitening

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LATE_WEIGHTS = (0.0, 0.15, 0.3, 0.45)
CONTEXTUAL_WEIGHT = 0.3
"""The safe lexical weight beside a transformer encoder."""
STATIC_WEIGHT = 0.5
"""The safe lexical weight beside a static token table."""
LATE_WEIGHT = 0.3
"""The safe weight of MaxSim beside the sum of the others."""
_CUT = 10


@dataclass(frozen=True, slots=True, eq=False)
class DevelopmentQuery:
    """A question with its pool and the chunks that answer it."""

    candidates: Candidates
    vector: Vector
    relevant: frozenset[str]
    """Chunk ids of one section: finding any of them is finding it."""
    hidden: frozenset[str] = frozenset()
    """Chunk or document ids taken out before the ranking is judged, such as the place the question was taken from."""
    late: LateScores | None = None
    """How well tokens match, where that is to be part of the ranking."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One way to rank."""

    lexical: float
    whitened: bool
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class FusionChoice:
    """What was chosen, and against what."""

    lexical_weight: float
    whitened: bool
    ndcg: float
    """Mean nDCG@10 of the choice on the development queries."""
    best_weight: float
    best_whitened: bool
    best_ndcg: float
    """Of the highest mean, which is chosen only if it stands out from the safe one by more than a standard error."""
    late_weight: float = 0.0
    best_late_weight: float = 0.0


def fit_fusion(
    queries: Sequence[DevelopmentQuery],
    whitening: Whitening | None,
    safe_weight: float = CONTEXTUAL_WEIGHT,
    pool: int = 100,
    late: bool = False,
) -> FusionChoice:
    """The choice nearest the safe one whose mean nDCG@10 is within one standard error of the best.

    One-standard-error rule (Breiman et al. 1984), with the standard error of the paired difference to the best.
    Safe is `safe_weight`, with whitening and late interaction if there are. Pseudo-queries are known to pull the
    lexical weight too high: hence the caution. Without queries the safe choice is returned, with an nDCG of 0.
    """
    safe = Weights(safe_weight, whitening is not None, LATE_WEIGHT if late else 0.0)
    if not queries:
        return _choice(safe, 0.0, safe, 0.0)
    options = [
        Weights(weight, whitened, late_weight)
        for whitened in ((True, False) if whitening else (False,))
        for weight in WEIGHTS
        for late_weight in (LATE_WEIGHTS if late else (0.0,))
    ]
    gains = np.array([_gains(query, whitening, pool, options) for query in queries])
    means = gains.mean(axis=0)
    best = int(means.argmax())
    errors = (gains[:, [best]] - gains).std(axis=0) / np.sqrt(len(queries))
    within: list[int] = np.flatnonzero(means[best] - means <= errors + 1e-12).tolist()

    def distance(number: int) -> tuple[bool, float, float]:
        option = options[number]
        apart = abs(option.lexical - safe.lexical) + abs(option.late - safe.late)
        return (not option.whitened, round(apart, 9), option.lexical)

    chosen = min(within, key=distance)
    return _choice(options[chosen], float(means[chosen]), options[best], float(means[best]))


def _choice(chosen: Weights, ndcg: float, best: Weights, best_ndcg: float) -> FusionChoice:
    return FusionChoice(
        chosen.lexical, chosen.whitened, ndcg, best.lexical, best.whitened, best_ndcg, chosen.late, best.late
    )


def _gains(query: DevelopmentQuery, whitening: Whitening | None, pool: int, options: Sequence[Weights]) -> list[float]:
    """NDCG@10 of every option for one query, in the order of the options."""
    ids, documents = query.candidates.chunk_ids, query.candidates.document_ids
    visible = np.array([c not in query.hidden and d not in query.hidden for c, d in zip(ids, documents, strict=True)])
    relevant = np.array([c in query.relevant for c in ids])
    signals = {
        whitened: pool_signals(query.candidates, query.vector, pool, whitening if whitened else None, query.late)
        for whitened in {option.whitened for option in options}
    }
    return [_gain(signals[option.whitened], option, visible, relevant) for option in options]


def _gain(signals: Signals, option: Weights, visible: NDArray[np.bool_], relevant: NDArray[np.bool_]) -> float:
    order = signals.order(signals.fused(option.lexical, option.late))
    found = np.flatnonzero(relevant[order[visible[order]]])
    return float(1 / np.log2(found[0] + 2)) if found.size and found[0] < _CUT else 0.0
