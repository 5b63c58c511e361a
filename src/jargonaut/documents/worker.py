"""The process that parses files: one at a time, within its budgets, and never longer than its parent lives.

Started as `python -m jargonaut.documents.worker CONNECTION LIFELINE TIME_S MEMORY_BYTES SIZE_BYTES`, the first two
being file descriptors: a socket for tasks and answers, and the reading end of a pipe that only the parent holds open.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import stat
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import InputError
from jargonaut.documents.formats import load_parser
from jargonaut.documents.wire import Answer, Task, pack_answer, unpack_task

READY = b"ready"
_GRACE_S = 5.0
"""How much later than its parent a worker ends an overlong parse by itself."""
_RECURSION_LIMIT = 5_000
_RETIRE_AT = 0.5
"""Share of the memory budget at which a worker makes room for a fresh one."""


def main(arguments: list[str]) -> int:
    """Answer tasks until the parent hangs up."""
    connection_fd, lifeline = int(arguments[0]), int(arguments[1])
    time_s, memory_bytes, size_bytes = float(arguments[2]), int(arguments[3]), int(arguments[4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent(lifeline)
    _keep_output_apart()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    sys.setrecursionlimit(_RECURSION_LIMIT)
    connection: Connection[bytes, bytes] = Connection(connection_fd)
    connection.send_bytes(READY)
    retiring = False
    while not retiring:
        try:
            task = unpack_task(connection.recv_bytes())
        except EOFError:
            return 0
        # Its default action ends the process even where no Python code gets to run.
        signal.setitimer(signal.ITIMER_REAL, time_s + _GRACE_S)
        result = _read(task, size_bytes, memory_bytes)
        signal.setitimer(signal.ITIMER_REAL, 0)
        retiring = _peak_bytes() > _RETIRE_AT * memory_bytes
        connection.send_bytes(pack_answer(Answer(result, retiring)))
    return 0


def _die_with_parent(lifeline: int) -> None:
    """Let the kernel end this process when the other end of the pipe closes, whatever runs here at that moment."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(lifeline, select.POLLHUP)
    if poll.poll(0):
        os._exit(0)


def _keep_output_apart() -> None:
    """What a library prints goes to the error log of the pool."""
    os.dup2(2, 1)


def _read(task: Task, size_bytes: int, memory_bytes: int) -> Document | Quarantined:
    data = b""
    try:
        data = _content(task.path, size_bytes)
        return load_parser(task.parser).parse(data, task.uri)
    except InputError as error:
        reason, hint = error.message, error.hint
    except MemoryError:
        reason = f"Reading it takes more than {memory_bytes >> 20} MiB of memory."
        hint = "Raise `file_memory_mb` in [build], or split it."
    except OSError as error:
        reason, hint = f"It cannot be read: {error.strerror or error}.", "Check its permissions."
    except Exception as error:  # noqa: BLE001 - a process boundary: whatever a parser does costs one file, not the build
        reason, hint = f"Its parser failed: {type(error).__name__}: {str(error)[:200]}", "Please report this file."
    return Quarantined(task.uri, digest_bytes(data) if data else "", reason, hint)


def _content(path: str, size_bytes: int) -> bytes:
    # O_NONBLOCK: opening a pipe that took the file's place since it was found must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("It is not a regular file.")
        if status.st_size > size_bytes:
            raise too_large(status.st_size, size_bytes)
        return file.read()


def too_large(size: int, limit: int) -> InputError:
    """The error of a file that is larger than allowed."""
    return InputError(
        f"It has {size / (1 << 20):,.0f} MB, more than the {limit / (1 << 20):,.0f} MB that are read.",
        "Split it, or raise `file_limit_mb` in [build].",
    )


def _peak_bytes() -> int:
    """Most memory that this program has held.

    Linux counts what the parent held when it forked into `ru_maxrss`, and a parent with an encoder loaded is large.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        pass  # no Linux
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
