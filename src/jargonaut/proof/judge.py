"""From rankings of the held-out questions to the proof of a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError
from jargonaut.core.proof import Interval, Proof, Row
from jargonaut.index.port import Candidates
from jargonaut.proof.gate import Contest, Decision, Gate, decide
from jargonaut.proof.intervals import Groups, bootstrap_interval
from jargonaut.proof.metrics import CUT, QueryScores, score_rankings
from jargonaut.ranking.fuse import Ranking

_SECTION = ""
"""Stands for the relevant section in a collapsed ranking; no chunk has an empty id."""


@dataclass(frozen=True, slots=True)
class JudgingQuery:
    """A question and the one section that answers it."""

    text: str
    document_id: str
    """Of the section's document, which training must not have seen."""
    relevant: frozenset[str]
    """Ids of the section's chunks: finding any of them is finding it."""
    hidden: frozenset[str] = frozenset()
    """Chunk or document ids taken out of every ranking first, such as the place where the question was taken from."""
    source: str = ""
    """`labels`, `cross-references`, `headings`."""
    section: str = ""
    """Title and heading path, for people."""


@dataclass(frozen=True, slots=True)
class RankedChunks:
    """A ranking, best first, with the documents of its chunks."""

    chunk_ids: tuple[str, ...]
    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Halves:
    """Held-out queries: what is chosen on one half is judged on the other, whose documents differ."""

    chosen_on: tuple[JudgingQuery, ...]
    judged_on: tuple[JudgingQuery, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and the circumstances that the record keeps."""

    candidate: str
    """Recipe id."""
    baseline: str
    """Recipe id of the live recipe, or empty: then the verdict is `unproven`."""
    revision: str
    candidate_row: str
    """Name of the row that the candidate recipe serves, such as `fused tuned`."""
    baseline_row: str
    """Name of the row that the live recipe serves; without one, of the row to measure the candidate against."""
    query_source: str
    queries_chosen_on: int
    documents_held_out: int
    lineage: Mapping[str, str] = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """What became of one judging query. Not part of the record, since it shows text of documents."""

    query: str
    section: str
    baseline_rank: int | None
    """1 is best; None if the section is not in the list."""
    candidate_rank: int | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The record, and what it rests on query by query."""

    proof: Proof
    outcomes: tuple[QueryOutcome, ...]


def judge(rows: Mapping[str, Sequence[RankedChunks]], queries: Sequence[JudgingQuery], trial: Trial) -> Judgement:
    """Score every row on the same queries, compare candidate with baseline, and ask the gate.

    Args:
        rows: For each row its rankings, one a query; at least 10 visible chunks each where the corpus has them.
        queries: The judging half.
        trial: What the record says beside the numbers. Its two rows must be in `rows`.

    Raises:
        InputError: There are no queries, or a row is missing or of another length.
    """
    _check(rows, queries, trial)
    ranks = {
        name: [section_rank(*pair) for pair in zip(rankings, queries, strict=True)] for name, rankings in rows.items()
    }
    scores = {name: _scores(of_row) for name, of_row in ranks.items()}
    documents = [query.document_id for query in queries]
    contest = Contest(
        baseline=trial.baseline_row,
        candidate=trial.candidate_row,
        baseline_scores=scores[trial.baseline_row].ndcg_at_10,
        candidate_scores=scores[trial.candidate_row].ndcg_at_10,
        groups=documents,
    )
    decision = decide(contest, trial.gate)
    proof = Proof(
        candidate=trial.candidate,
        baseline=trial.baseline,
        revision=trial.revision,
        query_source=trial.query_source,
        queries_chosen_on=trial.queries_chosen_on,
        queries_judged_on=len(queries),
        documents_held_out=trial.documents_held_out,
        level=trial.gate.level,
        resolves=decision.resolves,
        rows=tuple(_row(name, of_row, documents, trial.gate.seed) for name, of_row in scores.items()),
        comparison=decision.comparison,
        verdict=decision.verdict if trial.baseline else "unproven",
        reason=_reason(decision, trial),
        lineage=dict(trial.lineage),
    )
    outcomes = tuple(
        QueryOutcome(query.text, query.section, before, after)
        for query, before, after in zip(queries, ranks[trial.baseline_row], ranks[trial.candidate_row], strict=True)
    )
    return Judgement(proof, outcomes)


def ranked_chunks(candidates: Candidates, ranking: Ranking) -> RankedChunks:
    """The candidates in the order of their ranking."""
    order = ranking.order.tolist()
    return RankedChunks(tuple(candidates.chunk_ids[i] for i in order), tuple(candidates.document_ids[i] for i in order))


def section_rank(ranking: RankedChunks, query: JudgingQuery) -> int | None:
    """Rank of the first chunk of the relevant section once hidden chunks are cut; 1 is best, None if it is not there.

    Later chunks of the section do not count again, and since they stand behind the first they shift nothing.
    """
    rank = 0
    for chunk_id, document_id in zip(ranking.chunk_ids, ranking.document_ids, strict=True):
        if chunk_id in query.hidden or document_id in query.hidden:
            continue
        rank += 1
        if chunk_id in query.relevant:
            return rank
    return None


def split_halves(queries: Sequence[JudgingQuery], seed: int = 0) -> Halves:
    """Split by a seeded hash of the document, so that all questions on a document fall on the same side."""

    def judged(query: JudgingQuery) -> bool:
        return hashlib.sha256(f"{seed}:{query.document_id}".encode()).digest()[0] % 2 == 1

    return Halves(
        tuple(query for query in queries if not judged(query)), tuple(query for query in queries if judged(query))
    )


def _check(rows: Mapping[str, Sequence[RankedChunks]], queries: Sequence[JudgingQuery], trial: Trial) -> None:
    if not queries:
        raise InputError(
            "There is no question to judge on.", "Add labelled questions, or more documents with headings."
        )
    for name in (trial.baseline_row, trial.candidate_row):
        if name not in rows:
            raise InputError(f"The row `{name}` was not measured; there are {', '.join(rows) or 'none'}.")
    for name, rankings in rows.items():
        if len(rankings) != len(queries):
            raise InputError(f"The row `{name}` has {len(rankings)} rankings for {len(queries)} questions.")


def _scores(ranks: Sequence[int | None]) -> QueryScores:
    """Scores of rankings in which only the place of one section matters."""
    rankings = [[str(i) for i in range(1, rank)] + [_SECTION] if rank and rank <= CUT else [] for rank in ranks]
    return score_rankings(rankings, [{_SECTION}] * len(ranks))


def _row(name: str, scores: QueryScores, groups: Groups, seed: int) -> Row:
    def interval(values: NDArray[np.float64]) -> Interval:
        return bootstrap_interval(values, groups, seed=seed)

    return Row(name, interval(scores.ndcg_at_10), interval(scores.recall_at_10), interval(scores.mrr_at_10))


def _reason(decision: Decision, trial: Trial) -> str:
    if trial.baseline:
        return decision.reason
    return f"There was no live recipe to be compared with. {decision.reason}"
