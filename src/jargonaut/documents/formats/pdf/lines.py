"""Lines of text: words on one base line, as far as nothing parts them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from jargonaut.documents import scripts
from jargonaut.documents.formats.pdf.geometry import Box, around
from jargonaut.documents.formats.pdf.words import Word, gap_is_blank, is_wide

WIDE_GAP = 0.9
"""Between cells and columns, in sizes of the type; words in a line stand closer."""
_CHINESE_BLANK = 1.15
_SAME_BASE = 0.3
"""Most that base lines of one line differ, in sizes."""
_RAISED = 0.15
_LOWEST = 0.55
"""Most that the base line of an index lies below that of its line, in sizes."""
_SHIFTED = 0.08
"""Least distance of the base line of a power or an index from that of its line, in sizes."""
_SMALL = 0.85
_MARK = re.compile(r"\d{1,3}|[*†‡§¶]{1,3}|[a-z]")
_FIXED_WIDTH = 0.6
"""Of a character of a fixed font, in sizes."""


@dataclass(slots=True)
class Line:
    """Words from left to right."""

    words: list[Word]
    box: Box = field(init=False)
    base: float = field(init=False)
    size: float = field(init=False)
    """Of most characters."""

    def __post_init__(self) -> None:
        self.box = around(word.box for word in self.words)
        sizes: Counter[float] = Counter()
        for word in self.words:
            sizes[word.type.size] += len(word.text)
        self.size = max(sizes, key=lambda size: (sizes[size], size))
        self.base = next(word.base for word in self.words if word.type.size == self.size)

    @property
    def bold(self) -> bool:
        """Whether all of it is."""
        return all(word.type.bold for word in self.words)

    @property
    def fixed(self) -> bool:
        """Whether all of it is set in a font of fixed width."""
        return all(word.type.fixed for word in self.words)

    @property
    def text(self) -> str:
        """Its words, with blanks where the reader sees some."""
        return self.marked(())

    def marked(self, marks: Collection[str]) -> str:
        """The text with those raised marks in brackets that are among `marks`."""
        parts: list[str] = []
        for before, word in zip([None, *self.words], self.words, strict=False):
            blank = before is not None and gap_is_blank(before, word)
            if marks and self.is_mark(word) and word.text in marks:
                parts.append(f"[{word.text}]")
            elif blank or before is None:
                parts.append(f" {word.text}" if blank else word.text)
            else:
                parts.append(self._written(word, parts))
        return "".join(parts)

    def _written(self, word: Word, parts: Sequence[str]) -> str:
        """A word that stands directly behind another, which it may be raised or lowered beside."""
        higher = self.base - word.base
        if word.type.size > _SMALL * self.size or abs(higher) < _SHIFTED * self.size:
            return word.text
        tail = "".join(parts[-scripts.TAIL :])[-scripts.TAIL :]
        return scripts.raised(tail, word.text) if higher > 0 else scripts.lowered(tail, word.text)

    def is_mark(self, word: Word) -> bool:
        """Whether the word is raised and small, as the marks of footnotes are."""
        raised = self.base - word.base >= _RAISED * self.size or word.type.size < _SMALL * self.size
        return raised and word.type.size <= _SMALL * self.size and bool(_MARK.fullmatch(word.text))

    def spread(self, left: float) -> str:
        """The text with as many blanks as there is room for, counted from `left`."""
        long = [word for word in self.words if len(word.text) > 2 and word.text.isascii()]
        width = median(word.box.width / len(word.text) for word in long) if long else _FIXED_WIDTH * self.size
        text = ""
        for number, word in enumerate(self.words):
            column = round((word.box.x0 - left) / width)
            blanks = column - len(text)
            text += " " * max(blanks, 1 if number and gap_is_blank(self.words[number - 1], word) else 0) + word.text
        return text


def rows_of(words: Iterable[Word]) -> list[list[Word]]:
    """Words by their base line, from top to bottom, each row from left to right.

    Small words, such as marks of footnotes, belong to the row that they stand on or over.
    """
    rows: list[list[Word]] = []
    bases: list[tuple[float, float]] = []
    ordered = sorted(words, key=lambda word: word.base)
    for word in ordered:
        if bases:
            base, size = bases[-1]
            if word.base - base <= _SAME_BASE * max(min(size, word.type.size), 1.0):
                rows[-1].append(word)
                if word.type.size > size:
                    bases[-1] = word.base, word.type.size
                continue
        rows.append([word])
        bases.append((word.base, word.type.size))
    rows = _with_raised(rows, bases)
    for row in rows:
        row.sort(key=lambda word: word.box.x0)
    return rows


def _with_raised(rows: list[list[Word]], bases: list[tuple[float, float]]) -> list[list[Word]]:
    """A row of nothing but small words is joined with the row that it touches."""
    joined: list[list[Word]] = []
    kept: list[tuple[float, float]] = []
    for row, (base, size) in zip(rows, bases, strict=True):
        if kept:
            above, above_size = kept[-1]
            distance = base - above
            if size <= _SMALL * above_size and distance < _LOWEST * above_size and _touch(row, joined[-1]):
                joined[-1] += row
                continue
            if above_size <= _SMALL * size and distance < 0.6 * size and _touch(joined[-1], row):
                joined[-1] += row
                kept[-1] = base, size
                continue
        joined.append(row)
        kept.append((base, size))
    return joined


def _touch(small: Sequence[Word], others: Sequence[Word]) -> bool:
    """Whether each small word stands directly beside one of the others."""
    return all(any(_beside(word.box, other.box, other.type.size) for other in others) for word in small)


def _beside(small: Box, other: Box, size: float) -> bool:
    return -1.0 < small.x0 - other.x1 < 0.5 * size or -1.0 < other.x0 - small.x1 < 0.5 * size


def segments_of(words: Iterable[Word], gap: float = WIDE_GAP) -> list[Line]:
    """Lines that end at each wide gap."""
    found: list[Line] = []
    for row in rows_of(words):
        start = 0
        for index in range(1, len(row)):
            before, word = row[index - 1], row[index]
            if word.box.x0 - before.box.x1 > max(gap, widest_blank(before, word)) * max(
                before.type.size, word.type.size
            ):
                found.append(Line(row[start:index]))
                start = index
        found.append(Line(row[start:]))
    return found


def widest_blank(before: Word, word: Word) -> float:
    """Widest blank within a line, in sizes: between Chinese characters it is as wide as one of them."""
    chinese = before.text and word.text and is_wide(before.text[-1]) and is_wide(word.text[0])
    return _CHINESE_BLANK if chinese else WIDE_GAP


def lines_of(words: Iterable[Word]) -> list[Line]:
    """One line a row."""
    return [Line(row) for row in rows_of(words)]
