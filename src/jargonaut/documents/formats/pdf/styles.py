"""What the type of a document says: which size is the body's, and which lines are headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jargonaut.documents.formats.pdf.hyphens import Vocabulary
from jargonaut.documents.formats.pdf.layout import Layout, TextLine
from jargonaut.documents.formats.pdf.opening import letters

_LARGER = 1.15
"""Least size of a heading, in sizes of the body's type."""
_LONGEST = 120
_LONGEST_BOLD = 100
_NUMBER = re.compile(
    r"(?:[\dA-Z]{1,3}(?:\.\d{1,3})*\.?|第[一二三四五六七八九十百\d]+[章节條条篇]|[一二三四五六七八九十]+、)\s*"
)
_GOES_ON = re.compile(r"[.,;:，。；：、]\Z")
_DEEPEST = 6
_MOSTLY_FIXED = 0.6
_LEAST_FOUND = 0.5
"""Share of an outline's entries that must be found among the lines, for it to decide alone."""
_MOST_TITLE_LINES = 3


@dataclass(slots=True)
class Styles:
    """How to read the type of one document."""

    body: float
    levels: Mapping[tuple[float, bool], int]
    """Of headings, by size and boldness."""
    outline: Mapping[int, Mapping[str, int]]
    """By page, if it names most of the headings; else nothing."""
    fixed_is_code: bool
    leading: float
    """Usual distance of base lines, in sizes."""
    known: Vocabulary
    _titles: dict[int, dict[str, int]] = field(default_factory=dict)

    def level(self, line: TextLine, before: TextLine | None, after: TextLine | None) -> int:
        """Level of the heading that the line is, or is part of; 0 if it is none."""
        if self.outline:
            return _outlined(self.outline.get(line.page, {}), line, before, after)
        return self.levels.get((line.size, line.bold), 0) if self.is_heading(line, before) else 0

    def is_heading(self, line: TextLine, before: TextLine | None) -> bool:
        """Whether the line looks like a heading."""
        return _looks_like_heading(line, before, self.body, self.leading)


def styles_of(layouts: Sequence[Layout], outline: Mapping[int, Mapping[str, int]]) -> Styles:
    """What can be told from all pages."""
    characters: Counter[float] = Counter()
    leadings: Counter[float] = Counter()
    fixed = total = bold = 0
    for line, _, _ in _lines(layouts):
        characters[line.size] += len(line.text)
        total += len(line.text)
        fixed += len(line.text) if line.fixed else 0
        bold += len(line.text) if line.bold else 0
        if line.above and line.size and 0.8 < line.above / line.size < 2.5:
            leadings[round(line.above / line.size, 1)] += 1
    body = characters.most_common(1)[0][0] if characters else 0.0
    leading = leadings.most_common(1)[0][0] if leadings else 1.2
    found: set[tuple[float, bool]] = set()
    if bold < 0.5 * total:
        found = {
            (line.size, line.bold)
            for line, before, _ in _lines(layouts)
            if _looks_like_heading(line, before, body, leading)
        }
    else:
        found = {(line.size, line.bold) for line, _, _ in _lines(layouts) if line.size >= _LARGER * body}
    known = Vocabulary.of(line.text for line, _, _ in _lines(layouts))
    levels = {style: min(number, _DEEPEST) for number, style in enumerate(sorted(found, reverse=True), start=1)}
    return Styles(body, levels, _trusted(layouts, outline), fixed <= _MOSTLY_FIXED * total, leading, known)


def _lines(layouts: Sequence[Layout]) -> Iterator[tuple[TextLine, TextLine | None, TextLine | None]]:
    """Each line with those before and after it on its page."""
    for layout in layouts:
        lines = [item if isinstance(item, TextLine) else None for item in layout.items]
        for before, line, after in zip([None, *lines], lines, [*lines[1:], None], strict=False):
            if line is not None:
                yield line, before, after


def _looks_like_heading(line: TextLine, before: TextLine | None, body: float, leading: float) -> bool:
    if len(line.text) > _LONGEST or line.fixed or not any(character.isalpha() for character in line.text):
        return False
    if line.size >= _LARGER * body:
        return True
    if not line.bold or line.size < 0.95 * body or len(line.text) > _LONGEST_BOLD or _GOES_ON.search(line.text):
        return False
    apart = line.above is None or line.above > 1.15 * leading * line.size
    return apart or (
        before is not None and before.bold and before.size == line.size and _GOES_ON.search(before.text) is None
    )


def _trusted(layouts: Sequence[Layout], outline: Mapping[int, Mapping[str, int]]) -> Mapping[int, Mapping[str, int]]:
    entries = sum(map(len, outline.values()))
    found = set()
    for line, before, after in _lines(layouts):
        titles = outline.get(line.page)
        if titles and _outlined(titles, line, before, after):
            found.add((line.page, line.text))
    return outline if entries and len(found) >= _LEAST_FOUND * entries else {}


def _outlined(titles: Mapping[str, int], line: TextLine, before: TextLine | None, after: TextLine | None) -> int:
    """Level of the title that the line is, alone or with its neighbour."""
    if not titles:
        return 0
    for text in (line.text, _NUMBER.sub("", line.text, count=1)):
        if level := titles.get(letters(text)):
            return level
    for first, second in ((line, after), (before, line)):
        if first is None or second is None or (first.size, first.bold) != (second.size, second.bold):
            continue
        both = first.text + second.text
        for text in (both, _NUMBER.sub("", both, count=1)):
            if level := titles.get(letters(text)):
                return level
    return 0
