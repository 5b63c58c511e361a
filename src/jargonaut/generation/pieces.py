"""A passage cut into what can be quoted by itself: sentences, list items, table rows, blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jargonaut.chunking.sentences import split_sentences
from jargonaut.generation.port import Passage

PieceKind = Literal["sentence", "item", "row", "code"]

MAX_CODE = 800
"""Characters of the longest block of code that is quoted."""
_MAX_HEADING = 100

_BLOCK = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+(?P<body>\S)")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_CODE_LINE = re.compile(r"(?: {4}|\t|>>> |\.\.\. |\$ )")
_RULE = re.compile(r"[\s|:+=-]+")
_LEANS_BACK = re.compile(
    r"(?:it|its|this|that|these|those|they|their|he|she|such|however|therefore|thus|instead|otherwise|also|but)\b"
    r"|这|该|此|它|其|因此|所以|但|不过|然而|否则|另外|同时",
    re.IGNORECASE,
)
_LEADS_ON = (":", ":")
_MARKED_HEADING = re.compile(r"#{1,6} ")


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
    """The pieces of a passage in order, without headings and rules."""
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(_blocks(passage)):
        for kind, first, last in _cut(passage, start, end):
            pieces.append(Piece(passage, kind, first, last, len(pieces), number))
    return pieces


def _blocks(passage: Passage) -> Iterator[tuple[int, int]]:
    """Spans between empty lines; code that has empty lines stays whole."""
    text = passage.chunk.text
    if passage.chunk.kind == "code" and not _MARKED_HEADING.match(text):
        yield 0, len(text)
        return
    fence_start = -1
    for match in _BLOCK.finditer(text):
        start, end = match.span()
        fences = sum(1 for line in match[0].split("\n") if _FENCE.match(line))
        if fence_start >= 0:
            if fences % 2:
                yield fence_start, end
                fence_start = -1
        elif fences % 2:
            fence_start = start
        else:
            yield start, end
    if fence_start >= 0:
        yield fence_start, len(text)


def _cut(passage: Passage, start: int, end: int) -> Iterator[tuple[PieceKind, int, int]]:
    text = passage.chunk.text
    block = text[start:end]
    lines = block.split("\n")
    if _is_heading(block, passage):
        return
    if passage.chunk.kind == "code" or _FENCE.match(block) or all(_CODE_LINE.match(line) for line in lines):
        if len(block) <= MAX_CODE:
            yield ("code", *_trimmed(text, start, end))
    elif all("|" in line for line in lines) and (len(lines) > 1 or passage.chunk.kind == "table"):
        yield from _rows(text, start, lines)
    elif any(_BULLET.match(line) for line in lines):
        yield from _items(text, start, lines)
    else:
        yield from _sentences("sentence", text, start, end)


def _is_heading(block: str, passage: Passage) -> bool:
    if "\n" in block or len(block) > _MAX_HEADING:
        return False
    chunk = passage.chunk
    return bool(_MARKED_HEADING.match(block)) or block.strip() in (*chunk.heading_path, chunk.title)


def _rows(text: str, start: int, lines: list[str]) -> Iterator[tuple[PieceKind, int, int]]:
    has_header = len(lines) > 2 and _RULE.fullmatch(lines[1]) is not None
    for number, line in enumerate(lines):
        if not _RULE.fullmatch(line) and not (number == 0 and has_header):
            yield ("row", *_trimmed(text, start, start + len(line)))
        start += len(line) + 1


def _items(text: str, start: int, lines: list[str]) -> Iterator[tuple[PieceKind, int, int]]:
    """Each item, without its bullet, cut into sentences; what stands before the first item is prose."""
    begins: list[int] = []
    position = start
    first_item = -1
    for line in lines:
        bullet = _BULLET.match(line)
        if bullet:
            begins.append(position + bullet.start("body"))
            first_item = position if first_item < 0 else first_item
        position += len(line) + 1
    end = position - 1
    if first_item > start:
        yield from _sentences("sentence", text, start, first_item - 1)
    for begin, following in zip(begins, [*begins[1:], end + 1], strict=True):
        line_start = text.rfind("\n", 0, following) if following <= end else end
        yield from _sentences("item", text, begin, max(line_start, begin + 1))


def _sentences(kind: PieceKind, text: str, start: int, end: int) -> Iterator[tuple[PieceKind, int, int]]:
    for first, last in split_sentences(text[start:end]):
        yield (kind, *_trimmed(text, start + first, start + last))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \n\t":
        start += 1
    while end > start and text[end - 1] in " \n\t":
        end -= 1
    return start, end
