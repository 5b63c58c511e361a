"""Whether a changed threshold, number of passages or generator answers no worse: judged on answers, not on ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jargonaut.core.proof import Proof
from jargonaut.core.release import Recipe
from jargonaut.index.port import IndexReader
from jargonaut.proof.gate import Contest, decide
from jargonaut.proof.judge import JudgingQuery, Trial
from jargonaut.proof.retrieval import Pool, passages_given
from jargonaut.ranking.whitening import Whitening

MEASURE = "right answers"


async def judge_answers(
    reader: IndexReader,
    pools: Sequence[Pool],
    queries: Sequence[JudgingQuery],
    whitening: Whitening | None,
    recipes: tuple[Recipe, Recipe],
    trial: Trial,
) -> Proof:
    """Compare two recipes that retrieve alike.

    An answer is right if one is given and the right section is among its passages.

    Args:
        reader: The revision.
        pools: Of the queries, with the query encoder that both recipes have.
        queries: The judging questions.
        whitening: That both recipes have.
        recipes: The live one, and the changed one.
        trial: What the record says; its gate has a margin.

    Raises:
        UnavailableError: The index cannot be read.
    """
    before, after = [await _right(reader, pools, queries, whitening, recipe) for recipe in recipes]
    documents = [query.document_id for query in queries]
    contest = Contest(trial.baseline_row, trial.candidate_row, before, after, documents, measure=MEASURE)
    decision = decide(contest, trial.gate)
    return Proof(
        candidate=trial.candidate,
        baseline=trial.baseline,
        revision=trial.revision,
        query_source=trial.query_source,
        queries_chosen_on=trial.queries_chosen_on,
        queries_judged_on=len(queries),
        documents_held_out=trial.documents_held_out,
        level=trial.gate.level,
        resolves=decision.resolves,
        rows=(),
        comparison=decision.comparison,
        verdict=decision.verdict,
        reason=decision.reason,
        lineage=dict(trial.lineage),
    )


async def _right(
    reader: IndexReader,
    pools: Sequence[Pool],
    queries: Sequence[JudgingQuery],
    whitening: Whitening | None,
    recipe: Recipe,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    given = await passages_given(reader, pools, queries, (recipe.fusion, whitening), recipe.most_passages)
    right = [
        item.evidence.answers(recipe.similarity_threshold) and bool(query.relevant & set(item.chunk_ids))
        for item, query in zip(given, queries, strict=True)
    ]
    return np.array(right, np.float64)
