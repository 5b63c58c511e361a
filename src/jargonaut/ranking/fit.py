"""Choose fusion weight and whitening on development queries, cautiously."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.index.port import Candidates, Vector
from jargonaut.ranking.fuse import Signals, pool_signals
from jargonaut.ranking.whitening import Whitening

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
CONTEXTUAL_WEIGHT = 0.3
"""The safe lexical weight beside a transformer encoder."""
STATIC_WEIGHT = 0.5
"""The safe lexical weight beside a static token table."""
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


def fit_fusion(
    queries: Sequence[DevelopmentQuery],
    whitening: Whitening | None,
    safe_weight: float = CONTEXTUAL_WEIGHT,
    pool: int = 100,
) -> FusionChoice:
    """The choice nearest the safe one whose mean nDCG@10 is within one standard error of the best.

    One-standard-error rule (Breiman et al. 1984), with the standard error of the paired difference to the best.
    Safe is `safe_weight`, with whitening if there is one. Pseudo-queries are known to pull the weight too high: hence
    the caution. Without queries the safe choice is returned, with an nDCG of 0.
    """
    if not queries:
        return FusionChoice(safe_weight, whitening is not None, 0.0, safe_weight, whitening is not None, 0.0)
    options = [(whitened, weight) for whitened in ((True, False) if whitening else (False,)) for weight in WEIGHTS]
    gains = np.array([_gains(query, whitening, pool) for query in queries])
    means = gains.mean(axis=0)
    best = int(means.argmax())
    errors = (gains[:, [best]] - gains).std(axis=0) / np.sqrt(len(queries))
    within: list[int] = np.flatnonzero(means[best] - means <= errors + 1e-12).tolist()

    def distance(option: int) -> tuple[bool, float, float]:
        whitened, weight = options[option]
        return (not whitened, round(abs(weight - safe_weight), 9), weight)

    chosen = min(within, key=distance)
    return FusionChoice(
        lexical_weight=options[chosen][1],
        whitened=options[chosen][0],
        ndcg=float(means[chosen]),
        best_weight=options[best][1],
        best_whitened=options[best][0],
        best_ndcg=float(means[best]),
    )


def _gains(query: DevelopmentQuery, whitening: Whitening | None, pool: int) -> list[float]:
    """NDCG@10 of every option for one query, in the order of the options."""
    ids, documents = query.candidates.chunk_ids, query.candidates.document_ids
    visible = np.array([c not in query.hidden and d not in query.hidden for c, d in zip(ids, documents, strict=True)])
    relevant = np.array([c in query.relevant for c in ids])
    return [
        _gain(signals, weight, visible, relevant)
        for kind in ((whitening, None) if whitening else (None,))
        for signals in [pool_signals(query.candidates, query.vector, pool, kind)]
        for weight in WEIGHTS
    ]


def _gain(signals: Signals, weight: float, visible: NDArray[np.bool_], relevant: NDArray[np.bool_]) -> float:
    order = signals.order(signals.fused(weight))
    found = np.flatnonzero(relevant[order[visible[order]]])
    return float(1 / np.log2(found[0] + 2)) if found.size and found[0] < _CUT else 0.0
