"""Files read in worker processes, each within a budget of time, memory and size. A bad file costs itself only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import IO

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Quarantined
from jargonaut.core.errors import UnavailableError
from jargonaut.documents.heartbeat import MOST_BEATS
from jargonaut.documents.opening import Formats
from jargonaut.documents.regular import too_large
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Begun, Result, Task, pack_task, unpack_message
from jargonaut.documents.worker import READY

_START_S = 60.0
"""Longest that a worker may take to start."""
_ONE_THREAD = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""In a worker's environment: there is one for each core, and idle threads take address space from its budget."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. A file that costs more is quarantined."""

    time_s: float = 60.0
    memory_bytes: int = 3 << 29
    """Address space of the worker, which needs about 150 MiB for itself."""
    size_bytes: int = 100 << 20


def read_documents(
    files: Iterable[SourceFile],
    limits: Limits = Limits(),
    workers: int = 2,
    formats: Formats = Formats(),
) -> Iterator[Result]:
    """Documents as they are read, in no particular order; one result for every file, after those of the files in it.

    At most one file a worker is under way, whatever the caller's pace. Closing the iterator ends the workers.

    Args:
        files: Taken one by one, as workers become free.
        limits: For each file.
        workers: Processes, at most.
        formats: What reads which extension.

    Raises:
        UnavailableError: No worker can be started.
    """
    remaining = iter(files)
    with _Pool(limits, formats) as pool:
        exhausted = False
        while True:
            results: list[Result] = []
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
    """One process, and what it is reading."""

    def __init__(self, limits: Limits, formats: Formats, lifeline: int, log: IO[bytes]) -> None:
        self.connection, theirs = Pipe()
        self.task: Task | None = None
        self.reading = ""
        """URI of the task's file, or of the one in it that is being read."""
        self.done = 0
        """Files in the task's file that were read."""
        self.deadline = 0.0
        self.beats = 0
        """See `heartbeat`."""
        arguments = [theirs.fileno(), lifeline, limits.time_s, limits.memory_bytes, limits.size_bytes]
        known = json.dumps([dict(formats.parsers), dict(formats.containers)])
        command = [sys.executable, "-m", "jargonaut.documents.worker", *map(str, arguments), known]
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

    def __init__(self, limits: Limits, formats: Formats) -> None:
        self._limits = limits
        self._formats = formats
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
        self._give(Task(file.uri, str(file.path), str(file.sidecar or "")))

    def collect(self) -> list[Result]:
        """Wait until something is finished, and return all that is."""
        while True:
            next_deadline = min(worker.deadline for worker in self._busy.values())
            ready = wait(list(self._busy), timeout=max(next_deadline - time.monotonic(), 0))
            heard = [self._heard(self._busy[item]) for item in ready if isinstance(item, Connection)]
            results = [result for result in heard if result is not None]
            # Answers first: who has answered is not late, however late the answer is fetched.
            for worker in [worker for worker in self._busy.values() if worker.deadline <= time.monotonic()]:
                results.append(self._late(worker))
            if results:
                return results

    def _give(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._new_worker()
        worker.task, worker.reading, worker.done = task, task.uri, task.skip
        worker.beats = 0
        worker.deadline = time.monotonic() + self._limits.time_s
        # A worker that has just died is noticed when its answer is waited for.
        with suppress(OSError):
            worker.connection.send_bytes(pack_task(task))
        self._busy[worker.connection] = worker

    def _heard(self, worker: _Worker) -> Result | None:
        """What a worker says; None if it only says what it reads next."""
        assert worker.task is not None
        try:
            message = unpack_message(worker.connection.recv_bytes())
        except (EOFError, OSError, ValueError, TypeError, KeyError, RecursionError, MemoryError):
            return self._crashed(worker)
        if isinstance(message, Begun) and message.goes_on:
            worker.beats += 1
            if worker.beats <= MOST_BEATS:
                worker.deadline = time.monotonic() + self._limits.time_s
            return None
        worker.deadline = time.monotonic() + self._limits.time_s
        worker.beats = 0
        if isinstance(message, Begun):
            worker.reading = message.uri
            return None
        if not _is_of(worker.task.uri, message.result.uri):
            return self._crashed(worker)
        worker.done += 1
        worker.reading = worker.task.uri
        is_last = message.result.uri == worker.task.uri
        if message.retiring:
            self._replace(worker, goes_on=not is_last)
        elif is_last:
            self._idle.append(self._busy.pop(worker.connection))
        return message.result

    def _replace(self, worker: _Worker, goes_on: bool) -> int:
        """End a worker, and let another go on with its task; its exit status."""
        del self._busy[worker.connection]
        status = worker.kill()
        if goes_on and worker.task is not None:
            self._give(replace(worker.task, skip=worker.done))
        return status

    def _crashed(self, worker: _Worker) -> Quarantined:
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(timeout=1)
        status, result = self._lost(worker)
        how = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return replace(
            result,
            reason=f"Its parser crashed ({how}); it may need more than {self._limits.memory_bytes >> 20} MiB.",
            hint="Raise `file_memory_mb` in [build] to rule that out, or exclude the file.",
        )

    def _late(self, worker: _Worker) -> Quarantined:
        _, result = self._lost(worker)
        return replace(
            result,
            reason=f"Reading it took more than {self._limits.time_s:g} seconds.",
            hint="Raise `file_timeout_s` in [build], or split it.",
        )

    def _lost(self, worker: _Worker) -> tuple[int, Quarantined]:
        """A worker came to nothing over what it was reading: the rest of its task is for another."""
        assert worker.task is not None
        inside = worker.reading != worker.task.uri
        worker.done += inside
        status = self._replace(worker, goes_on=inside)
        return status, Quarantined(worker.reading, "" if inside else _digest_of(worker.task.path), "")

    def _new_worker(self) -> _Worker:
        worker = _Worker(self._limits, self._formats, self._lifeline, self._log)
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


def _is_of(file: str, uri: str) -> bool:
    """Whether `uri` is the file or in it: a worker that was taken over speaks for its own file only."""
    return uri == file or uri.startswith(f"{file}/")


def _digest_of(path: str) -> str:
    try:
        return digest_bytes(Path(path).read_bytes())
    except OSError:
        return ""
