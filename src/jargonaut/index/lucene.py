"""Writes a table in Elasticsearch or OpenSearch. What a table is there, `lucene_table.py` says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import IntegrityError
from jargonaut.index.lucene_bulk import send_lines
from jargonaut.index.lucene_ranking import discard_ranking, load_ranking, save_ranking
from jargonaut.index.lucene_reader import LuceneIndexReader, open_lucene_reader
from jargonaut.index.lucene_rows import Line, allow_line, delete_line, index_lines, row_numbers
from jargonaut.index.lucene_server import LuceneServer
from jargonaut.index.lucene_table import (
    IndexOptions,
    LuceneTable,
    columns_body,
    pages,
    remove_table,
    rows_of_documents,
)
from jargonaut.index.lucene_vectors import VectorSpool, vectors_in
from jargonaut.index.port import DocumentRows, IndexedDocument, Snapshot, TableKey
from jargonaut.index.ranking_files import RankingFiles, RankingRows
from jargonaut.index.rows import check_batch
from jargonaut.storage.port import Storage

_COLUMNS = ("row", "chunk_id", "document_id", "uri")
_FIRST_CHUNK = {"term": {"ordinal": 0}}
_EVERYTHING: dict[str, Any] = {"match_all": {}}
_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class LuceneIndex:
    """An `Index` on a server; `storage` keeps the ranking files."""

    server: LuceneServer
    storage: Storage
    options: IndexOptions

    @property
    def engine(self) -> str:
        """See `Index.engine`."""
        return self.server.engine

    def new_writer(self, key: TableKey) -> LuceneIndexWriter:
        """See `Index.new_writer`."""
        return LuceneIndexWriter(self.server, self.storage, self.options, key)

    async def open_reader(self, snapshot: Snapshot) -> LuceneIndexReader:
        """See `Index.open_reader`."""
        return await open_lucene_reader(self.server, self.storage, self.options, snapshot)

    def drop(self, table: str) -> None:
        """See `Index.drop`."""
        remove_table(self.server, self.options, table)
        discard_ranking(self.storage, table, set())


class LuceneIndexWriter:
    """An `IndexWriter` of a `LuceneIndex`.

    The first chunk of a document is written last and removed first: a document whose first chunk is there is there
    whole, whatever was killed when.
    """

    def __init__(self, server: LuceneServer, storage: Storage, options: IndexOptions, key: TableKey) -> None:
        self._server = server
        self._storage = storage
        self._table = LuceneTable(server, options, key)
        self._key = key
        state = self._table.state()
        self._newest = state.newest
        self._table.remove(state.heads[:-1])
        self._head = state.heads[-1] if state.heads else ""
        self._spool = VectorSpool(key.dimensions)
        self._chunks: dict[str, int] = {}
        self._held = self._read_documents(self._head or self._newest)
        if self._head:
            self._table.thaw(self._head)
            self._sweep()

    @property
    def key(self) -> TableKey:
        """See `IndexWriter.key`."""
        return self._key

    def documents(self) -> Mapping[str, IndexedDocument]:
        """See `IndexWriter.documents`."""
        return dict(self._held)

    def replace(self, batch: Sequence[DocumentRows]) -> None:
        """See `IndexWriter.replace`."""
        check_batch(batch, self._key)
        batch = [rows for rows in batch if rows.chunks]
        if not batch:
            return
        stale = self._rows_of(rows.document.uri for rows in batch)
        self._forget(rows.document.uri for rows in batch)
        self._delete(row for row in stale if row["ordinal"] == 0)
        firsts: list[Line] = []
        ids: list[str] = []
        self._send(_all_but_first(batch, self._key, firsts, ids))
        wanted = set(ids)
        self._delete(row for row in stale if row["ordinal"] != 0 and row["chunk_id"] not in wanted)
        self._send(firsts)
        self._remember(batch, row_numbers(ids))

    def permit(self, allow: Mapping[str, tuple[str, ...]]) -> None:
        """See `IndexWriter.permit`."""
        rows = self._rows_of(allow)
        # The first chunk says what the document's permissions are, so it goes last here too.
        for of_first in (False, True):
            self._send(
                allow_line(row["chunk_id"], row["uri"], allow[row["uri"]])
                for row in rows
                if (row["ordinal"] == 0) is of_first
            )
        for uri in allow.keys() & self._held.keys():
            held = self._held[uri]
            self._held[uri] = IndexedDocument(uri, held.content_digest, allow[uri])

    def remove(self, uris: Iterable[str]) -> None:
        """See `IndexWriter.remove`."""
        listed = [uri for uri in uris if uri in self._held]
        rows = self._rows_of(listed)
        self._forget(listed)
        for of_first in (True, False):
            self._delete(row for row in rows if (row["ordinal"] == 0) is of_first)

    def snapshot(self, version: int | None = None) -> Snapshot:
        """See `IndexWriter.snapshot`."""
        state = self._table.state()
        if not self._head and self._newest:
            held = max(number for number, index in state.revisions.items() if index == self._newest)
            if version in (None, held):
                return Snapshot(self._table.name, held)
        if version is None:
            version = max([int(time.time() * 1e3), *(number + 1 for number in state.revisions)])
        snapshot = Snapshot(self._table.name, version)
        index = self._head or self._newest or self._open_head()
        self._table.refresh(index)
        self._server.send("POST", f"/{index}/_forcemerge?only_expunge_deletes=true", timeout_s=3600)
        files = self._write_ranking(index, snapshot)
        self._table.freeze(index)
        self._verify(index, files)
        self._table.publish(index, version, self._newest)
        self._newest, self._head = index, ""
        self._spool.clear()
        return snapshot

    def chunk_count(self) -> int:
        """See `IndexWriter.chunk_count`."""
        return sum(self._chunks.values())

    def discard(self, keep: Sequence[Snapshot]) -> None:
        """See `IndexWriter.discard`."""
        state = self._table.state()
        kept = {snapshot.version for snapshot in keep if snapshot.table == self._table.name}
        kept |= {version for version, index in state.revisions.items() if index == state.newest}
        indices = {state.revisions[version] for version in kept & state.revisions.keys()}
        self._table.remove(sorted(set(state.revisions.values()) - indices))
        discard_ranking(self._storage, self._table.name, kept)

    def _open_head(self) -> str:
        if not self._head:
            self._head = self._table.create_head(self._newest)
        return self._head

    def _send(self, lines: Iterable[Line]) -> None:
        send_lines(self._server, self._open_head(), lines)

    def _delete(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._send(delete_line(row["chunk_id"], row["uri"]) for row in rows)

    def _remember(self, batch: Iterable[DocumentRows], rows: NDArray[np.uint64]) -> None:
        start = 0
        for item in batch:
            end = start + len(item.chunks)
            if self._key.dimensions and item.vectors is not None:
                self._spool.add(rows[start:end], item.vectors)
            self._held[item.document.uri] = item.document
            self._chunks[item.document.uri] = len(item.chunks)
            start = end

    def _forget(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._held.pop(uri, None)
            self._chunks.pop(uri, None)

    def _rows_of(self, uris: Iterable[str]) -> list[dict[str, Any]]:
        """What the head has of these documents."""
        held = [uri for uri in uris if uri in self._held]
        if not held:
            return []
        head = self._open_head()
        self._table.refresh(head)
        body = columns_body(rows_of_documents(held), [*_COLUMNS, "ordinal"])
        return [_columns(hit) for page in pages(self._server, head, body) for hit in page]

    def _read_documents(self, index: str) -> dict[str, IndexedDocument]:
        found: dict[str, IndexedDocument] = {}
        if index:
            self._table.refresh(index)
            body = columns_body(_FIRST_CHUNK, ["uri", "content_digest", "allow", "chunks"])
            for hit in (hit for page in pages(self._server, index, body) for hit in page):
                fields = hit["fields"]
                uri = fields["uri"][0]
                found[uri] = IndexedDocument(uri, fields["content_digest"][0], tuple(sorted(fields.get("allow", ()))))
                self._chunks[uri] = fields["chunks"][0]
        return found

    def _sweep(self) -> None:
        """Remove what a killed build left of documents that are not there whole."""
        counts: Counter[str] = Counter()
        loose: list[dict[str, Any]] = []
        body = columns_body(_EVERYTHING, _COLUMNS)
        for page in pages(self._server, self._head, body):
            rows = [_columns(hit) for hit in page]
            counts.update(row["uri"] for row in rows)
            loose += [row for row in rows if row["uri"] not in self._held]
        self._delete(loose)
        self.remove([uri for uri, count in self._chunks.items() if counts[uri] != count])

    def _write_ranking(self, index: str, snapshot: Snapshot) -> RankingFiles:
        """Write the ranking files of the head, and with that check that it holds what was written.

        Raises:
            IntegrityError: It does not.
        """
        counts: Counter[str] = Counter()
        files = save_ranking(
            self._storage, snapshot, self._blocks(index, counts), self.chunk_count(), self._key.dimensions
        )
        wrong = [uri for uri in counts.keys() | self._chunks.keys() if counts[uri] != self._chunks.get(uri, 0)]
        if wrong:
            raise IntegrityError(
                f"Index {index} in {self._server.where} holds {counts[wrong[0]]} chunks of `{wrong[0]}` instead of "
                f"{self._chunks.get(wrong[0], 0)}, and {len(wrong) - 1} more documents are wrong.",
                "Something else writes there. Nothing was published: build again.",
            )
        return files

    def _blocks(self, index: str, counts: Counter[str]) -> Iterator[RankingRows]:
        before = self._last_ranking()
        for page in pages(self._server, index, columns_body(_EVERYTHING, _COLUMNS)):
            found = [_columns(hit) for hit in page]
            counts.update(row["uri"] for row in found)
            rows = np.array([row["row"] for row in found], np.uint64)
            vectors = None
            if self._key.dimensions:
                vectors = np.empty((len(rows), self._key.dimensions), np.float32)
                missing = self._spool.fill(rows, vectors, before)
                if missing.size:
                    vectors[missing] = vectors_in(self._server, index, rows[missing], self._key.dimensions)
            yield RankingRows(rows, [row["chunk_id"] for row in found], [row["document_id"] for row in found], vectors)

    def _last_ranking(self) -> RankingFiles | None:
        versions = [version for version, index in self._table.state().revisions.items() if index == self._newest]
        return load_ranking(self._storage, Snapshot(self._table.name, max(versions))) if versions else None

    def _verify(self, index: str, files: RankingFiles) -> None:
        reader = LuceneIndexReader(self._server, index, self._key, files)
        reader.check(_SAMPLES)


def _all_but_first(batch: Iterable[DocumentRows], key: TableKey, firsts: list[Line], ids: list[str]) -> Iterator[Line]:
    """Lines of all chunks but the first of each document, made while others are being sent.

    Args:
        batch: Documents with at least one chunk.
        key: Of the table.
        firsts: Gets the lines of the first chunks.
        ids: Gets the ids of all chunks, in order.
    """
    for rows in batch:
        for at, line in enumerate(index_lines(rows, key)):
            ids.append(line.chunk_id)
            if at:
                yield line
            else:
                firsts.append(line)


def _columns(hit: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[0] for name, values in hit["fields"].items()}
