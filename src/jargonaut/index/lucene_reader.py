"""Reads one revision in Elasticsearch or OpenSearch."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import document_id
from jargonaut.core.errors import DeadlineError, IntegrityError, UnavailableError
from jargonaut.index.candidates import NO_ROWS, Rows, check_width, united
from jargonaut.index.lucene_query import (
    Clause,
    candidates_for,
    chunks_body,
    filter_clause,
    lexical_body,
    ndjson,
    neighbours_clause,
    values_clause,
)
from jargonaut.index.lucene_ranking import load_ranking, save_ranking
from jargonaut.index.lucene_server import MOST_CANDIDATES, LuceneServer, VectorOption, error_from, timeout_error
from jargonaut.index.lucene_table import IndexOptions, columns_body, pages, revision_index
from jargonaut.index.lucene_vectors import vectors_in
from jargonaut.index.port import (
    EXACT_ROWS,
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
from jargonaut.index.ranking_files import RankingFiles, RankingRows
from jargonaut.index.rows import KEPT_FIELDS, SHOWN_FIELDS, document_rows, indexed_document, stored_chunk
from jargonaut.storage.port import Storage

EVERYTHING: Clause = {"match_all": {}}
_LEAST_RECALL = 0.8
_OVERSAMPLED: Mapping[VectorOption, int] = {"float": 1, "int8": 2, "bbq": 5}
"""Of small vectors the server is asked for so many times what is wanted, and we keep the nearest."""
_CLOSE = 1e-4
_EXPORT_PAGE = 1_000

# The clients of the servers block; the threads are their own, so that encoding does not wait for a slow server.
_threads = ThreadPoolExecutor(32, "lucene")

T = TypeVar("T")


MOST_SIBLINGS = 1_000
"""Chunks of one parent."""


class LuceneIndexReader:
    """An `IndexReader` of one revision. Made by `open_lucene_reader`."""

    def __init__(self, server: LuceneServer, index: str, key: TableKey, files: RankingFiles) -> None:
        self._server = server
        self._index = index
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
        return await self._within(deadline, partial(self._search, query))

    async def fetch(self, chunk_ids: Sequence[str], visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """See `IndexReader.fetch`."""
        if not chunk_ids:
            return []
        wanted = filter_clause(visibility, None, values_clause("chunk_id", chunk_ids))
        by_id = {row.chunk_id: row for row in await self._select(wanted, len(chunk_ids), deadline)}
        return [by_id[chunk_id] for chunk_id in chunk_ids if chunk_id in by_id]

    async def vectors(self, limit: int, deadline: Deadline) -> tuple[tuple[str, ...], Vector]:
        """See `IndexReader.vectors`."""
        return self._files.sample(limit)

    async def contents(self, deadline: Deadline) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """See `IndexReader.contents`."""
        return self._files.chunk_ids, self._files.document_ids

    async def neighbours(self, chunk: StoredChunk, visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """See `IndexReader.neighbours`."""
        near = filter_clause(visibility, None, neighbours_clause(chunk.document_id, chunk.ordinal, chunk.parent))
        most = MOST_SIBLINGS if chunk.parent else 3
        return sorted(await self._select(near, most, deadline), key=lambda row: row.ordinal)

    async def inventory(self, deadline: Deadline) -> Mapping[str, HeldDocument]:
        """See `IndexReader.inventory`."""
        return await self._within(deadline, lambda timeout_s: self._inventory())

    async def export(self, uris: Sequence[str], deadline: Deadline) -> list[DocumentRows]:
        """See `IndexReader.export`."""
        return await self._within(deadline, lambda timeout_s: self._export(uris)) if uris else []

    def check(self, samples: int) -> None:
        """Compare what the server finds for vectors of its own with what is nearest in the ranking files.

        Raises:
            IntegrityError: It finds something else.
            UnavailableError: It cannot be searched.
        """
        if not self._rows or not self._key.dimensions:
            return
        _, vectors = self._files.sample(samples)
        everything, hits = Visibility(everything=True), 0
        wanted = min(10, self._rows)
        nearest = np.partition(vectors @ np.asarray(self._files.vectors).T, -wanted, axis=1)[:, -wanted]
        for vector, least in zip(vectors, nearest, strict=True):
            found = self._search(SearchQuery(vector, (), everything), timeout_s=60)
            hits += min(int((found.cosine >= least - _CLOSE).sum()), wanted)
        recall = hits / (wanted * len(vectors))
        if recall < (1 if self._rows <= EXACT_ROWS and self._server.vector_option == "float" else _LEAST_RECALL):
            raise IntegrityError(
                f"Index {self._index} in {self._server.where} finds {recall:.0%} of the nearest chunks of its own "
                "vectors; nothing was published.",
                'Build again; if it happens again, set vectors = "float" in [index].',
            )

    def _search(self, query: SearchQuery, timeout_s: float) -> Candidates:
        where = filter_clause(query.visibility, query.where)
        bodies: dict[str, Clause] = {}
        if query.vector is not None and self._rows:
            limit = query.limit * _OVERSAMPLED[self._server.vector_option]
            candidates = min(candidates_for(limit, self._rows), MOST_CANDIDATES)
            bodies["dense"] = dict(self._server.nearest(query.vector, min(limit, candidates), candidates, where))
        if query.terms and self._rows:
            bodies["lexical"] = lexical_body(query.terms, query.limit, where)
        answers = self._answers(bodies, timeout_s)
        lexical = answers.get("lexical", _NOTHING)
        return united(
            self._files,
            query,
            dense=_row_numbers(answers.get("dense", _NOTHING)),
            lexical=_row_numbers(lexical),
            bm25=np.array([hit["_score"] for hit in lexical["hits"]["hits"]], np.float32),
            seconds={name: answer["took"] / 1e3 for name, answer in answers.items()},
        )

    def _answers(self, bodies: Mapping[str, Clause], timeout_s: float) -> dict[str, Mapping[str, Any]]:
        """Both searches in one request: the server runs them at once."""
        if not bodies:
            return {}
        header = {"index": self._index, "allow_partial_search_results": False}
        timeout = {"timeout": f"{max(int(timeout_s * 1e3), 1)}ms"}
        lines = ndjson(line for body in bodies.values() for line in (header, {**body, **timeout}))
        answers = self._server.send("POST", "/_msearch", lines, timeout_s=timeout_s)["responses"]
        for answer in answers:
            if "error" in answer:
                raise error_from(self._where, int(answer["status"]), answer)
            if answer["timed_out"]:
                raise timeout_error(self._where, timeout_s)
            if answer["_shards"]["failed"]:
                raise UnavailableError(f"{self._where}: some shards failed to answer.", "Look at its cluster health.")
        return dict(zip(bodies, answers, strict=True))

    async def _select(self, where: Clause, size: int, deadline: Deadline) -> list[StoredChunk]:
        body = chunks_body(where, SHOWN_FIELDS, size)
        path = f"/{self._index}/_search?allow_partial_search_results=false"
        answer = await self._within(
            deadline, lambda timeout_s: self._server.send("POST", path, body, timeout_s=timeout_s)
        )
        return [stored_chunk(hit["_source"]) for hit in answer["hits"]["hits"]]

    def _inventory(self) -> dict[str, HeldDocument]:
        counts: Counter[str] = Counter()
        documents = {}
        body = columns_body(EVERYTHING, ["uri", "content_digest", "allow"])
        for page in pages(self._server, self._index, body):
            for hit in page:
                fields = hit["fields"]
                uri = fields["uri"][0]
                counts[uri] += 1
                about = {"uri": uri, "content_digest": fields["content_digest"][0]}
                documents[uri] = indexed_document({**about, "allow": sorted(fields.get("allow", ()))})
        return {uri: HeldDocument(document, counts[uri]) for uri, document in documents.items()}

    def _export(self, uris: Sequence[str]) -> list[DocumentRows]:
        wanted = values_clause("document_id", [document_id(uri) for uri in uris])
        fields = [*KEPT_FIELDS, *(["vector"] if self._key.dimensions else [])]
        body = {"query": wanted, "_source": fields}
        rows = [hit["_source"] for page in pages(self._server, self._index, body, _EXPORT_PAGE) for hit in page]
        rows.sort(key=lambda row: (row["document_id"], row["ordinal"]))
        found = []
        for _, group in groupby(rows, key=lambda row: row["document_id"]):
            own = list(group)
            vectors = np.array([row["vector"] for row in own], np.float32) if self._key.dimensions else None
            found.append(document_rows(own, self._key, vectors))
        return found

    @property
    def _where(self) -> str:
        return f"Index {self._index} in {self._server.where}"

    async def _within(self, deadline: Deadline, work: Callable[[float], T]) -> T:
        left_s = deadline.left_s
        deadline.check("Searching the index")
        running = asyncio.get_running_loop().run_in_executor(_threads, work, left_s)
        try:
            return await asyncio.wait_for(running, left_s)
        except TimeoutError as error:
            raise DeadlineError("Searching the index took longer than allowed.", "Try again.") from error


async def open_lucene_reader(
    server: LuceneServer, storage: Storage, options: IndexOptions, snapshot: Snapshot
) -> LuceneIndexReader:
    """Open a revision. If its ranking files are not in the storage, they are written anew from the server.

    Raises:
        IntegrityError: The revision is gone, is not ours, or its ranking files do not belong to it.
        UnavailableError: The server or the storage cannot be reached.
    """
    return await asyncio.to_thread(_open, server, storage, options, snapshot)


def _open(server: LuceneServer, storage: Storage, options: IndexOptions, snapshot: Snapshot) -> LuceneIndexReader:
    index, key = revision_index(server, options, snapshot)
    rows = int(server.send("GET", f"/{index}/_count")["count"])
    files = load_ranking(storage, snapshot)
    if files is None:
        blocks = (
            RankingRows(
                numbers := np.array([hit["fields"]["row"][0] for hit in page], np.uint64),
                [hit["fields"]["chunk_id"][0] for hit in page],
                [hit["fields"]["document_id"][0] for hit in page],
                vectors_in(server, index, numbers, key.dimensions) if key.dimensions else None,
            )
            for page in pages(server, index, columns_body(EVERYTHING, ["row", "chunk_id", "document_id"]))
        )
        files = save_ranking(storage, snapshot, blocks, rows, key.dimensions)
    if len(files.rows) != rows:
        raise IntegrityError(
            f"Index {index} in {server.where} has {rows} chunks, and its ranking files {len(files.rows)}.",
            "Something else writes there: `jargonaut index verify` says what is wrong.",
        )
    return LuceneIndexReader(server, index, key, files)


_NOTHING: Mapping[str, Any] = {"hits": {"hits": []}, "took": 0}


def _row_numbers(answer: Mapping[str, Any]) -> Rows:
    hits = answer["hits"]["hits"]
    return np.array([hit["fields"]["row"][0] for hit in hits], np.uint64) if hits else NO_ROWS
