"""The process that parses files: one at a time, within its budgets, and never longer than its parent lives.

Started as `python -m jargonaut.documents.worker CONNECTION LIFELINE TIME_S MEMORY_BYTES SIZE_BYTES FORMATS`, the first
two being file descriptors: a socket for tasks and answers, and the reading end of a pipe that only the parent holds
open.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from jargonaut.documents.heartbeat import heard_by
from jargonaut.documents.opening import Formats, OpenedBudget
from jargonaut.documents.results import results
from jargonaut.documents.wire import Answer, Begun, pack_message, unpack_task

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
    formats = Formats(*json.loads(arguments[5]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent(lifeline)
    _keep_output_apart()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    sys.setrecursionlimit(_RECURSION_LIMIT)
    connection: Connection[bytes, bytes] = Connection(connection_fd)
    connection.send_bytes(READY)
    while True:
        try:
            task = unpack_task(connection.recv_bytes())
        except EOFError:
            return 0
        reading = ""

        def beat() -> None:
            signal.setitimer(signal.ITIMER_REAL, time_s + _GRACE_S)
            connection.send_bytes(pack_message(Begun(reading, goes_on=True)))  # noqa: B023 - heard while it is read

        with heard_by(beat):
            for message in results(task, OpenedBudget(formats, size_bytes), memory_bytes):
                # Its default action ends the process even where no Python code gets to run.
                signal.setitimer(signal.ITIMER_REAL, time_s + _GRACE_S)
                if isinstance(message, Begun):
                    reading = message.uri
                    connection.send_bytes(pack_message(message))
                    continue
                retiring = _peak_bytes() > _RETIRE_AT * memory_bytes
                connection.send_bytes(pack_message(Answer(message, retiring)))
                if retiring:
                    return 0
        signal.setitimer(signal.ITIMER_REAL, 0)


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
