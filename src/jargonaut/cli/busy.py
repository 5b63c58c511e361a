"""What to do while another process builds or proves the same knowledge base."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from jargonaut.cli.output import note
from jargonaut.core.errors import BusyError

_LOOK_S = 0.5

T = TypeVar("T")


def when_free(begin: Callable[[], T], wait: bool) -> T:
    """What `begin` returns; with `wait`, it is tried until no other process is in its way.

    Raises:
        BusyError: One is, and `wait` is not set.
    """
    said = ""
    while True:
        try:
            return begin()
        except BusyError as error:
            if not wait:
                raise
            if error.message != said:
                note(f"{error.message} Its end is waited for.")
            said = error.message
        time.sleep(_LOOK_S)


@contextmanager
def held(lock: Path, what: str, wait: bool) -> Iterator[None]:
    """Hold a lock; `what` does.

    Raises:
        BusyError: Another process holds it, and `wait` is not set.
    """
    from jargonaut.state.lock import held_lock

    with ExitStack() as stack:
        when_free(lambda: stack.enter_context(held_lock(lock, what)), wait)
        yield
