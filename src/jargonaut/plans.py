"""What a build and an adaptation need, made ready from the settings of a knowledge base."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from jargonaut.adapt import AdaptationPlan
from jargonaut.chunkers import chunker_of, wanted_chunker
from jargonaut.chunking.port import Chunker
from jargonaut.core.canonical import canonical_json, digest_of
from jargonaut.core.document import Chunk
from jargonaut.core.errors import (
    IntegrityError,
    MissingExtraError,
    RefusedError,
    UnavailableError,
    UnknownNameError,
)
from jargonaut.core.progress import Progress
from jargonaut.core.release import LEXICAL_SPACE, EncoderRef, Fusion, Recipe, Revision
from jargonaut.core.scope import LIVE
from jargonaut.documents.corpus import Corpus
from jargonaut.encoding.artifact import is_table, load_card, load_encoder, save_encoder
from jargonaut.encoding.base_weights import default_base, resolve_base
from jargonaut.encoding.port import Encoder, EncoderCard
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.port import Snapshot, TableKey
from jargonaut.indexing import BuildPlan, Indexing
from jargonaut.options import LiveRelease, Option
from jargonaut.proof.calibrate import FALLBACK_COVERAGE, calibrated_threshold
from jargonaut.proof.gate import Gate
from jargonaut.proof.questions import Corpus as DividedCorpus
from jargonaut.proof.questions import HeldOut, divide, sample_questions
from jargonaut.ranking.fit import CONTEXTUAL_WEIGHT, STATIC_WEIGHT
from jargonaut.ranking_plans import ranking_plan, token_writing
from jargonaut.releases.visibility import overlay
from jargonaut.services import wanted_generator, wanted_prompt
from jargonaut.sources import files_of, results_of, rules_of, stored_documents
from jargonaut.state.knowledge_base import ChannelPointer
from jargonaut.training.pairs import mine_pairs
from jargonaut.tuning import Ground, grown_from, options, origin
from jargonaut.user_labels import labels_of
from jargonaut.wiring import KnowledgeBase

LEXICAL, BASE = "lexical", "base"
"""Labels of the first recipes."""
_CALIBRATION_QUESTIONS = 150

Say = Callable[[str], None]


def build_plan(base: KnowledgeBase, lexical: bool, say: Say, anew: bool = False) -> BuildPlan:
    """Everything that a build needs.

    Args:
        base: The knowledge base.
        lexical: Index without vectors: serves at once.
        say: Told, in a sentence, what a user should know of the choices made.
        anew: Read and index everything again, whatever is there.
    """
    return BuildPlan(
        scope=base.scope,
        scan=lambda: files_of(base, say),
        read=lambda files: results_of(base, files),
        rules=rules_of(base),
        catalog=base.catalog,
        registry=base.registry,
        journal=base.journal,
        indexing=lambda corpus: _indexing(base, corpus, lexical, say),
        indexing_of=lambda corpus, recipe: _indexing_of(base, corpus, recipe, say),
        index=base.index,
        first_recipe=lambda indexing, revision: _first_recipe(base, indexing, revision),
        keep_revisions=base.workspace.settings.build.keep_revisions,
        lock=base.work_folder / "build.lock",
        prove_lock=base.work_folder / "prove.lock",
        tokens=lambda indexing, sample: token_writing(base, indexing, sample),
        anew=anew,
    )


@dataclass(frozen=True, slots=True)
class AdaptationOptions:
    """What a user may choose."""

    train: bool = True
    force: bool = False
    margin: float | None = None
    """Asks for non-inferiority within it, instead of a gain."""


def changed_recipe(base: KnowledgeBase) -> Recipe | None:
    """The live recipe as the settings want it to answer, or None if it does already."""
    live = base.follower.current().channels.get(LIVE)
    if live is None:
        return None
    recipe, answer = base.registry.recipe(live.recipe), base.settings.answer
    wanted = dataclasses.replace(
        recipe,
        top_k=answer.top_k,
        similarity_threshold=_threshold(base, live, recipe),
        threshold_is_set=answer.similarity_threshold != "fitted",
        chunks_per_document=answer.chunks_per_document,
        unsupported=answer.unsupported,
        prompt=wanted_prompt(base),
        generator=wanted_generator(base),
    )
    return None if wanted == recipe else wanted


def _threshold(base: KnowledgeBase, live: ChannelPointer, recipe: Recipe) -> float:
    """As the settings say; if it is to be fitted, that of the live recipe, or, if somebody had set that, a new fit."""
    wanted = base.settings.answer.similarity_threshold
    if wanted != "fitted":
        return wanted
    if not recipe.threshold_is_set:
        return recipe.similarity_threshold
    if recipe.encoder is None:
        return FALLBACK_COVERAGE
    card = load_card(base.storage, recipe.encoder.document)
    indexing = _indexed_by(base, card, chunker_of(base, recipe.chunker, card))
    return _calibrated(base, indexing, base.registry.revision(live.revision), recipe)


def adaptation_plan(base: KnowledgeBase, chosen: AdaptationOptions, say: Say, progress: Progress) -> AdaptationPlan:
    """Everything that an adaptation of the live release needs.

    Raises:
        RefusedError: Nothing is live, or it has no encoder to tune.
        InputError: There is too little to learn from or to judge on.
    """
    ground = training_ground(base, say, progress)
    tune = (lambda report: _tuned(base, ground, report, say)) if chosen.train else None
    gate = base.workspace.settings.gate
    return AdaptationPlan(
        scope=base.scope,
        storage=base.storage,
        registry=base.registry,
        journal=base.journal,
        live=ground.live,
        held_out=ground.material.held_out,
        tune=tune,
        ranking=lambda option: ranking_plan(base, ground.live.recipe, option.document_encoder, ground.chunks),
        gate=Gate(level=gate.level, margin=chosen.margin),
        seed=base.settings.tuning.seed,
        force=chosen.force,
        discard=base.index.drop,
    )


def training_ground(base: KnowledgeBase, say: Say, progress: Progress) -> Ground:
    """What is live, and its documents' questions, divided into those to learn from and those to be judged on.

    Raises:
        RefusedError: Nothing is live, or it has no encoder to tune.
        InputError: There is too little to learn from or to judge on.
    """
    live = _open_live(base)
    encoder = live.recipe.encoder
    assert encoder is not None
    card = load_card(base.storage, encoder.document)
    chunker = chunker_of(base, live.recipe.chunker, card)
    deleted = base.follower.current().deleted
    held = {uri: item for uri, item in base.registry.documents(live.revision.documents).items() if uri not in deleted}
    documents = stored_documents(base, held)
    progress("questions", 0, len(documents))
    chunks = [chunk for document in documents for chunk in chunker.split(document)]
    mined = mine_pairs(documents, chunks)
    progress("questions", len(documents), len(documents), f"{len(mined.pairs)} found")
    tuning = base.settings.tuning
    labels = labels_of(base, documents, chunks, say)
    corpus = DividedCorpus(documents, chunks, tuple(source.name for source in base.settings.sources))
    material = divide(corpus, mined, labels, tuning.seed)
    material = dataclasses.replace(material, held_out=without_read(base, material.held_out, encoder, say))
    return Ground(live, material, documents, chunks)


def without_read(base: KnowledgeBase, held_out: HeldOut, encoder: EncoderRef, say: Say) -> HeldOut:
    """Without questions about what the live encoder has read: the split moves a little where documents change."""
    for name in dict.fromkeys((encoder.document, encoder.query)):
        read = base.registry.lineage(name)
        if read is not None:
            before = len(held_out.chosen_on) + len(held_out.judged_on)
            held_out = held_out.without_read(read)
            if gone := before - len(held_out.chosen_on) - len(held_out.judged_on):
                say(f"{gone} questions are about documents that the live encoder was trained on: they are left out.")
    return held_out


def wants_tuning(base: KnowledgeBase) -> bool:
    """Whether the live recipe is the encoder as it came, and no tuning of it was tried yet."""
    live = base.follower.current().channels.get(LIVE)
    if live is None or not base.settings.tuning.enabled:
        return False
    tried = {base.registry.proof(name).baseline for name in base.registry.names("proofs")}
    return base.registry.recipe(live.recipe).label == BASE and live.recipe not in tried


def _indexing(base: KnowledgeBase, corpus: Corpus, lexical: bool, say: Say) -> Indexing:
    card = _document_encoder(base, corpus, say)
    chunker = wanted_chunker(base, card)
    if card is not None and _rolled_back_to_words(base):
        say("What is live was rolled back to a lexical release, and goes on from there: `jargonaut releases promote`.")
        lexical = True
    return _indexed_by(base, None if lexical else card, chunker)


def _indexing_of(base: KnowledgeBase, corpus: Corpus, recipe: Recipe, say: Say) -> Indexing | None:
    """How the documents of a live recipe are cut and encoded; None, and said, if that cannot be made again."""
    try:
        own = load_card(base.storage, recipe.encoder.document) if recipe.encoder else None
        # A lexical release is cut by the tokens of the encoder that is to follow.
        chunker = chunker_of(base, recipe.chunker, own or _document_encoder(base, corpus, say))
    except (RefusedError, UnknownNameError, IntegrityError) as error:
        say(f"What is live stays as it is, without what changed in the documents. {error}")
        return None
    return _indexed_by(base, own, chunker)


def _indexed_by(base: KnowledgeBase, card: EncoderCard | None, chunker: Chunker) -> Indexing:
    if card is None:
        return Indexing(_table(base, LEXICAL_SPACE, 0, chunker.id), chunker, None)
    load = lru_cache(maxsize=1)(lambda: base.load_encoder(card.id))
    return Indexing(_table(base, card.space, card.dimensions, chunker.id), chunker, load, card.id)


def _rolled_back_to_words(base: KnowledgeBase) -> bool:
    """Whether a lexical release is live although one with an encoder was before."""
    state = base.follower.current()
    live = state.channels.get(LIVE)
    recipe = base.whole_recipe(live.recipe) if live else None
    if recipe is None or recipe.encoder is not None:
        return False
    recipes = {pointer.recipe for channel, pointer in state.history if channel == LIVE}
    return any(recipe is not None and recipe.encoder is not None for recipe in map(base.whole_recipe, recipes))


def _table(base: KnowledgeBase, space: str, dimensions: int, chunker: str) -> TableKey:
    return TableKey(base.scope.tenant, base.scope.knowledge_base, space, dimensions, chunker, ANALYSIS)


def _document_encoder(base: KnowledgeBase, corpus: Corpus, say: Say) -> EncoderCard | None:
    """The encoder is chosen once: what is live stays, unless the settings name another."""
    wanted = base.settings.encoder.base
    if wanted == "none":
        return None
    live = base.follower.current().channels.get(LIVE)
    recipe = base.whole_recipe(live.recipe) if live else None
    encoder = recipe.encoder if recipe else None
    if encoder and (wanted == "auto" or grown_from(base, encoder.document) == (wanted, base.settings.encoder.sha256)):
        if card := _exported(base, encoder.document):
            return card
        name = origin(base, encoder.document)
    else:
        name = default_base(corpus.languages) if wanted == "auto" else wanted
    sha256 = base.settings.encoder.sha256
    key = _base_key(name, sha256)
    with suppress(UnknownNameError):  # not exported yet
        if card := _exported(base, json.loads(base.storage.get(key))["encoder"]):
            return card
    try:
        weights = resolve_base(name, sha256=sha256)
    except (MissingExtraError, UnavailableError) as error:
        if wanted != "auto":
            raise
        say(f"No encoder for these documents. {error}\nA lexical release is made instead, which searches words only.")
        return None
    card = save_encoder(base.storage, weights)
    base.storage.put_if_absent(key, canonical_json({"base": name, "encoder": card.id}))
    return card


def wanted_encoder(base: KnowledgeBase, live: EncoderCard | None) -> EncoderCard | None:
    """The document encoder that the settings name, if it was exported already; else that of what is live."""
    settings = base.settings.encoder
    if settings.base in ("auto", "none"):
        return live if settings.base == "auto" else None
    if live and grown_from(base, live.id) == (settings.base, settings.sha256):
        return live
    with suppress(UnknownNameError):
        named = json.loads(base.storage.get(_base_key(settings.base, settings.sha256)))
        return load_card(base.storage, named["encoder"])
    return live


def _base_key(name: str, sha256: str) -> str:
    return f"bases/{digest_of([name, sha256])}.json"


def _exported(base: KnowledgeBase, encoder_id: str) -> EncoderCard | None:
    """An encoder that was exported and is whole; one that is damaged is exported again."""
    try:
        return load_encoder(base.storage, encoder_id).card
    except (IntegrityError, UnknownNameError):
        return None


def _first_recipe(base: KnowledgeBase, indexing: Indexing, revision: Revision) -> Recipe:
    """The recipe to begin with: safe ranking weights, and a threshold fitted on the documents' own questions.

    Where only the documents are cut otherwise than in the live release, its encoder and ranking are kept.
    """
    live = base.follower.current().channels.get(LIVE)
    before = base.whole_recipe(live.recipe) if live else None
    answer, is_lexical = base.settings.answer, indexing.encoder is None
    if before is not None and before.space == indexing.table.space:
        recipe = dataclasses.replace(before, chunker=indexing.chunker.id, analysis=ANALYSIS)
    else:
        own = EncoderRef(indexing.encoder_id, indexing.encoder_id, indexing.table.space)
        recipe = Recipe(
            encoder=None if is_lexical else own,
            chunker=indexing.chunker.id,
            analysis=ANALYSIS,
            fusion=Fusion(1.0 if is_lexical else _safe_weight(base, indexing.encoder_id)),
            similarity_threshold=FALLBACK_COVERAGE,
            top_k=answer.top_k,
            prompt=wanted_prompt(base),
            generator=wanted_generator(base),
            label=LEXICAL if is_lexical else BASE,
            chunks_per_document=answer.chunks_per_document,
            unsupported=answer.unsupported,
        )
    threshold = answer.similarity_threshold
    if threshold == "fitted":
        # A lexical recipe is there to answer at once: it does not wait for a fit.
        threshold = FALLBACK_COVERAGE if is_lexical else _calibrated(base, indexing, revision, recipe)
    is_set = answer.similarity_threshold != "fitted"
    return dataclasses.replace(recipe, similarity_threshold=threshold, threshold_is_set=is_set)


def _safe_weight(base: KnowledgeBase, encoder_id: str) -> float:
    return STATIC_WEIGHT if is_table(base.storage, encoder_id) else CONTEXTUAL_WEIGHT


def _calibrated(base: KnowledgeBase, indexing: Indexing, revision: Revision, recipe: Recipe) -> float:
    held = base.registry.documents(revision.documents)
    documents = stored_documents(base, held)
    chunks: list[Chunk] = [chunk for document in documents for chunk in indexing.chunker.split(document)]
    seed = base.settings.tuning.seed
    questions = sample_questions(mine_pairs(documents, chunks), chunks, _CALIBRATION_QUESTIONS, seed)
    languages = {document.language: 1 for document in documents}
    is_tuned = recipe.encoder is not None and recipe.encoder.query != recipe.encoder.document
    if recipe.encoder and is_tuned:
        encoder: Encoder | None = base.load_encoder(recipe.encoder.query)
    else:
        encoder = indexing.encoder() if indexing.encoder else None
    ranked_by = (recipe.fusion, base.load_whitening(recipe))

    async def fitted() -> float:
        reader = await base.index.open_reader(Snapshot(revision.table, revision.table_version))
        return await calibrated_threshold(reader, encoder, questions, languages, ranked_by, recipe.most_passages)

    return asyncio.run(fitted())


def _open_live(base: KnowledgeBase) -> LiveRelease:
    state = base.follower.current()
    pointer = state.channels.get(LIVE)
    if pointer is None:
        raise RefusedError("Nothing is live yet.", "Build first: `jargonaut build`.")
    loaded = asyncio.run(base.load_release(pointer.release))
    if loaded.query_encoder is None:
        raise RefusedError(
            "The live release is lexical: it has no encoder to tune.",
            "Make an encoder available (`jargonaut doctor` says how) and build again.",
        )
    languages: dict[str, int] = {}
    for entry in base.catalog.entries().values():
        languages[entry.language] = languages.get(entry.language, 0) + 1
    return LiveRelease(
        release=base.registry.release(pointer.release),
        recipe=loaded.recipe,
        revision=loaded.revision,
        reader=loaded.reader,
        query_encoder=loaded.query_encoder,
        whitening=loaded.whitening,
        late=loaded.late,
        languages=languages,
        seen=overlay(state, loaded.documents).everything(),
    )


def _tuned(base: KnowledgeBase, ground: Ground, progress: Progress, say: Say) -> list[Option]:
    """What training on the training side gives to choose from; empty if nothing can be trained."""
    return options(base, build_plan(base, False, say), ground, progress, say)
