"""What ranking needs of every chunk, as memory-mapped files beside a pinned version of a table.

Fetching the vectors of two candidate lists from LanceDB costs three times as much as finding them (measured at 100,000
chunks: 20 ms against 6 ms). A pinned version never changes, so they are written out once, in the order of the row ids.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jargonaut.core.errors import IntegrityError
from jargonaut.index.lance_rows import vectors_of
from jargonaut.index.port import Vector

FOLDER = "pools"
_PARTIAL = ".partial-"
_FILES = ("rows", "chunk_ids", "document_ids", "vectors")


@dataclass(frozen=True, slots=True, eq=False)
class PoolFiles:
    """Chunks of one version, in the order of their row ids."""

    rows: NDArray[np.uint64]
    """Shape (n,), sorted."""
    chunk_ids: NDArray[np.bytes_]
    document_ids: NDArray[np.bytes_]
    vectors: Vector
    """Shape (n, dimensions), mapped into memory; (n, 0) of a lexical table."""

    def positions(self, rows: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Where those row ids are.

        Raises:
            IntegrityError: One of them is not there.
        """
        found = np.searchsorted(self.rows, rows)
        if rows.size and (found[-1] >= self.rows.size or not np.array_equal(self.rows[found], rows)):
            raise IntegrityError(
                "The pool files do not belong to this index.", "Delete the `pools` folder in the index."
            )
        return found


def pool_folder(index: Path, table: str, version: int) -> Path:
    """Where the files of a version are."""
    return index / FOLDER / f"{table}-{version}"


def open_pool(folder: Path) -> PoolFiles | None:
    """The files in `folder`, or None if they were never written whole."""
    try:
        rows, chunks, documents = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in _FILES[:3])
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if not len(rows) == len(chunks) == len(documents) == len(vectors):
        return None
    return PoolFiles(rows, chunks, documents, vectors)


async def write_pool(folder: Path, batches: AsyncIterator[pa.RecordBatch], rows: int, dimensions: int) -> None:
    """Write the files of a version, whole or not at all.

    Args:
        folder: See `pool_folder`.
        batches: Every row once: `_rowid`, `chunk_id`, `document_id` and, with dimensions, `vector`.
        rows: How many there are.
        dimensions: Width of the vectors; 0 for a lexical table.
    """
    partial = folder.with_name(f"{_PARTIAL}{folder.name}-{os.getpid()}-{secrets.token_hex(4)}")
    partial.mkdir(parents=True)
    try:
        numbers = np.empty(rows, np.uint64)
        ids: list[list[str]] = [[], []]
        unsorted = np.empty((rows, dimensions), np.float32)
        done = 0
        async for batch in batches:
            table = pa.Table.from_batches([batch])
            numbers[done : done + len(table)] = table["_rowid"].to_numpy()
            ids[0] += table["chunk_id"].to_pylist()
            ids[1] += table["document_id"].to_pylist()
            if dimensions:
                unsorted[done : done + len(table)] = vectors_of(table, dimensions)
            done += len(table)
        order = np.argsort(numbers)
        np.save(partial / "rows.npy", numbers[order])
        np.save(partial / "chunk_ids.npy", np.array(ids[0], np.bytes_)[order])
        np.save(partial / "document_ids.npy", np.array(ids[1], np.bytes_)[order])
        np.save(partial / "vectors.npy", unsorted[order])
        if folder.exists() and open_pool(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)  # damaged; who has it open keeps what they have mapped
        with suppress(OSError):  # another process was first: its files are the same
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def discard_pools(index: Path, table: str, keep: set[int]) -> None:
    """Remove the files of all versions of a table but those in `keep`, and what killed processes left."""
    kept = {pool_folder(index, table, version).name for version in keep}
    for folder in (index / FOLDER).glob("*"):
        mine = folder.name.startswith((f"{table}-", f"{_PARTIAL}{table}-"))
        if mine and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
