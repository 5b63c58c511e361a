"""What the ranking of a knowledge base is fitted with, made ready from its settings."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from jargonaut.core.document import Chunk
from jargonaut.core.release import Recipe
from jargonaut.core.scope import LIVE
from jargonaut.encoding.port import TokenEncoder, giving_tokens
from jargonaut.evaluation.beir import read_questions
from jargonaut.fitting import RankingPlan
from jargonaut.indexing import Indexing
from jargonaut.ranking.safe import safe_ranking
from jargonaut.ranking.token_projection import TokenProjection
from jargonaut.ranking.token_writing import (
    TokenWriting,
    kept_projection,
    load_projection,
    new_projection,
    token_encoder,
)
from jargonaut.wiring import KnowledgeBase

MOST_QUESTIONS = 400
"""Questions without labels that are looked at: more hardly move a weight."""


def ranking_plan(base: KnowledgeBase, live: Recipe, document_encoder: str, chunks: Sequence[Chunk]) -> RankingPlan:
    """How the ranking of the live documents is to be fitted.

    Args:
        base: The knowledge base.
        live: Its live recipe, which has an encoder.
        document_encoder: Id of the encoder that they are indexed by: that of the live recipe, or another.
        chunks: Of all documents of the live revision.

    Raises:
        InputError: The file of questions cannot be read.
    """
    assert live.encoder is not None
    tuning, encoder = base.settings.tuning, base.load_encoder(document_encoder)
    tokens = live.fusion.tokens if document_encoder == live.encoder.document else ""
    unlabelled = read_questions(Path(tuning.queries)) if tuning.queries else []
    if len(unlabelled) > MOST_QUESTIONS:
        unlabelled = random.Random(tuning.seed).sample(unlabelled, MOST_QUESTIONS)
    texts = [(chunk.id, chunk.indexed_text) for chunk in chunks]

    def writing(giving: TokenEncoder) -> TokenWriting:
        if tokens:
            projection = load_projection(base.storage, tokens)
        else:
            projection = new_projection(base.storage, encoder.card.space, giving, [text for _, text in texts])
        return TokenWriting(base.storage, lambda: giving, projection)

    compares = tuning.compare_tokens and giving_tokens(encoder) is not None
    return RankingPlan(
        safe_ranking(encoder), (lambda: writing(token_encoder(encoder))) if compares else None, texts, unlabelled
    )


def token_writing(
    base: KnowledgeBase, indexing: Indexing, sample: Callable[[], list[str]] | None
) -> TokenWriting | None:
    """What keeps the tokens of a build, if the live recipe compares them, or one that is tried next may.

    Args:
        base: The knowledge base.
        indexing: How its documents become rows.
        sample: Texts to fit a projection on, if there is none yet; None: then tokens are not kept.
    """
    load, tuning = indexing.encoder, base.settings.tuning
    if load is None:
        return None
    live = base.follower.current().channels.get(LIVE)
    recipe = base.whole_recipe(live.recipe) if live else None
    space = indexing.table.space
    if recipe is not None and recipe.fusion.tokens and recipe.space == space:
        projection: TokenProjection | None = load_projection(base.storage, recipe.fusion.tokens)
    elif not (tuning.enabled and tuning.compare_tokens):
        return None
    else:
        projection = kept_projection(base.storage, space)
        if projection is None and sample is not None and (encoder := giving_tokens(load())):
            projection = new_projection(base.storage, space, encoder, sample())
    return TokenWriting(base.storage, lambda: token_encoder(load()), projection) if projection else None
