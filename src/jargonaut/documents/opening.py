"""What is in containers, and in the containers in them: one file after the other, never more than is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from jargonaut.core.document import Quarantined
from jargonaut.core.errors import InputError
from jargonaut.documents.formats import CONTAINERS, PARSERS, load_container
from jargonaut.documents.port import Member, Sidecar
from jargonaut.documents.sidecar import SUFFIXES

DEEPEST = 3
"""Containers in containers."""
MOST_MEMBERS = 10_000
_LARGEST_SHARE = 10
"""How many times the size of the largest file may come out of one container, taken together."""


@dataclass(frozen=True, slots=True)
class Formats:
    """What reads which extension (lower case, with its dot): `module:class`."""

    parsers: Mapping[str, str] = field(default_factory=lambda: dict(PARSERS))
    containers: Mapping[str, str] = field(default_factory=lambda: dict(CONTAINERS))

    @property
    def extensions(self) -> frozenset[str]:
        """Of files that are looked at."""
        return frozenset(self.parsers) | frozenset(self.containers)

    def parser_of(self, name: str) -> str:
        """Of a file of this name; empty if there is none."""
        return self.parsers.get(extension(name), "")

    def container_of(self, name: str) -> str:
        """Of a file of this name; empty if there is none."""
        return self.containers.get(extension(name), "")


@dataclass(slots=True)
class OpenedBudget:
    """See `documents.port.Allowance`."""

    formats: Formats
    largest_bytes: int
    left_bytes: int = field(init=False)
    """See `Allowance.left_bytes`."""
    _left_members: int = field(default=MOST_MEMBERS, init=False)

    def __post_init__(self) -> None:
        self.left_bytes = _LARGEST_SHARE * self.largest_bytes

    def wanted(self, name: str) -> bool:
        """See `Allowance.wanted`."""
        parts = PurePosixPath(name).parts
        if any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts):
            return False
        return bool(self.formats.parser_of(name) or self.formats.container_of(name) or name.endswith(SUFFIXES))

    def take(self, size_bytes: int) -> None:
        """See `Allowance.take`."""
        self._left_members -= 1
        self.left_bytes -= size_bytes
        if self._left_members < 0:
            raise InputError(f"It holds more than {MOST_MEMBERS:,} files.", "Unpack it, or split it.")
        if size_bytes > self.largest_bytes or self.left_bytes < 0:
            raise InputError(
                f"What is packed in it is larger than {self.largest_bytes >> 20:,} MB a file, or "
                f"{_LARGEST_SHARE * self.largest_bytes >> 20:,} MB together.",
                "If that is meant to be so, raise `file_limit_mb` in [build], or unpack it.",
            )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file, taken out of whatever it was in."""

    uri: str
    data: bytes
    parser: str
    """Empty for a container: all that was in it came before."""
    sidecars: tuple[Sidecar, ...]
    """Of the containers around it, from the outside in, and its own."""


def leaves(leaf: Leaf, budget: OpenedBudget, depth: int = 0) -> Iterator[Leaf | Quarantined]:
    """All files in `leaf`, in an order that is always the same, and itself at last."""
    container = budget.formats.container_of(leaf.uri)
    if container:
        if depth >= DEEPEST:
            yield Quarantined(leaf.uri, "", f"It lies in {DEEPEST} containers, one in the other.", "Unpack it.")
            return
        try:
            for member in load_container(container).members(leaf.data, PurePosixPath(leaf.uri).name, budget):
                yield from _of_member(leaf, member, budget, depth)
        except InputError as error:
            yield Quarantined(leaf.uri, "", error.message, error.hint)
            return
    yield leaf


def _of_member(
    around: Leaf, member: Member | Quarantined, budget: OpenedBudget, depth: int
) -> Iterator[Leaf | Quarantined]:
    if isinstance(member, Quarantined):
        yield Quarantined(f"{around.uri}/{member.uri}", "", member.reason, member.hint)
        return
    sidecars = around.sidecars if member.sidecar is None else (*around.sidecars, member.sidecar)
    uri = f"{around.uri}/{member.name}"
    yield from leaves(Leaf(uri, member.data, budget.formats.parser_of(uri), sidecars), budget, depth + 1)


def with_members(uri: str, known: Iterable[str]) -> list[str]:
    """`uri`, and those of `known` that are in it, if it is of a format that holds other files."""
    is_container = bool(Formats().container_of(uri))
    return [uri, *sorted(name for name in known if is_container and name.startswith(f"{uri}/"))]


def extension(name: str) -> str:
    """The last extension of a path, lower case, with its dot."""
    return PurePosixPath(name).suffix.lower()
