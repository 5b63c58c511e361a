"""Rankings of tables that were cut differently, compared by what a reader gets to see of the right section.

Ranks say nothing there: ten small chunks are less text than ten large ones, and a chunk as large as a document always
holds the right section. So every ranking is read down to the same number of tokens, and its score is the share of the
right section's text among them. Sections are the document's own, whatever the chunks.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Document
from jargonaut.index.parents import one_of_each_parent, with_parents
from jargonaut.index.port import IndexReader, StoredChunk, Visibility
from jargonaut.proof.judge import JudgingQuery, RankedChunks
from jargonaut.proof.metrics import Values
from jargonaut.proof.retrieval import DEADLINE_S

BUDGET = 1_000
"""Tokens of a ranking that are read: about what an answer is made from."""
MEASURE = f"right text within {BUDGET:,} tokens"
_FETCHED = 16
"""Chunks fetched at once: often enough for the budget."""
_AT_ONCE = 4

Spans = Mapping[str, Sequence[tuple[int, int]]]
"""By document id."""


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """A question and the text that answers it."""

    query: JudgingQuery
    relevant: Spans
    hidden: Spans
    """Where the question was taken from: no chunk is found there, and the text counts neither for nor against."""


def span_questions(queries: Sequence[JudgingQuery], ruler: Sequence[Chunk]) -> list[SpanQuestion]:
    """Questions by the spans of the chunks that they name.

    Args:
        queries: Questions whose chunks are of `ruler`.
        ruler: Chunks that end where sections end.
    """
    by_id = {chunk.id: chunk for chunk in ruler}

    def spans(names: frozenset[str]) -> Spans:
        found: dict[str, list[tuple[int, int]]] = {}
        for chunk in sorted((by_id[name] for name in names if name in by_id), key=lambda chunk: chunk.start):
            found.setdefault(chunk.document_id, []).append((chunk.start, chunk.end))
        return found

    return [SpanQuestion(query, spans(query.relevant), spans(query.hidden)) for query in queries]


class Lengths:
    """Tokens of any span of any document, counted alike for every chunker."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._starts = {document.id: [start for start, _ in word_spans(document.text)] for document in documents}

    def of(self, document_id: str, start: int, end: int) -> int:
        """Tokens that begin in the span; 0 in a document that is not known."""
        starts = self._starts.get(document_id, ())
        return max(bisect_left(starts, end) - bisect_left(starts, start), 0)


async def shares_found(
    reader: IndexReader, rankings: Sequence[RankedChunks], questions: Sequence[SpanQuestion], lengths: Lengths
) -> Values:
    """For each question, the share of the right text that the first `BUDGET` tokens of its ranking hold, 0 to 1.

    What is read are passages as answers are made from: parents, where chunks have them.

    Raises:
        UnavailableError: The index cannot be read.
    """
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def share(ranking: RankedChunks, question: SpanQuestion) -> float:
        async with at_once:
            return await _share(reader, ranking, _Reading(question, lengths))

    pairs = zip(rankings, questions, strict=True)
    return np.array(await asyncio.gather(*(share(*pair) for pair in pairs)), np.float64)


async def _share(reader: IndexReader, ranking: RankedChunks, reading: _Reading) -> float:
    everything, deadline = Visibility(everything=True), Deadline.after(DEADLINE_S)
    kept: list[StoredChunk] = []
    for first in range(0, len(ranking.chunk_ids), _FETCHED):
        found = await reader.fetch(ranking.chunk_ids[first : first + _FETCHED], everything, deadline)
        visible = [chunk for chunk in found if not reading.is_hidden(chunk)]
        more = one_of_each_parent([*kept, *visible], len(kept) + _FETCHED, None)[len(kept) :]
        kept += more
        for chunk in more:
            for parent in await with_parents(reader, [chunk], everything, deadline):
                reading.read(parent.passage)
            if reading.left <= 0:
                return reading.share
    return reading.share


class _Reading:
    """What has been read of a ranking, and how much of it was right."""

    def __init__(self, question: SpanQuestion, lengths: Lengths) -> None:
        self._question = question
        self._lengths = lengths
        self._seen = {name: list(spans) for name, spans in question.hidden.items()}
        self._right = 0
        self.left = BUDGET

    @property
    def share(self) -> float:
        """Of the right text, or, if that is more than the budget, of the budget."""
        spans = ((name, span) for name, spans in self._question.relevant.items() for span in spans)
        whole = sum(self._lengths.of(name, *span) for name, span in spans)
        return min(self._right / min(max(whole, 1), BUDGET), 1.0)

    def is_hidden(self, chunk: StoredChunk) -> bool:
        """Whether it is, even in part, from where the question was taken."""
        spans = self._question.hidden.get(chunk.document_id, ())
        return any(start < chunk.end and chunk.start < end for start, end in spans)

    def read(self, passage: StoredChunk) -> None:
        """Read on: what was read before costs nothing and counts once."""
        document, length = passage.document_id, self._lengths.of
        seen = self._seen.setdefault(document, [])
        for start, end in _new(seen, passage):
            cost = length(document, start, end)
            part = end if cost <= self.left else start + (end - start) * self.left // cost
            right = self._question.relevant.get(document, ())
            self._right += sum(length(document, max(start, at), min(part, to)) for at, to in right)
            self.left -= min(cost, self.left)
        seen.append((passage.start, passage.end))


def _new(seen: Sequence[tuple[int, int]], passage: StoredChunk) -> list[tuple[int, int]]:
    """What of a passage has not been read yet."""
    parts = [(passage.start, passage.end)]
    for at, to in seen:
        parts = [
            piece
            for start, end in parts
            for piece in ((start, min(end, at)), (max(start, to), end))
            if piece[0] < piece[1]
        ]
    return parts
