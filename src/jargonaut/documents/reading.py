"""Files read in worker processes, each within a budget of time, memory and size. A bad file costs itself only."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import UnavailableError
from jargonaut.documents.formats import PARSERS
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Task, pack_task, unpack_answer
from jargonaut.documents.worker import READY, too_large

_START_S = 60.0
"""Longest that a worker may take to start."""
_ONE_THREAD = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""In a worker's environment: there is one for each core, and idle threads take address space from its budget."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. A file that costs more is quarantined."""

    time_s: float = 60.0
    memory_bytes: int = 1 << 30
    """Address space of the worker, which needs about 150 MiB for itself."""
    size_bytes: int = 100 << 20


def read_documents(
    files: Iterable[SourceFile],
    limits: Limits = Limits(),
    workers: int = 2,
    parsers: Mapping[str, str] = PARSERS,
) -> Iterator[Document | Quarantined]:
    """Documents as they are read, in no particular order; one result for every file.

    At most one file a worker is under way, whatever the caller's pace. Closing the iterator ends the workers.

    Args:
        files: Taken one by one, as workers become free.
        limits: For each file.
        workers: Processes, at most.
        parsers: `module:class` by extension.

    Raises:
        UnavailableError: No worker can be started.
    """
    remaining = iter(files)
    with _Pool(limits, parsers) as pool:
        exhausted = False
        while True:
            results: list[Document | Quarantined] = []
            while not exhausted and pool.busy < max(workers, 1):
                file = next(remaining, None)
                if file is None:
                    exhausted = True
                elif file.size_bytes > limits.size_bytes:
                    error = too_large(file.size_bytes, limits.size_bytes)
                    results.append(Quarantined(file.uri, "", error.message, error.hint))
                    break
                else:
                    pool.start(file)
            if not results:
                if not pool.busy:
                    return
                results = pool.collect()
            # Free workers get their next file before the caller gets to work on what the last ones gave.
            yield from results


class _Worker:
    """One process, and the file that it is reading."""

    def __init__(self, limits: Limits, lifeline: int, log: IO[bytes]) -> None:
        self.connection, theirs = Pipe()
        self.file: SourceFile | None = None
        self.deadline = 0.0
        arguments = [theirs.fileno(), lifeline, limits.time_s, limits.memory_bytes, limits.size_bytes]
        command = [sys.executable, "-m", "jargonaut.documents.worker", *map(str, arguments)]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(), lifeline),
                env={**os.environ, **_ONE_THREAD},
            )
        except OSError as error:
            self.connection.close()
            raise UnavailableError(f"No process to parse files can be started: {error}.") from error
        finally:
            theirs.close()

    def wait_until_ready(self) -> bool:
        """Whether it has started."""
        try:
            return self.connection.poll(_START_S) and self.connection.recv_bytes() == READY
        except (EOFError, OSError):
            return False

    def kill(self) -> int:
        """End it; its exit status, negative for a signal."""
        self.process.kill()
        self.connection.close()
        return self.process.wait()


class _Pool:
    """Workers, started when first needed and replaced when they end."""

    def __init__(self, limits: Limits, parsers: Mapping[str, str]) -> None:
        self._limits = limits
        self._parsers = parsers
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the pool
        self._lifeline, self._parent_end = os.pipe()

    def __enter__(self) -> _Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.kill()
        os.close(self._parent_end)
        os.close(self._lifeline)
        self._log.close()

    @property
    def busy(self) -> int:
        """Files under way."""
        return len(self._busy)

    def start(self, file: SourceFile) -> None:
        """Give `file` to a free worker."""
        worker = self._idle.pop() if self._idle else self._new_worker()
        parser = self._parsers[PurePosixPath(file.uri).suffix.lower()]
        worker.file = file
        worker.deadline = time.monotonic() + self._limits.time_s
        # A worker that has just died is noticed when its answer is waited for.
        with suppress(OSError):
            worker.connection.send_bytes(pack_task(Task(file.uri, str(file.path), parser)))
        self._busy[worker.connection] = worker

    def collect(self) -> list[Document | Quarantined]:
        """Wait until something is finished, and return all that is."""
        while True:
            next_deadline = min(worker.deadline for worker in self._busy.values())
            ready = wait(list(self._busy), timeout=max(next_deadline - time.monotonic(), 0))
            results = [self._answer(self._busy.pop(item)) for item in ready if isinstance(item, Connection)]
            # Answers first: who has answered is not late, however late the answer is fetched.
            for worker in [worker for worker in self._busy.values() if worker.deadline <= time.monotonic()]:
                results.append(self._late(self._busy.pop(worker.connection)))
            if results:
                return results

    def _answer(self, worker: _Worker) -> Document | Quarantined:
        try:
            answer = unpack_answer(worker.connection.recv_bytes())
        except (EOFError, OSError, ValueError, MemoryError):
            return self._crashed(worker)
        if answer.retiring:
            worker.kill()
        else:
            self._idle.append(worker)
        return answer.result

    def _crashed(self, worker: _Worker) -> Quarantined:
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(timeout=1)
        status = worker.kill()
        how = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return _quarantined(
            worker,
            f"Its parser crashed ({how}); it may need more than {self._limits.memory_bytes >> 20} MiB of memory.",
            "Raise `file_memory_mb` in [build] to rule that out, or exclude the file.",
        )

    def _late(self, worker: _Worker) -> Quarantined:
        worker.kill()
        return _quarantined(
            worker,
            f"Reading it took more than {self._limits.time_s:g} seconds.",
            "Raise `file_timeout_s` in [build], or split it.",
        )

    def _new_worker(self) -> _Worker:
        worker = _Worker(self._limits, self._lifeline, self._log)
        if not worker.wait_until_ready():
            status = worker.kill()
            self._log.seek(0, os.SEEK_END)
            self._log.seek(max(self._log.tell() - 1000, 0))
            said = self._log.read().decode(errors="replace").strip()
            raise UnavailableError(
                f"A process to parse files did not start (status {status}): {said or 'it said nothing'}",
                "Install Jargonaut anew in the environment that it runs in.",
            )
        return worker


def _quarantined(worker: _Worker, reason: str, hint: str) -> Quarantined:
    assert worker.file is not None
    try:
        digest = digest_bytes(worker.file.path.read_bytes())
    except OSError:
        digest = ""
    return Quarantined(worker.file.uri, digest, reason, hint)
