"""Hard negatives: what the live ranking puts high for a question though it is no answer to it.

Labels are never complete, so much of what stands high is an unlabelled answer. A passage counts as a negative only
where its cosine stays below a share of the answer's own (positive-aware mining, TopK-PercPos of Moreira et al. 2024,
arXiv 2407.15831); above it, it says nothing either way, and is kept out of the softmax when it turns up in a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.deadline import Deadline
from jargonaut.core.progress import Progress
from jargonaut.core.release import Fusion
from jargonaut.encoding.port import Encoder, Vectors
from jargonaut.index.analysis import query_terms
from jargonaut.index.port import IndexReader, SearchQuery, Visibility
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.whitening import Whitening
from jargonaut.training.examples import NOTHING, Listed, Rows, TrainingSet

SHARE_OF_ANSWER = 0.95
"""Of the answer's cosine, below which a passage is a negative."""
MOST = 16
"""Hard negatives kept of a question, and passages of its teacher's list."""
SOFTNESS = 0.5
"""What the teacher's scores, which are sums of z-scores, are divided by."""
_DEADLINE_S = 120.0
_AT_ONCE = 4
_BLOCK = 512
"""Questions encoded at once: what bounds the memory, however many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """What the live ranking says of one question, about n passages, best first."""

    rows: Rows
    """Shape (n,)."""
    fused: NDArray[np.float32]
    """Shape (n,)."""
    cosine: NDArray[np.float32]
    """Shape (n,)."""


async def mined(
    examples: TrainingSet,
    reader: IndexReader,
    encoder: Encoder,
    ranking: tuple[Fusion, Whitening | None],
    progress: Progress,
) -> TrainingSet:
    """The examples with hard negatives, teacher's lists and vectors of the questions, from the live index.

    Args:
        examples: Whose `names` are chunk ids of the index; others than those are never negatives.
        reader: Of the live revision.
        encoder: Of the live recipe.
        ranking: Of the live recipe.
        progress: Told how many questions were searched.

    Raises:
        UnavailableError: The index cannot be searched.
    """
    if not examples.questions:
        return examples
    vectors, kept = [], _Kept(examples, SHARE_OF_ANSWER)
    async for block, found in _searched(examples, reader, encoder, ranking):
        vectors.append(block)
        for item in found:
            kept.add(item)
        progress("negatives", len(kept.hard), len(examples.questions))
    return kept.examples(np.concatenate(vectors))


def with_negatives(
    examples: TrainingSet, ranked: Iterable[Ranked], vectors: Vectors, share: float = SHARE_OF_ANSWER
) -> TrainingSet:
    """The examples with what rankings of them say.

    Args:
        examples: n questions.
        ranked: One ranking a question.
        vectors: Of the questions, shape (n, d).
        share: Of the answer's cosine, below which a passage is a negative.
    """
    kept = _Kept(examples, share)
    for item in ranked:
        kept.add(item)
    return kept.examples(vectors)


class _Kept:
    """What is kept of rankings, one after the other: whole ones would be most of the memory of a mining."""

    def __init__(self, examples: TrainingSet, share: float) -> None:
        self._examples = examples
        self._share = share
        self.hard: list[Rows] = []
        self._unclear: list[Rows] = []
        self._teacher: list[Listed] = []

    def add(self, ranking: Ranked) -> None:
        examples, question = self._examples, len(self.hard)
        right = np.isin(ranking.rows, examples.relevant[question])
        like = np.isin(examples.groups[ranking.rows], examples.groups[examples.relevant[question]])
        own = right if right.any() else like
        aside = np.isin(ranking.rows, examples.hidden[question] if examples.hidden else NOTHING)
        # Where the ranking missed the answer itself, nothing tells a negative from what is right too.
        near = ranking.cosine >= self._share * ranking.cosine[own].max() if own.any() else np.full(len(own), False)
        wrong = ~like & ~near & ~aside
        self.hard.append(ranking.rows[wrong][:MOST] if own.any() else NOTHING)
        self._unclear.append(ranking.rows[~like & near])
        self._teacher.append(Listed(ranking.rows[:MOST].copy(), ranking.fused[:MOST] / np.float32(SOFTNESS)))

    def examples(self, vectors: Vectors) -> TrainingSet:
        return replace(
            self._examples,
            hard=tuple(self.hard),
            unclear=tuple(self._unclear),
            teacher=tuple(self._teacher),
            vectors=vectors.astype(np.float32),
        )


async def _searched(
    examples: TrainingSet, reader: IndexReader, encoder: Encoder, ranking: tuple[Fusion, Whitening | None]
) -> AsyncIterator[tuple[Vectors, list[Ranked]]]:
    fusion, whitening = ranking
    row_by_name: Mapping[str, int] = {name: row for row, name in enumerate(examples.names) if name}
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def search(text: str, vector: NDArray[np.float32]) -> Ranked:
        query = SearchQuery(vector, tuple(query_terms(text)), Visibility(everything=True), limit=fusion.pool)
        async with at_once:
            found = await reader.search(query, Deadline.after(_DEADLINE_S))
        order = rank(found, vector, fusion, whitening)
        kept = [at for at in order.order if found.chunk_ids[at] in row_by_name]
        rows = np.array([row_by_name[found.chunk_ids[at]] for at in kept], dtype=np.intp)
        return Ranked(rows, order.fused[kept].astype(np.float32), found.cosine[kept])

    for start in range(0, len(examples.questions), _BLOCK):
        texts = examples.questions[start : start + _BLOCK]
        vectors = await asyncio.to_thread(encoder.encode_queries, texts)
        yield vectors, list(await asyncio.gather(*(search(*item) for item in zip(texts, vectors, strict=True))))
