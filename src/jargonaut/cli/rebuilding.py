"""Keeps the releases of a running service up to date, each build in a process of its own.

A build takes memory and every core for a while, and may be killed; the service only follows the journal.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jargonaut.cli.output import note
from jargonaut.core.errors import JargonautError

if TYPE_CHECKING:
    from jargonaut.wiring import Workspace

_GRACE_S = 10.0
_SETTLED_MS = 1_000
"""A change is built when nothing else has changed for so long: editors write in bursts."""

_LOOK_MS = 1_000


def build_arguments(folder: Path | None, config: Path | None) -> list[str]:
    """The arguments of `jargonaut build` for what `up` was called with."""
    if folder is not None:
        return [str(folder.resolve())]
    return ["--config", str(config.resolve())] if config is not None else []


def run_build(arguments: Sequence[str]) -> None:
    """Run `jargonaut build` to its end.

    Raises:
        JargonautError: It failed; it has said why itself.
    """
    code = subprocess.run(
        [sys.executable, "-m", "jargonaut", "build", *arguments], stdout=sys.stderr, check=False
    ).returncode
    if code:
        error = JargonautError("There is nothing to serve, because the build failed.", "Its message is above.")
        error.exit_code = code
        raise error


class Rebuilding:
    """A thread that builds once, tunes once, and then builds whenever a source folder changes."""

    def __init__(self, workspace: Workspace, arguments: Sequence[str], *, tune: bool, watch: bool) -> None:
        self._workspace = workspace
        self._arguments = list(arguments)
        self._tune = tune
        self._watch = watch
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="rebuilding", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and end a build that is running: it resumes next time."""
        self._stopped.set()
        with self._lock:
            if self._child is not None:
                self._child.send_signal(signal.SIGINT)
        if self._thread.is_alive():
            self._thread.join(_GRACE_S)
        with self._lock:
            if self._child is not None:
                self._child.kill()

    def _run(self) -> None:
        from jargonaut.plans import wants_tuning

        for base in self._workspace.knowledge_bases.values():
            self._build("build", base.scope.path)
        if self._tune:
            for base in self._workspace.knowledge_bases.values():
                if wants_tuning(base):
                    self._build("prove", base.scope.path)
        if self._watch:
            self._follow()

    def _follow(self) -> None:
        from watchfiles import watch

        folders = {
            source.path: base for base in self._workspace.knowledge_bases.values() for source in base.settings.sources
        }
        everything = {base.scope.path for base in folders.values()}
        watching = watch(
            *folders,
            stop_event=self._stopped,
            debounce=_SETTLED_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for number, changes in enumerate(watching):
            touched = {
                base.scope.path
                for folder, base in folders.items()
                if any(Path(path).is_relative_to(folder) for _, path in changes)
            }
            # What changed before the watch began was not seen: so everything is looked at once more.
            for path in sorted(touched if number else everything):
                self._build("build", path)

    def _build(self, command: str, knowledge_base: str) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            arguments = [sys.executable, "-m", "jargonaut", command, *self._options(command), "--kb", knowledge_base]
            self._child = subprocess.Popen(arguments, stdout=sys.stderr)
            child = self._child
        code = child.wait()
        with self._lock:
            self._child = None
        if code and not self._stopped.is_set():
            note(f"{knowledge_base}: `{command}` ended with exit code {code}; what was live goes on serving.")

    def _options(self, command: str) -> list[str]:
        """`build` takes the folder as an argument, other commands as an option."""
        if command != "build" and self._arguments and not self._arguments[0].startswith("-"):
            return ["--dir", *self._arguments]
        return self._arguments
