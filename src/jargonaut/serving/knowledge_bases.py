"""The knowledge bases that a service answers for, each following its journal to the release that is live."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.canonical import DIGEST_LENGTH
from jargonaut.core.errors import JargonautError, UnavailableError, UnknownNameError
from jargonaut.core.scope import LIVE, Scope
from jargonaut.index.port import IndexedDocument, Visibility
from jargonaut.releases.visibility import Overlay, overlay, principals_used
from jargonaut.serving.release_loader import Load, ReleaseLoader
from jargonaut.state.knowledge_base import ChannelPointer, Follower, KnowledgeBaseState
from jargonaut.state.port import Journal

_BEING_LOADED = "its live release is being loaded"
POLL_S = 0.5
"""How often the journals are looked at while nobody asks."""

_RELEASE_ID = re.compile(rf"[0-9a-f]{{{DIGEST_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Served:
    """A release as it is served to one request: it stays whole even if another is promoted meanwhile."""

    release: LoadedRelease
    state: KnowledgeBaseState
    """As of the beginning of the request."""
    channel: str
    """`live`, `canary`, or the id of the release that was asked for."""
    release_id: str
    """What the channel points at: not yet `release`, while that is being loaded."""
    recipe_id: str
    overlay: Overlay
    used_principals: frozenset[str]
    """All that make a difference to what is seen."""

    @property
    def model(self) -> str:
        """Its name as a model: the edge asks for `handbook@live` where its client asked for `handbook`."""
        name = self.release.scope.knowledge_base
        return name if self.channel == LIVE else f"{name}@{self.channel}"

    @property
    def is_settled(self) -> bool:
        """Whether the release is the one that the channel points at."""
        return self.release.release_id == self.release_id

    def visibility(self, principals: frozenset[str]) -> Visibility:
        """What an asker may see now."""
        return self.overlay.visibility(principals)

    def sees_everything(self, principals: frozenset[str]) -> bool:
        """Whether nothing is hidden from an asker."""
        return self.used_principals <= principals

    def audience(self, principals: frozenset[str]) -> frozenset[str]:
        """Those of an asker's principals that make a difference to what is seen: who has the same sees the same."""
        return principals & self.used_principals

    def documents(self, principals: frozenset[str]) -> list[IndexedDocument]:
        """The documents that an asker may see, were they not deleted, with their permissions as of now; by URI."""
        as_of_now = (
            replace(document, allow=self.state.permitted.get(uri, document.allow))
            for uri, document in sorted(self.release.documents.items())
        )
        return [document for document in as_of_now if principals.intersection(document.allow)]


class ServedKnowledgeBases:
    """All knowledge bases of a service, by tenant and name.

    A model is named `handbook` (its live release), `handbook@canary`, or `handbook@<release id>`.
    """

    def __init__(self, journal: Journal, scopes: Iterable[Scope], load: Load) -> None:
        self.journal = journal
        self._all = {scope: _KnowledgeBase(journal, scope, load) for scope in scopes}

    @property
    def scopes(self) -> list[Scope]:
        """Every knowledge base, sorted."""
        return sorted(self._all)

    async def serve(self, tenant: str, model: str) -> Served:
        """The release to answer `model` from.

        While another release is being loaded, the one before goes on answering; deletes and permissions hold for both.

        Raises:
            UnknownNameError: This tenant has no such model.
            UnavailableError: Nothing is loaded yet, or the state cannot be read.
        """
        name, _, selector = model.partition("@")
        scope = self.scope(tenant, name)
        return await self._all[scope].serve(selector or LIVE)

    def scope(self, tenant: str, name: str) -> Scope:
        """The knowledge base of a tenant with this name.

        Raises:
            UnknownNameError: There is none.
        """
        known = {scope.knowledge_base: scope for scope in self._all if scope.tenant == tenant}
        if name not in known:
            raise UnknownNameError("model", name, known)
        return known[name]

    async def channels(self, tenant: str) -> dict[str, ChannelPointer]:
        """What models a tenant can name, and where each points."""
        models = {}
        for scope in self.scopes:
            if scope.tenant == tenant:
                state = await self._all[scope].current()
                for channel, pointer in sorted(state.channels.items(), key=lambda item: item[0] != LIVE):
                    models[scope.knowledge_base if channel == LIVE else f"{scope.knowledge_base}@{channel}"] = pointer
        return models

    async def missing(self) -> dict[str, str]:
        """Knowledge bases that cannot answer yet, each with the reason."""
        reasons = {scope.path: await knowledge_base.reason_missing() for scope, knowledge_base in self._all.items()}
        return {path: reason for path, reason in reasons.items() if reason}

    async def loading(self) -> bool:
        """Whether a live release is being loaded, and nothing else serves in its place."""
        return _BEING_LOADED in (await self.missing()).values()

    async def follow(self) -> None:
        """Load what is live, and whatever is promoted later, until cancelled."""
        while True:
            for knowledge_base in self._all.values():
                await knowledge_base.refresh()
            await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        """Stop loading."""
        await asyncio.gather(*(knowledge_base.loader.close() for knowledge_base in self._all.values()))


class _KnowledgeBase:
    """One knowledge base: its state and the releases that its channels have been switched to."""

    def __init__(self, journal: Journal, scope: Scope, load: Load) -> None:
        self._scope = scope
        self._follower = Follower(journal, scope)
        self._switched: dict[str, LoadedRelease] = {}
        self._views: dict[str, tuple[KnowledgeBaseState, Overlay, frozenset[str]]] = {}
        self.loader = ReleaseLoader(scope, load)

    async def current(self) -> KnowledgeBaseState:
        # In a thread, because a journal may be on a disk or a network.
        return await asyncio.to_thread(self._follower.current)

    async def serve(self, selector: str) -> Served:
        state = await self.current()
        pointer = state.channels.get(selector)
        if pointer is None:
            return await self._pinned(state, selector)
        release = self._switch(selector, pointer)
        if release is None:
            release = await self.loader.wait(pointer.release)
            self._switch(selector, pointer)
        return self._served(release, state, selector, (pointer.release, pointer.recipe))

    async def refresh(self) -> None:
        """Begin to load what the channels point at, and switch to what is loaded."""
        try:
            state = await self.current()
        except JargonautError:
            return  # requests and `/readyz` say so
        for channel, pointer in state.channels.items():
            self._switch(channel, pointer)

    async def reason_missing(self) -> str:
        try:
            state = await self.current()
        except JargonautError:
            return "its state cannot be read"
        if LIVE not in state.channels:
            return "it has no live release yet"
        if self._switch(LIVE, state.channels[LIVE]) is not None:
            return ""
        failed = self.loader.failure(state.channels[LIVE].release)
        return "its live release cannot be loaded; the log says why" if failed else _BEING_LOADED

    def _switch(self, channel: str, pointer: ChannelPointer) -> LoadedRelease | None:
        """Switch the channel if its release is loaded, else see to it; what the channel serves now."""
        serving = self._switched.get(channel)
        if serving is None or serving.release_id != pointer.release:
            ready = self.loader.ready(pointer.release)
            if ready is not None:
                serving = self._switched[channel] = ready
                self._let_go()
        return serving

    async def _pinned(self, state: KnowledgeBaseState, selector: str) -> Served:
        if selector == LIVE:
            raise UnavailableError(f"`{self._scope.path}` has no live release yet.", "Build it: `jargonaut build`.")
        try:
            if not _RELEASE_ID.fullmatch(selector):
                raise UnknownNameError("release", selector, ())
            release = await self.loader.wait(selector)
            if not state.may_be_asked(release.revision.id):
                raise UnknownNameError("release", selector, ())
        except UnknownNameError:
            known = {f"{self._scope.knowledge_base}@{channel}" for channel in state.channels if channel != LIVE}
            name = f"{self._scope.knowledge_base}@{selector}"
            raise UnknownNameError("model", name, known | {self._scope.knowledge_base}) from None
        self._let_go()
        return self._served(release, state, selector, (release.release_id, release.recipe.id))

    def _served(
        self, release: LoadedRelease, state: KnowledgeBaseState, channel: str, points_at: tuple[str, str]
    ) -> Served:
        # What the journal says of a release is worked out once, not for every request.
        known, join, used = self._views.get(release.release_id, (None, None, frozenset()))
        if join is None or known is not state:
            join, used = overlay(state, release.documents), principals_used(state, release.documents)
            self._views[release.release_id] = (state, join, used)
        return Served(release, state, channel, *points_at, join, used)

    def _let_go(self) -> None:
        self.loader.keep_only(release.release_id for release in self._switched.values())
        self._views = {name: view for name, view in self._views.items() if self.loader.has(name)}
