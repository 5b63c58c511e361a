"""Every way to rank a labelled collection, side by side, through the index and the ranking that serve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jargonaut.chunking.port import Chunker
from jargonaut.core.progress import Progress
from jargonaut.core.proof import Interval
from jargonaut.encoding.port import Encoder
from jargonaut.evaluation.baselines import BASELINES, Order
from jargonaut.evaluation.beir import BeirSet
from jargonaut.evaluation.collection import Collection, Place, index_collection
from jargonaut.index.port import Vector, Visibility
from jargonaut.proof.intervals import bootstrap_interval, randomisation_p
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.metrics import QueryScores, score_rankings
from jargonaut.proof.retrieval import Pool, retrieve_pools

POOL = 100


@dataclass(frozen=True, slots=True)
class EvaluatedRow:
    """One way to rank, on all judged questions."""

    name: str
    fitted: bool
    """Whether anything of it was fitted to the collection; if not, it is one of those that have to be beaten."""
    scores: QueryScores
    difference: Interval | None = None
    """Of nDCG@10 to the best row that is not fitted, paired, 95 %; None of that row itself."""
    p_value: float | None = None
    """One-sided, that it is not better than that row."""

    @property
    def ndcg(self) -> float:
        """Mean nDCG@10."""
        return float(self.scores.ndcg_at_10.mean())


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured."""

    data: BeirSet
    encoder: str
    chunks: int
    rows: tuple[EvaluatedRow, ...]
    best_untrained: str
    """Name of the row that is not fitted with the highest nDCG@10."""


def evaluate(data: BeirSet, encoder: Encoder, chunker: Chunker, place: Place, progress: Progress) -> Evaluation:
    """Index a collection and measure every row on its judged questions.

    Args:
        data: As `read_beir` read it.
        encoder: Of documents and questions.
        chunker: Counts tokens as the encoder does.
        place: This collection's own; what is there already is not encoded again.
        progress: Told how far it is.

    Raises:
        InputError: The collection holds something that cannot be indexed.
        UnavailableError: The disk refuses.
    """
    collection = index_collection(data, encoder, chunker, place, progress)
    progress("search", 0, len(data.queries))
    pools = asyncio.run(_pools(collection, encoder, list(data.queries.values())))
    progress("search", len(data.queries), len(data.queries))
    judgments = [data.judgments[query] for query in data.queries]
    scored = {
        name: score_rankings([_documents(pool, order(pool.candidates, _vector(pool), POOL), collection.names)
                              for pool in pools], judgments)
        for name, order in BASELINES.items()
    }  # fmt: skip
    rows = compared([EvaluatedRow(name, False, scores) for name, scores in scored.items()])
    return Evaluation(data, encoder.card.base, collection.chunks, rows, _best(rows).name)


def compared(rows: Sequence[EvaluatedRow]) -> tuple[EvaluatedRow, ...]:
    """The rows, each set against the best of those that are not fitted."""
    best = _best(rows)
    return tuple(row if row is best else _against(row, best) for row in rows)


def _best(rows: Sequence[EvaluatedRow]) -> EvaluatedRow:
    return max((row for row in rows if not row.fitted), key=lambda row: row.ndcg)


def _against(row: EvaluatedRow, best: EvaluatedRow) -> EvaluatedRow:
    differences = row.scores.ndcg_at_10 - best.scores.ndcg_at_10
    interval, p_value = bootstrap_interval(differences), randomisation_p(differences)
    return EvaluatedRow(row.name, row.fitted, row.scores, interval, p_value)


async def _pools(collection: Collection, encoder: Encoder, texts: Sequence[str]) -> list[Pool]:
    reader = await collection.index.open_reader(collection.snapshot)
    queries = [JudgingQuery(text, "", frozenset()) for text in texts]
    return await retrieve_pools(reader, encoder, queries, Visibility(everything=True), POOL)


def _vector(pool: Pool) -> Vector:
    assert pool.vector is not None
    return pool.vector


def _documents(pool: Pool, order: Order, names: Mapping[str, str]) -> list[str]:
    """A document stands where the best of its chunks does."""
    ids = pool.candidates.document_ids
    return [names[document] for document in dict.fromkeys(ids[position] for position in order.tolist())]
