"""The embedded index: one LanceDB table per (chunker, analysis, space), its revisions pinned as versions."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import lancedb
from lancedb.index import FTS, BTree, HnswSq, LabelList

from jargonaut.core.errors import SpaceMismatchError, UnavailableError
from jargonaut.index.lance_errors import translated
from jargonaut.index.lance_reader import TAG, LanceIndexReader, open_lance_reader, tag_of
from jargonaut.index.lance_rows import ADDED, key_of, quoted, rows_of, schema_for
from jargonaut.index.port import EXACT_ROWS, DocumentRows, IndexedDocument, Snapshot, TableKey
from jargonaut.index.ranking_files import discard_ranking_files
from jargonaut.index.rows import check_batch, indexed_document, table_name

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


@dataclass(frozen=True, slots=True)
class LanceIndex:
    """An `Index` in `folder`."""

    folder: Path
    engine: str = "lance"

    def new_writer(self, key: TableKey) -> LanceIndexWriter:
        """See `Index.new_writer`."""
        return LanceIndexWriter(self.folder, key)

    async def open_reader(self, snapshot: Snapshot) -> LanceIndexReader:
        """See `Index.open_reader`."""
        return await open_lance_reader(self.folder, snapshot)

    def drop(self, table: str) -> None:
        """See `Index.drop`. A damaged one goes too."""
        try:
            shutil.rmtree(self.folder / f"{table}.lance", ignore_errors=False)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise UnavailableError(f"Could not remove {table} from {self.folder}: {error.strerror}.") from error
        discard_ranking_files(self.folder, table, set())


class LanceIndexWriter:
    """An `IndexWriter` on a LanceDB table in `folder`."""

    def __init__(self, folder: Path, key: TableKey) -> None:
        self._key = key
        self._folder = folder
        self._name = table_name(key)
        with translated("open it", folder, self._name):
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

    @property
    def key(self) -> TableKey:
        """See `IndexWriter.key`."""
        return self._key

    def documents(self) -> Mapping[str, IndexedDocument]:
        """See `IndexWriter.documents`."""
        # Chunks are written document by document, so a document whose first chunk is there is there whole.
        with translated("read it", self._folder, self._name):
            table = self._table.search().where("ordinal = 0").select(["uri", "content_digest", "allow"]).to_arrow()
        return {row["uri"]: indexed_document(row) for row in table.to_pylist()}

    def replace(self, batch: Sequence[DocumentRows]) -> None:
        """See `IndexWriter.replace`."""
        check_batch(batch, self._key)
        held = self.documents()
        batch = [rows for rows in batch if rows.chunks]
        stale = [rows.document.uri for rows in batch if rows.document.uri in held]
        if not batch:
            return
        rows = rows_of(batch, self._key)
        with translated("write to it", self._folder, self._name):
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
        with translated("set permissions in it", self._folder, self._name):
            for principals, uris in by_allow.items():
                for start in range(0, len(uris), 500):
                    names = ", ".join(quoted(uri) for uri in uris[start : start + 500])
                    listed = ", ".join(quoted(name) for name in principals)
                    value = f"[{listed}]" if principals else "array_remove([''], '')"
                    self._table.update(where=f"uri IN ({names})", values_sql={"allow": value})

    def remove(self, uris: Iterable[str]) -> None:
        """See `IndexWriter.remove`."""
        listed = sorted(uris)
        with translated("remove documents from it", self._folder, self._name):
            for start in range(0, len(listed), 500):
                names = ", ".join(quoted(uri) for uri in listed[start : start + 500])
                self._table.delete(f"uri IN ({names})")

    def snapshot(self, version: int | None = None) -> Snapshot:
        """See `IndexWriter.snapshot`."""
        with translated("index it", self._folder, self._name):
            if self.chunk_count():
                self._bring_up_to_date()
            head = self._table.version
            snapshot = Snapshot(self._name, head if version is None else version)
            with suppress(RuntimeError, ValueError):  # the tag is there already: this version is pinned
                self._table.tags.create(tag_of(snapshot.version), head)
        asyncio.run(open_lance_reader(self._folder, snapshot))  # writes its ranking files
        return snapshot

    def chunk_count(self) -> int:
        """See `IndexWriter.chunk_count`."""
        return int(self._table.count_rows())

    def discard(self, keep: Sequence[Snapshot]) -> None:
        """See `IndexWriter.discard`."""
        kept = {tag_of(snapshot.version) for snapshot in keep if snapshot.table == self._name}
        with translated("clean it", self._folder, self._name):
            pinned: dict[int, int] = {}
            for tag, pin in self._table.tags.list().items():
                if tag in kept or pin["version"] == self._table.version:
                    pinned[int(tag.removeprefix(TAG))] = pin["version"]
                else:
                    self._table.tags.delete(tag)
            # Compacting first: it takes time, and the engine reckons the age of what it cleans from when that is over.
            self._table.optimize()
            # The engine cleans by age and refuses to pass a tag: so up to just before the oldest version that is kept.
            made = {version["version"]: version["timestamp"] for version in self._table.list_versions()}
            oldest = min(made[version] for version in {self._table.version, *pinned.values()} if version in made)
            age = datetime.now(oldest.tzinfo) - oldest
            self._table.optimize(cleanup_older_than=age + _MARGIN, delete_unverified=True)
        discard_ranking_files(self._folder, self._name, set(pinned))

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
