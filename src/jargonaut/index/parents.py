"""Small chunks are found, the larger passages around them are answered from."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Place
from jargonaut.index.port import IndexReader, StoredChunk, Visibility

_LINES = ("table", "code", "list")
"""Kinds of blocks whose lines are parted by a line feed, not by a blank."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parent:
    """What is answered from when a chunk is found: the chunk itself, if it has no parent."""

    passage: StoredChunk
    """The chunk that was found, with text, span and path of all that `parts` hold."""
    parts: tuple[StoredChunk, ...]
    """In order."""

    @property
    def indexed_text(self) -> str:
        """Heading path and text."""
        heading = " › ".join(self.passage.heading_path)
        return f"{heading}\n{self.passage.text}" if heading else self.passage.text

    def place_of(self, offset: int) -> Place:
        """Where in the source the part with this character of the document stands."""
        before = [part for part in self.parts if part.start <= offset]
        return before[-1].place if before else self.passage.place


async def best_of_each_parent(
    reader: IndexReader,
    ranked: Sequence[str],
    limits: tuple[int, int | None],
    visibility: Visibility,
    deadline: Deadline,
) -> list[StoredChunk]:
    """Chunks as `one_of_each_parent` chooses them.

    Args:
        reader: The revision.
        ranked: Ids of all candidates, best first.
        limits: Most chunks, and most of one document.
        visibility: Who asks.
        deadline: When to give up.

    Raises:
        UnavailableError: The index cannot be read.
        DeadlineError: It took too long.
    """
    # Which chunks share a parent only the chunks themselves say.
    return one_of_each_parent(await reader.fetch(ranked, visibility, deadline), *limits)


def one_of_each_parent(chunks: Iterable[StoredChunk], most: int, most_per_document: int | None) -> list[StoredChunk]:
    """The best chunks that are not already in the parent of a better one; `chunks` best first."""
    kept: list[StoredChunk] = []
    of_document: Counter[str] = Counter()
    for chunk in chunks:
        if any(_holds(better, chunk) for better in kept):
            continue
        if most_per_document is not None and of_document[chunk.document_id] >= most_per_document:
            continue
        of_document[chunk.document_id] += 1
        kept.append(chunk)
        if len(kept) == most:
            break
    return kept


async def with_parents(
    reader: IndexReader, chunks: Sequence[StoredChunk], visibility: Visibility, deadline: Deadline
) -> list[Parent]:
    """Each chunk as the passage that is answered from: its parent, or itself.

    Raises:
        UnavailableError: The index cannot be read.
        DeadlineError: It took too long.
    """
    return list(await asyncio.gather(*(_parent(reader, chunk, visibility, deadline) for chunk in chunks)))


async def _parent(reader: IndexReader, chunk: StoredChunk, visibility: Visibility, deadline: Deadline) -> Parent:
    if chunk.parent is None:
        return Parent(chunk, (chunk,))
    parts = tuple(await reader.neighbours(chunk, visibility, deadline)) or (chunk,)
    paths = [part.heading_path for part in parts]
    passage = dataclasses.replace(
        chunk,
        text=_joined(parts),
        start=parts[0].start,
        end=max(part.end for part in parts),
        heading_path=_common(paths),
        kind=parts[0].kind if len({part.kind for part in parts}) == 1 else "paragraph",
    )
    return Parent(passage, parts)


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    levels = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return tuple(names[0] for names in levels)


def _joined(parts: Sequence[StoredChunk]) -> str:
    """The text of the parts, each where it stands in the document: between them there is nothing but white space."""
    text, first = "", parts[0].start
    for part in parts:
        gap = part.start - first - len(text)
        if gap == 1:
            text += "\n" if part.kind in _LINES else " "
        elif gap > 1:
            text += "\n" * gap
        text += part.text[max(-gap, 0) :]
    return text


def _holds(found: StoredChunk, other: StoredChunk) -> bool:
    if found.parent is None or found.document_id != other.document_id:
        return False
    return found.parent[0] <= other.start and other.end <= found.parent[1]
