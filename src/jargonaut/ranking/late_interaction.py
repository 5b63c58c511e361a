"""Late interaction: how well each token of a question is matched by any token of a chunk (MaxSim).

Khattab & Zaharia 2020, "ColBERT", here with the tokens of an encoder that was never trained for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.encoding.port import Encoder, TokenVectors, Vectors, giving_tokens
from jargonaut.index.token_store import TokenStore
from jargonaut.ranking.token_projection import TokenProjection

MOST_QUERY_TOKENS = 64
"""A longer question is compared by its rarest ones: what bounds the time."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LateScores:
    """Of n chunks."""

    score: Scores
    """Shape (n,): how well the tokens match; NaN where a chunk's are not known. Comparable within one pool."""
    share: float
    """What it counts for, 0 to 1: less the longer the question is beside the chunks."""


@dataclass(frozen=True, slots=True, eq=False)
class LateInteraction:
    """The tokens of a revision, and what brings a question's to the same form."""

    projection: TokenProjection
    store: TokenStore

    def scores(self, chunk_ids: Sequence[str], question: TokenVectors) -> LateScores:
        """How well each chunk matches a question.

        The mean of the best cosine of every token of the question, by idf; and, the more the longer the question is
        beside the chunks, that of every token of the chunk. Of a short question, most of what a chunk says is
        something else; a long one is a text like the chunk, and has to be matched both ways: else the chunk with the
        most tokens has the best of each.
        """
        score = np.full(len(chunk_ids), np.nan, np.float32)
        gathered = self.store.gather(chunk_ids)
        idf = self.store.idf(question.ids)
        kept = np.sort(np.argsort(-idf, kind="stable")[:MOST_QUERY_TOKENS])
        if not gathered.found.size or not kept.size:
            return LateScores(score, 0.0)
        tokens = self.projection.apply(question.vectors[kept])
        values = gathered.values.astype(np.float32)
        length = np.sqrt(np.einsum("tw,tw->t", values, values))
        cosine = (tokens @ values.T) / np.maximum(length, 1e-6)
        counts = np.diff(np.append(gathered.starts, len(values)))
        forth = (idf[kept] / idf[kept].sum()) @ np.maximum.reduceat(cosine, gathered.starts, axis=1)
        back = np.add.reduceat(cosine.max(axis=0), gathered.starts) / counts
        relative = len(question.ids) / (len(question.ids) + float(counts.mean()))
        score[gathered.found] = forth + relative * back
        return LateScores(score, 1 - relative)


def encode_questions(
    encoder: Encoder, texts: Sequence[str], late: LateInteraction | None
) -> tuple[Vectors, list[TokenVectors | None]]:
    """Vectors of questions, shape (texts, dimensions), and, if they will be compared, the tokens of each."""
    giving = giving_tokens(encoder) if late else None
    if giving is None:
        return encoder.encode_queries(texts), [None] * len(texts)
    found: dict[int, TokenVectors] = {}
    vectors = giving.encode_with_tokens(texts, found.__setitem__, as_queries=True)
    return vectors, [found.get(number) for number in range(len(texts))]
