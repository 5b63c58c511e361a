"""Locks between processes of one machine: let go of however a process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jargonaut.core.errors import BusyError, UnavailableError


@contextmanager
def held_lock(path: Path, what: str) -> Iterator[None]:
    """Hold a lock; `what` does. The operating system lets go of it however the process ends.

    Raises:
        BusyError: Another process holds it.
        UnavailableError: The file of the lock cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UnavailableError(f"Could not lock {path}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise BusyError(
                f"Another {what} of this knowledge base is running (process {holder or 'unknown'}).",
                "Wait for it to end, or stop it: the next build goes on where it was.",
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
