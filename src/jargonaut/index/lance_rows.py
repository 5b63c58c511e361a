"""How rows look in a LanceDB table: schema, rows from chunks, chunks from rows, filters as SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Place
from jargonaut.core.errors import IntegrityError, NewerFormatError
from jargonaut.core.filters import AllOf, AnyOf, Between, Equals, Filter, Not, OneOf, StartsWith
from jargonaut.index.analysis import index_terms
from jargonaut.index.port import DocumentRows, StoredChunk, TableKey, Vector, Visibility

FORMAT = 2
ADDED = {"sheet": "''", "cell": "''", "parent_start": "cast(null as int)", "parent_end": "cast(null as int)"}
"""Columns that tables of format 1 lack, and what stands in them, as SQL."""
_METADATA_KEY = b"jargonaut"
_SHOWN = (
    "chunk_id", "document_id", "uri", "title", "heading_path", "text", "start", "end", "ordinal", "kind", "line",
    "page", "sheet", "cell", "parent_start", "parent_end", "language", "metadata",
)  # fmt: skip
_NUMBERS = ("start", "end", "ordinal", "line", "page", "parent_start", "parent_end")
SHOWN_COLUMNS = list(_SHOWN)


def table_name(key: TableKey) -> str:
    """Name of the table for `key`: readable in front, exact behind."""
    return f"chunks-{'lexical' if not key.dimensions else 'vectors'}-{digest_of(_key_json(key))[:16]}"


def schema_for(key: TableKey) -> pa.Schema:
    """Arrow schema; what the table holds stands in its metadata."""
    text = pa.string()
    fields = [
        pa.field(name, text)
        for name in (
            "chunk_id", "document_id", "uri", "content_digest", "title", "text", "kind", "language", "media_type",
            "author", "date", "metadata", "terms", "sheet", "cell",
        )
    ]  # fmt: skip
    fields += [pa.field(name, pa.list_(text)) for name in ("allow", "heading_path", "tags")]
    fields += [pa.field(name, pa.int32()) for name in _NUMBERS]
    if key.dimensions:
        fields.append(pa.field("vector", pa.list_(pa.float32(), key.dimensions)))
    stamp = json.dumps({"format": FORMAT, **_key_json(key)}, sort_keys=True).encode()
    return pa.schema(fields, metadata={_METADATA_KEY: stamp})


def key_of(schema: pa.Schema, where: str) -> TableKey:
    """What a table says that it holds.

    Raises:
        IntegrityError: It says nothing: not a table of ours.
        NewerFormatError: A newer version wrote it.
    """
    stamp = (schema.metadata or {}).get(_METADATA_KEY)
    if stamp is None:
        raise IntegrityError(f"{where} was not written by Jargonaut.", "Point the index at an empty folder.")
    value = json.loads(stamp)
    if value.pop("format") > FORMAT:
        raise NewerFormatError(f"{where} was written by a newer version of Jargonaut.", "Upgrade Jargonaut.")
    return TableKey(**value)


def rows_of(batch: Sequence[DocumentRows], key: TableKey) -> pa.Table:
    """All chunks of `batch` as an Arrow table."""
    records = [record for rows in batch for record in _records(rows)]
    schema = schema_for(key)
    columns = {
        field.name: pa.array([record[field.name] for record in records], field.type)
        for field in schema
        if field.name != "vector"
    }
    if key.dimensions:
        vectors = np.concatenate([rows.vectors for rows in batch if rows.vectors is not None and rows.chunks])
        flat = pa.array(vectors.astype(np.float32, copy=False).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, key.dimensions)
    return pa.table(columns, schema=schema)


def _records(rows: DocumentRows) -> Iterable[dict[str, Any]]:
    metadata = {name: list(item) if isinstance(item, tuple) else item for name, item in rows.metadata.items()}
    tags = rows.metadata.get("tags", ())
    shared = {
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


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def stored_chunk(row: Mapping[str, Any]) -> StoredChunk:
    """A row of `SHOWN_COLUMNS` as it is shown."""
    metadata = {
        name: tuple(item) if isinstance(item, list) else item for name, item in json.loads(row["metadata"]).items()
    }
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
        place=Place(row["line"], row["page"], row.get("sheet", ""), row.get("cell", "")),
        language=row["language"],
        metadata=metadata,
        parent=None if row.get("parent_start") is None else (row["parent_start"], row["parent_end"]),
    )


def vectors_of(table: pa.Table, dimensions: int) -> Vector:
    """The `vector` column, shape (rows, dimensions)."""
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(-1, dimensions)


def visible_sql(visibility: Visibility) -> str:
    """The condition under which a row may be seen, as SQL; empty if there is none."""
    conditions = []
    if not visibility.everything:
        asker = f"array_has_any(allow, [{_listed(visibility.principals)}])"
        if visibility.changed:
            asker = f"({asker} AND document_id NOT IN ({_listed(visibility.changed)}))"
        if visibility.readable:
            asker = f"({asker} OR document_id IN ({_listed(visibility.readable)}))"
        conditions.append(asker)
    if visibility.deleted:
        conditions.append(f"document_id NOT IN ({_listed(visibility.deleted)})")
    return " AND ".join(conditions)


def filter_sql(expression: Filter) -> str:
    """A metadata filter as SQL."""
    match expression:
        case Equals("tags", value):
            return f"array_has(tags, {quoted(value)})"
        case Equals(field, value):
            return f"{field} = {quoted(value)}"
        case OneOf("tags", values):
            return f"array_has_any(tags, [{_listed(values)}])" if values else "false"
        case OneOf(field, values):
            return f"{field} IN ({_listed(values)})" if values else "false"
        case StartsWith(field, prefix):
            return f"starts_with({field}, {quoted(prefix)})"
        case Between(field, low, high):
            bounds = [f"{field} >= {quoted(low)}"] * bool(low) + [f"{field} <= {quoted(high)}"] * bool(high)
            return " AND ".join([f"{field} <> ''", *bounds])
        case Not(operand):
            return f"NOT ({filter_sql(operand)})"
        case AllOf(operands):
            return " AND ".join(f"({filter_sql(operand)})" for operand in operands) or "true"
        case AnyOf(operands):
            return " OR ".join(f"({filter_sql(operand)})" for operand in operands) or "false"


def quoted(value: str) -> str:
    """`value` as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(quoted(value) for value in sorted(values))


def _key_json(key: TableKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in TableKey.__slots__}
