"""Chunkers compared: all of them on a sample of the documents, or what the settings ask for with what is live."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jargonaut.adapt import ChunkerPlan
from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.chunkers import tokens_of, wanted_chunker
from jargonaut.chunking.by_name import CHUNKERS, DEFAULT, Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.chunking.port import Chunker
from jargonaut.core.document import Chunk, Document
from jargonaut.core.errors import InputError, RefusedError, UnavailableError
from jargonaut.core.progress import Progress
from jargonaut.core.release import LEXICAL_SPACE, Fusion, Recipe
from jargonaut.core.scope import LIVE
from jargonaut.documents.globs import matches
from jargonaut.encoding.artifact import load_card
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.port import DocumentRows, IndexedDocument, IndexReader, Snapshot, TableKey, Visibility
from jargonaut.plans import Say, wanted_encoder, without_read
from jargonaut.proof.gate import Contest, Gate, decide, points
from jargonaut.proof.metrics import Values
from jargonaut.proof.questions import Corpus, HeldOut, divide, untrained
from jargonaut.proof.retrieval import DENSE_ONLY, LEXICAL_ONLY, rankings, retrieve_pools
from jargonaut.proof.spans import BUDGET, Lengths, SpanQuestion, shares_found, span_questions
from jargonaut.ranking.whitening import Whitening
from jargonaut.releases.visibility import overlay
from jargonaut.sources import stored_documents
from jargonaut.training.pairs import mine_pairs
from jargonaut.user_labels import labels_of
from jargonaut.wiring import PLAIN_TOKENS, KnowledgeBase

MOST_DOCUMENTS = 200
"""Documents of a source that chunkers are tried on; with an encoder, each chunk of them is encoded once a chunker."""
MOST_QUESTIONS = 200
"""Questions of each half."""
_WRITTEN = 50
"""Documents indexed at once."""

Questions = tuple[HeldOut, list[SpanQuestion], list[SpanQuestion]]
"""Where they come from; to choose on; to judge on."""


@dataclass(frozen=True, slots=True)
class ChunkerRow:
    """How one chunker did on the questions to choose on."""

    chunker: str
    chunks: int
    """0 if it cuts these documents as `heading` does."""
    lexical: float
    """Share of the right text among the first tokens of a ranking by words."""
    dense: float | None
    """The same of a ranking by meaning; None without an encoder."""
    fused: float | None
    """The same as the live release ranks; None without an encoder."""

    @property
    def found(self) -> float:
        """What chunkers are compared by."""
        return self.lexical if self.fused is None else self.fused


@dataclass(frozen=True, slots=True)
class ChunkTrial:
    """How all chunkers did on the documents of a source."""

    match: str
    documents: int
    questions: int
    source: str
    rows: tuple[ChunkerRow, ...]
    best: str
    """The chunker to use: another than `heading` only if it is better beyond chance."""
    verdict: str


def reindexing_plan(base: KnowledgeBase, gate: Gate, force: bool, say: Say) -> ChunkerPlan | None:
    """For the proof of a chunker or base encoder that the settings ask for; None if the live release has them.

    Raises:
        RefusedError: Nothing was built with them yet.
    """
    state = base.follower.current()
    pointer = state.channels.get(LIVE)
    if pointer is None:
        return None
    recipe = base.registry.recipe(pointer.recipe)
    live_card = load_card(base.storage, recipe.encoder.document) if recipe.encoder else None
    card = wanted_encoder(base, live_card)
    space, chunker = card.space if card else LEXICAL_SPACE, wanted_chunker(base, card).id
    if (space, chunker) == (recipe.space, recipe.chunker):
        return None
    live, candidate = asyncio.run(_both(base, pointer.release, _built(base, space, chunker)))
    same = {uri: item for uri, item in live.documents.items() if candidate.documents.get(uri) == item}
    documents = stored_documents(base, same)
    held_out, _, judged_on = _questions(base, documents, recipe, say)
    seen = overlay(state, live.documents).everything()
    return ChunkerPlan(
        scope=base.scope,
        storage=base.storage,
        registry=base.registry,
        journal=base.journal,
        live=live,
        candidate=candidate,
        seen=seen,
        held_out=held_out,
        judged_on=judged_on,
        lengths=Lengths(documents),
        gate=gate,
        force=force,
    )


def try_chunkers(base: KnowledgeBase, match: str, say: Say, progress: Progress) -> list[ChunkTrial]:
    """Try every chunker on the documents of each source, or on those that match.

    Raises:
        UnavailableError: Nothing is built yet.
        InputError: No document matches.
    """
    pointer = base.follower.current().channels.get(LIVE)
    if pointer is None:
        raise UnavailableError(f"{base.scope.path} is not built yet.", "Build it: `jargonaut build`.")
    live = asyncio.run(base.load_release(pointer.release))
    sources = [f"{source.name}/**" for source in base.settings.sources if source.name]
    trials = []
    for pattern in [match] if match else sources or ["**"]:
        held = {uri: item for uri, item in live.documents.items() if matches(pattern, uri)}
        if not held:
            raise InputError(f"No document matches `{pattern}`.", "`jargonaut documents list` shows their URIs.")
        chance = random.Random(base.settings.tuning.seed)
        kept = sorted(held) if len(held) <= MOST_DOCUMENTS else sorted(chance.sample(sorted(held), MOST_DOCUMENTS))
        if len(kept) < len(held):
            say(f"{pattern}: a sample of {len(kept)} of {len(held)} documents is tried.")
        documents = stored_documents(base, {uri: held[uri] for uri in kept})
        trials.append(_Bench(base, live, documents, progress, say).trial(pattern))
    return trials


class _Bench:
    """Some documents, and the questions that they ask."""

    def __init__(
        self, base: KnowledgeBase, live: LoadedRelease, documents: Sequence[Document], progress: Progress, say: Say
    ) -> None:
        encoder = live.recipe.encoder
        self._base = base
        self._card = load_card(base.storage, encoder.document) if encoder else None
        self._encoder = base.load_encoder(self._card.id) if self._card else None
        self._tokens = tokens_of(base, self._card)
        self._live = live
        self._documents = documents
        self._progress = progress
        self._lengths = Lengths(documents)
        self._held_out, choose, judge = _questions(base, documents, live.recipe, say)
        self._choose, self._judge = choose[:MOST_QUESTIONS], judge[:MOST_QUESTIONS]
        self._level = base.workspace.settings.gate.level

    def trial(self, match: str) -> ChunkTrial:
        """Try all chunkers: the best is chosen on one half of the questions, and judged on the other."""
        rows: list[ChunkerRow] = []
        judged: dict[str, Values] = {}
        plain: object = None
        for number, name in enumerate(CHUNKERS):
            self._progress("try", number, len(CHUNKERS), name)
            chunker = make_chunker(Choice(name), self._tokens)
            cut = [chunker.split(document) for document in self._documents]
            shape = [(c.start, c.end, c.parent, c.heading_path, c.said) for chunks in cut for c in chunks]
            if name == DEFAULT:
                plain = shape
            elif shape == plain:
                rows.append(replace(rows[0], chunker=name, chunks=0))
                continue
            found, judged[name] = asyncio.run(self._measured(chunker, cut))
            rows.append(ChunkerRow(name, len(shape), *found))
        self._progress("try", len(CHUNKERS), len(CHUNKERS))
        best, verdict = self._best(match, rows, judged)
        asked = len(self._choose) + len(self._judge)
        return ChunkTrial(
            match, len(self._documents), asked, f"From {self._held_out.source}.", tuple(rows), best, verdict
        )

    async def _measured(
        self, chunker: Chunker, cut: Sequence[Sequence[Chunk]]
    ) -> tuple[tuple[float, float | None, float | None], Values]:
        """What is found by words, by meaning and as the release ranks; and the last for each question to judge on."""
        fusion, whitening = self._live.recipe.fusion, self._live.whitening
        with tempfile.TemporaryDirectory(prefix="jargonaut-") as folder:
            snapshot = await asyncio.to_thread(self._indexed, Path(folder), self._key(chunker), cut)
            reader = await self._base.trial_index(Path(folder)).open_reader(snapshot)
            lexical = _mean(await self._shares(reader, self._choose, LEXICAL_ONLY, None))
            dense = fused = None
            if self._encoder:
                dense = _mean(await self._shares(reader, self._choose, DENSE_ONLY, None))
                fused = _mean(await self._shares(reader, self._choose, fusion, whitening))
            judged = await self._shares(reader, self._judge, fusion, whitening)
        return (lexical, dense, fused), judged

    def _indexed(self, folder: Path, key: TableKey, cut: Sequence[Sequence[Chunk]]) -> Snapshot:
        writer = self._base.trial_index(folder).new_writer(key)
        for first in range(0, len(cut), _WRITTEN):
            batch = []
            for document, chunks in list(zip(self._documents, cut, strict=True))[first : first + _WRITTEN]:
                texts = [chunk.indexed_text for chunk in chunks]
                vectors = self._encoder.encode_documents(texts) if self._encoder and texts else None
                held = IndexedDocument(document.uri, document.content_digest, ())
                batch.append(DocumentRows(held, tuple(chunks), vectors, document.language))
            writer.replace(batch)
        return writer.snapshot()

    async def _shares(
        self, reader: IndexReader, questions: Sequence[SpanQuestion], fusion: Fusion, whitening: Whitening | None
    ) -> Values:
        seen, queries = Visibility(everything=True), [question.query for question in questions]
        encoder = None if fusion == LEXICAL_ONLY else self._live.query_encoder
        pools = await retrieve_pools(reader, encoder, queries, seen, fusion.pool)
        return await shares_found(reader, rankings(pools, fusion, whitening), questions, self._lengths)

    def _key(self, chunker: Chunker) -> TableKey:
        space, dimensions = (self._card.space, self._card.dimensions) if self._card else (LEXICAL_SPACE, 0)
        scope = self._live.scope
        return TableKey(scope.tenant, scope.knowledge_base, space, dimensions, chunker.id, ANALYSIS)

    def _best(self, match: str, rows: Sequence[ChunkerRow], judged: dict[str, Values]) -> tuple[str, str]:
        best = max(rows, key=lambda row: row.found if row.chunks else -1.0).chunker
        if best == DEFAULT or not len(judged[DEFAULT]):
            return DEFAULT, "Nothing finds more than cutting by heading, which is the default."
        groups = [question.query.document_id for question in self._judge]
        contest = Contest(DEFAULT, best, judged[DEFAULT], judged[best], groups, f"the right text in {BUDGET} tokens")
        difference = decide(contest, Gate(self._level)).comparison.difference
        said = (
            f"{best} against {DEFAULT}, on {len(groups)} other questions: {points(difference.mean)} points "
            f"(95 % interval {points(difference.low)} to {points(difference.high)})"
        )
        if difference.low <= 0:
            return DEFAULT, f"{said}. That may be chance: keep {DEFAULT}, the default."
        rule = f'[[knowledge_bases.chunking]]\nmatch = "{match}"\nchunker = "{best}"'
        return best, f"{said}. To use it, write into jargonaut.toml, build and prove:\n\n{rule}"


def _questions(base: KnowledgeBase, documents: Sequence[Document], recipe: Recipe, say: Say) -> Questions:
    """Questions about sections, measured by the sections' own text."""
    tuning = base.settings.tuning
    ruler = make_chunker(Choice(), Tokens(word_spans, PLAIN_TOKENS, "words"))
    chunks = [chunk for document in documents for chunk in ruler.split(document)]
    mined, labels = mine_pairs(documents, chunks), labels_of(base, documents, chunks, say)
    corpus = Corpus(documents, chunks, tuple(source.name for source in base.settings.sources))
    is_tuned = recipe.encoder is not None and recipe.encoder.query != recipe.encoder.document
    if is_tuned:
        assert recipe.encoder is not None
        held_out = divide(corpus, mined, labels, tuning.seed).held_out
        held_out = without_read(base, held_out, recipe.encoder, say)
    else:
        held_out = untrained(corpus, mined, labels, tuning.seed)
    choose, judge = (span_questions(half, chunks) for half in (held_out.chosen_on, held_out.judged_on))
    return held_out, choose, judge


def _built(base: KnowledgeBase, space: str, chunker: str) -> str:
    """The newest release whose documents are encoded and cut so, among those that are kept up to date."""
    registry, state, found = base.registry, base.follower.current(), []
    for name in registry.names("releases"):
        release = registry.release(name)
        recipe, revision = registry.recipe(release.recipe), registry.revision(release.revision)
        if (recipe.space, recipe.chunker) == (space, chunker) and state.may_be_asked(release.revision):
            found.append((revision.table_version, name))
    if not found:
        raise RefusedError(
            "The settings encode or cut the documents otherwise than the live release, and that is not built yet.",
            "Build it first: `jargonaut build`.",
        )
    return max(found)[1]


async def _both(base: KnowledgeBase, live: str, candidate: str) -> tuple[LoadedRelease, LoadedRelease]:
    return await base.load_release(live), await base.load_release(candidate)


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else 0.0
