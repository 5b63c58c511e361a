"""Keeps the releases of a running service up to date, each build in a process of its own.

A build takes memory and every core for a while, and may be killed; the service only follows the journal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jargonaut.cli.output import note
from jargonaut.core.errors import BusyError, JargonautError, RefusedError
from jargonaut.deployment.tether import tethered

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase, Workspace

Command = Literal["build", "prove"]

_GRACE_S = 10.0
_MOST_BUILDS = max(2, os.cpu_count() or 1)
"""At once, of all knowledge bases: each takes memory for an encoder."""


def run_build(arguments: Sequence[str]) -> None:
    """Run `jargonaut build` to its end.

    Raises:
        JargonautError: It failed; it has said why itself.
    """
    code = _start("build", arguments).wait()
    if code:
        error = JargonautError("There is nothing to serve, because the build failed.", "Its message is above.")
        error.exit_code = code
        raise error


def _start(command: Command, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """`jargonaut COMMAND --wait ...`, which ends with us; one that an earlier `up` has left behind is waited for."""
    return subprocess.Popen(
        tethered([sys.executable, "-m", "jargonaut", command, "--wait", *arguments]),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )


@dataclass(frozen=True, slots=True)
class _Job:
    command: Command
    knowledge_base: str
    process: subprocess.Popen[bytes]


class Rebuilding:
    """A thread that builds what has changed, and tunes what was not tuned yet.

    A changed knowledge base is built as soon as no build of it runs; everything counts as changed at first. A proof is
    begun when nothing is left to build, one at a time, and what changes meanwhile is built beside it.

    Args:
        workspace: What is served.
        arguments: Options by which another process finds the same workspace.
        tune: Whether to tune.
        watch: Whether to follow changes of the folders.
    """

    def __init__(self, workspace: Workspace, arguments: Sequence[str], *, tune: bool, watch: bool) -> None:
        self._bases = {base.scope.path: base for base in workspace.knowledge_bases.values()}
        self._home = workspace.home
        self._arguments = arguments
        self._tune = tune
        self._watch = watch
        self._dirty: set[str] = set()
        """Changed since their last build began."""
        self._built: set[str] = set()
        """Built since they were last asked whether they want tuning."""
        self._jobs: list[_Job] = []
        self._stopped = threading.Event()
        # Every process is started by it, because on Linux it ends with the thread that starts it.
        self._thread = threading.Thread(target=self._run, name="rebuilding", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and end what is running: it is resumed next time."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            for changed in self._changes():
                self._dirty |= changed
                self._look_for_ended()
                self._begin_builds()
                self._begin_proof()
        finally:
            self._end_all()

    def _changes(self) -> Iterator[Set[str]]:
        """The knowledge bases that have changed, whenever some have; none, several times a second, otherwise."""
        from jargonaut.cli.folder_watch import LOOK_MS, changed_folders

        if self._watch:
            folders = {folder for base in self._bases.values() for folder in _folders(base)}
            for changed in changed_folders(folders, self._home, self._stopped):
                yield {name for name, base in self._bases.items() if not changed.isdisjoint(_folders(base))}
        else:
            yield self._bases.keys()
            while not self._stopped.wait(LOOK_MS / 1000):
                yield frozenset()

    def _look_for_ended(self) -> None:
        ended = [job for job in self._jobs if job.process.poll() is not None]
        for job in ended:
            self._jobs.remove(job)
            code, again = job.process.returncode, self._dirty if job.command == "build" else self._built
            if job.command == "build":
                self._built.add(job.knowledge_base)
            if code == BusyError.exit_code:
                again.add(job.knowledge_base)
            elif code and not (job.command == "prove" and code == RefusedError.exit_code):
                note(
                    f"{job.knowledge_base}: `{job.command}` ended with exit code {code}; what was live goes on serving."
                )

    def _begin_builds(self) -> None:
        for name in sorted(self._dirty - self._running("build")):
            # One that is gone for now would only fail; it counts as changed when it is back.
            there = not self._watch or all(folder.is_dir() for folder in _folders(self._bases[name]))
            if there and len(self._running("build")) < _MOST_BUILDS:
                self._dirty.remove(name)
                self._begin("build", name)

    def _begin_proof(self) -> None:
        while self._tune and self._built and not self._jobs:
            name = self._built.pop()
            if _wants_tuning(self._bases[name]):
                self._begin("prove", name)

    def _begin(self, command: Command, name: str) -> None:
        self._jobs.append(_Job(command, name, _start(command, [*self._arguments, "--kb", name])))

    def _running(self, command: Command) -> set[str]:
        return {job.knowledge_base for job in self._jobs if job.command == command}

    def _end_all(self) -> None:
        for job in self._jobs:
            job.process.send_signal(signal.SIGINT)
        for job in self._jobs:
            try:
                job.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                job.process.kill()
                job.process.wait()


def _folders(base: KnowledgeBase) -> list[Path]:
    uploads = [base.uploads_folder] if base.uploads_folder.is_dir() else []
    return [*(source.path for source in base.settings.sources), *uploads]


def _wants_tuning(base: KnowledgeBase) -> bool:
    from jargonaut.plans import wants_tuning

    try:
        return wants_tuning(base)
    except JargonautError as error:
        note(f"{base.scope.path} is not tuned. {error}")
        return False
