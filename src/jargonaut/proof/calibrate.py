"""The abstention threshold of a recipe, from questions that the documents answer and questions that they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jargonaut.core.release import Fusion
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexReader, Visibility
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.retrieval import passages_given, retrieve_pools
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.probes import off_domain_questions
from jargonaut.ranking.threshold import fit_threshold
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
    most: tuple[int, int],
    late: LateInteraction | None = None,
) -> float:
    """Fit the threshold on development questions and off-domain probes, through the index that serves.

    Args:
        reader: The revision.
        encoder: The query encoder, or None for a lexical recipe.
        queries: Development questions; without any, a fixed threshold is returned.
        languages: Documents by language: decides in which languages it is probed.
        ranked_by: Fusion and whitening of the recipe.
        most: Passages that the evidence is taken from: in all, and of one document.
        late: What compares tokens, if the recipe does.

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
        pools = await retrieve_pools(reader, encoder, asked, seen, ranked_by[0].pool, late)
        given = await passages_given(reader, pools, asked, ranked_by, most)
        scores.append([item.evidence.score for item in given])
    return round(float(fit_threshold(*scores)), 4)
