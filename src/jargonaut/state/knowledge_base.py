"""What a knowledge base's journal says: channels, deletes, permissions and the generation."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jargonaut.core.errors import ConflictError, NewerFormatError
from jargonaut.core.scope import Scope
from jargonaut.state.port import Event, Journal

_RETRIES = 20


@dataclass(frozen=True, slots=True)
class ChannelPointer:
    """Where a channel points, and how it came to."""

    release: str
    recipe: str
    revision: str
    verdict: str
    """Of the proof that let it pass; `unproven` for the first."""
    forced: bool
    reason: str
    proof: str
    """Id of the proof, or empty."""
    at: str
    sequence: int


@dataclass(frozen=True, slots=True)
class KnowledgeBaseState:
    """The fold of a journal up to `sequence`."""

    sequence: int = 0
    generation: int = 0
    """Number of the last event that can make an old answer wrong."""
    channels: Mapping[str, ChannelPointer] = field(default_factory=dict)
    history: tuple[tuple[str, ChannelPointer], ...] = ()
    """Every promotion, oldest first, with its channel."""
    deleted: Mapping[str, str] = field(default_factory=dict)
    """URI -> when."""
    permitted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URI -> principals, of every document whose permissions have changed since it was first indexed."""
    kept: frozenset[str] | None = None
    """Revisions whose permissions are kept up to date; no other may be asked. None: a build has not said so yet."""
    waiting: frozenset[str] = frozenset()
    """Revisions that were never live, and are kept for a proof: the newest that waits for one, and what is in one."""

    def may_be_asked(self, revision: str) -> bool:
        """Whether what the journal says holds for a revision too."""
        return self.kept is None or revision in self.kept


def journal_stream(scope: Scope) -> str:
    """Name of the knowledge base's stream."""
    return f"kb/{scope.path}"


def fold(state: KnowledgeBaseState, events: Iterable[Event]) -> KnowledgeBaseState:
    """`state` after `events`."""
    channels, history = dict(state.channels), list(state.history)
    deleted, permitted = dict(state.deleted), dict(state.permitted)
    sequence, generation, kept, waiting = state.sequence, state.generation, state.kept, state.waiting
    for event in events:
        sequence, body, raises = event.sequence, event.body, True
        if event.kind == "promoted":
            pointer = ChannelPointer(
                at=event.at,
                sequence=event.sequence,
                **{name: body[name] for name in _PROMOTED_FIELDS},
            )
            channels[body["channel"]] = pointer
            history.append((body["channel"], pointer))
            raises = body["raises"]
            kept = kept if kept is None else kept | {pointer.revision}
            waiting -= {pointer.revision}
        elif event.kind == "deleted":
            deleted.update(dict.fromkeys(body["uris"], event.at))
            for uri, allow in body.get("allow", {}).items():
                permitted.setdefault(uri, tuple(allow))
        elif event.kind == "restored":
            for uri in body["uris"]:
                deleted.pop(uri, None)
        elif event.kind == "permitted":
            permitted.update({uri: tuple(allow) for uri, allow in body["allow"].items()})
        elif event.kind == "kept":
            kept, waiting, raises = frozenset(body["revisions"]), frozenset(body["waiting"]), False
        elif event.kind in _TOLD:
            raises = False
        else:
            raise NewerFormatError(
                f"The state of this knowledge base holds an event `{event.kind}` that this version does not know.",
                "Upgrade Jargonaut. To pass over it could bring back what was deleted.",
            )
        if raises:
            generation = event.sequence
    return KnowledgeBaseState(sequence, generation, channels, tuple(history), deleted, permitted, kept, waiting)


_TOLD = frozenset({"proved"})
"""Kinds of events that are there to be looked up, and change nothing of the fold."""


_PROMOTED_FIELDS = tuple(
    item.name for item in dataclasses.fields(ChannelPointer) if item.name not in ("at", "sequence")
)


class Follower:
    """Keeps the fold of one journal up to date. Safe to call from several threads."""

    def __init__(self, journal: Journal, scope: Scope) -> None:
        self._journal = journal
        self._stream = journal_stream(scope)
        self._state = KnowledgeBaseState()
        self._lock = threading.Lock()

    def current(self) -> KnowledgeBaseState:
        """The state as of now: what was appended before the call is in it.

        Raises:
            UnavailableError: The journal cannot be read; then nothing may be answered.
        """
        with self._lock:
            events = self._journal.read(self._stream, self._state.sequence)
            if events:
                self._state = fold(self._state, events)
            return self._state


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a change is in force."""

    sequence: int
    generation: int
    effective_at: str
    """When it was in force at the origin, UTC."""
    uris: tuple[str, ...]


def record(journal: Journal, scope: Scope, kind: str, body: Mapping[str, Any]) -> Receipt:
    """Append an event that does not depend on what others append meanwhile.

    Raises:
        ConflictError: Others kept getting in first.
    """
    stream, follower = journal_stream(scope), Follower(journal, scope)
    for _ in range(_RETRIES):
        try:
            event = journal.append(stream, follower.current().sequence, kind, body)
        except ConflictError:
            continue
        generation = follower.current().generation
        return Receipt(event.sequence, generation, event.at, tuple(body.get("uris", body.get("allow", ()))))
    raise ConflictError(f"`{stream}` is being changed by many at once.", "Try again.")


def delete_documents(
    journal: Journal, scope: Scope, uris: Iterable[str], allow: Mapping[str, tuple[str, ...]] | None = None
) -> Receipt:
    """Delete documents for every release, past and future, from the moment this returns.

    Args:
        journal: The state.
        scope: The knowledge base.
        uris: Of the documents.
        allow: Who may read them: whoever may, may restore them when no release holds them any more.
    """
    readers = {"allow": {uri: sorted(names) for uri, names in allow.items()}} if allow else {}
    return record(journal, scope, "deleted", {"uris": sorted(uris), **readers})


def restore_documents(journal: Journal, scope: Scope, uris: Iterable[str]) -> Receipt:
    """Undo a delete: releases that hold the documents show them again."""
    return record(journal, scope, "restored", {"uris": sorted(uris)})


def keep_revisions(journal: Journal, scope: Scope, revisions: Iterable[str], waiting: Iterable[str]) -> Receipt:
    """Say which revisions may still be asked, and which of them wait for a proof."""
    return record(journal, scope, "kept", {"revisions": sorted(revisions), "waiting": sorted(waiting)})


def permit_documents(journal: Journal, scope: Scope, allow: Mapping[str, tuple[str, ...]]) -> Receipt:
    """Set who may read these documents, for every release, from the moment this returns."""
    return record(journal, scope, "permitted", {"allow": {uri: sorted(names) for uri, names in allow.items()}})
