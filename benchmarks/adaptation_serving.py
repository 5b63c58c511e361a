"""What comparing tokens costs a question: time over a pool, bytes on disk, and that memory stays flat."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, row
from jargonaut.core.release import Fusion
from jargonaut.encoding.port import TokenVectors
from jargonaut.index.port import Candidates, Snapshot
from jargonaut.index.token_store import TokenStoreWriter, open_token_store
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.token_projection import WIDTH, TokenProjection
from jargonaut.ranking.whitening import fit_whitening, with_references
from jargonaut.storage.local import LocalStorage

COMMAND = "make bench-adaptation"
CHUNKS, TOKENS, DIMENSIONS, POOL, QUERIES = 20_000, 200, 384, 100, 300
_VOCABULARY = 30_000


def serving_rows(cache: Path) -> list[Row]:
    """Random tokens are as good as real ones for time: chunks of 200 tokens, questions of 12.

    Processor time is that of one thread: run it with OPENBLAS_NUM_THREADS=1.
    """
    rng = np.random.default_rng(0)
    projection = TokenProjection(_unit(rng.normal(size=(DIMENSIONS, WIDTH))), 0.25 / 127)
    storage, snapshot = LocalStorage(cache), Snapshot("serving", 1)
    names = [f"{number:024x}" for number in range(CHUNKS)]
    before = _peak_mb()
    writer = TokenStoreWriter(storage, "serving", projection.digest)
    held = writer.held()
    for name in names:
        if name not in held:
            ids = rng.integers(0, _VOCABULARY, TOKENS).astype(np.int32)
            writer.add(name, ids, rng.integers(-127, 128, (TOKENS, WIDTH)).astype(np.int8))
    writer.finish(snapshot, names)
    written = _peak_mb() - before
    store = open_token_store(storage, snapshot, projection.digest)
    assert store is not None
    late = LateInteraction(projection, store)
    vectors = _unit(rng.normal(size=(CHUNKS, DIMENSIONS)))
    whitening = with_references(fit_whitening([vectors]), vectors)
    compared, clock, ranked = [], [], []
    for _ in range(QUERIES):
        pool = rng.choice(CHUNKS, POOL, replace=False)
        question = TokenVectors(
            rng.integers(0, _VOCABULARY, 12).astype(np.int32), _unit(rng.normal(size=(12, DIMENSIONS)))
        )
        vector, ids = _unit(rng.normal(size=DIMENSIONS)), tuple(names[number] for number in pool)
        found = Candidates(ids, ids, vectors[pool] @ vector, rng.random(POOL).astype(np.float32), vectors[pool])
        started, waited = time.thread_time(), time.perf_counter()
        scores = late.scores(ids, question)
        middle, elapsed = time.thread_time(), time.perf_counter() - waited
        rank(found, vector, Fusion(0.3, "w", POOL, "t", 0.3), whitening, scores)
        compared.append(middle - started)
        clock.append(elapsed)
        ranked.append(time.thread_time() - middle)
    size = sum(path.stat().st_size for path in cache.rglob("*.npy")) / CHUNKS
    return [
        row(
            "MaxSim of a pool of 100 chunks of 200 tokens, processor time, p50",
            _ms(compared, 50),
            "ms",
            "<= 15",
            COMMAND,
        ),
        row("the same, p95", _ms(compared, 95), "ms", "", COMMAND),
        row("the same by the clock, with whatever else ran here, p50", _ms(clock, 50), "ms", "", COMMAND),
        row("whitening, hubs and fusion of the same pool, processor time, p50", _ms(ranked, 50), "ms", "", COMMAND),
        row("tokens on disk, a chunk of 200 tokens", size, "bytes", "", COMMAND),
        row(f"memory that writing the tokens of {CHUNKS:,} chunks adds at most", written, "MB", "", COMMAND),
    ]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def _ms(seconds: list[float], percentile: float) -> float:
    return float(np.percentile(seconds, percentile)) * 1e3


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
