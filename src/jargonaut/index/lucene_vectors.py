"""Where the vectors of a new revision come from: this build, the revision before, or the server."""

from __future__ import annotations

import tempfile
import weakref

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import IntegrityError
from jargonaut.index.lucene_server import LuceneServer
from jargonaut.index.lucene_table import pages
from jargonaut.index.port import Vector
from jargonaut.index.ranking_files import RankingFiles

Rows = NDArray[np.uint64]
_PAGE = 1_000


class VectorSpool:
    """Vectors that this build wrote, in a file without a name: reading them back from the server costs far more."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows: list[Rows] = []
        self._order: NDArray[np.intp] | None = None
        weakref.finalize(self, self._file.close)

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()
        self._rows, self._order = [], None

    def add(self, rows: Rows, vectors: Vector) -> None:
        """Keep the vectors of these rows; of a row that comes twice, the last."""
        self._rows.append(rows)
        self._order = None
        self._file.write(np.ascontiguousarray(vectors, np.float32).tobytes())

    def fill(self, rows: Rows, into: Vector, before: RankingFiles | None) -> NDArray[np.intp]:
        """Fill in the vectors of `rows` that are known.

        Args:
            rows: Row numbers.
            into: Shape (len(rows), dimensions).
            before: Of the revision before; what this build wrote wins.

        Returns:
            Positions in `rows` of those that are not known.
        """
        known = np.zeros(len(rows), bool)
        if before is not None and len(before.rows):
            at = np.minimum(np.searchsorted(before.rows, rows), len(before.rows) - 1)
            known = before.rows[at] == rows
            into[known] = before.vectors[at[known]]
        if self._rows:
            written, order, mapped = self._sorted()
            # Searched from the right, so that the last of several is found.
            at = np.maximum(np.searchsorted(written, rows, side="right") - 1, 0)
            fresh = written[at] == rows
            into[fresh] = mapped[order[at[fresh]]]
            known |= fresh
        return np.flatnonzero(~known)

    def _sorted(self) -> tuple[Rows, NDArray[np.intp], Vector]:
        """Row numbers in order, where each is in the file, and the file."""
        if self._order is None:
            written = np.concatenate(self._rows)
            self._order = np.argsort(written, kind="stable")
            self._rows = [written]
            self._file.flush()
        (written,) = self._rows
        mapped = np.memmap(self._file, np.float32, "r", shape=(len(written), self._dimensions))
        return written[self._order], self._order, mapped


def vectors_in(server: LuceneServer, index: str, rows: Rows, dimensions: int) -> Vector:
    """Vectors as the server keeps them, shape (len(rows), dimensions).

    Raises:
        IntegrityError: It does not have all of them.
    """
    vectors = np.full((len(rows), dimensions), np.nan, np.float32)
    position = {int(row): at for at, row in enumerate(rows)}
    for start in range(0, len(rows), _PAGE):
        wanted = [int(row) for row in rows[start : start + _PAGE]]
        body = {"query": {"terms": {"row": wanted}}, "_source": ["row", "vector"]}
        for page in pages(server, index, body, _PAGE):
            for hit in page:
                vectors[position[hit["_source"]["row"]]] = hit["_source"]["vector"]
    if np.isnan(vectors).any():
        raise IntegrityError(f"Index {index} in {server.where} lacks vectors of chunks that it holds.", "Build again.")
    return vectors
