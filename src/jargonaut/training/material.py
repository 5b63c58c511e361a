"""From mined pairs and an index to what a tuning learns from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from jargonaut.core.deadline import Deadline
from jargonaut.index.port import IndexReader
from jargonaut.training.pairs import Pair
from jargonaut.training.query_side import TuningSet, rows_of

MOST_CHUNKS = 200_000
"""More are sampled evenly: 300 MB of vectors of 384 dimensions."""
_DEADLINE_S = 300.0


async def tuning_set(reader: IndexReader, pairs: Sequence[Pair], training_chunks: Collection[str]) -> TuningSet:
    """The pairs over the vectors of the chunks that training may read, as the index holds them.

    Raises:
        UnavailableError: The index cannot be read.
    """
    allowed = frozenset(training_chunks)
    ids, vectors = await reader.vectors(MOST_CHUNKS, Deadline.after(_DEADLINE_S))
    kept = [row for row, chunk in enumerate(ids) if chunk in allowed]
    row_by_chunk = {ids[row]: at for at, row in enumerate(kept)}
    usable = [pair for pair in pairs if any(chunk in row_by_chunk for chunk in pair.chunk_ids)]
    return TuningSet(
        questions=tuple(pair.query for pair in usable),
        chunks=np.ascontiguousarray(vectors[kept]),
        relevant=tuple(rows_of(pair.chunk_ids, row_by_chunk) for pair in usable),
        ignored=tuple(rows_of(pair.hidden_chunk_ids, row_by_chunk) for pair in usable),
    )
