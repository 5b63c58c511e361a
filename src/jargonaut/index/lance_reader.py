"""Reads one pinned version of a LanceDB table."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.query import MatchQuery
from numpy.typing import NDArray

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import document_id
from jargonaut.core.errors import DeadlineError
from jargonaut.index.candidates import NO_ROWS, check_width, united
from jargonaut.index.lance_errors import translated
from jargonaut.index.lance_rows import filter_sql, key_of, quoted, vectors_of, visible_sql
from jargonaut.index.port import (
    Candidates,
    DocumentRows,
    HeldDocument,
    SearchQuery,
    Snapshot,
    StoredChunk,
    TableKey,
    Vector,
    Visibility,
)
from jargonaut.index.ranking_files import (
    RankingFiles,
    RankingFilesWriter,
    RankingRows,
    files_in,
    open_ranking_files,
    ranking_folder,
)
from jargonaut.index.rows import (
    KEPT_FIELDS,
    SHOWN_FIELDS,
    document_rows,
    indexed_document,
    stored_chunk,
)

OVERSAMPLED = 2
"""The engine keeps one byte a number: it is asked for so many times what is wanted, and we keep the nearest."""
TAG = "revision-"
"""How a tag that pins a revision begins."""

T = TypeVar("T")


class LanceIndexReader:
    """An `IndexReader` of one pinned version. Made by `open_lance_reader`."""

    def __init__(self, folder: Path, table: Any, columns: Sequence[str], key: TableKey, files: RankingFiles) -> None:
        self._folder = folder
        self._name: str = table.name
        self._table = table
        self._shown = [name for name in SHOWN_FIELDS if name in columns]
        self._kept = [name for name in KEPT_FIELDS if name in columns]
        self._key = key
        self._files = files
        self._rows = len(files.rows)

    @property
    def key(self) -> TableKey:
        """See `IndexReader.key`."""
        return self._key

    async def search(self, query: SearchQuery, deadline: Deadline) -> Candidates:
        """See `IndexReader.search`."""
        check_width(query, self._key)
        seconds: dict[str, float] = {}
        where = _joined(visible_sql(query.visibility), filter_sql(query.where) if query.where else "")
        dense, lexical = await self._within(
            asyncio.gather(
                _timed("dense", seconds, self._dense(query, where)),
                _timed("lexical", seconds, self._lexical(query, where)),
            ),
            deadline,
        )
        return united(
            self._files,
            query,
            dense=NO_ROWS if dense is None else dense["_rowid"].to_numpy(),
            lexical=NO_ROWS if lexical is None else lexical["_rowid"].to_numpy(),
            bm25=np.empty(0, np.float32) if lexical is None else lexical["_score"].to_numpy(),
            seconds=seconds,
        )

    async def fetch(self, chunk_ids: Sequence[str], visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """See `IndexReader.fetch`."""
        if not chunk_ids:
            return []
        wanted = f"chunk_id IN ({', '.join(quoted(chunk_id) for chunk_id in chunk_ids)})"
        rows = await self._select(_joined(wanted, visible_sql(visibility)), deadline)
        by_id = {row.chunk_id: row for row in rows}
        return [by_id[chunk_id] for chunk_id in chunk_ids if chunk_id in by_id]

    async def vectors(self, limit: int, deadline: Deadline) -> tuple[tuple[str, ...], Vector]:
        """See `IndexReader.vectors`."""
        return self._files.sample(limit)

    async def contents(self, deadline: Deadline) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """See `IndexReader.contents`."""
        return self._files.chunk_ids, self._files.document_ids

    async def neighbours(self, chunk: StoredChunk, visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """See `IndexReader.neighbours`."""
        near = f"ordinal BETWEEN {chunk.ordinal - 1} AND {chunk.ordinal + 1}"
        if chunk.parent:
            near = f"start >= {chunk.parent[0]} AND end <= {chunk.parent[1]}"
        own = f"document_id = {quoted(chunk.document_id)}"
        rows = await self._select(_joined(own, near, visible_sql(visibility)), deadline)
        return sorted(rows, key=lambda row: row.ordinal)

    async def inventory(self, deadline: Deadline) -> Mapping[str, HeldDocument]:
        """See `IndexReader.inventory`."""
        query = self._table.query().select(["uri", "content_digest", "allow"])
        table = await self._within(query.to_arrow(), deadline)
        counts = Counter(table["uri"].to_pylist())
        # One row of each document says what the document is.
        first = {row["uri"]: row for row in table.to_pylist()}
        return {uri: HeldDocument(indexed_document(row), counts[uri]) for uri, row in first.items()}

    async def export(self, uris: Sequence[str], deadline: Deadline) -> list[DocumentRows]:
        """See `IndexReader.export`."""
        if not uris:
            return []
        listed = ", ".join(quoted(document_id(uri)) for uri in uris)
        columns = [*self._kept, *(["vector"] if self._key.dimensions else [])]
        query = self._table.query().where(f"document_id IN ({listed})").select(columns)
        table = (await self._within(query.to_arrow(), deadline)).sort_by(
            [("document_id", "ascending"), ("ordinal", "ascending")]
        )
        vectors = vectors_of(table, self._key.dimensions) if self._key.dimensions else None
        rows, found, start = table.select(self._kept).to_pylist(), [], 0
        for _, group in groupby(rows, key=lambda row: row["document_id"]):
            own = list(group)
            found.append(document_rows(own, self._key, None if vectors is None else vectors[start : start + len(own)]))
            start += len(own)
        return found

    async def _select(self, where: str, deadline: Deadline) -> list[StoredChunk]:
        query = self._table.query().where(where).select(self._shown)
        table = await self._within(query.to_arrow(), deadline)
        return [stored_chunk(row) for row in table.to_pylist()]

    async def _dense(self, query: SearchQuery, where: str) -> pa.Table | None:
        if query.vector is None or not self._rows:
            return None
        search = self._table.query().nearest_to(query.vector).distance_type("cosine").limit(OVERSAMPLED * query.limit)
        search = search.where(where) if where else search
        return await search.select(["_rowid", "_distance"]).to_arrow()

    async def _lexical(self, query: SearchQuery, where: str) -> pa.Table | None:
        if not query.terms or not self._rows:
            return None
        search = self._table.query().nearest_to_text(MatchQuery(" ".join(query.terms), "terms")).limit(query.limit)
        search = search.where(where) if where else search
        return await search.select(["_rowid", "_score"]).to_arrow()

    async def _within(self, work: Awaitable[T], deadline: Deadline) -> T:
        try:
            with translated("search it", self._folder, self._name):
                return await asyncio.wait_for(work, max(deadline.left_s, 0.001))
        except TimeoutError as error:
            raise DeadlineError("Searching the index took longer than allowed.", "Try again.") from error


async def open_lance_reader(folder: Path, snapshot: Snapshot) -> LanceIndexReader:
    """Open a pinned version.

    Raises:
        IntegrityError: The table or that version is gone or damaged.
        UnavailableError: The disk is full, or refuses.
    """
    with translated(f"open version {snapshot.version}", folder, snapshot.table):
        database = await lancedb.connect_async(str(folder))
        table = await database.open_table(snapshot.table)
        await table.checkout(tag_of(snapshot.version))
        schema = await table.schema()
        key = key_of(schema, f"Table {snapshot.table}")
        files = await _ranking_files(ranking_folder(folder, snapshot.table, snapshot.version), table, key)
    return LanceIndexReader(folder, table, schema.names, key, files)


async def _ranking_files(folder: Path, table: Any, key: TableKey) -> RankingFiles:
    files = open_ranking_files(files_in(folder))
    if files is None:
        columns = ["_rowid", "chunk_id", "document_id"] + ["vector"] * bool(key.dimensions)
        batches = await table.query().select(columns).to_batches()
        with RankingFilesWriter(folder, await table.count_rows(), key.dimensions) as writer:
            async for batch in batches:
                some = pa.Table.from_batches([batch])
                writer.add(
                    RankingRows(
                        some["_rowid"].to_numpy(),
                        some["chunk_id"].to_pylist(),
                        some["document_id"].to_pylist(),
                        vectors_of(some, key.dimensions) if key.dimensions else None,
                    )
                )
        files = open_ranking_files(files_in(folder))
    if files is None:
        raise OSError(f"{folder} cannot be read back")
    return files


def tag_of(version: int) -> str:
    """The tag that pins a revision."""
    return f"{TAG}{version}"


def _joined(*conditions: str) -> str:
    return " AND ".join(f"({condition})" for condition in conditions if condition)


async def _timed(name: str, seconds: dict[str, float], work: Awaitable[T]) -> T:
    start = time.perf_counter()
    result = await work
    seconds[name] = time.perf_counter() - start
    return result
