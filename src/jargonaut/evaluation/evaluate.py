"""Every way to rank a labelled collection, side by side, through the index and the ranking that serve."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jargonaut.chunking.port import Chunker
from jargonaut.core.deadline import Deadline
from jargonaut.core.progress import Progress
from jargonaut.core.proof import Interval
from jargonaut.encoding.port import Encoder
from jargonaut.evaluation.baselines import BASELINES, Baseline, Order
from jargonaut.evaluation.beir import BeirSet
from jargonaut.evaluation.collection import Collection, Place, index_collection
from jargonaut.evaluation.ladder import POOL, ladder
from jargonaut.index.port import Vector, Visibility
from jargonaut.proof.intervals import bootstrap_interval, randomisation_p
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.metrics import QueryScores, score_rankings
from jargonaut.proof.retrieval import DEADLINE_S, Pool, retrieve_pools
from jargonaut.ranking.agreement import AgreedWeight
from jargonaut.ranking.whitening import SAMPLE_ROWS

MOST_UNLABELLED = 400
"""Questions without labels that are looked at: more hardly move the weight."""
_SEED = 0


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
    agreed: AgreedWeight
    """The lexical weight that the questions without labels led to."""


def evaluate(
    data: BeirSet,
    encoder: Encoder | None,
    chunker: Chunker,
    place: Place,
    progress: Progress,
    unlabelled: Sequence[str] | None = None,
) -> Evaluation:
    """Index a collection and measure every row on its judged questions.

    Args:
        data: As `read_beir` read it.
        encoder: Of documents and questions; None to search by words only.
        chunker: Counts tokens as the encoder does.
        place: This collection's own; what is there already is not encoded again.
        progress: Told how far it is.
        unlabelled: Questions to fit the ranking on, such as a log; None for those of the collection that no judged
            split has. Their labels, if they have any, are not looked at.

    Raises:
        InputError: The collection holds something that cannot be indexed.
        UnavailableError: The disk refuses.
    """
    collection = index_collection(data, encoder, chunker, place, progress)
    log = _sampled(data.other_texts if unlabelled is None else unlabelled)
    texts = [*data.queries.values(), *log]
    progress("search", 0, len(texts))
    pools, sample = asyncio.run(_searched(collection, encoder, texts))
    progress("search", len(texts), len(texts))
    judged, asked = pools[: len(data.queries)], pools[len(data.queries) :]
    judgments = [data.judgments[query] for query in data.queries]

    def scored(name: str, order: Callable[[Pool], Order], fitted: bool) -> EvaluatedRow:
        ranked = [_documents(pool, order(pool), collection.names) for pool in judged]
        return EvaluatedRow(name, fitted, score_rankings(ranked, judgments))

    names = BASELINES if encoder else ("bm25",)
    rows = [scored(name, _by_baseline(BASELINES[name]), False) for name in names]
    agreed = AgreedWeight(1.0, 0)
    if encoder:
        steps, agreed = ladder(encoder, sample, asked, collection.late is not None)
        rows += [scored(step.name, step.order, True) for step in steps]
    measured = compared(rows)
    base = encoder.card.base if encoder else "none"
    return Evaluation(data, base, collection.chunks, measured, _best(measured).name, agreed)


def _by_baseline(baseline: Baseline) -> Callable[[Pool], Order]:
    return lambda pool: baseline(pool.candidates, pool.vector, POOL)


def _sampled(texts: Sequence[str]) -> list[str]:
    return list(texts) if len(texts) <= MOST_UNLABELLED else random.Random(_SEED).sample(list(texts), MOST_UNLABELLED)


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


async def _searched(collection: Collection, encoder: Encoder | None, texts: Sequence[str]) -> tuple[list[Pool], Vector]:
    """A pool for every text, and a sample of the documents' vectors."""
    reader = await collection.index.open_reader(collection.snapshot)
    queries = [JudgingQuery(text, "", frozenset()) for text in texts]
    pools = await retrieve_pools(reader, encoder, queries, Visibility(everything=True), POOL, collection.late)
    _, vectors = await reader.vectors(SAMPLE_ROWS, Deadline.after(DEADLINE_S))
    return pools, vectors


def _documents(pool: Pool, order: Order, names: Mapping[str, str]) -> list[str]:
    """A document stands where the best of its chunks does."""
    ids = pool.candidates.document_ids
    return [names[document] for document in dict.fromkeys(ids[position] for position in order.tolist())]
