"""Question to ranked passages, and whether they are enough for an answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import DeadlineError
from jargonaut.core.filters import Filter
from jargonaut.encoding.port import TokenVectors
from jargonaut.index.analysis import index_terms, query_terms
from jargonaut.index.parents import Parent, best_of_each_parent, one_of_each_parent, with_parents
from jargonaut.index.port import SearchQuery, StoredChunk, Vector, Visibility
from jargonaut.ranking.fuse import Ranking, rank
from jargonaut.ranking.late_interaction import encode_questions
from jargonaut.ranking.threshold import Evidence, evidence


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and where to look."""

    text: str
    where: Filter | None = None
    top_k: int | None = None
    """Most passages; None: as the recipe says."""
    max_per_document: int | None = None
    """Most passages of one document; None: any number."""
    by_parent: bool = False
    """Whether chunks of one parent count as one passage, of which the best is given."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How a passage came to its place."""

    fused: float
    """What the ranking is by; comparable within one result only."""
    bm25: float | None
    """0 if it was not found lexically; None where it is not to be shown."""
    cosine: float | None
    """Raw; None for a lexical recipe."""
    whitened: float | None
    """None without whitening."""
    dense_rank: int | None = None
    """Its place by raw cosine alone, from 1, among all candidates; None for a lexical recipe."""
    lexical_rank: int | None = None
    """Its place by BM25 alone; None if it was not found lexically."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage with its scores."""

    chunk: StoredChunk
    scores: Scores

    def matched(self, question: str) -> list[str]:
        """The terms of the question, after analysis, that heading path and text hold, in the question's order."""
        held = set(index_terms(indexed_text(self.chunk)))
        return [term for term in dict.fromkeys(query_terms(question)) if term in held]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found, best first."""

    passages: tuple[Retrieved, ...]
    evidence: Evidence
    threshold: float
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time spent in `encode`, `dense`, `lexical`, `fuse` and `fetch`."""
    parents: tuple[Parent, ...] = ()
    """What is answered from: the passages or their parents, each once, at most as many as the recipe says."""

    @property
    def answers(self) -> bool:
        """Whether the passages are close enough to the question for an answer."""
        return bool(self.passages) and self.evidence.answers(self.threshold)


async def retrieve(release: LoadedRelease, question: Question, visibility: Visibility, deadline: Deadline) -> Retrieval:
    """Find the passages of a release that are nearest to a question, among those that the asker may see.

    Raises:
        UnavailableError: The index cannot be searched.
        DeadlineError: It took too long.
    """
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    vector, tokens = await _encoded(release, question.text, deadline)
    terms = tuple(query_terms(question.text))
    seconds["encode"] = time.perf_counter() - started
    if vector is None and not terms:
        return Retrieval((), Evidence(0.0), release.recipe.similarity_threshold, seconds)

    fusion = release.recipe.fusion
    candidates = await release.reader.search(
        SearchQuery(vector, terms, visibility, question.where, fusion.pool), deadline
    )
    seconds.update(candidates.seconds)

    started = time.perf_counter()
    late = release.late.scores(candidates.chunk_ids, tokens) if release.late and tokens else None
    ranking = rank(candidates, vector, fusion, release.whitening, late)
    top = _selected(ranking, candidates.document_ids, question, release.recipe.top_k)
    seconds["fuse"] = time.perf_counter() - started

    started = time.perf_counter()
    chunks = await release.reader.fetch([candidates.chunk_ids[position] for position in top], visibility, deadline)
    most = question.top_k or release.recipe.top_k
    if question.by_parent and any(chunk.parent for chunk in chunks):
        ranked = [candidates.chunk_ids[position] for position in ranking.order.tolist()]
        limits = (most, question.max_per_document)
        chunks = await best_of_each_parent(release.reader, ranked, limits, visibility, deadline)
    parents = await with_parents(
        release.reader, one_of_each_parent(chunks, release.recipe.top_k, None), visibility, deadline
    )
    seconds["fetch"] = time.perf_counter() - started

    position_of = dict(zip(candidates.chunk_ids, range(len(candidates.chunk_ids)), strict=True))
    shown = [position_of[chunk.chunk_id] for chunk in chunks]
    languages = release.query_encoder.card.languages if release.query_encoder else ()
    # What is answered from has to say it; what was found need not say all of it.
    texts = [
        *(indexed_text(chunk) for chunk in chunks),
        *(parent.indexed_text for parent in parents if len(parent.parts) > 1),
    ]
    found = evidence(question.text, texts, ranking.cosine[shown], languages)
    passages = tuple(
        Retrieved(chunk, _scores(ranking, position)) for chunk, position in zip(chunks, shown, strict=True)
    )
    return Retrieval(passages, found, release.recipe.similarity_threshold, seconds, tuple(parents))


def indexed_text(chunk: StoredChunk) -> str:
    """Heading path and text: what was encoded and indexed of a chunk."""
    heading = " › ".join(chunk.heading_path)
    return f"{heading}\n{chunk.text}" if heading else chunk.text


async def _encoded(release: LoadedRelease, text: str, deadline: Deadline) -> tuple[Vector | None, TokenVectors | None]:
    """The question's vector, and its tokens where the release compares them."""
    if release.query_encoder is None:
        return None, None
    try:
        async with asyncio.timeout(max(deadline.left_s, 0)):
            vectors, tokens = await asyncio.to_thread(encode_questions, release.query_encoder, [text], release.late)
    except TimeoutError:
        raise DeadlineError("Encoding the question took longer than allowed.", "Try again.") from None
    return vectors[0], tokens[0]


def _selected(ranking: Ranking, document_ids: tuple[str, ...], question: Question, top_k: int) -> list[int]:
    wanted = question.top_k or top_k
    of_document: Counter[str] = Counter()
    selected: list[int] = []
    for position in ranking.order.tolist():
        document = document_ids[position]
        if question.max_per_document is not None and of_document[document] >= question.max_per_document:
            continue
        of_document[document] += 1
        selected.append(position)
        if len(selected) == wanted:
            break
    return selected


def _scores(ranking: Ranking, position: int) -> Scores:
    return Scores(
        fused=float(ranking.fused[position]),
        bm25=float(ranking.bm25[position]),
        cosine=_known(ranking.cosine[position]),
        whitened=_known(ranking.whitened[position]),
        dense_rank=_place(ranking.cosine, position),
        lexical_rank=_place(ranking.bm25, position) if ranking.bm25[position] > 0 else None,
    )


def _place(scores: Vector, position: int) -> int | None:
    own = scores[position]
    return None if np.isnan(own) else int(np.count_nonzero(scores > own)) + 1


def _known(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)
