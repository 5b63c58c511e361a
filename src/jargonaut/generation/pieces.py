"""A passage cut into what can be quoted by itself: sentences, list items, table rows, blocks of code.

The text of documents shows what its blocks are: empty lines part them, code is indented by four blanks, the cells of a
table are parted by ` | `, and a line break within a paragraph means something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jargonaut.core.sentences import split_sentences
from jargonaut.core.table_rows import CELL_MARK
from jargonaut.generation.port import Passage

PieceKind = Literal["sentence", "item", "header", "row", "code"]

MAX_CODE = 800
"""Characters of the longest block of code that is quoted."""

_BLOCK = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_ITEM = re.compile(r"[ ]*(?:[-*•]|\d{1,9}[.)])[ ]+(?=\S)")
_CODE_INDENT = "    "
_LEANS_BACK = re.compile(
    r"(?:it|its|this|that|these|those|they|their|he|she|such|however|therefore|thus|instead|otherwise|also|but)\b"
    r"|这|该|此|它|其|因此|所以|但|不过|然而|否则|另外|同时",
    re.IGNORECASE,
)
_LEADS_ON = (":", ":")


@dataclass(frozen=True, slots=True)
class Piece:
    """A quotable piece of a passage."""

    passage: Passage
    kind: PieceKind
    start: int
    end: int
    """Character offsets into the passage's text."""
    order: int
    """0, 1, 2 ... within the passage; headings are not counted."""
    block: int
    """Which block of the passage it is from."""

    @property
    def text(self) -> str:
        """Verbatim."""
        return self.passage.chunk.text[self.start : self.end]

    @property
    def span(self) -> tuple[int, int]:
        """Character offsets into the document's text."""
        first = self.passage.chunk.start
        return first + self.start, first + self.end

    @property
    def leans_back(self) -> bool:
        """Whether it goes on from the sentence before it, and is hard to understand without."""
        return self.kind == "sentence" and _LEANS_BACK.match(self.text) is not None

    @property
    def leads_on(self) -> bool:
        """Whether it announces what comes next, such as a list or a block of code."""
        return self.text.endswith(_LEADS_ON)

    def follows(self, other: Piece) -> bool:
        """Whether it comes right after `other` in the same block."""
        return other.passage == self.passage and other.block == self.block and other.order + 1 == self.order


def pieces_of(passage: Passage) -> list[Piece]:
    """The pieces of a passage in order, without headings."""
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(_blocks(passage.chunk.text)):
        for kind, first, last in _cut(passage, start, end):
            pieces.append(Piece(passage, kind, first, last, len(pieces), number))
    return pieces


def _blocks(text: str) -> list[tuple[int, int]]:
    """Spans between empty lines; code that has empty lines stays whole."""
    blocks: list[tuple[int, int]] = []
    for match in _BLOCK.finditer(text):
        start, end = match.span()
        if blocks and _is_code(match[0]) and _is_code(text[slice(*blocks[-1])]):
            start = blocks.pop()[0]
        blocks.append((start, end))
    return blocks


def _cut(passage: Passage, start: int, end: int) -> Iterator[tuple[PieceKind, int, int]]:
    block = passage.chunk.text[start:end]
    if _is_heading(block, passage):
        return
    if _is_code(block):
        if end - start <= MAX_CODE:
            yield "code", start, end
    elif _is_table(block, passage.chunk.kind):
        # A table that was cut into several passages has its header row in the heading path.
        has_header = not any(CELL_MARK in heading for heading in passage.chunk.heading_path[-1:])
        for at, span in enumerate(_lines(start, block)):
            yield "header" if at == 0 and has_header else "row", *span
    else:
        for first, last in _lines(start, block):
            item = _ITEM.match(passage.chunk.text, first, last)
            begin = item.end() if item else first
            for sentence_start, sentence_end in split_sentences(passage.chunk.text[begin:last]):
                yield "item" if item else "sentence", begin + sentence_start, begin + sentence_end


def _lines(start: int, block: str) -> Iterator[tuple[int, int]]:
    for line in block.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def _is_code(block: str) -> bool:
    return all(line.startswith(_CODE_INDENT) for line in block.split("\n") if line.strip())


def _is_table(block: str, kind: str) -> bool:
    lines = block.split("\n")
    return (kind == "table" or len(lines) > 1) and all(CELL_MARK in line for line in lines)


def _is_heading(block: str, passage: Passage) -> bool:
    return "\n" not in block and block.strip() in (*passage.chunk.heading_path, passage.chunk.title)
