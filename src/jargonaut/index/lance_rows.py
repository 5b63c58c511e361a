"""How rows look in a LanceDB table: schema, columns from rows, filters as SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from jargonaut.core.errors import IntegrityError, NewerFormatError
from jargonaut.core.filters import AllOf, AnyOf, Between, Equals, Filter, Not, OneOf, StartsWith
from jargonaut.index.port import DocumentRows, TableKey, Vector, Visibility
from jargonaut.index.rows import key_json, records

FORMAT = 2
ADDED = {"sheet": "''", "cell": "''", "parent_start": "cast(null as int)", "parent_end": "cast(null as int)"}
"""Columns that tables of format 1 lack, and what stands in them, as SQL."""
_METADATA_KEY = b"jargonaut"
_NUMBERS = ("start", "end", "ordinal", "line", "page", "parent_start", "parent_end")


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
    stamp = json.dumps({"format": FORMAT, **key_json(key)}, sort_keys=True).encode()
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
    listed = [record for rows in batch for record in records(rows)]
    schema = schema_for(key)
    columns = {
        field.name: pa.array([record[field.name] for record in listed], field.type)
        for field in schema
        if field.name != "vector"
    }
    if key.dimensions:
        vectors = np.concatenate([rows.vectors for rows in batch if rows.vectors is not None and rows.chunks])
        flat = pa.array(vectors.astype(np.float32, copy=False).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, key.dimensions)
    return pa.table(columns, schema=schema)


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
