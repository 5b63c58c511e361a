"""The tokens of every chunk of a revision, for late interaction: small integers, mapped into memory, any engine.

Beside the index and not in it, since an engine would have to carry a hundred vectors a chunk that it cannot search.
Segments of some thousands of chunks are written once and never changed; a revision is a list of them. So an incremental
build adds a segment for what is new, a killed one finds what it had written, and memory holds one segment at most. A
segment with a chunk that went is written anew without it, so that what is deleted is gone once no revision needs it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.canonical import canonical_json, digest_bytes
from jargonaut.core.errors import IntegrityError, NewerFormatError, UnknownNameError
from jargonaut.index.port import Snapshot
from jargonaut.storage.port import Storage

FOLDER = "tokens"
FORMAT = 1
SEGMENT_TOKENS = 1 << 19
"""A segment is written when it has so many: 32 MiB at 64 numbers a token."""

Values = NDArray[np.int8]
_ID = "S24"


@dataclass(frozen=True, slots=True, eq=False)
class GatheredTokens:
    """The tokens of some chunks, one after another."""

    values: Values
    """Shape (tokens, width)."""
    starts: NDArray[np.intp]
    """Shape (chunks found,): where each chunk's tokens begin."""
    found: NDArray[np.intp]
    """Shape (chunks found,): which of the chunks asked for they are of; those without a token are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenStore:
    """The tokens of a revision. Made by `open_token_store`."""

    chunk_ids: NDArray[np.bytes_]
    """Shape (n,), sorted."""
    frequency: NDArray[np.uint32]
    """By token id: in how many chunks it stands."""
    _segment: NDArray[np.int32]
    _start: NDArray[np.int64]
    _count: NDArray[np.int32]
    _values: tuple[Values, ...]

    def gather(self, chunk_ids: Sequence[str]) -> GatheredTokens:
        """The tokens of those of the chunks that are here."""
        if not len(self.chunk_ids) or not chunk_ids:
            return GatheredTokens(np.empty((0, 0), np.int8), np.empty(0, np.intp), np.empty(0, np.intp))
        wanted = np.array([chunk.encode() for chunk in chunk_ids], _ID)
        at = np.minimum(np.searchsorted(self.chunk_ids, wanted), len(self.chunk_ids) - 1)
        found = np.flatnonzero((self.chunk_ids[at] == wanted) & (self._count[at] > 0))
        pieces = [
            self._values[self._segment[row]][self._start[row] : self._start[row] + self._count[row]]
            for row in at[found].tolist()
        ]
        counts = self._count[at[found]].astype(np.intp)
        values = np.concatenate(pieces) if pieces else np.empty((0, 0), np.int8)
        return GatheredTokens(values, np.cumsum(counts) - counts, found.astype(np.intp))

    def idf(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Weight of each token by how few chunks have it; one that no chunk has weighs as one that a single has."""
        known = ids < len(self.frequency)
        frequency = np.zeros(len(ids))
        frequency[known] = self.frequency[ids[known]]
        weights: NDArray[np.float32] = np.log1p(len(self.chunk_ids) / np.maximum(frequency, 1)).astype(np.float32)
        return weights


class TokenStoreWriter:
    """Writes the tokens of one table, in one projection. One writer a table at a time (a lock is held).

    Args:
        storage: Of the knowledge base.
        table: Whose chunks they are of.
        projection: Digest of what made the values; others are never mixed with them.
    """

    def __init__(self, storage: Storage, table: str, projection: str) -> None:
        self._storage = storage
        self._root = _root(table, projection)
        self._segments = {key.split("/")[-2]: _rows(storage, key) for key in self._keys("rows.npy")}
        self._known = {chunk for rows in self._segments.values() for chunk in rows["chunk"].tolist()}
        self._open: list[tuple[bytes, NDArray[np.int32], Values]] = []
        self._open_tokens = 0

    def held(self) -> frozenset[str]:
        """Chunks whose tokens are here."""
        return frozenset(chunk.decode() for chunk in self._known)

    def add(self, chunk_id: str, ids: NDArray[np.int32], values: Values) -> None:
        """The tokens of one chunk, if they are not here: `ids` of shape (tokens,), `values` (tokens, width)."""
        chunk = chunk_id.encode()
        if chunk in self._known:
            return
        self._known.add(chunk)
        self._open.append((chunk, ids, values))
        self._open_tokens += len(ids)
        if self._open_tokens >= SEGMENT_TOKENS:
            self.flush()

    def flush(self) -> None:
        """Write what was added, so that it is found again whatever happens."""
        if not self._open:
            return
        rows = np.array([(chunk, len(ids)) for chunk, ids, _ in self._open], _ROW)
        ids = np.concatenate([ids for _, ids, _ in self._open]).astype(np.int32)
        self._write(rows, ids, np.concatenate([values for _, _, values in self._open]))
        self._open, self._open_tokens = [], 0

    def finish(self, snapshot: Snapshot, wanted: Iterable[str]) -> None:
        """Make what is here the tokens of a revision that holds the `wanted` chunks.

        Raises:
            UnavailableError: The storage cannot be written.
        """
        self.flush()
        left = {chunk.encode() for chunk in wanted}
        used, frequency = [], np.zeros(0, np.uint32)
        for digest in sorted(self._segments):
            rows = self._segments[digest]
            kept = np.array([chunk in left for chunk in rows["chunk"].tolist()], bool)
            left.difference_update(rows["chunk"][kept].tolist())
            if not kept.any():
                continue
            if not kept.all():
                digest = self._without(digest, kept)
            used.append(digest)
            frequency = _added(frequency, self._segments[digest]["tokens"], self._array(digest, "ids.npy"))
        record = {"format": FORMAT, "segments": used}
        for name, data in (("frequency.npy", _bytes(frequency)), ("tokens.json", canonical_json(record))):
            key = f"{self._root}/{snapshot.version}/{name}"
            self._storage.delete(key)
            self._storage.put_if_absent(key, data)

    def _without(self, digest: str, kept: NDArray[np.bool_]) -> str:
        rows = self._segments[digest]
        tokens = np.repeat(kept, rows["tokens"])
        return self._write(
            rows[kept], self._array(digest, "ids.npy")[tokens], self._array(digest, "values.npy")[tokens]
        )

    def _write(self, rows: NDArray[np.void], ids: NDArray[np.int32], values: Values) -> str:
        files = {"values.npy": _bytes(values), "ids.npy": _bytes(ids), "rows.npy": _bytes(rows)}
        digest = digest_bytes(b"".join(digest_bytes(data).encode() for data in files.values()))[:32]
        for name, data in files.items():  # the rows last: where they are, the segment is whole
            self._storage.put_if_absent(f"{self._root}/{_SEGMENTS}/{digest}/{name}", data)
        self._segments[digest] = rows
        return digest

    def _keys(self, name: str) -> list[str]:
        return [key for key in self._storage.keys(f"{self._root}/{_SEGMENTS}/") if key.endswith(f"/{name}")]

    def _array(self, digest: str, name: str) -> NDArray[Any]:
        path = self._storage.local_path(f"{self._root}/{_SEGMENTS}/{digest}/{name}")
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array


_SEGMENTS = "segments"
_ROW = np.dtype([("chunk", _ID), ("tokens", np.int32)])


def open_token_store(storage: Storage, snapshot: Snapshot, projection: str) -> TokenStore | None:
    """The tokens of a revision, or None if they were never written, or are damaged: it is ranked without then.

    Raises:
        NewerFormatError: A newer version wrote them.
        UnavailableError: The storage cannot be read.
    """
    root = _root(snapshot.table, projection)
    try:
        record = json.loads(storage.get(f"{root}/{snapshot.version}/tokens.json"))
        if record["format"] > FORMAT:
            raise NewerFormatError("The tokens of this revision were written in a newer format.", "Upgrade Jargonaut.")
        frequency = np.load(storage.local_path(f"{root}/{snapshot.version}/frequency.npy"), allow_pickle=False)
        rows, values = [], []
        for digest in record["segments"]:
            folder = f"{root}/{_SEGMENTS}/{digest}"
            rows.append(_rows(storage, f"{folder}/rows.npy"))
            values.append(np.load(storage.local_path(f"{folder}/values.npy"), mmap_mode="r", allow_pickle=False))
            if len(values[-1]) != rows[-1]["tokens"].sum():
                return None
    except (UnknownNameError, IntegrityError, OSError, ValueError, EOFError):
        return None
    listed = np.concatenate(rows) if rows else np.empty(0, _ROW)
    starts = [np.cumsum(part["tokens"], dtype=np.int64) - part["tokens"] for part in rows]
    order = np.argsort(listed["chunk"])
    segment = np.repeat(np.arange(len(rows), dtype=np.int32), [len(part) for part in rows])
    start = np.concatenate(starts) if starts else np.empty(0, np.int64)
    return TokenStore(
        listed["chunk"][order], frequency, segment[order], start[order], listed["tokens"][order], tuple(values)
    )


def discard_tokens(storage: Storage, table: str, keep: Iterable[int]) -> None:
    """Remove the tokens of all versions of a table but those in `keep`, with the segments that only those had."""
    kept = {str(version) for version in keep}
    used: set[tuple[str, str]] = set()
    keys = list(storage.keys(f"{FOLDER}/{table}/"))
    for key in keys:
        _, _, projection, version, *_ = key.split("/")
        if version in kept and key.endswith("/tokens.json"):
            used |= {(projection, digest) for digest in json.loads(storage.get(key))["segments"]}
    for key in keys:
        _, _, projection, version, name, *_ = key.split("/")
        needed = (projection, name) in used if version == _SEGMENTS else version in kept
        if not needed:
            storage.delete(key)


def _root(table: str, projection: str) -> str:
    return f"{FOLDER}/{table}/{projection[:16]}"


def _rows(storage: Storage, key: str) -> NDArray[np.void]:
    try:
        rows: NDArray[np.void] = np.load(storage.local_path(key), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise IntegrityError(
            f"{key} in the artifacts is damaged: {error}", "Remove that folder: its tokens are encoded anew."
        ) from error
    return rows


def _added(frequency: NDArray[np.uint32], counts: NDArray[np.int32], ids: NDArray[Any]) -> NDArray[np.uint32]:
    """The frequencies with those of a segment: of every chunk, each token once."""
    if not ids.size:
        return frequency
    of_chunk = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    width = int(ids.max()) + 1
    once = np.unique(of_chunk * width + ids.astype(np.int64)) % width
    found = np.bincount(once, minlength=len(frequency)).astype(np.uint32)
    found[: len(frequency)] += frequency
    return found


def _bytes(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array))
    return buffer.getvalue()
