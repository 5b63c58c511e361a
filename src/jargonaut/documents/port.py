"""What every parser and every container promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from jargonaut.core.document import Document, Quarantined


class Parser(Protocol):
    """Reads one format. Runs in a worker process with a time and memory budget; never touches network or disk."""

    def parse(self, data: bytes, uri: str) -> Document:
        """The document in `data`.

        Raises:
            InputError: It cannot be read, and why; the file is then quarantined.
        """


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What stands beside a file and speaks of it."""

    name: str
    """For errors: without its folder."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another."""

    name: str
    """Path in the container with `/`, which leads nowhere else."""
    data: bytes
    sidecar: Sidecar | None = None
    """What stands beside it in the container."""


class Container(Protocol):
    """Opens one format that holds other files. Runs where parsers run, under the same promises."""

    def members(self, data: bytes, name: str, allowance: Allowance) -> Iterator[Member | Quarantined]:
        """What is in the file `name`, always in the same order; what cannot be taken out, by its path, with the reason.

        Raises:
            InputError: It cannot be read (any further), or holds more than `allowance` lets through.
        """


class Allowance(Protocol):
    """How much may still come out of a container, and of all those in it."""

    def wanted(self, name: str) -> bool:
        """Whether anything reads a file of this name; a container need not take out others."""

    @property
    def largest_bytes(self) -> int:
        """How large a file that comes out may be."""

    @property
    def left_bytes(self) -> int:
        """How many bytes may still come out, taken together."""

    def take(self, size_bytes: int) -> None:
        """Another file of this size comes out.

        Raises:
            InputError: That is one too many, or too large.
        """
