"""From rankings of the held-out questions to the proof of a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError
from jargonaut.core.proof import Interval, Opinion, Proof, Row
from jargonaut.index.port import Candidates
from jargonaut.proof.gate import Contest, Decision, Gate, decide
from jargonaut.proof.intervals import Groups, bootstrap_interval
from jargonaut.proof.metrics import QueryScores, score_rankings
from jargonaut.ranking.fuse import Ranking


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers a question: a section, a document."""

    chunks: frozenset[str]
    """Ids: finding any of them is finding it."""
    grade: float = 1.0
    """How well it answers: above 0."""
    document_id: str = ""
    section: str = ""
    """Title and heading path, for people."""


@dataclass(frozen=True, slots=True)
class JudgingQuery:
    """A question and what answers it: one section, or several sections or documents, each with its grade."""

    text: str
    document_id: str
    """Of what answers it best, which training must not have seen."""
    relevant: frozenset[str]
    """Ids of all chunks that answer."""
    hidden: frozenset[str] = frozenset()
    """Chunk or document ids taken out of every ranking first, such as the place where the question was taken from."""
    source: str = ""
    """`labels`, `cross-reference`, `heading`, ..."""
    section: str = ""
    """Title and heading path of what answers it best, for people."""
    targets: tuple[Target, ...] = ()
    """Best first. Empty if there is one, of grade 1: the chunks in `relevant`."""
    by_document: bool = False
    """Rank documents by their first chunk, not chunks: where whole documents were judged."""
    language: str = ""
    origin: str = ""
    """The source of documents that the answer is from, if there are several."""
    cluster: str = ""
    """Names what is resampled together, if that is more than the document: its near-duplicates."""

    @property
    def group(self) -> str:
        """What is resampled together."""
        return self.cluster or self.document_id

    @property
    def sought(self) -> tuple[Target, ...]:
        """The targets."""
        return self.targets or (Target(self.relevant, 1.0, self.document_id, self.section),)

    @property
    def document_ids(self) -> frozenset[str]:
        """Of everything that answers it."""
        return frozenset(target.document_id for target in self.sought) | {self.document_id}


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
    family_level: float = 0.0
    """The level of all proofs on these questions together, and which of them this is."""
    look: int = 1
    set_aside: int = 0
    """Questions that decided an earlier proof, and do not decide this one."""


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """What became of one judging query. Not part of the record, since it shows text of documents."""

    query: str
    section: str
    baseline_rank: int | None
    """Of the first thing that answers; 1 is best; None if it is not in the list."""
    candidate_rank: int | None
    baseline_score: float
    """NDCG@10."""
    candidate_score: float
    baseline_first: str = ""
    """Id of the chunk that came first; for people its title and heading path."""
    candidate_first: str = ""

    @property
    def difference(self) -> float:
        """What was gained."""
        return self.candidate_score - self.baseline_score


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
    scores = score_rows(rows, queries)
    groups = groups_of(queries)
    contest = Contest(
        baseline=trial.baseline_row,
        candidate=trial.candidate_row,
        baseline_scores=scores[trial.baseline_row].ndcg_at_10,
        candidate_scores=scores[trial.candidate_row].ndcg_at_10,
        groups=groups,
        parts=parts_of(queries),
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
        rows=summed_rows(scores, groups, trial.gate.seed),
        comparison=decision.comparison,
        verdict=decision.verdict if trial.baseline else "unproven",
        reason=_reason(decision, trial),
        lineage=dict(trial.lineage),
        family_level=trial.family_level,
        look=trial.look,
        parts=decision.parts,
    )
    before, after = rows[trial.baseline_row], rows[trial.candidate_row]
    outcomes = tuple(
        QueryOutcome(
            query=query.text,
            section=query.section,
            baseline_rank=section_rank(old, query),
            candidate_rank=section_rank(new, query),
            baseline_score=float(contest.baseline_scores[number]),
            candidate_score=float(contest.candidate_scores[number]),
            baseline_first=_first(old, query),
            candidate_first=_first(new, query),
        )
        for number, (query, old, new) in enumerate(zip(queries, before, after, strict=True))
    )
    return Judgement(proof, outcomes)


def opinion(
    rows: Mapping[str, Sequence[RankedChunks]], queries: Sequence[JudgingQuery], trial: Trial, source: str
) -> Opinion:
    """What other questions would have said at the same level."""
    found = judge(rows, queries, trial).proof
    assert found.comparison is not None
    return Opinion(source, len(queries), found.comparison, found.verdict)


def groups_of(queries: Sequence[JudgingQuery]) -> list[str]:
    """What is resampled together, one name a query."""
    return [query.group for query in queries]


def score_rows(rows: Mapping[str, Sequence[RankedChunks]], queries: Sequence[JudgingQuery]) -> dict[str, QueryScores]:
    """Every row scored on the same queries."""
    grades = [{_named(at): target.grade for at, target in enumerate(query.sought)} for query in queries]
    return {
        name: score_rankings([items(*pair) for pair in zip(rankings, queries, strict=True)], grades)
        for name, rankings in rows.items()
    }


def summed_rows(scores: Mapping[str, QueryScores], groups: Groups, seed: int = 0) -> tuple[Row, ...]:
    """Means with their intervals."""

    def interval(values: NDArray[np.float64]) -> Interval:
        return bootstrap_interval(values, groups, seed=seed)

    return tuple(
        Row(
            name=name,
            ndcg_at_10=interval(of_row.ndcg_at_10),
            recall_at_10=interval(of_row.recall_at_10),
            mrr_at_10=interval(of_row.mrr_at_10),
            recall_at_5=interval(of_row.recall_at_5),
            recall_at_100=interval(of_row.recall_at_100),
        )
        for name, of_row in scores.items()
    )


def parts_of(queries: Sequence[JudgingQuery]) -> dict[str, list[str]]:
    """The kinds of parts that are looked at by themselves."""
    return {
        "language": [query.language for query in queries],
        "documents": [query.origin for query in queries],
        "questions": [query.source for query in queries],
    }


def ranked_chunks(candidates: Candidates, ranking: Ranking) -> RankedChunks:
    """The candidates in the order of their ranking."""
    order = ranking.order.tolist()
    return RankedChunks(tuple(candidates.chunk_ids[i] for i in order), tuple(candidates.document_ids[i] for i in order))


def items(ranking: RankedChunks, query: JudgingQuery) -> list[str]:
    """What a reader of the ranking comes by, each thing once, hidden ones cut: targets, and everything else.

    A target counts at its first chunk. Its later chunks do not count again, and shift nothing.
    """
    targets: dict[str, list[str]] = {}
    for at, target in enumerate(query.sought):
        for chunk in target.chunks:
            targets.setdefault(chunk, []).append(_named(at))
    seen: dict[str, None] = {}
    for chunk_id, document_id in zip(ranking.chunk_ids, ranking.document_ids, strict=True):
        if chunk_id in query.hidden or document_id in query.hidden:
            continue
        others = [document_id] if query.by_document else [chunk_id]
        seen.update(dict.fromkeys(targets.get(chunk_id, others)))
    return list(seen)


def section_rank(ranking: RankedChunks, query: JudgingQuery) -> int | None:
    """Rank of the first thing that answers once hidden chunks are cut; 1 is best, None if it is not there."""
    wanted = {_named(at) for at in range(len(query.sought))}
    return next((rank for rank, item in enumerate(items(ranking, query), 1) if item in wanted), None)


def split_halves(queries: Sequence[JudgingQuery], seed: int = 0) -> Halves:
    """Split by a seeded hash of the document or its cluster, so that all questions on it fall on the same side."""

    def judged(query: JudgingQuery) -> bool:
        return hashlib.sha256(f"{seed}:{query.group}".encode()).digest()[0] % 2 == 1

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


def _named(target: int) -> str:
    """Stands for a target among chunks and documents, whose ids are hexadecimal."""
    return f"target {target}"


def _first(ranking: RankedChunks, query: JudgingQuery) -> str:
    visible = zip(ranking.chunk_ids, ranking.document_ids, strict=True)
    return next((chunk for chunk, document in visible if not query.hidden & {chunk, document}), "")


def _reason(decision: Decision, trial: Trial) -> str:
    said = [decision.reason]
    if not trial.baseline:
        said.insert(0, "There was no live recipe to be compared with.")
    if trial.gate.margin is None and trial.look > 1:
        said.append(
            f"It is look {trial.look} at these questions, and all looks together are held to {trial.family_level:g}."
        )
    if trial.set_aside:
        said.append(f"{trial.set_aside} questions that decided before were set aside: enough are new.")
    return " ".join(said)
