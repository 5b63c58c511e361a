"""Channels: which release is live. Promotion and rollback are the same single append to the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from jargonaut.core.errors import ConflictError, RefusedError
from jargonaut.core.scope import LIVE, Scope
from jargonaut.index.port import IndexedDocument
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import ChannelPointer, Follower, KnowledgeBaseState, journal_stream
from jargonaut.state.port import Journal

_RETRIES = 20


@dataclass(frozen=True, slots=True)
class Promotion:
    """A channel is to point at a release, and why it may."""

    channel: str
    release: str
    verdict: str
    proof: str
    reason: str
    forced: bool = False
    stands_at: int | None = None
    """Sequence of the promotion that the channel must still stand at, 0 for none; None if it does not matter."""


def promote(journal: Journal, registry: Registry, scope: Scope, promotion: Promotion) -> ChannelPointer:
    """Point a channel at a release, in one conditional write.

    Raises:
        UnknownNameError: There is no such release.
        ConflictError: The channel was switched meanwhile, or others kept changing the knowledge base.
    """
    follower = Follower(journal, scope)
    release = registry.release(promotion.release)
    said = {name: value for name, value in asdict(promotion).items() if name != "stands_at"}
    for _ in range(_RETRIES):
        state = follower.current()
        before = state.channels.get(promotion.channel)
        if promotion.stands_at not in (None, before.sequence if before else 0):
            raise ConflictError(
                f"`{promotion.channel}` of {scope.path} was switched to another release meanwhile.", "Run it again."
            )
        body = {
            **said,
            "recipe": release.recipe,
            "revision": release.revision,
            "raises": _raises(registry, before, release.revision),
        }
        try:
            journal.append(journal_stream(scope), state.sequence, "promoted", body)
        except ConflictError:
            continue
        return follower.current().channels[promotion.channel]
    raise ConflictError(f"Knowledge base {scope.path} is being changed by many at once.", "Try again.")


def roll_back(
    journal: Journal, registry: Registry, scope: Scope, check: Callable[[str], None], to: str = ""
) -> ChannelPointer:
    """Point `live` at the release that was live before, or at the one whose id begins with `to`.

    Deletes and permissions stay as they are now.

    Args:
        journal: The state.
        registry: The manifests.
        scope: The knowledge base.
        check: Called with the id of the release; raises if it cannot be served any more.
        to: Beginning of a release's id.

    Raises:
        RefusedError: No other release was live before.
        UnknownNameError: There is no release `to`.
    """
    state = Follower(journal, scope).current()
    now = state.channels.get(LIVE)
    if now is None:
        raise RefusedError("Nothing is live yet.", "Build first: `jargonaut build`.")
    earlier = [pointer for channel, pointer in state.history if channel == LIVE and pointer.release != now.release]
    if to:
        wanted = registry.find_release(to).id
        earlier = [pointer for pointer in earlier if pointer.release == wanted]
    if not earlier:
        raise RefusedError(
            f"Release {to} was never live." if to else "No other release was live before.",
            "`jargonaut releases` lists what there is.",
        )
    target = earlier[-1]
    check(target.release)
    return promote(
        journal,
        registry,
        scope,
        Promotion(
            LIVE,
            target.release,
            target.verdict,
            target.proof,
            f"rolled back from {now.release[:12]}",
            target.forced,
            now.sequence,
        ),
    )


def kept_revisions(state: KnowledgeBaseState, keep: int) -> list[str]:
    """Ids of the revisions that a rollback can reach, oldest first: the last `keep`, and what a channel points at."""
    recent = list(dict.fromkeys(pointer.revision for _, pointer in reversed(state.history)))[:keep]
    kept = {*recent, *(pointer.revision for pointer in state.channels.values())}
    return [name for name in dict.fromkeys(pointer.revision for _, pointer in state.history) if name in kept]


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """How two revisions differ; URIs, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def compare_documents(before: Mapping[str, IndexedDocument], after: Mapping[str, IndexedDocument]) -> DocumentChanges:
    """What `after` has added, changed and removed."""
    both = before.keys() & after.keys()
    return DocumentChanges(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(uri for uri in both if before[uri].content_digest != after[uri].content_digest)),
        tuple(sorted(before.keys() - after.keys())),
    )


def _raises(registry: Registry, before: ChannelPointer | None, revision: str) -> bool:
    """Whether the switch can make an old answer wrong: anything but pure additions."""
    if before is None or before.revision == revision:
        return False
    old, new = registry.revision(before.revision), registry.revision(revision)
    if old.documents == new.documents:
        return False
    changes = compare_documents(registry.documents(old.documents), registry.documents(new.documents))
    return bool(changes.changed or changes.removed)
