"""Rankings of judging queries, retrieved through the same index and ranking code that serves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.core.deadline import Deadline
from jargonaut.core.release import Fusion
from jargonaut.encoding.port import Encoder, TokenVectors
from jargonaut.index.analysis import query_terms
from jargonaut.index.parents import best_of_each_parent, with_parents
from jargonaut.index.port import Candidates, IndexReader, SearchQuery, Vector, Visibility
from jargonaut.proof.judge import JudgingQuery, RankedChunks, ranked_chunks
from jargonaut.ranking.fit import DevelopmentQuery
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.late_interaction import LateInteraction, LateScores, encode_questions
from jargonaut.ranking.threshold import Evidence, evidence
from jargonaut.ranking.whitening import Whitening

DEADLINE_S = 60.0
_AT_ONCE = 4
_RRF_K = 60

LEXICAL_ONLY = Fusion(lexical_weight=1.0)
DENSE_ONLY = Fusion(lexical_weight=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A query's candidates, as the engine gave them, and the vector that they were found with."""

    candidates: Candidates
    vector: Vector | None
    late: LateScores | None = None
    """MaxSim of the candidates, where tokens are compared."""


async def retrieve_pools(
    reader: IndexReader,
    encoder: Encoder | None,
    queries: Sequence[JudgingQuery],
    seen: Visibility,
    limit: int = 100,
    late: LateInteraction | None = None,
) -> list[Pool]:
    """Search for every query; encoded together, searched a few at a time.

    Args:
        reader: Of the revision.
        encoder: Of questions; None for lexical search.
        queries: What is asked.
        seen: What may be found.
        limit: Most candidates of each list.
        late: What compares tokens, if the ranking will.

    Raises:
        UnavailableError: The index cannot be searched.
    """
    texts = [query.text for query in queries]
    vectors: Vector | None = None
    tokens: list[TokenVectors | None] = [None] * len(texts)
    if encoder and texts:
        vectors, tokens = await asyncio.to_thread(encode_questions, encoder, texts, late)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def search(number: int) -> Pool:
        vector = None if vectors is None else vectors[number]
        query = SearchQuery(vector, tuple(query_terms(texts[number])), seen, limit=limit)
        async with at_once:
            found = await reader.search(query, Deadline.after(DEADLINE_S))
        asked = tokens[number]
        return Pool(found, vector, late.scores(found.chunk_ids, asked) if late and asked else None)

    return list(await asyncio.gather(*(search(number) for number in range(len(texts)))))


def rankings(pools: Sequence[Pool], fusion: Fusion, whitening: Whitening | None) -> list[RankedChunks]:
    """Every pool in the order that `fusion` gives it."""
    return [
        ranked_chunks(pool.candidates, rank(pool.candidates, pool.vector, fusion, whitening, pool.late))
        for pool in pools
    ]


def rank_fusions(pools: Sequence[Pool], pool: int) -> list[RankedChunks]:
    """Every pool by plain reciprocal rank fusion with k = 60 (Cormack et al. 2009), which others have as their default.

    Args:
        pools: The candidates.
        pool: The most that each list could hold.
    """
    return [_rank_fusion(item.candidates, pool) for item in pools]


def _rank_fusion(candidates: Candidates, pool: int) -> RankedChunks:
    scores = np.zeros(len(candidates.chunk_ids))
    for values, found in ((candidates.cosine, ~np.isnan(candidates.cosine)), (candidates.bm25, candidates.bm25 > 0)):
        # The dense list has the highest cosines of all: what is in the pool for its words alone stands behind it.
        order = np.argsort(np.where(found, -values, np.inf), kind="stable")[: min(pool, int(found.sum()))]
        scores[order] += 1 / (_RRF_K + np.arange(1, len(order) + 1))
    best = sorted(range(len(scores)), key=lambda at: (-scores[at], candidates.chunk_ids[at]))
    return RankedChunks(
        tuple(candidates.chunk_ids[at] for at in best), tuple(candidates.document_ids[at] for at in best)
    )


def development_queries(pools: Sequence[Pool], queries: Sequence[JudgingQuery]) -> list[DevelopmentQuery]:
    """Pools with their answers, to fit a ranking on."""
    return [
        DevelopmentQuery(pool.candidates, pool.vector, query.relevant, query.hidden, pool.late)
        for pool, query in zip(pools, queries, strict=True)
        if pool.vector is not None
    ]


@dataclass(frozen=True, slots=True)
class Given:
    """What an answer to a query would be made from."""

    chunk_ids: tuple[str, ...]
    """Those in the parents of what was found too."""
    evidence: Evidence


async def passages_given(
    reader: IndexReader,
    pools: Sequence[Pool],
    queries: Sequence[JudgingQuery],
    ranked_by: tuple[Fusion, Whitening | None],
    most: tuple[int, int],
) -> list[Given]:
    """The passages of every query, hidden ones left out, and how well they match it.

    At most so many as `most` says: in all, and of one document.

    Raises:
        UnavailableError: The index cannot be read.
    """
    given = []
    for pool, query, ranking in zip(pools, queries, rankings(pools, *ranked_by), strict=True):
        visible = [
            (chunk, document)
            for chunk, document in zip(ranking.chunk_ids, ranking.document_ids, strict=True)
            if chunk not in query.hidden and document not in query.hidden
        ]
        position = {chunk: at for at, chunk in enumerate(pool.candidates.chunk_ids)}
        seen, deadline = Visibility(everything=True), Deadline.after(DEADLINE_S)
        chunks = await reader.fetch(_first(visible, most), seen, deadline)
        if any(chunk.parent for chunk in chunks):
            chunks = await best_of_each_parent(reader, [chunk for chunk, _ in visible], most, seen, deadline)
        parents = await with_parents(reader, chunks, seen, deadline)
        texts = [" › ".join(chunk.heading_path) + "\n" + chunk.text for chunk in chunks]
        texts += [parent.indexed_text for parent in parents if len(parent.parts) > 1]
        cosine = pool.candidates.cosine[[position[chunk.chunk_id] for chunk in chunks]]
        named = tuple(part.chunk_id for parent in parents for part in parent.parts)
        given.append(Given(named, evidence(query.text, texts, cosine)))
    return given


def _first(ranked: Sequence[tuple[str, str]], most: tuple[int, int]) -> list[str]:
    """Chunk ids of the first (chunk, document) pairs: so many in all, and of one document."""
    of_document: Counter[str] = Counter()
    kept = []
    for chunk, document in ranked:
        of_document[document] += 1
        if of_document[document] <= most[1]:
            kept.append(chunk)
    return kept[: most[0]]
