"""The whole build, readable top to bottom: sources -> corpus -> index -> revision -> recipe -> release -> channel.

The index is reconciled with what is wanted, so a build that was killed is taken up by the next one, and a build with
nothing to do does nothing. What is live stays live until the last step, which is one append to the journal.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jargonaut.chunking.port import Chunker
from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Document, document_id
from jargonaut.core.errors import BusyError, ConflictError, UnavailableError
from jargonaut.core.progress import Progress
from jargonaut.core.release import Recipe, Release, Revision
from jargonaut.core.scope import LIVE, Scope
from jargonaut.documents.catalog import Catalog
from jargonaut.documents.corpus import Corpus, read_corpus
from jargonaut.documents.permissions import Rules, readers_of_both
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Result
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import DocumentRows, Index, IndexedDocument, Snapshot, TableKey
from jargonaut.index.rows import table_name
from jargonaut.index.token_store import discard_tokens
from jargonaut.ranking.token_writing import TokenWriting
from jargonaut.releases.channels import Promotion, compare_documents, kept_revisions, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import ChannelPointer, Follower, KnowledgeBaseState, permit_documents
from jargonaut.state.port import Journal

_RETRIES = 3
_CONTENTS_S = 120.0
BATCH_CHUNKS = 256
"""Chunks that are encoded and written at once: what a killed build has to do again, at most."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """How documents become rows."""

    table: TableKey
    chunker: Chunker
    encoder: Callable[[], Encoder] | None
    """Loads the document encoder; None for a lexical index."""
    encoder_id: str = ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """Ready objects for one build of one knowledge base."""

    scope: Scope
    scan: Callable[[], Sequence[SourceFile]]
    read: Callable[[Sequence[SourceFile]], Iterable[Result]]
    rules: Rules
    catalog: Catalog
    registry: Registry
    journal: Journal
    indexing: Callable[[Corpus], Indexing]
    """Decides, once the corpus is known, how it is cut and encoded."""
    index: Index
    first_recipe: Callable[[Indexing, Revision], Recipe]
    """Makes the recipe when none of this kind is live: it may search the new revision to fit its threshold."""
    keep_revisions: int
    lock: Path
    prove_lock: Path
    """Held while something is proven: what that reads is not to be removed."""
    tokens: Callable[[Indexing], TokenWriting | None] = lambda indexing: None
    """Writes the tokens that the live recipe compares; None if it does not, or is of another index."""
    anew: bool = False
    """Whether everything is read and indexed again, whatever is there. What is live stays live until it is done."""


Outcome = Literal["unchanged", "published", "needs proof"]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build came to."""

    outcome: Outcome
    release: Release
    recipe: Recipe
    revision: Revision
    corpus: Corpus
    added: int
    changed: int
    removed: int


def build(plan: BuildPlan, progress: Progress) -> BuildResult:
    """Bring the live release up to date with the sources.

    Raises:
        BusyError: Another build of this knowledge base is running.
        ConflictError: What is live kept being changed by others.
        IntegrityError: What is live is damaged; `anew` mends it.
        SourceError: There is nothing to read.
        RuleError: A permission rule cannot be read.
        UnavailableError: The disk or an engine refuses. What was live is live still.
    """
    with held_lock(plan.lock, "build"):
        if plan.anew:
            plan.catalog.save({})
        follower = Follower(plan.journal, plan.scope)
        deleted = frozenset(follower.current().deleted)
        corpus = read_corpus(plan.scan(), plan.catalog, plan.read, plan.rules, deleted, progress)
        wanted = {
            uri: IndexedDocument(uri, corpus.entries[uri].digest, allow) for uri, allow in sorted(corpus.allow.items())
        }
        _announce_permissions(plan, wanted, follower.current())
        for _ in range(_RETRIES):
            live = _live(plan, follower.current())
            indexing = plan.indexing(corpus)
            if live and live.is_of(indexing.table) and live.documents == wanted and not plan.anew:
                asyncio.run(plan.index.open_reader(live.snapshot))
                _write_tokens(plan, indexing, live.snapshot, wanted, progress)
                return BuildResult("unchanged", live.release, live.recipe, live.revision, corpus, 0, 0, 0)
            revision = index_documents(plan, indexing, wanted, progress)
            try:
                result = _publish(plan, indexing, corpus, live, revision)
            except ConflictError:
                continue  # promoted or rolled back meanwhile: what goes on from there is decided again
            _prune(plan, indexing, follower.current())
            return result
    raise ConflictError("What is live was changed again and again during the build.", "Run it again.")


@contextmanager
def held_lock(path: Path, what: str) -> Iterator[None]:
    """Hold a lock; `what` does. The operating system lets go of it however the process ends.

    Raises:
        BusyError: Another process holds it.
        UnavailableError: The file of the lock cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UnavailableError(f"Could not lock {path}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise BusyError(
                f"Another {what} of this knowledge base is running (process {holder or 'unknown'}).",
                "Wait for it to end, or stop it: the next build goes on where it was.",
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Live:
    pointer: ChannelPointer
    release: Release
    recipe: Recipe
    revision: Revision
    documents: Mapping[str, IndexedDocument]

    @property
    def snapshot(self) -> Snapshot:
        """What it searches."""
        return Snapshot(self.revision.table, self.revision.table_version)

    def is_of(self, table: TableKey) -> bool:
        """Whether the live recipe searches this kind of table."""
        return (self.recipe.space, self.recipe.chunker, self.recipe.analysis) == (
            table.space,
            table.chunker,
            table.analysis,
        )


def _live(plan: BuildPlan, state: KnowledgeBaseState) -> _Live | None:
    pointer = state.channels.get(LIVE)
    if pointer is None:
        return None
    registry = plan.registry
    revision = registry.revision(pointer.revision)
    return _Live(
        pointer,
        registry.release(pointer.release),
        registry.recipe(pointer.recipe),
        revision,
        registry.documents(revision.documents),
    )


def _announce_permissions(plan: BuildPlan, wanted: Mapping[str, IndexedDocument], state: KnowledgeBaseState) -> None:
    """Changed permissions hold at once, for every release that can be asked, before anything is indexed.

    Of a document that is not in the sources any more, what it said about itself is not known: the rules narrow what an
    earlier release grants.
    """
    changed: dict[str, tuple[str, ...]] = {}
    for name in kept_revisions(state, plan.keep_revisions):
        for uri, held in plan.registry.documents(plan.registry.revision(name).documents).items():
            known = changed.get(uri, state.permitted.get(uri, held.allow))
            if uri in wanted:
                now = wanted[uri].allow
            else:
                granted = readers_of_both(frozenset(held.allow), frozenset(plan.rules.allow_for(uri)))
                now = tuple(sorted(readers_of_both(frozenset(known), granted)))
            if now != known:
                changed[uri] = now
    if changed:
        permit_documents(plan.journal, plan.scope, changed)


def index_documents(
    plan: BuildPlan, indexing: Indexing, wanted: Mapping[str, IndexedDocument], progress: Progress
) -> Revision:
    """Bring the table of `indexing` to what is wanted. What an interrupted run has written is not written again.

    Raises:
        UnavailableError: The text of a document is gone, or an engine refuses.
    """
    if plan.anew:
        plan.index.drop(table_name(indexing.table))
    writer = plan.index.new_writer(indexing.table)
    held = writer.documents()
    writer.remove(uri for uri in held if uri not in wanted)
    same = [uri for uri in wanted if uri in held and held[uri].content_digest == wanted[uri].content_digest]
    writer.permit({uri: wanted[uri].allow for uri in same if held[uri].allow != wanted[uri].allow})
    todo = [item for uri, item in wanted.items() if uri not in held or held[uri].content_digest != item.content_digest]
    encoder = indexing.encoder() if indexing.encoder and todo else None
    done = 0
    for batch in _batches(plan.catalog, indexing.chunker, todo):
        writer.replace(_rows(batch, encoder))
        done += len(batch)
        progress("encode" if encoder else "index", done, len(todo), batch[-1][0].uri)
    snapshot = writer.snapshot()
    _write_tokens(plan, indexing, snapshot, wanted, progress)
    documents = dict(writer.documents())
    return Revision(
        tenant=plan.scope.tenant,
        knowledge_base=plan.scope.knowledge_base,
        table=snapshot.table,
        table_version=snapshot.version,
        space=indexing.table.space,
        chunker=indexing.table.chunker,
        analysis=indexing.table.analysis,
        documents=plan.registry.put_documents(documents),
        document_count=len(documents),
        chunk_count=writer.chunk_count(),
    )


def _write_tokens(
    plan: BuildPlan,
    indexing: Indexing,
    snapshot: Snapshot,
    wanted: Mapping[str, IndexedDocument],
    progress: Progress,
) -> None:
    """The tokens of a revision, where the live recipe compares them; only documents that lack them are encoded."""
    writing = plan.tokens(indexing)
    if writing is None or writing.are_written(snapshot):
        return

    async def contents() -> tuple[list[bytes], list[bytes]]:
        reader = await plan.index.open_reader(snapshot)
        chunks, documents = await reader.contents(Deadline.after(_CONTENTS_S))
        return chunks.tolist(), documents.tolist()

    chunks, documents = asyncio.run(contents())
    held = writing.held(snapshot.table)
    lacking = {
        document.decode() for chunk, document in zip(chunks, documents, strict=True) if chunk.decode() not in held
    }
    todo = [item for uri, item in wanted.items() if document_id(uri) in lacking]
    missing = (
        (chunk.id, chunk.indexed_text)
        for batch in _batches(plan.catalog, indexing.chunker, todo)
        for _, _, own in batch
        for chunk in own
    )
    writing.write(snapshot, [chunk.decode() for chunk in chunks], missing, progress)


_Prepared = tuple[IndexedDocument, Document, list[Chunk]]


def _batches(catalog: Catalog, chunker: Chunker, todo: Sequence[IndexedDocument]) -> Iterator[list[_Prepared]]:
    batch: list[_Prepared] = []
    for item in todo:
        document = catalog.document(item.uri, item.content_digest)
        if document is None:
            raise UnavailableError(f"The stored text of {item.uri} went while it was built.", "Run the build again.")
        batch.append((item, document, chunker.split(document)))
        if sum(len(chunks) for _, _, chunks in batch) >= BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(batch: Sequence[_Prepared], encoder: Encoder | None) -> list[DocumentRows]:
    texts = [chunk.indexed_text for _, _, chunks in batch for chunk in chunks]
    vectors = encoder.encode_documents(texts) if encoder and texts else None
    rows, first = [], 0
    for item, document, chunks in batch:
        own = None if vectors is None else vectors[first : first + len(chunks)]
        rows.append(DocumentRows(item, tuple(chunks), own, document.language, document.media_type, document.metadata))
        first += len(chunks)
    return rows


def _publish(
    plan: BuildPlan, indexing: Indexing, corpus: Corpus, live: _Live | None, revision: Revision
) -> BuildResult:
    """A revision of the live recipe goes live as it is, the first recipe unproven; any other needs a proof."""
    registry = plan.registry
    continues = live is not None and live.is_of(indexing.table)
    first = live is None or (live.recipe.encoder is None and indexing.encoder is not None)
    stands_at = live.pointer.sequence if live else 0
    recipe = live.recipe if live and continues else plan.first_recipe(indexing, revision)
    release = Release(registry.put(recipe), registry.put(revision))
    registry.put(release)
    outcome: Outcome = "needs proof"
    if live and release.id == live.pointer.release:
        outcome = "unchanged"
    elif continues or first:
        proven = live.pointer if live and continues else None
        promote(
            plan.journal,
            registry,
            plan.scope,
            Promotion(
                LIVE,
                release.id,
                verdict=proven.verdict if proven else "unproven",
                proof=proven.proof if proven else "",
                reason="new revision" if continues else f"first {recipe.label} recipe",
                forced=proven.forced if proven else False,
                stands_at=stands_at,
            ),
        )
        outcome = "published"
    changes = compare_documents(live.documents if live else {}, registry.documents(revision.documents))
    return BuildResult(
        outcome,
        release,
        recipe,
        revision,
        corpus,
        added=len(changes.added),
        changed=len(changes.changed),
        removed=len(changes.removed),
    )


def _prune(plan: BuildPlan, indexing: Indexing, state: KnowledgeBaseState) -> None:
    """Physically remove what no channel and none of the last revisions needs, from every table.

    While something is being proven, that waits for the next build.
    """
    with suppress(BusyError), held_lock(plan.prove_lock, "proof"):
        _discard(plan, indexing, state)


def _discard(plan: BuildPlan, indexing: Indexing, state: KnowledgeBaseState) -> None:
    revisions = [plan.registry.revision(name) for name in kept_revisions(state, plan.keep_revisions)]
    kept = [Snapshot(item.table, item.table_version) for item in revisions]
    last_of_recipe = {pointer.recipe: pointer.revision for _, pointer in state.history}
    current = table_name(indexing.table)
    plan.index.new_writer(indexing.table).discard(kept)
    for name in {plan.registry.revision(revision).table for revision in last_of_recipe.values()} | {current}:
        discard_tokens(plan.registry.storage, name, [pin.version for pin in kept if pin.table == name])
    for table in {plan.registry.revision(name).table for name in last_of_recipe.values()} - {current}:
        pinned = next((snapshot for snapshot in kept if snapshot.table == table), None)
        if pinned is None:
            plan.index.drop(table)
        else:
            reader = asyncio.run(plan.index.open_reader(pinned))
            plan.index.new_writer(reader.key).discard(kept)
