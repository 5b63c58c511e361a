"""How a table looks in Elasticsearch and OpenSearch: mapping, row numbers, rows as lines of a bulk request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import IntegrityError, NewerFormatError, SpaceMismatchError
from jargonaut.index.lucene_query import K1, B
from jargonaut.index.lucene_server import LuceneServer
from jargonaut.index.port import DocumentRows, TableKey
from jargonaut.index.rows import key_json, records

FORMAT = 1
META = "jargonaut"
_DECIMALS = 9
"""Of a number of a vector of length 1: finer than a float is, and half of the digits that Python would write."""

_KEYWORDS = (
    "chunk_id", "document_id", "uri", "title", "kind", "language", "media_type", "author", "date", "tags", "allow",
)  # fmt: skip
_SHOWN_ONLY = ("metadata", "heading_path", "sheet", "cell")
_NUMBERS = {"ordinal": "integer", "row": "long", "start": "integer", "end": "integer"}
_SHOWN_NUMBERS = ("line", "page", "parent_start", "parent_end")


def index_body(server: LuceneServer, key: TableKey, shards: int) -> dict[str, Any]:
    """Settings and mapping of a new index for `key`, as the head of a table: no replicas and no refresh yet."""
    properties: dict[str, Any] = {name: {"type": "keyword"} for name in _KEYWORDS}
    properties |= {name: {"type": "keyword", "index": False, "doc_values": False} for name in _SHOWN_ONLY}
    properties |= {name: {"type": kind} for name, kind in _NUMBERS.items()}
    properties |= {name: {"type": "integer", "index": False, "doc_values": False} for name in _SHOWN_NUMBERS}
    properties["content_digest"] = {"type": "keyword", "index": False}
    properties["chunks"] = {"type": "integer", "index": False}
    properties["text"] = {"type": "text", "index": False}
    properties["terms"] = {
        "type": "text",
        "analyzer": "whitespace",
        "similarity": "bm25",
        "index_options": "freqs",
    }
    if key.dimensions:
        properties["vector"] = dict(server.vector_field(key.dimensions))
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": 0,
            "refresh_interval": -1,
            "similarity": {"bm25": {"type": server.similarity, "k1": K1, "b": B}},
            **server.index_settings(),
        },
        "mappings": {"dynamic": "strict", "_meta": meta_of(key), "properties": properties},
    }


def meta_of(key: TableKey) -> dict[str, Any]:
    """What an index says that it holds."""
    return {META: {"format": FORMAT, **key_json(key)}}


def key_of(mapping: Mapping[str, Any], where: str) -> TableKey:
    """What an index holds, by the `mappings` that the server gives.

    Raises:
        IntegrityError: It does not say: not an index of ours.
        NewerFormatError: A newer version wrote it.
        SpaceMismatchError: Its vectors have another width than it says.
    """
    stamp = mapping.get("_meta", {}).get(META)
    if not isinstance(stamp, Mapping):
        raise IntegrityError(
            f"{where} was not written by Jargonaut.", "Choose another `prefix` in [index], or remove that index."
        )
    value = dict(stamp)
    if value.pop("format") > FORMAT:
        raise NewerFormatError(f"{where} was written by a newer version of Jargonaut.", "Upgrade Jargonaut.")
    key = TableKey(**value)
    field = mapping.get("properties", {}).get("vector", {})
    width = field.get("dims", field.get("dimension", 0))
    if width != key.dimensions:
        raise SpaceMismatchError(
            f"{where} says that it holds vectors of {key.dimensions} dimensions, and its mapping has {width}.",
            "Somebody changed it: remove it and build again.",
        )
    return key


def row_number(chunk_id: str) -> int:
    """A chunk's number in every revision: the first 63 bits of its id, so that a server's `long` holds it."""
    return int(chunk_id[:16], 16) >> 1


def row_numbers(chunk_ids: Iterable[str]) -> NDArray[np.uint64]:
    """See `row_number`."""
    return np.fromiter((row_number(chunk_id) for chunk_id in chunk_ids), np.uint64)


@dataclass(frozen=True, slots=True)
class Line:
    """One operation of a bulk request."""

    operation: str
    """`index`, `update` or `delete`."""
    chunk_id: str
    uri: str
    data: bytes
    """The action and, if there is one, the source; newline-delimited JSON."""


def index_lines(rows: DocumentRows, key: TableKey) -> Iterator[Line]:
    """One line a chunk."""
    for source in index_sources(rows, key):
        chunk_id = source["chunk_id"]
        yield Line("index", chunk_id, source["uri"], _action("index", chunk_id) + _json(source))


def index_sources(rows: DocumentRows, key: TableKey) -> Iterator[dict[str, Any]]:
    """Every chunk as the server keeps it; the first says of how many chunks the document is made."""
    vectors = None
    if key.dimensions and rows.vectors is not None:
        vectors = np.round(rows.vectors.astype(np.float64), _DECIMALS).tolist()
    for at, record in enumerate(records(rows)):
        source = {**record, "row": row_number(record["chunk_id"])}
        if record["ordinal"] == 0:
            source["chunks"] = len(rows.chunks)
        if vectors is not None:
            source["vector"] = vectors[at]
        yield source


def delete_line(chunk_id: str, uri: str) -> Line:
    """Remove a chunk."""
    return Line("delete", chunk_id, uri, _action("delete", chunk_id))


def allow_line(chunk_id: str, uri: str, allow: Iterable[str]) -> Line:
    """Set who may read a chunk, and nothing else."""
    source = {"doc": {"allow": list(allow)}}
    return Line("update", chunk_id, uri, _action("update", chunk_id) + _json(source))


def _action(operation: str, chunk_id: str) -> bytes:
    return f'{{"{operation}":{{"_id":"{chunk_id}"}}}}\n'.encode()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
