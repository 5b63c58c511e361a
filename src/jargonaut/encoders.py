"""The encoders of a knowledge base: what they are, and how two of them differ on its own questions."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from jargonaut.chunkers import chunker_of
from jargonaut.core.document import Chunk
from jargonaut.core.errors import InputError, RefusedError, UnknownNameError
from jargonaut.core.progress import Progress
from jargonaut.core.release import EncoderRef
from jargonaut.core.scope import LIVE
from jargonaut.encoding.artifact import encoder_ids, load_card
from jargonaut.encoding.origin import origin_of
from jargonaut.encoding.port import Encoder, EncoderCard, Vectors
from jargonaut.plans import stored_documents
from jargonaut.training.pairs import Pair, mine_pairs
from jargonaut.wiring import KnowledgeBase

MOST_QUESTIONS, MOST_TEXTS = 200, 1000
"""What two encoders are compared on: minutes at most."""
_LIVE_NAME = "live"


@dataclass(frozen=True, slots=True)
class DescribedEncoder:
    """An encoder, and where it came from."""

    card: EncoderCard
    kind: str
    """`base`, `query-side` or `full`."""
    steps: int | None
    """Of its training; None for a base."""
    seconds: float | None
    score: float | None
    """Mean reciprocal rank on the questions that training set aside; None where it set none aside."""
    base_score: float | None
    serves: tuple[str, ...]
    """`documents` and `questions`, if what is live uses it for them."""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Side:
    """What one of two encoders did."""

    encoder: str
    reciprocal_rank: float
    """Mean over the questions, among the sampled chunks."""
    texts_a_second: float
    question_ms: float


@dataclass(frozen=True, slots=True)
class EncoderComparison:
    """Two encoders on the same questions and chunks."""

    sides: tuple[Side, Side]
    questions: int
    texts: int
    same_first: float
    """Share of the questions for which both put the same chunk first."""
    cosine: float | None
    """Mean cosine of the vectors of a chunk; None between two spaces of unlike width."""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def described_encoders(base: KnowledgeBase) -> list[DescribedEncoder]:
    """Every finished encoder, bases first, then in the order of their ids."""
    live = _live(base)
    found = []
    for name in encoder_ids(base.storage):
        tuned = origin_of(base.storage, name)
        record = tuned["record"] if tuned else {}
        judged = record.get("development") or {"base": None, "candidates": []}
        serves = [
            what
            for what, used in (("documents", live and live.document), ("questions", live and live.query))
            if used == name
        ]
        found.append(
            DescribedEncoder(
                card=load_card(base.storage, name),
                kind=str(record["method"]) if tuned else "base",
                steps=record.get("steps"),
                seconds=record.get("seconds"),
                score=max(judged["candidates"], default=None),
                base_score=judged["base"],
                serves=tuple(serves),
            )
        )
    return sorted(found, key=lambda item: (item.kind != "base", item.card.id))


def find_encoder(base: KnowledgeBase, name: str) -> str:
    """The only encoder whose id begins with `name`; of `live`, what encodes the questions now.

    Raises:
        UnknownNameError: There is none.
        InputError: There are several.
        RefusedError: Nothing is live, or it has no encoder.
    """
    if name == _LIVE_NAME:
        live = _live(base)
        if live is None:
            raise RefusedError("What is live has no encoder.", "Build first: `jargonaut build`.")
        return live.query
    known = list(encoder_ids(base.storage))
    found = [item for item in known if item.startswith(name)]
    if not found:
        raise UnknownNameError("encoder", name, known)
    if len(found) > 1:
        raise InputError(f"{len(found)} encoders begin with `{name}`.", "Write more of the id.")
    return found[0]


def compare_encoders(base: KnowledgeBase, first: str, second: str, progress: Progress) -> EncoderComparison:
    """Two encoders on questions that the documents' structure asks.

    Raises:
        RefusedError: Nothing is live.
        InputError: The documents ask no question.
    """
    live = base.follower.current().channels.get(LIVE)
    if live is None:
        raise RefusedError("Nothing is live yet.", "Build first: `jargonaut build`.")
    revision, recipe = base.registry.revision(live.revision), base.registry.recipe(live.recipe)
    documents = stored_documents(base, base.registry.documents(revision.documents))
    chunker = chunker_of(base, recipe.chunker, load_card(base.storage, first))
    chunks = [chunk for document in documents for chunk in chunker.split(document)]
    pairs, sample = _sampled(mine_pairs(documents, chunks).pairs, chunks, base.settings.tuning.seed)
    if not pairs:
        raise InputError("The documents ask no question to compare encoders on.", "They need headings or links.")
    seen = []
    for number, name in enumerate((first, second)):
        progress("encode", number, 2)
        seen.append(_seen(base.load_encoder(name), pairs, sample))
    progress("encode", 2, 2)
    (one, ranks_one, vectors_one), (two, ranks_two, vectors_two) = seen
    same_width = vectors_one.shape == vectors_two.shape
    return EncoderComparison(
        (one, two),
        len(pairs),
        len(sample),
        float(np.mean(ranks_one == ranks_two)),
        float((vectors_one * vectors_two).sum(1).mean()) if same_width else None,
    )


def _live(base: KnowledgeBase) -> EncoderRef | None:
    pointer = base.follower.current().channels.get(LIVE)
    return base.registry.recipe(pointer.recipe).encoder if pointer else None


def _sampled(pairs: Sequence[Pair], chunks: Sequence[Chunk], seed: int) -> tuple[list[Pair], list[Chunk]]:
    """Questions, and chunks among which their answers are."""
    chance = random.Random(seed)
    asked = chance.sample(list(pairs), min(len(pairs), MOST_QUESTIONS))
    needed = {pair.chunk_ids[0] for pair in asked}
    others = [chunk for chunk in chunks if chunk.id not in needed]
    filling = chance.sample(others, min(len(others), max(0, MOST_TEXTS - len(needed))))
    return asked, [chunk for chunk in chunks if chunk.id in needed] + filling


def _seen(encoder: Encoder, pairs: Sequence[Pair], sample: Sequence[Chunk]) -> tuple[Side, Any, Vectors]:
    texts = [chunk.indexed_text for chunk in sample]
    started = time.perf_counter()
    vectors = encoder.encode_documents(texts)
    text_s = (time.perf_counter() - started) / len(texts)
    started = time.perf_counter()
    asked = np.concatenate([encoder.encode_queries([pair.query]) for pair in pairs])
    question_s = (time.perf_counter() - started) / len(pairs)
    scores = asked @ vectors.T
    ranks = []
    for line, pair in enumerate(pairs):
        right = np.array([chunk.id in pair.chunk_ids for chunk in sample])
        hidden = np.array([chunk.id in pair.hidden_chunk_ids for chunk in sample])
        best = scores[line][right].max()
        ranks.append(1 / (1 + np.count_nonzero(scores[line][~right & ~hidden] > best)))
    side = Side(encoder.card.id, float(np.mean(ranks)), 1 / text_s, question_s * 1000)
    return side, scores.argmax(axis=1), vectors
