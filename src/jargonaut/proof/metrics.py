"""Retrieval metrics per query; one score a query, so that systems can be compared in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CUT = 10
DEEPEST = 100
"""Rank up to which anything is looked at."""

Values = NDArray[np.float64]
Grades = Mapping[str, float] | AbstractSet[str]
"""Relevance by id, above 0; a set is grade 1 for all. An id of grade 0, or none, is not relevant."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryScores:
    """Each of shape (queries,), between 0 and 1."""

    ndcg_at_10: Values
    recall_at_5: Values
    recall_at_10: Values
    recall_at_100: Values
    mrr_at_10: Values


def score_rankings(rankings: Sequence[Sequence[str]], relevant: Sequence[Grades]) -> QueryScores:
    """Score one ranking a query against what is relevant to it.

    NDCG with linear gain (Järvelin & Kekäläinen 2002), as trec_eval and BEIR have it; recall and reciprocal rank count
    every grade above 0 alike.

    Args:
        rankings: Ids, best first, without repetitions.
        relevant: What is relevant to the query at the same position; for each at least one id.
    """
    gains = np.zeros((len(rankings), DEEPEST))
    ideal = np.zeros((len(rankings), CUT))
    sizes = np.zeros(len(rankings))
    for row, (ranking, wanted) in enumerate(zip(rankings, relevant, strict=True)):
        grades = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted, 1)
        for position, item in enumerate(ranking[:DEEPEST]):
            gains[row, position] = max(grades.get(item, 0), 0)
        best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
        sizes[row] = len(best)
        ideal[row, : min(len(best), CUT)] = best[:CUT]
    discounts = 1 / np.log2(np.arange(CUT) + 2)
    hits = gains > 0
    found = hits[:, :CUT].any(axis=1)
    return QueryScores(
        ndcg_at_10=(gains[:, :CUT] @ discounts) / (ideal @ discounts),
        recall_at_5=hits[:, :5].sum(axis=1) / sizes,
        recall_at_10=hits[:, :10].sum(axis=1) / sizes,
        recall_at_100=hits.sum(axis=1) / sizes,
        mrr_at_10=np.where(found, 1 / (hits[:, :CUT].argmax(axis=1) + 1), 0.0),
    )


def ndcg_of_rank(rank: int | None) -> float:
    """NDCG@10 where one item is relevant and stands at `rank`; 1 is best, None if it was not found."""
    return float(1 / np.log2(rank + 1)) if rank and rank <= CUT else 0.0
