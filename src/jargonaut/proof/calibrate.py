"""The abstention threshold of a recipe, from questions that the documents answer and questions that they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jargonaut.core.deadline import Deadline
from jargonaut.core.release import Fusion
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexReader, Visibility
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.retrieval import DEADLINE_S, Pool, rankings, retrieve_pools
from jargonaut.ranking.probes import off_domain_questions
from jargonaut.ranking.threshold import evidence, fit_threshold
from jargonaut.ranking.whitening import Whitening

FALLBACK_COSINE = 0.35
"""Where there is no question to fit on; below what MiniLM-like encoders give to passages on the same subject."""
FALLBACK_COVERAGE = 0.5
"""The same for a lexical recipe: half of the question's terms."""


async def calibrated_threshold(
    reader: IndexReader,
    encoder: Encoder | None,
    queries: Sequence[JudgingQuery],
    languages: Mapping[str, int],
    ranked_by: tuple[Fusion, Whitening | None],
    top_k: int,
) -> float:
    """Fit the threshold on development questions and off-domain probes, through the index that serves.

    Args:
        reader: The revision.
        encoder: The query encoder, or None for a lexical recipe.
        queries: Development questions; without any, a fixed threshold is returned.
        languages: Documents by language: decides in which languages it is probed.
        ranked_by: Fusion and whitening of the recipe.
        top_k: Passages that the evidence is taken from.

    Raises:
        UnavailableError: The index cannot be searched.
    """
    if not queries:
        return FALLBACK_COSINE if encoder else FALLBACK_COVERAGE
    probed = [language for language in ("en", "zh") if languages.get(language)] or ["en", "zh"]
    probes = [JudgingQuery(text, "", frozenset()) for language in probed for text in off_domain_questions(language)]
    seen = Visibility(everything=True)
    scores = []
    for asked in (queries, probes):
        pools = await retrieve_pools(reader, encoder, asked, seen, ranked_by[0].pool)
        scores.append(await _scores(reader, pools, asked, ranked_by, top_k))
    return round(float(fit_threshold(*scores)), 4)


async def _scores(
    reader: IndexReader,
    pools: Sequence[Pool],
    queries: Sequence[JudgingQuery],
    ranked_by: tuple[Fusion, Whitening | None],
    top_k: int,
) -> list[float]:
    scores = []
    for pool, query, ranking in zip(pools, queries, rankings(pools, *ranked_by), strict=True):
        visible = [
            chunk
            for chunk, document in zip(ranking.chunk_ids, ranking.document_ids, strict=True)
            if chunk not in query.hidden and document not in query.hidden
        ][:top_k]
        position = {chunk: at for at, chunk in enumerate(pool.candidates.chunk_ids)}
        chunks = await reader.fetch(visible, Visibility(everything=True), Deadline.after(DEADLINE_S))
        texts = [" › ".join(chunk.heading_path) + "\n" + chunk.text for chunk in chunks]
        cosine = pool.candidates.cosine[[position[chunk.chunk_id] for chunk in chunks]]
        scores.append(evidence(query.text, texts, cosine).score)
    return scores
