"""Two candidate lists to one ranking: a weighted sum of z-scores within the pool.

Reciprocal rank fusion loses to the dense row alone on two of three English sets; a weighted z-sum does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.release import Fusion
from jargonaut.index.port import Candidates, Vector
from jargonaut.ranking.late_interaction import LateScores
from jargonaut.ranking.whitening import Whitening

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """An order over n candidates. All arrays but `order` are aligned with the candidates, not sorted."""

    order: NDArray[np.intp]
    """Shape (n,): positions of the candidates, best first."""
    fused: Scores
    """What the order is by; comparable within this ranking only."""
    cosine: Vector
    """Raw cosine: what thresholds read. NaN without a query vector."""
    whitened: Vector
    """Cosine after whitening; NaN without whitening."""
    bm25: Vector
    late: Vector
    """MaxSim over the tokens; NaN where it is not known, or not part of the ranking."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """The z-scores of one pool, each of shape (n,), from which every fusion is a weighted sum."""

    lexical: Scores
    dense: Scores | None
    """Mean of the z-scores of raw and whitened cosine, hubs corrected; of the raw one without whitening; None without
    vectors."""
    whitened: Vector
    """The whitened cosine itself; NaN without whitening."""
    late: Scores | None
    """Z-scored MaxSim, 0 where it is not known, times what it counts for at the length of this question."""
    by_id: NDArray[np.intp]
    """The candidates in the order of their ids, which breaks ties."""

    def fused(self, lexical_weight: float, late_weight: float = 0.0) -> Scores:
        """The weighted sum; BM25 alone without vectors."""
        if self.dense is None:
            return self.lexical
        fused = lexical_weight * self.lexical + (1 - lexical_weight) * self.dense
        return fused if self.late is None else fused + late_weight * self.late

    def order(self, fused: Scores) -> NDArray[np.intp]:
        """Best first; equal scores by chunk id."""
        return self.by_id[np.argsort(-fused[self.by_id], kind="stable")]


def rank(
    candidates: Candidates,
    query_vector: Vector | None,
    fusion: Fusion,
    whitening: Whitening | None = None,
    late: LateScores | None = None,
) -> Ranking:
    """Order a pool of candidates as the recipe says.

    Args:
        candidates: As the index returned them for a query whose `limit` was `fusion.pool`.
        query_vector: Shape (d,), unit length; None for a lexical recipe.
        fusion: Weight and pool.
        whitening: The artifact that `fusion.whitening` names, or None.
        late: MaxSim of the candidates; None where tokens are not compared, or the revision has none.
    """
    signals = pool_signals(candidates, query_vector, fusion.pool, whitening, late)
    fused = signals.fused(fusion.lexical_weight, fusion.late_weight)
    compared = np.full(len(fused), np.nan, np.float32) if late is None else late.score
    return Ranking(signals.order(fused), fused, candidates.cosine, signals.whitened, candidates.bm25, compared)


def pool_signals(
    candidates: Candidates,
    query_vector: Vector | None,
    pool: int,
    whitening: Whitening | None,
    late: LateScores | None = None,
) -> Signals:
    """Standardise the signals of one pool; `pool` is the most candidates that each list could have."""
    whitened = np.full(len(candidates.chunk_ids), np.nan, dtype=np.float32)
    lexical = _z(_completed(candidates.bm25, pool))
    by_id = np.array(sorted(range(len(candidates.chunk_ids)), key=candidates.chunk_ids.__getitem__), dtype=np.intp)
    if query_vector is None or candidates.vectors is None:
        return Signals(lexical, None, whitened, None, by_id)
    dense = _z(candidates.cosine)
    if whitening is not None:
        moved = whitening.apply(candidates.vectors)
        whitened = moved @ whitening.apply(query_vector[None])[0]
        dense = (dense + _z(whitened - whitening.hubness(moved))) / 2
    compared = None if late is None else late.share * _z_of_known(late.score)
    return Signals(lexical, dense, whitened, compared, by_id)


def _completed(bm25: Vector, pool: int) -> Vector:
    """BM25 with a value for candidates found densely only.

    A full lexical list was cut, so those missing score at most its minimum and are given that. One that is not full
    holds every chunk with any of the terms, so those missing have truly 0: given the minimum, a lone hit on a rare
    identifier would not stand out.
    """
    found = bm25 > 0
    if np.count_nonzero(found) < pool:
        return bm25
    return np.where(found, bm25, bm25[found].min())


def _z(values: Vector) -> Scores:
    """Zero mean, unit standard deviation; all zeros if the values do not differ."""
    exact = values.astype(np.float64)
    if not exact.size:
        return exact
    deviation = exact.std()
    return (exact - exact.mean()) / deviation if deviation > 1e-9 else np.zeros_like(exact)


def _z_of_known(values: Vector) -> Scores:
    """`_z` of the numbers among them; the others stand in the middle."""
    known = np.isfinite(values)
    scores = np.zeros(len(values))
    scores[known] = _z(values[known])
    return scores
