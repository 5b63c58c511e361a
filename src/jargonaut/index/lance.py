"""The embedded index: one LanceDB table per (chunker, analysis, space), its revisions pinned as versions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree, HnswSq, LabelList
from lancedb.query import MatchQuery

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import DeadlineError, IntegrityError, SpaceMismatchError, UnavailableError
from jargonaut.index.lance_pool import PoolFiles, discard_pools, open_pool, pool_folder, write_pool
from jargonaut.index.lance_rows import (
    ADDED,
    SHOWN_COLUMNS,
    filter_sql,
    key_of,
    quoted,
    rows_of,
    schema_for,
    stored_chunk,
    table_name,
    visible_sql,
)
from jargonaut.index.port import (
    Candidates,
    DocumentRows,
    IndexedDocument,
    SearchQuery,
    Snapshot,
    StoredChunk,
    TableKey,
    Vector,
    Visibility,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EXACT_ROWS = 5_000
"""Up to so many chunks every vector is compared: exact, and fast enough."""

_MOST_TABLES = 10_000
_MARGIN = timedelta(seconds=1)

_TERMS = FTS(
    base_tokenizer="whitespace",
    stem=False,
    remove_stop_words=False,
    lower_case=False,
    ascii_folding=False,
    max_token_length=None,
)
"""The analysis is ours; the engine only splits at blanks."""

T = TypeVar("T")


class LanceIndexWriter:
    """An `IndexWriter` on a LanceDB table in `folder`."""

    def __init__(self, folder: Path, key: TableKey) -> None:
        self._key = key
        self._folder = folder
        self._name = table_name(key)
        with _translated(f"open the index in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            database = lancedb.connect(str(folder))
            if self._name in database.list_tables(limit=_MOST_TABLES).tables:
                self._table = database.open_table(self._name)
            else:
                self._table = database.create_table(self._name, schema=schema_for(key))
            self._table.checkout_latest()
            held = self._table.schema.names
            if missing := {name: value for name, value in ADDED.items() if name not in held}:
                self._table.add_columns(missing)
        if key_of(self._table.schema, f"Table {self._name}") != key:
            raise SpaceMismatchError(f"Table {self._name} in {folder} holds something else than its name says.")

    def documents(self) -> Mapping[str, IndexedDocument]:
        """See `IndexWriter.documents`."""
        # Chunks are written document by document, so a document whose first chunk is there is there whole.
        with _translated(f"read {self._name}"):
            table = self._table.search().where("ordinal = 0").select(["uri", "content_digest", "allow"]).to_arrow()
        return {
            row["uri"]: IndexedDocument(row["uri"], row["content_digest"], tuple(row["allow"]))
            for row in table.to_pylist()
        }

    def replace(self, batch: Sequence[DocumentRows]) -> None:
        """See `IndexWriter.replace`."""
        held = self.documents()
        batch = [rows for rows in batch if rows.chunks]
        stale = [rows.document.uri for rows in batch if rows.document.uri in held]
        if not batch:
            return
        rows = rows_of(batch, self._key)
        with _translated(f"write to {self._name}"):
            if not stale:
                self._table.add(rows)
                return
            old = f"uri IN ({', '.join(quoted(uri) for uri in stale)})"
            (
                self._table.merge_insert("chunk_id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(old)
                .execute(rows)
            )

    def permit(self, allow: Mapping[str, tuple[str, ...]]) -> None:
        """See `IndexWriter.permit`."""
        by_allow: dict[tuple[str, ...], list[str]] = {}
        for uri, principals in sorted(allow.items()):
            by_allow.setdefault(principals, []).append(uri)
        with _translated(f"set permissions in {self._name}"):
            for principals, uris in by_allow.items():
                for start in range(0, len(uris), 500):
                    names = ", ".join(quoted(uri) for uri in uris[start : start + 500])
                    listed = ", ".join(quoted(name) for name in principals)
                    value = f"[{listed}]" if principals else "array_remove([''], '')"
                    self._table.update(where=f"uri IN ({names})", values_sql={"allow": value})

    def remove(self, uris: Iterable[str]) -> None:
        """See `IndexWriter.remove`."""
        listed = sorted(uris)
        with _translated(f"remove documents from {self._name}"):
            for start in range(0, len(listed), 500):
                names = ", ".join(quoted(uri) for uri in listed[start : start + 500])
                self._table.delete(f"uri IN ({names})")

    def snapshot(self) -> Snapshot:
        """See `IndexWriter.snapshot`."""
        with _translated(f"index {self._name}"):
            if self.chunk_count():
                self._bring_up_to_date()
            version = self._table.version
            with suppress(RuntimeError, ValueError):  # the tag is there already: this version is pinned
                self._table.tags.create(_tag(version), version)
        snapshot = Snapshot(self._name, version)
        asyncio.run(open_lance_reader(self._folder, snapshot))  # writes its pool files
        return snapshot

    def chunk_count(self) -> int:
        """See `IndexWriter.chunk_count`."""
        return int(self._table.count_rows())

    def discard(self, keep: Sequence[Snapshot]) -> None:
        """See `IndexWriter.discard`."""
        kept = {snapshot.version for snapshot in keep if snapshot.table == self._name} | {self._table.version}
        with _translated(f"clean {self._name}"):
            for tag in self._table.tags.list():
                if tag not in {_tag(version) for version in kept}:
                    self._table.tags.delete(tag)
            # The engine cleans by age and refuses to pass a tag: so up to just before the oldest version that is kept.
            made = {version["version"]: version["timestamp"] for version in self._table.list_versions()}
            oldest = min(made[version] for version in kept if version in made)
            age = datetime.now(oldest.tzinfo) - oldest
            self._table.optimize(cleanup_older_than=age + _MARGIN, delete_unverified=True)
        discard_pools(self._folder, self._name, kept)

    def _bring_up_to_date(self) -> None:
        indexed = {column for config in self._table.list_indices() for column in config.columns}
        wanted: dict[str, Any] = {"chunk_id": BTree(), "document_id": BTree(), "allow": LabelList(), "terms": _TERMS}
        if self._key.dimensions and self.chunk_count() > EXACT_ROWS:
            wanted["vector"] = HnswSq(distance_type="cosine", num_partitions=1)
        for column, config in wanted.items():
            if column not in indexed:
                self._table.create_index(column, config=config)
        if any(
            statistics.num_unindexed_rows
            for config in self._table.list_indices()
            if (statistics := self._table.index_stats(config.name)) is not None
        ):
            self._table.optimize()


class LanceIndexReader:
    """An `IndexReader` of one pinned version. Made by `open_lance_reader`."""

    def __init__(self, table: Any, columns: Sequence[str], key: TableKey, pool: PoolFiles) -> None:
        self._table = table
        self._shown = [name for name in SHOWN_COLUMNS if name in columns]
        self._key = key
        self._pool = pool
        self._rows = len(pool.rows)

    @property
    def key(self) -> TableKey:
        """See `IndexReader.key`."""
        return self._key

    async def search(self, query: SearchQuery, deadline: Deadline) -> Candidates:
        """See `IndexReader.search`."""
        if query.vector is not None and query.vector.shape != (self._key.dimensions,):
            raise SpaceMismatchError(
                f"The index holds vectors of {self._key.dimensions} dimensions, the question has "
                f"{query.vector.shape[-1]}.",
                "Ask with the encoder of the release that is being searched.",
            )
        seconds: dict[str, float] = {}
        where = _joined(visible_sql(query.visibility), filter_sql(query.where) if query.where else "")
        dense, lexical = await self._within(
            asyncio.gather(
                _timed("dense", seconds, self._dense(query, where)),
                _timed("lexical", seconds, self._lexical(query, where)),
            ),
            deadline,
        )
        return self._union(query, dense, lexical, seconds)

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
        step = max(1, -(-self._rows // max(limit, 1)))
        ids = self._pool.chunk_ids[::step]
        return tuple(chunk.decode() for chunk in ids.tolist()), np.array(self._pool.vectors[::step])

    async def neighbours(self, chunk: StoredChunk, visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """See `IndexReader.neighbours`."""
        near = f"ordinal BETWEEN {chunk.ordinal - 1} AND {chunk.ordinal + 1}"
        if chunk.parent:
            near = f"start >= {chunk.parent[0]} AND end <= {chunk.parent[1]}"
        own = f"document_id = {quoted(chunk.document_id)}"
        rows = await self._select(_joined(own, near, visible_sql(visibility)), deadline)
        return sorted(rows, key=lambda row: row.ordinal)

    async def _select(self, where: str, deadline: Deadline) -> list[StoredChunk]:
        query = self._table.query().where(where).select(self._shown)
        table = await self._within(query.to_arrow(), deadline)
        return [stored_chunk(row) for row in table.to_pylist()]

    async def _dense(self, query: SearchQuery, where: str) -> pa.Table | None:
        if query.vector is None or not self._rows:
            return None
        search = self._table.query().nearest_to(query.vector).distance_type("cosine").limit(query.limit)
        search = search.where(where) if where else search
        return await search.select(["_rowid", "_distance"]).to_arrow()

    async def _lexical(self, query: SearchQuery, where: str) -> pa.Table | None:
        if not query.terms or not self._rows:
            return None
        search = self._table.query().nearest_to_text(MatchQuery(" ".join(query.terms), "terms")).limit(query.limit)
        search = search.where(where) if where else search
        return await search.select(["_rowid", "_score"]).to_arrow()

    def _union(
        self, query: SearchQuery, dense: pa.Table | None, lexical: pa.Table | None, seconds: Mapping[str, float]
    ) -> Candidates:
        rows = [np.empty(0, np.uint64)] + [
            table["_rowid"].to_numpy() for table in (dense, lexical) if table is not None
        ]
        union = np.unique(np.concatenate(rows)).astype(np.uint64)
        at = self._pool.positions(union)
        vectors = np.array(self._pool.vectors[at])
        bm25 = np.zeros(len(union), np.float32)
        if lexical is not None:
            bm25[np.searchsorted(union, lexical["_rowid"].to_numpy())] = lexical["_score"].to_numpy()
        cosine = np.full(len(union), np.nan, np.float32) if query.vector is None else vectors @ query.vector
        return Candidates(
            chunk_ids=tuple(chunk.decode() for chunk in self._pool.chunk_ids[at].tolist()),
            document_ids=tuple(document.decode() for document in self._pool.document_ids[at].tolist()),
            cosine=cosine.astype(np.float32),
            bm25=bm25,
            vectors=vectors if self._key.dimensions else None,
            seconds=seconds,
        )

    async def _within(self, work: Awaitable[T], deadline: Deadline) -> T:
        try:
            with _translated("search the index"):
                return await asyncio.wait_for(work, max(deadline.left_s, 0.001))
        except TimeoutError as error:
            raise DeadlineError("Searching the index took longer than allowed.", "Try again.") from error


async def open_lance_reader(folder: Path, snapshot: Snapshot) -> LanceIndexReader:
    """Open a pinned version.

    Raises:
        IntegrityError: The table or that version is gone or damaged.
    """
    try:
        database = await lancedb.connect_async(str(folder))
        table = await database.open_table(snapshot.table)
        await table.checkout(snapshot.version)
        schema = await table.schema()
        key = key_of(schema, f"Table {snapshot.table}")
        pool = await _pool(pool_folder(folder, snapshot.table, snapshot.version), table, key)
    except (RuntimeError, ValueError, OSError) as error:
        raise IntegrityError(
            f"Version {snapshot.version} of table {snapshot.table} in {folder} cannot be opened: {error}",
            "Build again (`jargonaut build`), or restore the folder from a backup.",
        ) from error
    return LanceIndexReader(table, schema.names, key, pool)


async def _pool(folder: Path, table: Any, key: TableKey) -> PoolFiles:
    pool = open_pool(folder)
    if pool is None:
        columns = ["_rowid", "chunk_id", "document_id"] + ["vector"] * bool(key.dimensions)
        batches = await table.query().select(columns).to_batches()
        await write_pool(folder, batches, await table.count_rows(), key.dimensions)
        pool = open_pool(folder)
    if pool is None:
        raise OSError(f"{folder} cannot be read back")
    return pool


def _tag(version: int) -> str:
    return f"revision-{version}"


def _joined(*conditions: str) -> str:
    return " AND ".join(f"({condition})" for condition in conditions if condition)


async def _timed(name: str, seconds: dict[str, float], work: Awaitable[T]) -> T:
    start = time.perf_counter()
    result = await work
    seconds[name] = time.perf_counter() - start
    return result


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        full = "No space left" in str(error)
        hint = "The disk is full: free some space and run the same command again." if full else ""
        raise UnavailableError(f"Could not {what}: {error}", hint) from error
