"""What ranking needs of every chunk of a revision, as memory-mapped files; the same for every engine.

Fetching the vectors of two candidate lists from an engine costs three times as much as finding them (measured with
LanceDB at 100,000 chunks: 20 ms against 6 ms). A revision never changes, so they are written out once, in the order of
the engine's row numbers.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import IntegrityError
from jargonaut.index.port import Vector

FILES = ("rows", "chunk_ids", "document_ids", "vectors")
FOLDER = "pools"
_PARTIAL = ".partial-"
_COPIED_ROWS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class RankingFiles:
    """Chunks of one revision, in the order of their row numbers."""

    rows: NDArray[np.uint64]
    """Shape (n,), sorted."""
    chunk_ids: NDArray[np.bytes_]
    document_ids: NDArray[np.bytes_]
    vectors: Vector
    """Shape (n, dimensions), mapped into memory; (n, 0) of a lexical table."""

    def positions(self, rows: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Where those row numbers, sorted, are.

        Raises:
            IntegrityError: One of them is not there.
        """
        found = np.searchsorted(self.rows, rows)
        if rows.size and (found[-1] >= self.rows.size or not np.array_equal(self.rows[found], rows)):
            raise IntegrityError(
                "The ranking files do not belong to this index.",
                "Remove them (`pools` in the index folder, `ranking` in the artifacts): they are written anew.",
            )
        return found

    def sample(self, limit: int) -> tuple[tuple[str, ...], Vector]:
        """Up to `limit` chunk ids and their vectors, spread evenly."""
        step = max(1, -(-len(self.rows) // max(limit, 1)))
        ids = self.chunk_ids[::step]
        return tuple(chunk.decode() for chunk in ids.tolist()), np.array(self.vectors[::step])


@dataclass(frozen=True, slots=True, eq=False)
class RankingRows:
    """Some chunks, in any order."""

    rows: NDArray[np.uint64]
    chunk_ids: Sequence[str]
    document_ids: Sequence[str]
    vectors: Vector | None
    """Shape (len(rows), dimensions), or None in a lexical table."""


def ranking_folder(index: Path, table: str, version: int) -> Path:
    """Where the files of a version are, of an index in a folder."""
    return index / FOLDER / f"{table}-{version}"


def open_ranking_files(files: dict[str, Path]) -> RankingFiles | None:
    """The files by their name in `FILES`, or None if they were never written whole, or are visibly damaged."""
    try:
        rows, chunks, documents = (np.load(files[name], allow_pickle=False) for name in FILES[:3])
        vectors = np.load(files["vectors"], mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if not len(rows) == len(chunks) == len(documents) == len(vectors):
        return None
    if not (_is_ascii(chunks) and _is_ascii(documents)):
        return None
    return RankingFiles(rows, chunks, documents, vectors)


def _is_ascii(ids: NDArray[np.bytes_]) -> bool:
    return ids.dtype.kind == "S" and not np.any(np.ascontiguousarray(ids).view(np.uint8) & 0x80)


def files_in(folder: Path) -> dict[str, Path]:
    """Paths of the files in `folder`, whether they are there or not."""
    return {name: folder / f"{name}.npy" for name in FILES}


class RankingFilesWriter:
    """Writes the files of a revision into `folder`, whole or not at all; a context manager.

    Args:
        folder: Does not exist, or holds damaged files.
        rows: How many rows will be added.
        dimensions: Width of the vectors; 0 for a lexical table.
    """

    def __init__(self, folder: Path, rows: int, dimensions: int) -> None:
        self._folder = folder
        self._partial = folder.with_name(f"{_PARTIAL}{folder.name}-{os.getpid()}-{secrets.token_hex(4)}")
        self._partial.mkdir(parents=True)
        self._rows = np.empty(rows, np.uint64)
        self._chunk_ids: list[str] = []
        self._document_ids: list[str] = []
        self._unsorted = (
            _mapped(self._partial / "unsorted.npy", (rows, dimensions))
            if rows and dimensions
            else np.empty((rows, dimensions), np.float32)
        )

    def add(self, block: RankingRows) -> None:
        """Add rows."""
        start, end = len(self._chunk_ids), len(self._chunk_ids) + len(block.rows)
        if end > len(self._rows):
            raise _other_number(len(self._rows), end)
        self._rows[start:end] = block.rows
        self._chunk_ids += block.chunk_ids
        self._document_ids += block.document_ids
        if block.vectors is not None:
            self._unsorted[start:end] = block.vectors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            del self._unsorted
            shutil.rmtree(self._partial, ignore_errors=True)

    def _finish(self) -> None:
        if len(self._chunk_ids) != len(self._rows):
            raise IntegrityError(
                f"{len(self._rows)} rows were expected, and {len(self._chunk_ids)} came.", "Try again."
            )
        order = np.argsort(self._rows)
        if np.any(np.diff(self._rows[order]) == 0):
            raise IntegrityError("Two chunks have the same row number.", "Report this: it should never happen.")
        files = files_in(self._partial)
        np.save(files["rows"], self._rows[order])
        np.save(files["chunk_ids"], np.array(self._chunk_ids, np.bytes_)[order])
        np.save(files["document_ids"], np.array(self._document_ids, np.bytes_)[order])
        self._write_vectors(files["vectors"], order)
        if self._folder.exists() and open_ranking_files(files_in(self._folder)) is None:
            shutil.rmtree(self._folder, ignore_errors=True)  # damaged; who has it open keeps what they have mapped
        (self._partial / "unsorted.npy").unlink(missing_ok=True)
        with suppress(OSError):  # another process was first: its files are the same
            self._partial.rename(self._folder)

    def _write_vectors(self, path: Path, order: NDArray[np.intp]) -> None:
        """Piece by piece, so that a million vectors are not twice in memory."""
        if not self._unsorted.size:
            np.save(path, self._unsorted)
            return
        vectors = _mapped(path, self._unsorted.shape)
        for start in range(0, len(order), _COPIED_ROWS):
            vectors[start : start + _COPIED_ROWS] = self._unsorted[order[start : start + _COPIED_ROWS]]
        vectors.flush()


def _mapped(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.float32]]:
    """A new file mapped into memory; an `OSError` if the disk has no room for it.

    Without room of its own for every page, writing to one would kill the process when the disk is full.
    """
    mapped: np.memmap[Any, np.dtype[np.float32]] = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(descriptor, 0, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    return mapped


def _other_number(expected: int, came: int) -> IntegrityError:
    return IntegrityError(
        f"{expected} chunks were expected in the index, and {came} or more are there.",
        "Something else writes there. Nothing was published: build again.",
    )


def discard_ranking_files(index: Path, table: str, keep: set[int]) -> None:
    """Remove the files of all versions of a table but those in `keep`, and what killed processes left."""
    kept = {ranking_folder(index, table, version).name for version in keep}
    for folder in (index / FOLDER).glob("*"):
        mine = folder.name.startswith((f"{table}-", f"{_PARTIAL}{table}-"))
        if mine and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
