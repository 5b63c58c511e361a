"""What a build and an adaptation need, made ready from the settings of a knowledge base."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jargonaut.adapt import AdaptationPlan, LiveRelease
from jargonaut.build import BuildPlan, Indexing
from jargonaut.chunkers import chunker_of, wanted_chunker
from jargonaut.core.canonical import canonical_json, digest_of
from jargonaut.core.document import Chunk, Document
from jargonaut.core.errors import (
    InputError,
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
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import SourceFile, scan
from jargonaut.documents.wire import Result
from jargonaut.encoding.artifact import load_card, load_encoder, save_encoder
from jargonaut.encoding.base_weights import default_base, resolve_base
from jargonaut.encoding.port import Encoder, EncoderCard
from jargonaut.generation.extractive import NAME as EXTRACTIVE
from jargonaut.generation.openai_compatible import recipe_name
from jargonaut.generation.prompt import recipe_prompt
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.port import IndexedDocument, Snapshot, TableKey
from jargonaut.proof.calibrate import FALLBACK_COVERAGE, calibrated_threshold
from jargonaut.proof.gate import Gate
from jargonaut.proof.questions import Material, divide, sample_questions
from jargonaut.ranking.fit import CONTEXTUAL_WEIGHT
from jargonaut.releases.visibility import overlay
from jargonaut.serving.uploads import UPLOADS
from jargonaut.training.pairs import mine_pairs
from jargonaut.wiring import KnowledgeBase

NO_PROMPT = "none"
"""The extractive generator has no prompt."""
LEXICAL, BASE = "lexical", "base"
"""Labels of the first recipes."""
_CALIBRATION_QUESTIONS = 150

Say = Callable[[str], None]


def build_plan(base: KnowledgeBase, lexical: bool, say: Say, anew: bool = False) -> BuildPlan:
    """Everything that a build needs.

    Args:
        base: The knowledge base.
        lexical: Index without vectors, so that something serves at once.
        say: Told, in a sentence, what a user should know of the choices made.
        anew: Read and index everything again, whatever is there.
    """
    return BuildPlan(
        scope=base.scope,
        scan=lambda: _scan(base, say),
        read=lambda files: _read(base, files),
        rules=base.rules,
        catalog=base.catalog,
        registry=base.registry,
        journal=base.journal,
        indexing=lambda corpus: _indexing(base, corpus, lexical, say),
        index=base.index,
        first_recipe=lambda indexing, revision: _first_recipe(base, indexing, revision),
        keep_revisions=base.workspace.settings.build.keep_revisions,
        lock=base.work_folder / "build.lock",
        prove_lock=base.work_folder / "prove.lock",
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
    threshold = answer.similarity_threshold
    wanted = dataclasses.replace(
        recipe,
        top_k=answer.top_k,
        similarity_threshold=recipe.similarity_threshold if threshold == "fitted" else threshold,
        prompt=wanted_prompt(base),
        generator=wanted_generator(base),
    )
    return None if wanted == recipe else wanted


def wanted_generator(base: KnowledgeBase) -> str:
    """How a recipe names the generator of the settings."""
    settings = base.settings.generator
    if not settings.endpoints:
        return EXTRACTIVE
    return recipe_name([endpoint.model for endpoint in settings.endpoints], settings.fallback == "extractive")


def wanted_prompt(base: KnowledgeBase) -> str:
    """How a recipe names the prompt of the settings."""
    settings = base.settings.generator
    return recipe_prompt(settings.instructions) if settings.endpoints else NO_PROMPT


def adaptation_plan(base: KnowledgeBase, options: AdaptationOptions, say: Say, progress: Progress) -> AdaptationPlan:
    """Everything that an adaptation of the live release needs.

    Raises:
        RefusedError: Nothing is live, or it has no encoder to tune.
        InputError: There is too little to learn from or to judge on.
    """
    live = _open_live(base)
    encoder = live.recipe.encoder
    assert encoder is not None
    card = load_card(base.storage, encoder.document)
    chunker = chunker_of(base, live.recipe.chunker, card)
    documents = stored_documents(base, base.registry.documents(live.revision.documents))
    progress("questions", 0, len(documents))
    chunks = [chunk for document in documents for chunk in chunker.split(document)]
    mined = mine_pairs(documents, chunks)
    progress("questions", len(documents), len(documents), f"{len(mined.pairs)} found")
    tuning = base.settings.tuning
    labels = Path(tuning.labels) if tuning.labels else None
    material = divide(documents, chunks, mined, labels, tuning.seed)
    tune = (lambda report: _tuned(base, live, material, report, say)) if options.train else None
    gate = base.workspace.settings.gate
    return AdaptationPlan(
        scope=base.scope,
        storage=base.storage,
        registry=base.registry,
        journal=base.journal,
        live=live,
        held_out=material.held_out,
        tune=tune,
        gate=Gate(level=gate.level, margin=options.margin),
        seed=tuning.seed,
        force=options.force,
    )


def wants_tuning(base: KnowledgeBase) -> bool:
    """Whether the live recipe is the encoder as it came, and no tuning of it was tried yet."""
    live = base.follower.current().channels.get(LIVE)
    if live is None or not base.settings.tuning.enabled:
        return False
    tried = {base.registry.proof(name).baseline for name in base.registry.names("proofs")}
    return base.registry.recipe(live.recipe).label == BASE and live.recipe not in tried


def _scan(base: KnowledgeBase, say: Say) -> list[SourceFile]:
    found = [scan(source.path, source.name, source.include, source.exclude) for source in base.settings.sources]
    if base.uploads_folder.is_dir():
        found.append(scan(base.uploads_folder, UPLOADS))
    files: dict[str, SourceFile] = {}
    for source in found:
        for problem in source.problems:
            say(problem)
        for file in source.files:
            if file.uri in files:
                say(f"{file.uri}: It was uploaded under the name of a file of the sources, which is read instead.")
            files.setdefault(file.uri, file)
    return list(files.values())


def _read(base: KnowledgeBase, files: Sequence[SourceFile]) -> Iterator[Result]:
    build = base.workspace.settings.build
    limits = Limits(build.file_timeout_s, build.file_memory_mb << 20, build.file_limit_mb << 20)
    return read_documents(files, limits, build.workers or os.cpu_count() or 1)


def _indexing(base: KnowledgeBase, corpus: Corpus, lexical: bool, say: Say) -> Indexing:
    card = _document_encoder(base, corpus, say)
    chunker = wanted_chunker(base, card)
    if card is not None and _rolled_back_to_words(base):
        say("What is live was rolled back to a lexical release, and goes on from there: `jargonaut releases promote`.")
        lexical = True
    if card is None or lexical:
        return Indexing(_table(base, LEXICAL_SPACE, 0, chunker.id), chunker, None)
    load = lru_cache(maxsize=1)(lambda: base.load_encoder(card.id))
    return Indexing(_table(base, card.space, card.dimensions, chunker.id), chunker, load, card.id)


def _rolled_back_to_words(base: KnowledgeBase) -> bool:
    """Whether a lexical release is live although one with an encoder was before."""
    state = base.follower.current()
    live = state.channels.get(LIVE)
    if live is None or base.registry.recipe(live.recipe).encoder is not None:
        return False
    recipes = {pointer.recipe for channel, pointer in state.history if channel == LIVE}
    return any(base.registry.recipe(recipe).encoder is not None for recipe in recipes)


def _table(base: KnowledgeBase, space: str, dimensions: int, chunker: str) -> TableKey:
    return TableKey(base.scope.tenant, base.scope.knowledge_base, space, dimensions, chunker, ANALYSIS)


def _document_encoder(base: KnowledgeBase, corpus: Corpus, say: Say) -> EncoderCard | None:
    """The encoder is chosen once: what is live stays, unless the settings name another."""
    wanted = base.settings.encoder.base
    if wanted == "none":
        return None
    live = base.follower.current().channels.get(LIVE)
    encoder = base.registry.recipe(live.recipe).encoder if live else None
    if wanted == "auto" and encoder:
        if card := _exported(base, encoder.document):
            return card
        name = _base_name(base, encoder.document)
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
    before = base.registry.recipe(live.recipe) if live else None
    answer, is_lexical = base.settings.answer, indexing.encoder is None
    if before is not None and before.space == indexing.table.space:
        recipe = dataclasses.replace(before, chunker=indexing.chunker.id, analysis=ANALYSIS)
    else:
        own = EncoderRef(indexing.encoder_id, indexing.encoder_id, indexing.table.space)
        recipe = Recipe(
            encoder=None if is_lexical else own,
            chunker=indexing.chunker.id,
            analysis=ANALYSIS,
            fusion=Fusion(1.0 if is_lexical else CONTEXTUAL_WEIGHT),
            similarity_threshold=FALLBACK_COVERAGE,
            top_k=answer.top_k,
            prompt=wanted_prompt(base),
            generator=wanted_generator(base),
            label=LEXICAL if is_lexical else BASE,
        )
    threshold = answer.similarity_threshold
    if threshold == "fitted":
        # A lexical recipe is there to answer at once: it does not wait for a fit.
        threshold = FALLBACK_COVERAGE if is_lexical else _calibrated(base, indexing, revision, recipe)
    return dataclasses.replace(recipe, similarity_threshold=threshold)


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
        return await calibrated_threshold(reader, encoder, questions, languages, ranked_by, recipe.top_k)

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
        languages=languages,
        seen=overlay(state, loaded.documents).everything(),
    )


def stored_documents(base: KnowledgeBase, held: Mapping[str, IndexedDocument]) -> list[Document]:
    """The documents of a revision, as they were read.

    Raises:
        InputError: None of them is there any more.
    """
    found = [base.catalog.document(uri, item.content_digest) for uri, item in held.items()]
    documents = [document for document in found if document is not None]
    if not documents:
        raise InputError("The stored texts of the documents are gone.", "Build again: `jargonaut build`.")
    return documents


def _tuned(base: KnowledgeBase, live: LiveRelease, material: Material, progress: Progress, say: Say) -> list[Encoder]:
    """Train on the training side, and export what came of it for the live space; empty if nothing can be trained."""
    from jargonaut.training.material import tuning_set
    from jargonaut.training.query_side import TuningSettings, tune_query_encoder

    encoder = live.recipe.encoder
    assert encoder is not None
    weights = resolve_base(_base_name(base, encoder.document), sha256=base.settings.encoder.sha256)
    examples = asyncio.run(tuning_set(live.reader, material.training, material.training_chunks))
    settings = TuningSettings(seed=base.settings.tuning.seed, budget_s=base.settings.tuning.budget_s)
    try:
        tuned = tune_query_encoder(weights, examples, settings, base.work_folder / "tuning", progress)
    except (MissingExtraError, RefusedError) as error:
        say(f"The encoder stays as it is; only the ranking is fitted. {error}")
        return []
    cards = [save_encoder(base.storage, item.weights, aims_at=encoder.space) for item in tuned.candidates]
    return [base.load_encoder(card.id) for card in cards]


def _base_name(base: KnowledgeBase, encoder_id: str) -> str:
    """What the settings called the base of an encoder."""
    for key in base.storage.keys("bases/"):
        value = json.loads(base.storage.get(key))
        if value["encoder"] == encoder_id:
            return str(value["base"])
    raise RefusedError(
        "The base weights of the live encoder are not known any more.", "Name them in [encoder] base and build again."
    )
