"""Rows as every engine keeps them: from chunks, back to chunks, and what a row may not hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Chunk, Place
from jargonaut.core.errors import InputError, SpaceMismatchError
from jargonaut.index.analysis import index_terms
from jargonaut.index.port import DocumentRows, IndexedDocument, StoredChunk, TableKey, Vector

SHOWN_FIELDS = (
    "chunk_id", "document_id", "uri", "title", "heading_path", "text", "start", "end", "ordinal", "kind", "line",
    "page", "sheet", "cell", "parent_start", "parent_end", "language", "metadata",
)  # fmt: skip
KEPT_FIELDS = (*SHOWN_FIELDS, "content_digest", "allow", "media_type")
"""Everything that a copy needs of a row besides its vector."""
FILTER_FIELDS = ("uri", "title", "kind", "language", "media_type", "author", "date", "tags", "allow")
LONGEST_VALUE_BYTES = 32_766
"""Of a field that can be filtered on: what Lucene takes. Held to by every engine, so that each can be moved to."""
_UNIT = 1e-2
"""How far from 1 the length of a vector may be: bf16 encoders are off by some thousandths."""


def table_name(key: TableKey) -> str:
    """Name of the table for `key`: readable in front, exact behind."""
    return f"chunks-{'lexical' if not key.dimensions else 'vectors'}-{digest_of(key_json(key))[:16]}"


def key_json(key: TableKey) -> dict[str, Any]:
    """What a table holds, as JSON that can be written beside it."""
    return {name: getattr(key, name) for name in TableKey.__slots__}


def check_batch(batch: Iterable[DocumentRows], key: TableKey) -> None:
    """Refuse what no engine can hold, before anything is written.

    Raises:
        SpaceMismatchError: Vectors of another width, or none where the table has some.
        InputError: A vector that has no direction, or a value that is too long or no text.
    """
    for rows in batch:
        _check_vectors(rows, key)
        for name, value in _shared(rows).items():
            for text in value if isinstance(value, list) else [value]:
                _check_text(rows.document.uri, name, text, LONGEST_VALUE_BYTES if name in FILTER_FIELDS else None)
        for chunk in rows.chunks:
            _check_text(rows.document.uri, "title", chunk.title, LONGEST_VALUE_BYTES)
            _check_text(rows.document.uri, "text", chunk.indexed_text, None)


def _check_vectors(rows: DocumentRows, key: TableKey) -> None:
    uri, vectors = rows.document.uri, rows.vectors
    if not key.dimensions or not rows.chunks:
        return
    shape = None if vectors is None else vectors.shape
    if shape != (len(rows.chunks), key.dimensions):
        raise SpaceMismatchError(
            f"`{uri}`: expected {len(rows.chunks)} vectors of {key.dimensions} dimensions, got {shape or 'none'}.",
            "Encode the documents with the encoder that the index was made for.",
        )
    assert vectors is not None
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= _UNIT))  # so that NaN is wrong too
    if wrong.size:
        raise InputError(
            f"`{uri}`: the vector of chunk {wrong[0]} has length {lengths[wrong[0]]:.4g}, and 1 is expected.",
            "The encoder gave it: check the encoder (`jargonaut doctor`), then build again.",
        )


def _check_text(uri: str, name: str, value: str, limit: int | None) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise InputError(f"`{uri!a}`: {name} is not valid Unicode: {error.reason}.", "Correct the document.") from None
    if limit is not None and size > limit:
        raise InputError(
            f"`{uri}`: {name} has {size:,} bytes; an index takes {limit:,} in a field that can be filtered on.",
            "Shorten it in the document's metadata.",
        )


def records(rows: DocumentRows) -> Iterable[dict[str, Any]]:
    """Every chunk of a document as a row, without its vector."""
    shared = _shared(rows)
    for chunk in rows.chunks:
        yield {
            **shared,
            "chunk_id": chunk.id,
            "document_id": chunk.document_id,
            "title": chunk.title,
            "heading_path": list(chunk.heading_path),
            "text": chunk.text,
            "start": chunk.start,
            "end": chunk.end,
            "ordinal": chunk.ordinal,
            "kind": chunk.kind,
            "line": chunk.place.line,
            "page": chunk.place.page,
            "sheet": chunk.place.sheet,
            "cell": chunk.place.cell,
            "parent_start": chunk.parent[0] if chunk.parent else None,
            "parent_end": chunk.parent[1] if chunk.parent else None,
            "terms": " ".join(index_terms(chunk.indexed_text)),
        }


def _shared(rows: DocumentRows) -> dict[str, str | list[str]]:
    """What all rows of a document have in common."""
    metadata = {name: list(item) if isinstance(item, tuple) else item for name, item in rows.metadata.items()}
    tags = rows.metadata.get("tags", ())
    return {
        "uri": rows.document.uri,
        "content_digest": rows.document.content_digest,
        "allow": list(rows.document.allow),
        "language": rows.language,
        "media_type": rows.media_type,
        "author": _text(rows.metadata.get("author", "")),
        "date": _text(rows.metadata.get("date", "")),
        "tags": [tags] if isinstance(tags, str) else list(tags),
        "metadata": json.dumps(metadata, ensure_ascii=False, sort_keys=True),
    }


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def stored_chunk(row: Mapping[str, Any]) -> StoredChunk:
    """A row with `SHOWN_FIELDS` as it is shown."""
    return StoredChunk(
        chunk_id=row["chunk_id"],
        document_id=row["document_id"],
        uri=row["uri"],
        title=row["title"],
        heading_path=tuple(row["heading_path"]),
        text=row["text"],
        start=row["start"],
        end=row["end"],
        ordinal=row["ordinal"],
        kind=row["kind"],
        place=_place(row),
        language=row["language"],
        metadata=_metadata(row),
        parent=_parent(row),
    )


def indexed_document(row: Mapping[str, Any]) -> IndexedDocument:
    """The document of a row with `uri`, `content_digest` and `allow`."""
    return IndexedDocument(row["uri"], row["content_digest"], tuple(row["allow"]))


def document_rows(rows: Sequence[Mapping[str, Any]], key: TableKey, vectors: Vector | None) -> DocumentRows:
    """All rows of one document, in order, with `KEPT_FIELDS`, as they were written."""
    first = rows[0]
    chunks = tuple(
        Chunk(
            document_id=row["document_id"],
            uri=row["uri"],
            title=row["title"],
            heading_path=tuple(row["heading_path"]),
            text=row["text"],
            start=row["start"],
            end=row["end"],
            ordinal=row["ordinal"],
            kind=row["kind"],
            place=_place(row),
            chunker=key.chunker,
            parent=_parent(row),
        )
        for row in rows
    )
    document = indexed_document(first)
    return DocumentRows(document, chunks, vectors, first["language"], first["media_type"], _metadata(first))


def _place(row: Mapping[str, Any]) -> Place:
    # What was written before there were sheets and parents has no columns for them.
    return Place(row["line"], row["page"], row.get("sheet") or "", row.get("cell") or "")


def _parent(row: Mapping[str, Any]) -> tuple[int, int] | None:
    start, end = row.get("parent_start"), row.get("parent_end")
    return None if start is None or end is None else (start, end)


def _metadata(row: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: tuple(item) if isinstance(item, list) else item for name, item in json.loads(row["metadata"]).items()}
