"""Loads releases in the background, once each, and warms them before they serve."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.answering.retrieve import Question, retrieve
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import JargonautError, UnavailableError, UnknownNameError
from jargonaut.core.scope import Scope
from jargonaut.index.port import Visibility

logger = logging.getLogger(__name__)

Load = Callable[[Scope, str], Awaitable[LoadedRelease]]
"""Loads the release with an id. Raises `UnknownNameError` if there is none. Given by wiring."""

RETRY_S = 5.0
"""How long a release that could not be loaded is left alone."""
WAIT_S = 10.0
"""How long a request waits for a release to be loaded when there is no other to answer from."""
WARM_UP_S = 60.0
PINNED = 2
"""Most releases kept that no channel points at: those switched away from, or asked for by id, last."""

_REMEMBERED_FAILURES = 64


class ReleaseLoader:
    """The loaded releases of one knowledge base. Used from one event loop.

    A release that nobody keeps any more is let go when the last request that answers from it has ended.
    """

    def __init__(self, scope: Scope, load: Load) -> None:
        self._scope = scope
        self._load = load
        self._loaded: OrderedDict[str, LoadedRelease] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[LoadedRelease]] = {}
        self._failures: dict[str, tuple[JargonautError, float]] = {}

    def ready(self, release_id: str) -> LoadedRelease | None:
        """The release, if it is loaded; otherwise it is from now on being loaded, or tried again after a failure."""
        loaded = self._loaded.get(release_id)
        if loaded is not None:
            self._loaded.move_to_end(release_id)
        elif not self._failed_recently(release_id) and release_id not in self._tasks:
            task = self._tasks[release_id] = asyncio.create_task(self._loading(release_id))
            task.add_done_callback(lambda done: self._finished(release_id, done))
        return loaded

    async def wait(self, release_id: str) -> LoadedRelease:
        """The release, as soon as it is loaded.

        Raises:
            UnknownNameError: There is none with this id.
            UnavailableError: It cannot be loaded now, or that takes longer than a request can wait.
        """
        loaded = self.ready(release_id)
        if loaded is not None:
            return loaded
        task = self._tasks.get(release_id)
        if task is not None:
            await asyncio.wait({task}, timeout=WAIT_S)
        loaded = self._loaded.get(release_id)
        if loaded is not None:
            return loaded
        error = self.failure(release_id)
        if isinstance(error, UnknownNameError):
            raise error
        raise UnavailableError(f"Release {release_id} of `{self._scope.path}` is not loaded.", "Try again.") from error

    def has(self, release_id: str) -> bool:
        """Whether the release is loaded now."""
        return release_id in self._loaded

    def failure(self, release_id: str) -> JargonautError | None:
        """Why the release could not be loaded the last time, if so."""
        return self._failures[release_id][0] if release_id in self._failures else None

    def keep_only(self, channels: Iterable[str]) -> None:
        """Let go of releases that no channel serves, but for the few that were used last."""
        serving = set(channels)
        idle = [release_id for release_id in self._loaded if release_id not in serving]
        for release_id in idle[: max(len(idle) - PINNED, 0)]:
            del self._loaded[release_id]

    async def close(self) -> None:
        """Stop loading."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, JargonautError):
                await task

    async def _loading(self, release_id: str) -> LoadedRelease:
        started = time.perf_counter()
        release = await self._load(self._scope, release_id)
        # The first search pays for opening files and compiling; and a release that cannot search must not serve.
        await retrieve(release, Question("warm up"), Visibility(), Deadline.after(WARM_UP_S))
        logger.info("%s: loaded release %s in %.1f s", self._scope.path, release_id, time.perf_counter() - started)
        return release

    def _finished(self, release_id: str, task: asyncio.Task[LoadedRelease]) -> None:
        del self._tasks[release_id]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failures.pop(release_id, None)
            self._loaded[release_id] = task.result()
            return
        if not isinstance(error, UnknownNameError):
            logger.error("%s: release %s cannot be loaded", self._scope.path, release_id, exc_info=error)
        if not isinstance(error, JargonautError):
            error = UnavailableError(f"Release {release_id} cannot be loaded: {error}")
        if len(self._failures) >= _REMEMBERED_FAILURES:
            del self._failures[next(iter(self._failures))]
        self._failures[release_id] = (error, time.monotonic() + RETRY_S)

    def _failed_recently(self, release_id: str) -> bool:
        return release_id in self._failures and time.monotonic() < self._failures[release_id][1]
