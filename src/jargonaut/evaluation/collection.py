"""A collection in an index of its own, cut, encoded and searched by the code that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jargonaut.chunking.port import Chunker
from jargonaut.core.document import Chunk, Document
from jargonaut.core.progress import Progress
from jargonaut.core.release import LEXICAL_SPACE
from jargonaut.core.scope import PUBLIC
from jargonaut.encoding.port import Encoder, TokenEncoder, giving_tokens
from jargonaut.evaluation.beir import BeirSet
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.port import DocumentRows, Index, IndexedDocument, IndexWriter, Snapshot, TableKey
from jargonaut.index.rows import table_name
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.token_projection import TokenProjection
from jargonaut.ranking.token_writing import FITTED_ON, ChunkEncoder, TokenWriting, kept_projection, new_projection
from jargonaut.storage.port import Storage

_BATCH_CHUNKS = 256


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collection is kept from one run to the next."""

    index: Index
    storage: Storage


@dataclass(frozen=True, slots=True)
class Collection:
    """An indexed collection."""

    index: Index
    snapshot: Snapshot
    late: LateInteraction | None
    """None if the encoder gives no tokens."""
    names: Mapping[str, str]
    """The collection's own id of every document, by ours."""
    chunks: int


def index_collection(
    data: BeirSet, encoder: Encoder | None, chunker: Chunker, place: Place, progress: Progress
) -> Collection:
    """Index what is not indexed yet. Whatever an interrupted run had encoded is found again.

    Args:
        data: The collection.
        encoder: Of documents; None for an index of words only.
        chunker: Counts tokens as the encoder does.
        place: This collection's own.
        progress: Told how far it is.
    """
    space, dimensions = (encoder.card.space, encoder.card.dimensions) if encoder else (LEXICAL_SPACE, 0)
    key = TableKey("evaluation", "data", space, dimensions, chunker.id, ANALYSIS)
    index, storage = place.index, place.storage
    writer = index.new_writer(key)
    tokens = None
    if giving := giving_tokens(encoder):
        projection = _projection(data, giving, chunker, storage, table_name(key))
        tokens = TokenWriting(storage, lambda: giving, projection)
    names, chunk_ids = _fill(writer, data, encoder, chunker, tokens, progress)
    snapshot = writer.snapshot()
    writer.discard([snapshot])
    late = tokens.write(snapshot, chunk_ids, (), progress) if tokens else None
    return Collection(index, snapshot, late, names, len(chunk_ids))


def _fill(
    writer: IndexWriter,
    data: BeirSet,
    encoder: Encoder | None,
    chunker: Chunker,
    tokens: TokenWriting | None,
    progress: Progress,
) -> tuple[dict[str, str], list[str]]:
    """Names of the documents, and ids of all chunks."""
    held = writer.documents()
    table = table_name(writer.key)
    encoding = ChunkEncoder(encoder, tokens, table) if encoder else None
    with_tokens = tokens.held(table) if tokens else frozenset()
    names: dict[str, str] = {}
    chunk_ids: list[str] = []

    def prepared() -> Iterator[tuple[Document, list[Chunk]]]:
        for document in data.corpus():
            chunks = chunker.split(document)
            names[document.id] = document.uri
            chunk_ids.extend(chunk.id for chunk in chunks)
            known = held.get(document.uri)
            lacks = tokens is not None and any(chunk.id not in with_tokens for chunk in chunks)
            if known is None or known.content_digest != document.content_digest or lacks:
                yield document, chunks

    for batch in _batches(prepared()):
        chunks = [chunk for _, own in batch for chunk in own]
        vectors = encoding.encode(chunks) if encoding else None
        rows, first = [], 0
        for document, own in batch:
            item = IndexedDocument(document.uri, document.content_digest, (PUBLIC,))
            part = None if vectors is None else vectors[first : first + len(own)]
            rows.append(DocumentRows(item, tuple(own), part, document.language))
            first += len(own)
        writer.replace(rows)
        progress("encode", len(names), data.documents, batch[-1][0].uri)
    if encoding:
        encoding.flush()
    writer.remove(uri for uri in held if uri not in set(names.values()))
    progress("encode", data.documents, data.documents)
    return names, chunk_ids


def _batches(prepared: Iterator[tuple[Document, list[Chunk]]]) -> Iterator[list[tuple[Document, list[Chunk]]]]:
    batch: list[tuple[Document, list[Chunk]]] = []
    size = 0
    for document, chunks in prepared:
        if not chunks:
            continue
        batch.append((document, chunks))
        size += len(chunks)
        if size >= _BATCH_CHUNKS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _projection(
    data: BeirSet, encoder: TokenEncoder, chunker: Chunker, storage: Storage, table: str
) -> TokenProjection:
    """Fitted once for a table, on documents spread evenly over the collection."""
    if kept := kept_projection(storage, table):
        return kept
    step = max(1, data.documents // FITTED_ON)
    sample = [
        chunks[0].indexed_text
        for number, document in enumerate(data.corpus())
        if number % step == 0 and (chunks := chunker.split(document))
    ]
    return new_projection(storage, table, encoder, sample)
