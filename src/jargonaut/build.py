"""The whole build, readable top to bottom: sources -> corpus -> index -> revision -> recipe -> release -> channel.

The index is reconciled with what is wanted, so a build that was killed is taken up by the next one, and a build with
nothing to do does nothing. What is live stays live until the last step, which is one append to the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jargonaut.core.errors import ConflictError, IntegrityError, SourceError
from jargonaut.core.progress import Progress
from jargonaut.core.release import Recipe, Release, Revision
from jargonaut.core.scope import LIVE
from jargonaut.documents.corpus import Corpus, read_corpus
from jargonaut.index.port import IndexedDocument, Snapshot, TableKey
from jargonaut.indexing import BuildPlan, Indexing, index_documents, write_tokens
from jargonaut.releases.channels import Promotion, compare_documents, promote
from jargonaut.retention import announce_permissions, keep_for_a_proof, prune
from jargonaut.state.knowledge_base import ChannelPointer, Follower, KnowledgeBaseState
from jargonaut.state.lock import held_lock

_RETRIES = 3

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
        announce_permissions(plan, corpus, wanted, follower.current())
        for _ in range(_RETRIES):
            indexing = plan.indexing(corpus)
            try:
                _bring_live_up_to_date(plan, corpus, indexing, wanted, progress)
                live = _live(plan, follower.current())
                if live and live.is_of(indexing.table) and live.documents == wanted and not plan.anew:
                    asyncio.run(plan.index.open_reader(live.snapshot))
                    write_tokens(plan, indexing, (live.snapshot, plan.tokens(indexing, None)), wanted, progress)
                    result = BuildResult("unchanged", live.release, live.recipe, live.revision, corpus, 0, 0, 0)
                    if not follower.current().waiting:
                        return result
                else:
                    revision = index_documents(plan, indexing, wanted, progress)
                    result = _publish(plan, indexing, corpus, live, revision)
            except ConflictError:
                continue  # promoted or rolled back meanwhile: what goes on from there is decided again
            waits = result.revision if result.outcome == "needs proof" else None
            if waits:
                keep_for_a_proof(plan, waits)
            prune(plan, indexing, waits)
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


def _is_first(live: _Live, indexing: Indexing) -> bool:
    """Whether this is the first recipe with an encoder, which takes the place of a lexical one without a proof."""
    return live.recipe.encoder is None and indexing.encoder is not None


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
