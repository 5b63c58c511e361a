"""The edge beside the service: a workerd that is started, watched, restarted and stopped."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jargonaut.core.errors import InputError, JargonautError, UnavailableError
from jargonaut.deployment.edge_settings import EdgeSettings
from jargonaut.deployment.workerd import Workerd
from jargonaut.deployment.workerd_binary import find_workerd
from jargonaut.deployment.workerd_config import LocalWorker, local_worker

_log = logging.getLogger(__name__)
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Supervision:
    """How closely the edge is watched."""

    probe_every_s: float = 2.0
    probe_timeout_s: float = 2.0
    missed_probes: int = 3
    """After so many unanswered probes in a row it hangs, and is replaced: one endless loop stops all of workerd."""
    first_backoff_s: float = 0.1
    """Before the first restart; doubled for each further one, until it has run for `largest_backoff_s`."""
    largest_backoff_s: float = 10.0
    grace_s: float = 5.0
    """Between being asked to end and being killed."""


class Edge:
    """The edge on a port of this machine.

    Methods may be called from any thread; from asyncio, call `start` and `stop` by `asyncio.to_thread`. While workerd
    is being restarted, connections wait instead of being refused. It ends with this process, on Linux even if this
    process is killed.

    Args:
        settings: What the Worker has to know, or a Worker that is not the one of this package.
        host: Address to listen on.
        port: Port to listen on; 0 takes any that is free.
        binary: workerd; by default what `find_workerd` finds.
        supervision: How closely it is watched.
    """

    def __init__(
        self,
        settings: EdgeSettings | LocalWorker,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        binary: Path | None = None,
        supervision: Supervision = Supervision(),
    ) -> None:
        self._settings = settings
        self._address = (host, port)
        self._binary = binary
        self._supervision = supervision
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._first_try = threading.Event()
        self._process: Workerd | None = None
        self._problem: JargonautError | None = None
        self._restarts = 0

    def start(self) -> str:
        """Start it and wait until it answers.

        Returns:
            The URL.

        Raises:
            InputError: The port is in use, or the settings cannot be used.
            UnavailableError: workerd cannot be fetched or started.
            MissingExtraError: See `find_workerd`.
        """
        if self._thread is not None:
            raise UnavailableError("The edge was started before.", "Make another `Edge`.")
        worker = self._settings if isinstance(self._settings, LocalWorker) else local_worker(self._settings)
        binary = self._binary or find_workerd()
        self._listener = _listen(*self._address)
        # Linux ends workerd with the *thread* that started it, so every start is made by this one.
        self._thread = threading.Thread(
            target=self._supervise, args=(binary, worker, self._listener), name="edge", daemon=True
        )
        self._thread.start()
        self._first_try.wait()
        if self._problem is not None:
            self.stop()
            raise self._problem
        return self.url

    def stop(self) -> None:
        """Stop it; it is gone when this returns. Silent if it is not running."""
        self._stopping.set()
        self._look.set()
        if self._thread is not None:
            self._thread.join()
        if self._listener is not None:
            self._listener.close()

    @property
    def url(self) -> str:
        """Where it is, once started."""
        if self._listener is None:
            raise UnavailableError("The edge has not been started.")
        host, port = self._listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def healthy(self) -> bool:
        """Whether workerd runs and answered when last asked."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Process id of workerd, while healthy."""
        process = self._process
        return process.pid if process else None

    @property
    def restarts(self) -> int:
        """How often workerd had to be started again."""
        return self._restarts

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _supervise(self, binary: Path, worker: LocalWorker, listener: socket.socket) -> None:
        backoff = self._supervision.first_backoff_s
        while not self._stopping.is_set():
            since = time.monotonic()
            try:
                self._run_once(binary, worker, listener)
            except (JargonautError, OSError) as error:
                _log.error("The edge failed: %s", error)
                if not self._first_try.is_set():
                    self._problem = _as_ours(error)
                    self._stopping.set()
            finally:
                self._process = None
                self._first_try.set()
            if time.monotonic() - since > self._supervision.largest_backoff_s:
                backoff = self._supervision.first_backoff_s
            if not self._stopping.wait(backoff):
                self._restarts += 1
                _log.warning("The edge is started again.")
                backoff = min(2 * backoff, self._supervision.largest_backoff_s)

    def _run_once(self, binary: Path, worker: LocalWorker, listener: socket.socket) -> None:
        """Run workerd until it ends, hangs, or is no longer wanted."""
        supervision, missed = self._supervision, 0
        self._look.clear()
        process = Workerd(binary, worker, listener, on_exit=self._look.set)
        try:
            while process.running and not self._stopping.is_set() and missed < supervision.missed_probes:
                self._process = process if missed == 0 else None
                self._first_try.set()
                self._look.wait(supervision.probe_every_s)
                # One that ended is not asked: who connects then waits for its successor.
                answered = process.running and process.answers(supervision.probe_timeout_s)
                missed = 0 if answered else missed + 1
        finally:
            self._process = None
            process.end(supervision.grace_s if missed == 0 else 0.5)


def _as_ours(error: JargonautError | OSError) -> JargonautError:
    if isinstance(error, JargonautError):
        return error
    return UnavailableError(f"The edge (workerd) could not be started: {error}.", "Check disk space and open files.")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # Accepted sockets inherit it: words of a stream are not held back.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"Port {port} on {host} is in use, so the edge cannot listen there.",
                "Stop what listens there, or choose another port; 0 takes any that is free.",
            ) from error
        raise InputError(
            f"The edge cannot listen on {host}:{port}: {error.strerror}.", "Choose another address or port."
        ) from error
