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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from jargonaut.chunking.port import Chunker
from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Document, document_id
from jargonaut.core.errors import (
    BusyError,
    ConflictError,
    IntegrityError,
    SourceError,
    UnavailableError,
    UnknownNameError,
)
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
from jargonaut.ranking.token_writing import FITTED_ON, ChunkEncoder, TokenWriting
from jargonaut.releases.channels import Promotion, compare_documents, kept_revisions, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import (
    ChannelPointer,
    Follower,
    KnowledgeBaseState,
    keep_revisions,
    permit_documents,
)
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
    indexing_of: Callable[[Corpus, Recipe], Indexing | None]
    """How the documents of a live recipe are cut and encoded, whatever is wanted now; None if that cannot be done any
    more."""
    index: Index
    first_recipe: Callable[[Indexing, Revision], Recipe]
    """Makes the recipe when none of this kind is live: it may search the new revision to fit its threshold."""
    keep_revisions: int
    lock: Path
    prove_lock: Path
    """Held while something is proven: what that reads is not to be removed."""
    tokens: Callable[[Indexing, Callable[[], list[str]] | None], TokenWriting | None] = lambda indexing, sample: None
    """Keeps the tokens that a recipe compares, or may; given a sample of texts where there is something to encode."""
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
        try:
            corpus = read_corpus(plan.scan(), plan.catalog, plan.read, plan.rules, deleted, progress)
        except SourceError as error:
            raise _still_live(error, _live(plan, follower.current()), deleted) from error
        wanted = {
            uri: IndexedDocument(uri, corpus.entries[uri].digest, allow) for uri, allow in sorted(corpus.allow.items())
        }
        _announce_permissions(plan, corpus, wanted, follower.current())
        for _ in range(_RETRIES):
            indexing = plan.indexing(corpus)
            try:
                _bring_live_up_to_date(plan, corpus, indexing, wanted, progress)
                live = _live(plan, follower.current())
                if live and live.is_of(indexing.table) and live.documents == wanted and not plan.anew:
                    asyncio.run(plan.index.open_reader(live.snapshot))
                    _write_tokens(plan, indexing, (live.snapshot, plan.tokens(indexing, None)), wanted, progress)
                    result = BuildResult("unchanged", live.release, live.recipe, live.revision, corpus, 0, 0, 0)
                    if not follower.current().waiting:
                        return result
                else:
                    revision = index_documents(plan, indexing, wanted, progress)
                    result = _publish(plan, indexing, corpus, live, revision)
            except ConflictError:
                continue  # promoted or rolled back meanwhile: what goes on from there is decided again
            if result.outcome == "needs proof":
                keep_for_a_proof(plan, result.revision)
            _prune(plan, indexing, result)
            return result
    raise ConflictError("What is live was changed again and again during the build.", "Run it again.")


def _bring_live_up_to_date(
    plan: BuildPlan,
    corpus: Corpus,
    indexing: Indexing,
    wanted: Mapping[str, IndexedDocument],
    progress: Progress,
) -> None:
    """What is live follows the documents, also while they are to be cut or encoded otherwise once that is proven.

    A lexical release is about to be replaced without a proof, and need not.
    """
    live = _live(plan, Follower(plan.journal, plan.scope).current())
    if live is None or live.is_of(indexing.table) or live.documents == wanted or _is_first(live, indexing):
        return
    own = plan.indexing_of(corpus, live.recipe)
    if own is not None:
        _publish(plan, own, corpus, live, index_documents(plan, own, wanted, progress))


def _still_live(error: SourceError, live: _Live | None, deleted: frozenset[str]) -> SourceError:
    """An empty source is more often a disk that is not there than a wish: nothing is taken back, and that is said."""
    answering = sorted(live.documents.keys() - deleted) if live is not None else []
    if not answering:
        return error
    count, first = len(answering), answering[0]
    return SourceError(
        f"{error.message} The release that is live stays, and still answers from "
        f"{f'{count:,} documents, {first} among them' if count > 1 else first}.",
        f"{error.hint} What is to answer no longer is deleted with `jargonaut documents rm`.".strip(),
    )


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
    """What is live; None if nothing is, or if it is damaged and all is made anew."""
    pointer = state.channels.get(LIVE)
    if pointer is None:
        return None
    registry = plan.registry
    try:
        revision = registry.revision(pointer.revision)
        return _Live(
            pointer,
            registry.release(pointer.release),
            registry.recipe(pointer.recipe),
            revision,
            registry.documents(revision.documents),
        )
    except IntegrityError as error:
        if plan.anew:
            return None
        raise IntegrityError(error.message, "`jargonaut build --anew` makes everything again.") from error


def _announce_permissions(
    plan: BuildPlan, corpus: Corpus, wanted: Mapping[str, IndexedDocument], state: KnowledgeBaseState
) -> None:
    """Changed permissions hold at once, for every release that can be asked, before anything is indexed.

    Of a document that is not in the sources any more, what it said about itself is not known: the rules narrow what an
    earlier release grants. One that is there and cannot be read may say that nobody reads it.
    """
    kept = _whole(plan, kept_revisions(state, plan.keep_revisions))
    if state.kept != kept.keys():
        keep_revisions(plan.journal, plan.scope, kept, state.waiting & kept.keys())
    unread = {entry.uri for entry in corpus.quarantined}
    changed: dict[str, tuple[str, ...]] = {}
    for documents in kept.values():
        for uri, held in documents.items():
            known = changed.get(uri, state.permitted.get(uri, held.allow))
            if uri in wanted:
                now = wanted[uri].allow
            elif unread.intersection(_with_files_around(uri)):
                now = ()
            else:
                granted = readers_of_both(frozenset(held.allow), frozenset(plan.rules.allow_for(uri)))
                now = tuple(sorted(readers_of_both(frozenset(known), granted)))
            if now != known:
                changed[uri] = now
    if changed:
        permit_documents(plan.journal, plan.scope, changed)


def _whole(plan: BuildPlan, revisions: Iterable[str]) -> dict[str, Mapping[str, IndexedDocument]]:
    """The documents of those revisions whose manifests can be read; the others cannot be asked anyway."""
    whole: dict[str, Mapping[str, IndexedDocument]] = {}
    for name in revisions:
        with suppress(IntegrityError, UnknownNameError):
            whole[name] = plan.registry.documents(plan.registry.revision(name).documents)
    return whole


def _with_files_around(uri: str) -> Iterator[str]:
    """`uri`, and those of the files that it may be in."""
    while uri:
        yield uri
        uri = uri.rpartition("/")[0]


def keep_for_a_proof(plan: BuildPlan, revision: Revision) -> None:
    """Keep a revision that was never live, permissions included, until something else waits and no proof is running."""
    state = Follower(plan.journal, plan.scope).current()
    if revision.id not in state.waiting:
        kept = {*(state.kept or kept_revisions(state, plan.keep_revisions)), revision.id}
        keep_revisions(plan.journal, plan.scope, kept, {*state.waiting, revision.id})


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
    tokens = plan.tokens(indexing, (lambda: _sampled(plan, indexing, todo)) if todo else None)
    encoder = None
    if indexing.encoder and todo:
        encoder = ChunkEncoder(indexing.encoder(), tokens, table_name(indexing.table))
    done = 0
    for batch in _batches(plan.catalog, indexing.chunker, todo):
        writer.replace(_rows(batch, encoder))
        done += len(batch)
        progress("encode" if encoder else "index", done, len(todo), batch[-1][0].uri)
    if encoder:
        encoder.flush()
    snapshot = writer.snapshot()
    _write_tokens(plan, indexing, (snapshot, tokens), wanted, progress)
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


def _is_first(live: _Live, indexing: Indexing) -> bool:
    """Whether this is the first recipe with an encoder, which takes the place of a lexical one without a proof."""
    return live.recipe.encoder is None and indexing.encoder is not None


def _write_tokens(
    plan: BuildPlan,
    indexing: Indexing,
    what: tuple[Snapshot, TokenWriting | None],
    wanted: Mapping[str, IndexedDocument],
    progress: Progress,
) -> None:
    """The tokens of a revision, where they are kept; only documents that lack them are encoded for it."""
    snapshot, writing = what
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


def _sampled(plan: BuildPlan, indexing: Indexing, todo: Sequence[IndexedDocument]) -> list[str]:
    """What is indexed of some documents, spread evenly."""
    some = todo[:: max(1, len(todo) // FITTED_ON)][:FITTED_ON]
    batches = _batches(plan.catalog, indexing.chunker, some)
    return [chunk.indexed_text for batch in batches for _, _, own in batch for chunk in own[:2]]


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


def _rows(batch: Sequence[_Prepared], encoder: ChunkEncoder | None) -> list[DocumentRows]:
    listed = [chunk for _, _, chunks in batch for chunk in chunks]
    vectors = encoder.encode(listed) if encoder and listed else None
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
    first = live is None or _is_first(live, indexing)
    pointer = live.pointer if live else Follower(plan.journal, plan.scope).current().channels.get(LIVE)
    stands_at = pointer.sequence if pointer else 0
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


def _prune(plan: BuildPlan, indexing: Indexing, result: BuildResult) -> None:
    """Physically remove what no channel, none of the last revisions and no proof needs, from every table.

    While something is being proven, that waits for the next build.
    """
    with suppress(BusyError), held_lock(plan.prove_lock, "proof"):
        follower = Follower(plan.journal, plan.scope)
        state = follower.current()
        waiting = frozenset({result.revision.id} if result.outcome == "needs proof" else ())
        kept = frozenset(_whole(plan, kept_revisions(replace(state, waiting=waiting), plan.keep_revisions)))
        if (state.kept, state.waiting) != (kept, waiting):
            keep_revisions(plan.journal, plan.scope, kept, waiting)
        _discard(plan, indexing, follower.current())


def _discard(plan: BuildPlan, indexing: Indexing, state: KnowledgeBaseState) -> None:
    kept, tables = [], set()
    for name in plan.registry.names("revisions"):
        with suppress(IntegrityError):
            revision = plan.registry.revision(name)
            tables.add(revision.table)
            if state.may_be_asked(name):
                kept.append(Snapshot(revision.table, revision.table_version))
    current = table_name(indexing.table)
    plan.index.new_writer(indexing.table).discard(kept)
    for table in tables | {current}:
        discard_tokens(plan.registry.storage, table, [pin.version for pin in kept if pin.table == table])
    for table in tables - {current}:
        pinned = next((snapshot for snapshot in kept if snapshot.table == table), None)
        if pinned is None:
            plan.index.drop(table)
        else:
            reader = asyncio.run(plan.index.open_reader(pinned))
            plan.index.new_writer(reader.key).discard(kept)
