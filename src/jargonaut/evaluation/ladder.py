"""What a ranking gains step by step from the documents alone, and from questions without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.core.release import Fusion
from jargonaut.encoding.port import Encoder
from jargonaut.evaluation.baselines import Order
from jargonaut.index.port import Vector
from jargonaut.proof.retrieval import Pool
from jargonaut.ranking.agreement import AgreedWeight, UnlabelledQuery, agreed_weight
from jargonaut.ranking.fit import LATE_WEIGHT
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.safe import safe_ranking
from jargonaut.ranking.whitening import Whitening, fit_whitening, with_references

POOL = 100
DOCUMENTS_ALONE = "documents alone"
"""Everything that the documents give: no question was looked at."""
WITH_QUESTIONS = "with unlabelled questions"
"""The same, with the weight that questions without labels led to."""

_ALONE = 1e6
"""A weight beside which the others only break ties."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One way to rank."""

    name: str
    lexical_weight: float
    whitening: Whitening | None
    late_weight: float = 0.0

    def order(self, pool: Pool) -> Order:
        """Positions of a pool's candidates, best first."""
        fusion = Fusion(self.lexical_weight, "", POOL, "", self.late_weight)
        return rank(pool.candidates, pool.vector, fusion, self.whitening, pool.late).order


def ladder(
    encoder: Encoder, sample: Vector, unlabelled: Sequence[Pool], compares_tokens: bool
) -> tuple[list[Step], AgreedWeight]:
    """The steps, each with one thing more.

    Args:
        encoder: Whose kind decides what is safe.
        sample: Vectors of documents, shape (n, d).
        unlabelled: Pools of questions of which nothing else is known.
        compares_tokens: Whether pools know how tokens match.
    """
    safe = safe_ranking(encoder)
    soft = hubs = None
    if len(sample) > 1 and float(np.ptp(sample, axis=0).max()) > 0:
        soft = fit_whitening([sample], safe.exponent)
        hubs = with_references(soft, sample)
    steps = [
        Step("base whitened", 0.0, soft),
        Step("fused", safe.lexical_weight, soft),
        Step("fused, hubs corrected", safe.lexical_weight, hubs),
    ]
    queries = [
        UnlabelledQuery(pool.candidates, pool.vector, pool.late)
        for pool in unlabelled
        if pool.late is not None and pool.vector is not None
    ]
    agreed = agreed_weight(queries, hubs, safe.lexical_weight, POOL)
    late_weight = LATE_WEIGHT if compares_tokens else 0.0
    if compares_tokens:
        steps.append(Step("late interaction alone", 0.0, None, _ALONE))
    steps.append(Step(DOCUMENTS_ALONE, safe.lexical_weight, hubs, late_weight))
    if agreed.queries:
        if late_weight:
            steps.append(Step("questions, tokens not compared", agreed.lexical_weight, hubs))
        steps.append(Step(WITH_QUESTIONS, agreed.lexical_weight, hubs, late_weight))
    return steps, agreed
