"""Which revisions can still be asked: their permissions are kept up to date, and the rest leaves the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from jargonaut.core.errors import BusyError, IntegrityError, UnknownNameError
from jargonaut.core.release import Revision
from jargonaut.documents.corpus import Corpus
from jargonaut.documents.permissions import readers_of_both
from jargonaut.index.port import IndexedDocument, Snapshot
from jargonaut.index.rows import table_name
from jargonaut.index.token_store import discard_tokens
from jargonaut.indexing import BuildPlan, Indexing
from jargonaut.releases.channels import kept_revisions
from jargonaut.state.knowledge_base import Follower, KnowledgeBaseState, keep_revisions, permit_documents
from jargonaut.state.lock import held_lock


def announce_permissions(
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


def prune(plan: BuildPlan, indexing: Indexing, waits: Revision | None) -> None:
    """Physically remove what no channel, none of the last revisions and no proof needs, from every table.

    While something is being proven, that waits for the next build.

    Args:
        plan: The build.
        indexing: Of the table that it wrote.
        waits: The revision that waits for a proof, if one does.
    """
    with suppress(BusyError), held_lock(plan.prove_lock, "proof"):
        follower = Follower(plan.journal, plan.scope)
        state = follower.current()
        waiting = frozenset({waits.id} if waits else ())
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
