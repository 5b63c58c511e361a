"""Two lists of rows become candidates: the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import SpaceMismatchError
from jargonaut.index.port import Candidates, SearchQuery, TableKey, Vector
from jargonaut.index.ranking_files import RankingFiles

Rows = NDArray[np.uint64]
NO_ROWS: Rows = np.empty(0, np.uint64)


def check_width(query: SearchQuery, key: TableKey) -> None:
    """Refuse a question from another encoder.

    Raises:
        SpaceMismatchError: The vector's width is not the table's.
    """
    if query.vector is not None and query.vector.shape != (key.dimensions,):
        raise SpaceMismatchError(
            f"The index holds vectors of {key.dimensions} dimensions, the question has {query.vector.shape[-1]}.",
            "Ask with the encoder of the release that is being searched.",
        )


def united(
    files: RankingFiles,
    query: SearchQuery,
    dense: Rows,
    lexical: Rows,
    bm25: Vector,
    seconds: Mapping[str, float],
) -> Candidates:
    """The union of both lists, with the exact cosine of every candidate.

    Args:
        files: Of the revision.
        query: What was looked for.
        dense: Row numbers of the dense list; of more than the query's limit, the nearest are kept.
        lexical: Row numbers of the lexical list.
        bm25: Their scores.
        seconds: How long each list took.
    """
    if query.vector is not None and len(dense) > query.limit:
        dense = _nearest(files, query.vector, dense, query.limit)
    union = np.unique(np.concatenate([NO_ROWS, dense, lexical])).astype(np.uint64)
    at = files.positions(union)
    vectors = np.array(files.vectors[at])
    scores = np.zeros(len(union), np.float32)
    scores[np.searchsorted(union, lexical)] = bm25
    cosine = np.full(len(union), np.nan, np.float32) if query.vector is None else vectors @ query.vector
    return Candidates(
        chunk_ids=tuple(chunk.decode() for chunk in files.chunk_ids[at].tolist()),
        document_ids=tuple(document.decode() for document in files.document_ids[at].tolist()),
        cosine=cosine.astype(np.float32),
        bm25=scores,
        vectors=vectors if vectors.shape[1] else None,
        seconds=seconds,
    )


def _nearest(files: RankingFiles, vector: Vector, rows: Rows, limit: int) -> Rows:
    """The `limit` nearest of `rows` by exact cosine: engines that keep small vectors are asked for more than that."""
    rows = np.unique(rows)
    cosine = files.vectors[files.positions(rows)] @ vector
    nearest: Rows = rows[np.argpartition(-cosine, limit - 1)[:limit]]
    return nearest
