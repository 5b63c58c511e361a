"""What a ranking is fitted from besides judged questions: the documents, and questions without labels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.core.deadline import Deadline
from jargonaut.core.progress import Progress
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexReader, Snapshot, Visibility
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.retrieval import retrieve_pools
from jargonaut.ranking.agreement import AgreedWeight, UnlabelledQuery, agreed_weight
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.safe import CONTEXTUAL, SafeRanking
from jargonaut.ranking.token_writing import TokenWriting
from jargonaut.ranking.whitening import SAMPLE_ROWS, Whitening, fit_whitening, with_references

_DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True)
class RankingPlan:
    """How a ranking is to be fitted."""

    safe: SafeRanking = CONTEXTUAL
    """For the kind of encoder."""
    tokens: Callable[[], TokenWriting] | None = None
    """Makes ready what writes tokens; None where they are not to be compared."""
    texts: Sequence[tuple[str, str]] = ()
    """Every chunk of the revision, and what is indexed of it."""
    unlabelled: Sequence[str] = ()
    """Questions without labels."""


@dataclass(frozen=True, slots=True, eq=False)
class RankingParts:
    """What can be ranked with, and the lexical weight to begin from."""

    whitening: Whitening | None
    late: LateInteraction | None
    agreed: AgreedWeight


@dataclass(frozen=True, slots=True)
class Corpus:
    """A revision, and who asks it."""

    reader: IndexReader
    snapshot: Snapshot
    encoder: Encoder
    """Of questions."""
    seen: Visibility
    pool: int


async def ranking_parts(plan: RankingPlan, corpus: Corpus, seed: int, progress: Progress) -> RankingParts:
    """Whitening and hubs from the documents, their tokens, and the weight that questions without labels lead to.

    Raises:
        UnavailableError: The index cannot be read, or the storage not written.
    """
    _, vectors = await corpus.reader.vectors(SAMPLE_ROWS, Deadline.after(_DEADLINE_S))
    whitening = None
    if len(vectors) > 1 and float(np.ptp(vectors, axis=0).max()) > 0:
        whitening = with_references(fit_whitening([vectors], plan.safe.exponent, seed=seed), vectors)
    late = await asyncio.to_thread(_tokens, plan, corpus.snapshot, progress)
    return RankingParts(whitening, late, await _agreed(plan, corpus, whitening, late))


def _tokens(plan: RankingPlan, snapshot: Snapshot, progress: Progress) -> LateInteraction | None:
    if plan.tokens is None or not plan.texts:
        return None
    return plan.tokens().write(snapshot, [chunk for chunk, _ in plan.texts], plan.texts, progress)


async def _agreed(
    plan: RankingPlan, corpus: Corpus, whitening: Whitening | None, late: LateInteraction | None
) -> AgreedWeight:
    if late is None or not plan.unlabelled:
        return AgreedWeight(plan.safe.lexical_weight, 0)
    asked = [JudgingQuery(text, "", frozenset()) for text in plan.unlabelled]
    pools = await retrieve_pools(corpus.reader, corpus.encoder, asked, corpus.seen, corpus.pool, late)
    queries = [
        UnlabelledQuery(pool.candidates, pool.vector, pool.late)
        for pool in pools
        if pool.vector is not None and pool.late is not None
    ]
    return agreed_weight(queries, whitening, plan.safe.lexical_weight, corpus.pool)
