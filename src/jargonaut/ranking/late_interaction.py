"""Late interaction: how well each token of a question is matched by any token of a chunk (MaxSim).

Khattab & Zaharia 2020, "ColBERT", here with the tokens of an encoder that was never trained for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.encoding.port import TokenVectors
from jargonaut.index.token_store import TokenStore
from jargonaut.ranking.token_projection import TokenProjection

MOST_QUERY_TOKENS = 64
"""A longer question is compared by its rarest ones: what bounds the time."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LateScores:
    """Of n chunks. NaN where a chunk's tokens are not known."""

    asked: Scores
    """Shape (n,): mean of the best cosine of every token of the question, weighted by its idf."""
    plain: Scores
    """The same, unweighted."""
    symmetric: Scores
    """`plain`, plus half the mean of the best cosine of every token of the chunk."""


@dataclass(frozen=True, slots=True, eq=False)
class LateInteraction:
    """The tokens of a revision, and what brings a question's to the same form."""

    projection: TokenProjection
    store: TokenStore

    def scores(self, chunk_ids: Sequence[str], question: TokenVectors) -> LateScores:
        """MaxSim of a question with chunks."""
        asked, plain, symmetric = (np.full(len(chunk_ids), np.nan, np.float32) for _ in range(3))
        gathered = self.store.gather(chunk_ids)
        idf = self.store.idf(question.ids)
        kept = np.sort(np.argsort(-idf, kind="stable")[:MOST_QUERY_TOKENS])
        if not gathered.found.size or not kept.size:
            return LateScores(asked, plain, symmetric)
        tokens = self.projection.apply(question.vectors[kept])
        values = gathered.values.astype(np.float32)
        length = np.sqrt(np.einsum("tw,tw->t", values, values))
        cosine = (values @ tokens.T) / np.maximum(length, 1e-6)[:, None]
        best = np.maximum.reduceat(cosine, gathered.starts, axis=0)
        counts = np.diff(np.append(gathered.starts, len(values)))
        back = np.add.reduceat(cosine.max(axis=1), gathered.starts) / counts
        weights = idf[kept] / idf[kept].sum()
        asked[gathered.found] = best @ weights
        plain[gathered.found] = best.mean(axis=1)
        symmetric[gathered.found] = best.mean(axis=1) + 0.5 * back
        return LateScores(asked, plain, symmetric)
