"""The sections of a document, as units to be cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jargonaut.chunking.cutting import Path, Unit
from jargonaut.chunking.tokenized import TokenizedText
from jargonaut.core.document import Block, Document


def sections(document: Document, text: TokenizedText, longest: int) -> Iterator[Unit]:
    """Blocks under one heading, with the path to it: the document's title, then the headings.

    A heading of more than `longest` tokens is also a block, and so is one with nothing under it.
    """
    open_headings: list[tuple[int, str]] = []
    blocks: list[Block] = []
    heading: Block | None = None
    for block in (*document.blocks, None):
        if block is not None and block.kind != "heading":
            blocks.append(block)
            continue
        path = _with_title(document.title, open_headings)
        if blocks:
            yield Unit(path, tuple(blocks))
        elif heading is not None and (block is None or block.level <= heading.level):
            yield Unit(_with_title(document.title, open_headings[:-1], path[-1]), (heading,))
        if block is not None:
            while open_headings and open_headings[-1][0] >= block.level:
                open_headings.pop()
            is_long = text.count(block.start, block.end) > longest
            span = text.prefix(block.start, block.end, longest) if is_long else (block.start, block.end)
            open_headings.append((block.level, text.text[slice(*span)]))
            blocks = [block] if is_long else []
            heading = block


def _with_title(title: str, headings: Sequence[tuple[int, str]], leaf: str = "") -> Path:
    """Headings after the title, which is not said twice."""
    path = tuple(heading for _, heading in headings)
    first = path[0] if path else leaf
    if not title or first.casefold() == title.casefold():
        return path
    return (title, *path)
