"""Channels: which release is live. Promotion and rollback are the same single append to the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from jargonaut.core.errors import ConflictError, IntegrityError, RefusedError
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
    among_kept: bool = False
    """Whether it must be of a revision that is kept up to date: anything but what was just built."""


def promote(journal: Journal, registry: Registry, scope: Scope, promotion: Promotion) -> ChannelPointer:
    """Point a channel at a release, in one conditional write.

    Raises:
        UnknownNameError: There is no such release.
        RefusedError: It is not kept any more.
        ConflictError: The channel was switched meanwhile, or others kept changing the knowledge base.
    """
    follower = Follower(journal, scope)
    release = registry.release(promotion.release)
    said = {name: value for name, value in asdict(promotion).items() if name not in ("stands_at", "among_kept")}
    for _ in range(_RETRIES):
        state = follower.current()
        before = state.channels.get(promotion.channel)
        if promotion.stands_at not in (None, before.sequence if before else 0):
            raise ConflictError(
                f"`{promotion.channel}` of {scope.path} was switched to another release meanwhile.", "Run it again."
            )
        if promotion.among_kept and not state.may_be_asked(release.revision):
            raise not_kept(promotion.release)
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
            among_kept=True,
        ),
    )


def not_kept(release: str) -> RefusedError:
    """The error of a release for whose documents permissions are not kept up to date any more."""
    return RefusedError(
        f"Release {release[:12]} is not kept any more.",
        "[build] keep_revisions says how many revisions are kept; `jargonaut releases list` shows releases.",
    )


def kept_revisions(state: KnowledgeBaseState, keep: int) -> list[str]:
    """Ids of the revisions that can still be asked, oldest first.

    The last `keep` that were promoted, what a channel points at, and what waits for a proof.
    """
    recent = list(dict.fromkeys(pointer.revision for _, pointer in reversed(state.history)))[:keep]
    kept = {*recent, *(pointer.revision for pointer in state.channels.values())}
    promoted = [name for name in dict.fromkeys(pointer.revision for _, pointer in state.history) if name in kept]
    return [*promoted, *sorted(state.waiting - kept)]


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
    new = registry.revision(revision)
    try:
        old = registry.revision(before.revision)
        if old.documents == new.documents:
            return False
        documents = registry.documents(old.documents)
    except IntegrityError:
        return True  # what it held is not known any more
    changes = compare_documents(documents, registry.documents(new.documents))
    return bool(changes.changed or changes.removed)
