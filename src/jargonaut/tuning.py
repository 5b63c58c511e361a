"""An encoder tuned to the documents, by the method of the settings: trained, exported, and indexed where it must be."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jargonaut.adapt import LiveRelease, Option
from jargonaut.build import BuildPlan, Indexing, index_documents
from jargonaut.chunkers import chunker_of
from jargonaut.core.canonical import canonical_json
from jargonaut.core.document import Chunk, Document
from jargonaut.core.errors import MissingExtraError, RefusedError, UnknownNameError
from jargonaut.core.progress import Progress
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.plain_folder import write_plain_folder
from jargonaut.encoding.port import EncoderCard
from jargonaut.encoding.weights_folder import BaseWeights, Naming, read_weights
from jargonaut.index.port import Snapshot, TableKey
from jargonaut.proof.questions import Material
from jargonaut.wiring import KnowledgeBase

Method = Literal["query-side", "full"]
Say = Callable[[str], None]

LABELS = "labels"
"""Source of the pairs that a user's labels make."""
ENOUGH_LABELS = 100
"""Labelled questions to learn from, from which `auto` tunes both sides."""
_TUNED = "tuned/"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a tuning stands on."""

    live: LiveRelease
    material: Material
    documents: Sequence[Document]
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    method: Method
    cards: tuple[EncoderCard, ...]
    """Exported encoders; of a full tuning the best on the development slice alone."""
    steps: int
    seconds: float
    questions: int
    base_score: float
    """Mean reciprocal rank of the base on the development slice; NaN without one."""
    score: float
    stopped: str


def method_for(base: KnowledgeBase, material: Material) -> Method:
    """The method of the settings; `auto` tunes both sides only where labels say what answers what.

    Without labels, full tuning on a corpus' own pairs has harmed more often than not: see the tutorial.
    """
    wanted = base.settings.tuning.method
    if wanted != "auto":
        return wanted
    labelled = sum(str(pair.source) == LABELS for pair in material.training)
    return "full" if labelled >= ENOUGH_LABELS else "query-side"


def train(base: KnowledgeBase, ground: Ground, method: Method, progress: Progress) -> Trained:
    """Train and export. What was trained on the same material already is not trained again.

    Raises:
        RefusedError: There is too little to learn from, memory is not enough, or the loss was not finite.
        MissingExtraError: torch is not installed.
    """
    trained, records = _query_side(base, ground, progress) if method == "query-side" else _full(base, ground, progress)
    start = {"base": origin(base, _document_encoder(ground.live)), "sha256": base.settings.encoder.sha256}
    for card, record in zip(trained.cards, records, strict=True):
        base.storage.put_if_absent(
            f"{_TUNED}{card.id}.json",
            canonical_json({**start, "method": method, "record": record}),
        )
    return trained


def options(base: KnowledgeBase, build: BuildPlan, ground: Ground, progress: Progress, say: Say) -> list[Option]:
    """What a training gives to choose from, indexed; empty if nothing can be trained."""
    method = method_for(base, ground.material)
    try:
        trained = train(base, ground, method, progress)
    except (MissingExtraError, RefusedError) as error:
        say(f"The encoder stays as it is; only the ranking is fitted. {error}")
        return []
    live = ground.live
    if method == "query-side":
        document = _document_encoder(live)
        return [Option(base.load_encoder(card.id), document, live.reader, live.revision) for card in trained.cards]
    if not math.isnan(trained.score) and trained.score <= trained.base_score:
        say("Full tuning gained nothing on the questions set aside, so no document is encoded anew for it.")
        return []
    return [reindexed(base, build, live, card, progress) for card in trained.cards]


def reindexed(
    base: KnowledgeBase, build: BuildPlan, live: LiveRelease, card: EncoderCard, progress: Progress
) -> Option:
    """The live documents, cut as they are, in a table of another encoder's space beside the live one."""
    chunker = chunker_of(base, live.recipe.chunker, card)
    scope = base.scope
    key = TableKey(
        scope.tenant, scope.knowledge_base, card.space, card.dimensions, live.recipe.chunker, live.recipe.analysis
    )
    load = lru_cache(maxsize=1)(lambda: base.load_encoder(card.id))
    wanted = base.registry.documents(live.revision.documents)
    revision = index_documents(build, Indexing(key, chunker, load, card.id), wanted, progress)
    reader = asyncio.run(base.index.open_reader(Snapshot(revision.table, revision.table_version)))
    return Option(load(), card.id, reader, revision)


def origin(base: KnowledgeBase, encoder_id: str) -> str:
    """What the settings called the base that an encoder is, or was tuned from.

    Raises:
        RefusedError: That is not known any more.
    """
    for key in base.storage.keys("bases/"):
        value = json.loads(base.storage.get(key))
        if value["encoder"] == encoder_id:
            return str(value["base"])
    record = tuning_record(base, encoder_id)
    if record is None:
        raise RefusedError(
            "The base weights of the live encoder are not known any more.",
            "Name them in [encoder] base and build again.",
        )
    return str(record["base"])


def grown_from(base: KnowledgeBase, encoder_id: str) -> tuple[str, str] | None:
    """Base and digest of the settings that a tuned encoder was tuned from: who names these means this encoder too.

    None if it is a base itself.
    """
    record = tuning_record(base, encoder_id)
    return (str(record["base"]), str(record["sha256"])) if record else None


def tuning_record(base: KnowledgeBase, encoder_id: str) -> dict[str, Any] | None:
    """How an encoder was tuned; None if it was not, or by a version that did not say."""
    with suppress(UnknownNameError):
        return dict(json.loads(base.storage.get(f"{_TUNED}{encoder_id}.json")))
    return None


def _document_encoder(live: LiveRelease) -> str:
    assert live.recipe.encoder is not None
    return live.recipe.encoder.document


def _weights(base: KnowledgeBase, encoder_id: str) -> BaseWeights:
    """The weights of a document encoder: of a base where it came from, of a tuned one out of its own graph."""
    if tuning_record(base, encoder_id) is None:
        return resolve_base(origin(base, encoder_id), sha256=base.settings.encoder.sha256)
    stored = load_encoder(base.storage, encoder_id)
    folder = base.work_folder / "weights" / encoder_id[:16]
    if not folder.is_dir():
        write_plain_folder(stored, folder)
    return read_weights(folder, Naming(stored.card.base, languages=stored.card.languages))


def _query_side(base: KnowledgeBase, ground: Ground, progress: Progress) -> tuple[Trained, list[dict[str, Any]]]:
    from jargonaut.training.material import tuning_set
    from jargonaut.training.query_side import TuningSettings, tune_query_encoder

    live, material, tuning = ground.live, ground.material, base.settings.tuning
    weights = _weights(base, _document_encoder(live))
    examples = asyncio.run(tuning_set(live.reader, material.training, material.training_chunks))
    work = base.work_folder / "tuning"
    settings = TuningSettings(seed=tuning.seed, budget_s=tuning.budget_s)
    tuned = tune_query_encoder(weights, examples, settings, work, progress)
    cards = tuple(save_encoder(base.storage, item.weights, live.recipe.space) for item in tuned.candidates)
    trained = Trained(
        "query-side", cards, tuned.steps, tuned.seconds, tuned.questions, math.nan, math.nan, tuned.stopped
    )
    return trained, [_record(work)] * len(cards)


def _full(base: KnowledgeBase, ground: Ground, progress: Progress) -> tuple[Trained, list[dict[str, Any]]]:
    from jargonaut.training.contrastive import FullTuningSettings, tune_encoder
    from jargonaut.training.negatives import mined
    from jargonaut.training.pair_examples import examples_of

    live, material, tuning = ground.live, ground.material, base.settings.tuning
    # Always from the base: tuning what is tuned would forget, and the record would not repeat it.
    weights = resolve_base(origin(base, _document_encoder(live)), sha256=base.settings.encoder.sha256)
    examples = examples_of(material.training, ground.documents, ground.chunks, material.training_chunks)
    ranking = live.recipe.fusion, live.whitening
    examples = asyncio.run(mined(examples, live.reader, live.query_encoder, ranking, progress))
    work = base.work_folder / "full-tuning"
    settings = FullTuningSettings(seed=tuning.seed, budget_s=tuning.budget_s)
    tuned = tune_encoder(weights, examples, settings, work, progress)
    card = save_encoder(base.storage, tuned.candidates[0].weights)
    score = tuned.scores[0] if tuned.scores else math.nan
    trained = Trained(
        "full", (card,), tuned.steps, tuned.seconds, tuned.questions, tuned.base_score, score, tuned.stopped
    )
    return trained, [_record(work)]


def _record(work: Path) -> dict[str, Any]:
    return dict(json.loads((work / "tuning.json").read_text(encoding="utf-8")))
