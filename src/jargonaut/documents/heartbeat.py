"""How a parser of a long file says that it gets on, so that the budget of time is for a part of it and not for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAGES = 250
"""Read between two beats. Each such part may take as long as a whole file."""
MOST_BEATS = 40
"""That a file may have: parts beyond them share what time is left."""

_listeners: list[Callable[[], None]] = []


def beat() -> None:
    """Another part has been read."""
    if _listeners:
        _listeners[-1]()


@contextmanager
def heard_by(listener: Callable[[], None]) -> Iterator[None]:
    """Let `listener` hear every beat."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.pop()
