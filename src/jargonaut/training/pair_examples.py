"""Pairs over chunks as examples for a full tuning: without the headings that gave the question away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from jargonaut.core.document import Chunk, Document
from jargonaut.training.examples import Answer, Example, Passage, TrainingSet, training_set
from jargonaut.training.near_duplicates import clusters
from jargonaut.training.pairs import Pair, heading_free_text

_SHORT_DOCUMENT = 8
"""Chunks up to which a document counts as one subject: its chunks are never each other's negatives. Of a longer one,
those under the same two headings are."""
_SAID_BY_HEADINGS = ("heading", "question")


def examples_of(
    pairs: Sequence[Pair], documents: Sequence[Document], chunks: Sequence[Chunk], training_chunks: Collection[str]
) -> TrainingSet:
    """The pairs, and all chunks that training may read.

    A question that was made of a heading is answered by the text under it alone: with the heading in it, a chunk would
    be found by its own words, and nothing learned.

    Args:
        pairs: Of the training side.
        documents: Their documents, at least.
        chunks: Of these documents.
        training_chunks: Ids of the chunks that training may read.
    """
    allowed = frozenset(training_chunks)
    kept = [chunk for chunk in chunks if chunk.id in allowed]
    by_id = {chunk.id: chunk for chunk in kept}
    document_by_id = {document.id: document for document in documents}
    subject = _subjects(kept, document_by_id)
    corpus = [Passage(chunk.id, chunk.indexed_text, subject[chunk.id]) for chunk in kept]
    examples = []
    for pair in pairs:
        answers = []
        for name in pair.chunk_ids:
            if (chunk := by_id.get(name)) is None:
                continue
            text = _without_the_question(pair, chunk, document_by_id[chunk.document_id])
            if text.strip():
                answers.append(Answer(text, document=subject[name]))
        if answers:
            examples.append(Example(pair.query, tuple(answers), pair.hidden_chunk_ids))
    return training_set(examples, corpus)


def _without_the_question(pair: Pair, chunk: Chunk, document: Document) -> str:
    """The chunk as it is encoded, without what would give it away."""
    if pair.source in _SAID_BY_HEADINGS:
        return heading_free_text(chunk, document)
    if not pair.taken or chunk.said:
        return chunk.indexed_text
    left, at = [], chunk.start
    for start, end in sorted(pair.taken):
        left.append(document.text[at : max(at, min(start, chunk.end))])
        at = max(at, min(end, chunk.end))
    body = "".join([*left, document.text[at : chunk.end]]).strip()
    return replace(chunk, text=body).indexed_text if body else ""


def _subjects(chunks: Sequence[Chunk], documents: dict[str, Document]) -> dict[str, str]:
    """What each chunk is about: near-duplicates of it, under whatever name, are about the same."""
    count: dict[str, int] = {}
    for chunk in chunks:
        count[chunk.document_id] = count.get(chunk.document_id, 0) + 1
    alike = {name: group[0] for group in clusters({name: documents[name].text for name in count}) for name in group}
    return {
        chunk.id: alike[chunk.document_id]
        if count[chunk.document_id] <= _SHORT_DOCUMENT
        else " › ".join([alike[chunk.document_id], *chunk.heading_path[:2]])
        for chunk in chunks
    }
