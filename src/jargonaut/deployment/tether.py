"""Runs a program that does not outlive its parent: `python tether.py PARENT_PID PROGRAM ARGUMENTS...`.

A file of its own, run by a fresh interpreter, because what it does between fork and exec is not safe in a process with
threads. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str]) -> list[str]:
    """`command` so that, started by this process, it ends with the thread that starts it, where the system is Linux."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, which Linux kills as soon as the thread that started this process is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # It may have died before that.
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
