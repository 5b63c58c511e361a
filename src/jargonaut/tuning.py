"""An encoder tuned to the documents, by the method of the settings: trained, exported, and indexed where it must be."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jargonaut.chunkers import chunker_of
from jargonaut.core.document import Chunk, Document
from jargonaut.core.errors import MissingExtraError, RefusedError, SettingsError
from jargonaut.core.progress import Progress
from jargonaut.encoding.artifact import load_card, load_encoder, save_encoder, tokenizer_path
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.origin import origin_of, put_origin, tokens_name
from jargonaut.encoding.plain_folder import write_plain_folder
from jargonaut.encoding.port import EncoderCard
from jargonaut.encoding.weights_folder import BaseWeights, Naming, read_weights
from jargonaut.index.port import Snapshot, TableKey
from jargonaut.indexing import BuildPlan, Indexing, index_documents
from jargonaut.options import LiveRelease, Option
from jargonaut.proof.questions import Material
from jargonaut.retention import keep_for_a_proof
from jargonaut.training.pairs import Pair
from jargonaut.wiring import KnowledgeBase

Method = Literal["query-side", "full", "static"]
Say = Callable[[str], None]

ENOUGH_LABELS = 100
"""Labelled questions to learn from, from which `auto` tunes both sides."""


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
    labelled = sum(pair.source == "label" for pair in material.training)
    return "full" if labelled >= ENOUGH_LABELS else "query-side"


def train(base: KnowledgeBase, ground: Ground, method: Method, progress: Progress) -> Trained:
    """Train and export. What was trained on the same material already is not trained again.

    Raises:
        RefusedError: There is too little to learn from, memory is not enough, or the loss was not finite.
        MissingExtraError: torch is not installed.
    """
    how = {"query-side": _query_side, "full": _full, "static": _static}[method]
    trained, records = how(base, ground, progress)
    document = ground.live.document_encoder
    start = origin(base, document), base.settings.encoder.sha256
    tokens = tokens_name(base.storage, load_card(base.storage, document))
    for card, record in zip(trained.cards, records, strict=True):
        base.registry.put_lineage(card.id, ground.material.read)
        put_origin(base.storage, card.id, base=start, tokens=tokens, record={"method": method, **record})
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
        document = live.document_encoder
        return [Option(base.load_encoder(card.id), document, live.reader, live.revision) for card in trained.cards]
    if not math.isnan(trained.score) and trained.score <= trained.base_score:
        say("Full tuning gained nothing on the questions set aside, so no document is encoded anew for it.")
        return []
    return [reindexed(base, build, ground, card, progress) for card in trained.cards]


def reindexed(base: KnowledgeBase, build: BuildPlan, ground: Ground, card: EncoderCard, progress: Progress) -> Option:
    """The live documents, cut as they are, in a table of another encoder's space beside the live one."""
    live = ground.live
    chunker = chunker_of(base, live.recipe.chunker, card)
    scope = base.scope
    key = TableKey(
        scope.tenant, scope.knowledge_base, card.space, card.dimensions, live.recipe.chunker, live.recipe.analysis
    )
    load = lru_cache(maxsize=1)(lambda: base.load_encoder(card.id))
    wanted = base.registry.documents(live.revision.documents)
    revision = index_documents(build, Indexing(key, chunker, load, card.id), wanted, progress)
    base.registry.put(revision)
    keep_for_a_proof(build, revision)
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
    record = origin_of(base.storage, encoder_id)
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
    record = origin_of(base.storage, encoder_id)
    return (str(record["base"]), str(record["sha256"])) if record else None


def _weights(base: KnowledgeBase, encoder_id: str) -> BaseWeights:
    """The weights of a document encoder: of a base where it came from, of a tuned one out of its own graph."""
    if origin_of(base.storage, encoder_id) is None:
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
    weights = _weights(base, live.document_encoder)
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
    weights = resolve_base(origin(base, live.document_encoder), sha256=base.settings.encoder.sha256)
    pairs = [*material.training, *_inner(ground), *_written(base, ground, progress)]
    examples = examples_of(pairs, ground.documents, ground.chunks, material.training_chunks)
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


def _static(base: KnowledgeBase, ground: Ground, progress: Progress) -> tuple[Trained, list[dict[str, Any]]]:
    from jargonaut.training.static_student import distil

    document = ground.live.document_encoder
    texts = [chunk.indexed_text for chunk in ground.chunks if chunk.id in ground.material.training_chunks]
    teacher, started = base.load_encoder(document), time.monotonic()
    tokenizer = tokenizer_path(base.storage, document)
    student = distil(teacher, tokenizer, texts, base.work_folder / "student", progress, base.settings.tuning.seed)
    card = save_encoder(base.storage, student.weights)
    seconds = round(time.monotonic() - started, 3)
    record = {"texts": student.texts, "agreement": student.agreement, "steps": 0, "seconds": seconds}
    return Trained("static", (card,), 0, seconds, 0, math.nan, math.nan, ""), [record]


def _inner(ground: Ground) -> list[Pair]:
    """Questions that stand beside their answers, in the documents that training may read."""
    from jargonaut.training.inner_pairs import all_inner_pairs
    from jargonaut.training.sections import DocumentSections

    allowed, chunks = ground.material.training_chunks, defaultdict(list)
    for chunk in ground.chunks:
        if chunk.id in allowed:
            chunks[chunk.document_id].append(chunk)
    read = [item for item in ground.documents if item.id in chunks]
    return all_inner_pairs(DocumentSections(item, tuple(chunks[item.id])) for item in read)


def _written(base: KnowledgeBase, ground: Ground, progress: Progress) -> list[Pair]:
    """What a language model asks, if one is configured."""
    from jargonaut.training.written import Writer, written_pairs

    tuning = base.settings.tuning
    if not tuning.writer_url:
        return []
    if tuning.writer_key_env and not os.environ.get(tuning.writer_key_env):
        raise SettingsError(
            f"The environment variable {tuning.writer_key_env}, which [tuning] writer_key_env names, is not set.",
            "Set it to the key of the endpoint.",
        )
    key = os.environ[tuning.writer_key_env] if tuning.writer_key_env else ""
    chunks = [chunk for chunk in ground.chunks if chunk.id in ground.material.training_chunks]
    writer = Writer(tuning.writer_url, tuning.writer_model, key)
    kept = base.work_folder / "written.jsonl"
    return written_pairs(chunks, writer, kept, tuning.written_for, tuning.seed, progress)


def _record(work: Path) -> dict[str, Any]:
    return dict(json.loads((work / "tuning.json").read_text(encoding="utf-8")))
