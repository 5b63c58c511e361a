"""A collection in an index of its own, cut, encoded and searched by the code that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.chunking.port import Chunker
from jargonaut.core.document import Chunk, Document
from jargonaut.core.progress import Progress
from jargonaut.core.scope import PUBLIC
from jargonaut.encoding.port import Encoder, TokenEncoder, Vectors
from jargonaut.evaluation.beir import BeirSet
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.port import DocumentRows, Index, IndexedDocument, IndexWriter, Snapshot, TableKey
from jargonaut.index.rows import table_name
from jargonaut.index.token_store import TokenStoreWriter, open_token_store
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.token_projection import TokenProjection, fit_projection, projection_from_bytes
from jargonaut.storage.port import Storage

_BATCH_CHUNKS = 256
_FITTED_ON = 400
"""Documents whose tokens the projection is fitted on."""


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


def index_collection(data: BeirSet, encoder: Encoder, chunker: Chunker, place: Place, progress: Progress) -> Collection:
    """Index what is not indexed yet. Whatever an interrupted run had encoded is found again.

    Args:
        data: The collection.
        encoder: Of documents.
        chunker: Counts tokens as the encoder does.
        place: This collection's own.
        progress: Told how far it is.
    """
    key = TableKey("evaluation", "data", encoder.card.space, encoder.card.dimensions, chunker.id, ANALYSIS)
    index, storage = place.index, place.storage
    writer = index.new_writer(key)
    tokens = None
    if isinstance(encoder, TokenEncoder):
        projection = _projection(data, encoder, chunker, storage, table_name(key))
        tokens = _Tokens(encoder, projection, TokenStoreWriter(storage, table_name(key), projection.digest))
    names, chunk_ids = _fill(writer, data, encoder, chunker, tokens, progress)
    snapshot = writer.snapshot()
    writer.discard([snapshot])
    late = tokens.finished(storage, snapshot, chunk_ids) if tokens else None
    return Collection(index, snapshot, late, names, len(chunk_ids))


class _Tokens:
    """Encodes chunks, and keeps their tokens."""

    def __init__(self, encoder: TokenEncoder, projection: TokenProjection, store: TokenStoreWriter) -> None:
        self._encoder = encoder
        self._projection = projection
        self._store = store
        self.held = store.held()

    def encode(self, chunks: Sequence[Chunk]) -> Vectors:
        return self._encoder.encode_with_tokens(
            [chunk.indexed_text for chunk in chunks],
            lambda number, found: self._store.add(
                chunks[number].id, found.ids, self._projection.quantised(found.vectors)
            ),
        )

    def finished(self, storage: Storage, snapshot: Snapshot, chunk_ids: Sequence[str]) -> LateInteraction | None:
        self._store.finish(snapshot, chunk_ids)
        store = open_token_store(storage, snapshot, self._projection.digest)
        return LateInteraction(self._projection, store) if store else None


def _fill(
    writer: IndexWriter,
    data: BeirSet,
    encoder: Encoder,
    chunker: Chunker,
    tokens: _Tokens | None,
    progress: Progress,
) -> tuple[dict[str, str], list[str]]:
    """Names of the documents, and ids of all chunks."""
    held = writer.documents()
    names: dict[str, str] = {}
    chunk_ids: list[str] = []

    def prepared() -> Iterator[tuple[Document, list[Chunk]]]:
        for document in data.corpus():
            chunks = chunker.split(document)
            names[document.id] = document.uri
            chunk_ids.extend(chunk.id for chunk in chunks)
            known = held.get(document.uri)
            lacks = tokens is not None and any(chunk.id not in tokens.held for chunk in chunks)
            if known is None or known.content_digest != document.content_digest or lacks:
                yield document, chunks

    for batch in _batches(prepared()):
        chunks = [chunk for _, own in batch for chunk in own]
        vectors = tokens.encode(chunks) if tokens else encoder.encode_documents([c.indexed_text for c in chunks])
        rows, first = [], 0
        for document, own in batch:
            item = IndexedDocument(document.uri, document.content_digest, (PUBLIC,))
            rows.append(DocumentRows(item, tuple(own), vectors[first : first + len(own)], document.language))
            first += len(own)
        writer.replace(rows)
        progress("encode", len(names), data.documents, batch[-1][0].uri)
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
    key = f"projections/{table}.safetensors"
    known = list(storage.keys(key))
    if not known:
        step = max(1, data.documents // _FITTED_ON)
        sample = [
            chunks[0].indexed_text
            for number, document in enumerate(data.corpus())
            if number % step == 0 and (chunks := chunker.split(document))
        ]
        batches: list[Vectors] = []
        encoder.encode_with_tokens(sample, lambda _, found: batches.append(np.array(found.vectors)))
        storage.put_if_absent(key, fit_projection(batches).to_bytes())
    return projection_from_bytes(storage.get(key))
