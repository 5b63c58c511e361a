"""How long work tells how far it is: one callback; only the command line draws bars."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about stages of work. `total` 0 means unknown."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` items of `stage` are finished."""


def silent(stage: str, done: int, total: int, note: str = "") -> None:
    """Progress that nobody watches."""
