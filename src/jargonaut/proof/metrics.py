"""Retrieval metrics per query, cut at 10; one score a query, so that systems can be compared in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CUT = 10

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class QueryScores:
    """Each of shape (queries,), between 0 and 1."""

    ndcg_at_10: Values
    recall_at_10: Values
    mrr_at_10: Values


def score_rankings(rankings: Sequence[Sequence[str]], relevant: Sequence[AbstractSet[str]]) -> QueryScores:
    """Score one ranking a query against what is relevant to it (binary; Järvelin & Kekäläinen 2002 for nDCG).

    Args:
        rankings: Ids, best first, without repetitions.
        relevant: The ids that are relevant to the query at the same position; never empty.
    """
    hits = np.zeros((len(rankings), CUT))
    for row, (ranking, wanted) in enumerate(zip(rankings, relevant, strict=True)):
        for position, item in enumerate(ranking[:CUT]):
            hits[row, position] = item in wanted
    sizes = np.array([len(wanted) for wanted in relevant], dtype=np.intp)
    discounts = 1 / np.log2(np.arange(CUT) + 2)
    ideal = np.cumsum(discounts)[np.minimum(sizes, CUT) - 1]
    found = hits.any(axis=1)
    return QueryScores(
        ndcg_at_10=hits @ discounts / ideal,
        recall_at_10=hits.sum(axis=1) / sizes,
        mrr_at_10=np.where(found, 1 / (hits.argmax(axis=1) + 1), 0.0),
    )


def ndcg_of_rank(rank: int | None) -> float:
    """NDCG@10 where one item is relevant and stands at `rank`; 1 is best, None if it was not found."""
    return float(1 / np.log2(rank + 1)) if rank and rank <= CUT else 0.0
