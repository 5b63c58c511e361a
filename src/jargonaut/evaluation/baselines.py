"""Ways to rank a pool that need nothing fitted: what anything fitted has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.release import Fusion
from jargonaut.index.port import Candidates, Vector
from jargonaut.ranking.fuse import rank

RRF_K = 60
SUM_WEIGHT = 0.3

Order = NDArray[np.intp]
Baseline = Callable[[Candidates, Vector | None, int], Order]
"""Candidates, the question's vector if there is one, and the length of each list; gives positions, best first."""


def _weighted(lexical_weight: float) -> Baseline:
    return lambda found, vector, pool: rank(found, vector, Fusion(lexical_weight, pool=pool)).order


def _reciprocal_rank(found: Candidates, vector: Vector | None, pool: int) -> Order:
    """Reciprocal rank fusion (Cormack et al. 2009) of the two lists as the engine gave them."""
    by_id = np.array(sorted(range(len(found.chunk_ids)), key=found.chunk_ids.__getitem__), dtype=np.intp)
    fused = np.zeros(len(by_id))
    lists = ((found.cosine, min(pool, len(by_id))), (found.bm25, int(np.count_nonzero(found.bm25 > 0))))
    for scores, length in lists:
        listed = by_id[np.argsort(-scores[by_id], kind="stable")][:length]
        fused[listed] += 1 / (RRF_K + 1 + np.arange(length))
    return by_id[np.argsort(-fused[by_id], kind="stable")]


BASELINES: Mapping[str, Baseline] = {
    "bm25": _weighted(1.0),
    "base": _weighted(0.0),
    "rrf": _reciprocal_rank,
    "z-sum": _weighted(SUM_WEIGHT),
}
"""`rrf` with k 60; `z-sum` with a weight of .3 on BM25, both standardised within the pool."""
