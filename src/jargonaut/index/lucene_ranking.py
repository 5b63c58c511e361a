"""Ranking files of a revision in Elasticsearch or OpenSearch: in the storage, so that every replica has them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from jargonaut.core.errors import IntegrityError, UnknownNameError
from jargonaut.index.port import Snapshot
from jargonaut.index.ranking_files import (
    FILES,
    RankingFiles,
    RankingFilesWriter,
    RankingRows,
    files_in,
    open_ranking_files,
)
from jargonaut.storage.port import Storage

FOLDER = "ranking"


def load_ranking(storage: Storage, snapshot: Snapshot) -> RankingFiles | None:
    """The files of a revision, or None if the storage does not have them, or has damaged ones.

    Raises:
        UnavailableError: The storage cannot be read.
    """
    try:
        return open_ranking_files({name: storage.local_path(_key(snapshot, name)) for name in FILES})
    except UnknownNameError:
        return None


def save_ranking(
    storage: Storage, snapshot: Snapshot, blocks: Iterable[RankingRows], rows: int, dimensions: int
) -> RankingFiles:
    """Write the files of a revision into the storage, in place of damaged ones.

    Args:
        storage: Of the knowledge base.
        snapshot: Names the revision.
        blocks: Every row once.
        rows: How many there are.
        dimensions: Width of the vectors; 0 for a lexical table.

    Raises:
        IntegrityError: Another number of rows came.
        UnavailableError: The storage cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="jargonaut-ranking-") as folder:
        with RankingFilesWriter(Path(folder) / "files", rows, dimensions) as writer:
            for block in blocks:
                writer.add(block)
        for name, path in files_in(Path(folder) / "files").items():
            storage.delete(_key(snapshot, name))
            storage.put_if_absent(_key(snapshot, name), path.read_bytes())
    files = load_ranking(storage, snapshot)
    if files is None:
        raise IntegrityError(
            f"The ranking files of {snapshot.table} cannot be read back from the storage.", "Check its disk."
        )
    return files


def discard_ranking(storage: Storage, table: str, keep: set[int]) -> None:
    """Remove the files of all versions of a table but those in `keep`."""
    for key in list(storage.keys(f"{FOLDER}/{table}/")):
        if int(key.split("/")[2]) not in keep:
            storage.delete(key)


def _key(snapshot: Snapshot, name: str) -> str:
    return f"{FOLDER}/{snapshot.table}/{snapshot.version}/{name}.npy"
