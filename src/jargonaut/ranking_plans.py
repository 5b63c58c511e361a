"""What the ranking of a knowledge base is fitted with, made ready from its settings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from jargonaut.build import Indexing
from jargonaut.core.document import Chunk
from jargonaut.core.release import Recipe
from jargonaut.core.scope import LIVE
from jargonaut.encoding.port import TokenEncoder
from jargonaut.evaluation.beir import read_questions
from jargonaut.fitting import RankingPlan
from jargonaut.ranking.safe import safe_ranking
from jargonaut.ranking.token_writing import TokenWriting, load_projection, new_projection, token_encoder
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
            projection = new_projection(base.storage, giving, [text for _, text in texts])
        return TokenWriting(base.storage, lambda: giving, projection)

    compares = tuning.compare_tokens and isinstance(encoder, TokenEncoder)
    return RankingPlan(
        safe_ranking(encoder), (lambda: writing(token_encoder(encoder))) if compares else None, texts, unlabelled
    )


def live_token_writing(base: KnowledgeBase, indexing: Indexing) -> TokenWriting | None:
    """What writes the tokens that the live recipe compares, if it does, and searches this kind of index."""
    live = base.follower.current().channels.get(LIVE)
    recipe = base.registry.recipe(live.recipe) if live else None
    load = indexing.encoder
    if recipe is None or load is None or not recipe.fusion.tokens or recipe.space != indexing.table.space:
        return None
    projection = load_projection(base.storage, recipe.fusion.tokens)
    return TokenWriting(base.storage, lambda: token_encoder(load()), projection)
