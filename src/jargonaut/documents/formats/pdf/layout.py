"""A page laid out: lines and tables in reading order, and its footnotes. What is kept of a page until the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from jargonaut.documents.formats.pdf.geometry import Box
from jargonaut.documents.formats.pdf.hyphens import joined
from jargonaut.documents.formats.pdf.lines import Line, lines_of
from jargonaut.documents.formats.pdf.page import Page
from jargonaut.documents.formats.pdf.regions import Region, regions_of, settled
from jargonaut.documents.formats.pdf.tables import Table, take_tables

_NOTE = re.compile(r"(?P<mark>\d{1,3}|[*†‡§¶]{1,3}|[①-⑳]|\[\d{1,3}\])[.):]?\s*(?=\S)")
_NOTE_SIZE = 0.93
"""Most of a footnote's type, in sizes of the page's."""
_NOTES_BELOW = 0.4
"""Share of the page over which no footnotes are."""


@dataclass(slots=True)
class TextLine:
    """A line without its words."""

    text: str
    box: Box
    base: float
    size: float
    bold: bool
    fixed: bool
    page: int
    above: float | None
    """Distance from the base line above it, in the same region; None for the first of a region."""
    first_width: float
    """Of its first word."""
    spread: str = ""
    """Of a line of fixed width: its text with its blanks, from the left edge of its region."""
    aside: bool = False
    """Whether it runs in another direction than the page."""


@dataclass(slots=True)
class Note:
    """A footnote."""

    mark: str
    text: str


@dataclass(slots=True)
class Layout:
    """What is on a page, in reading order."""

    number: int
    items: list[TextLine | Table] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)


def lay_out(page: Page, before: Layout | None = None) -> Layout:
    """The page in reading order; `before` is the last one, whose table may go on."""
    layout = Layout(page.number, hidden=page.hidden)
    body = _prevailing_size(page)
    tables = take_tables(page)
    last = before.items[-1] if before is not None and before.items else None
    regions = [
        settled(region, page.number, last if isinstance(last, Table) and index == 0 else None)
        for index, region in enumerate(regions_of(page, tables))
    ]
    raised = {word.text for line in _lines(regions) for word in line.words[1:] if line.is_mark(word)}
    notes = [_take_notes(region, body, page.height, raised) for region in regions]
    layout.notes = [_note(lines) for found in notes for lines in found]
    marks = {note.mark for note in layout.notes}
    for region in regions:
        _add_region(layout, region, marks)
    for words in page.aside:
        _add_region(layout, Region(list(lines_of(words))), marks, above=float("-inf"), aside=True)
    return layout


def _lines(regions: Iterable[Region]) -> Iterator[Line]:
    for region in regions:
        yield from (atom for atom in region.atoms if isinstance(atom, Line))


def _prevailing_size(page: Page) -> float:
    sizes: Counter[float] = Counter()
    for word in page.words:
        sizes[word.type.size] += len(word.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _take_notes(region: Region, body: float, height: float, raised: Collection[str]) -> list[list[Line]]:
    """Small lines at the end of a region, from the first on that begins with a mark."""
    first = len(region.atoms)
    for index in range(len(region.atoms) - 1, -1, -1):
        atom = region.atoms[index]
        if isinstance(atom, Table) or atom.size > _NOTE_SIZE * body or atom.base < _NOTES_BELOW * height:
            break
        if _NOTE.match(atom.text):
            first = index
    notes: list[list[Line]] = []
    for atom in region.atoms[first:]:
        if isinstance(atom, Line):
            if not notes or _begins_note(atom, notes[-1][0], raised):
                notes.append([])
            notes[-1].append(atom)
    if notes and not all(_begins_note(lines[0], lines[0], raised) for lines in notes):
        return []
    del region.atoms[first:]
    return notes


def _begins_note(line: Line, first: Line, raised: Collection[str]) -> bool:
    match = _NOTE.match(line.text)
    if match is None or line.box.x0 > first.box.x0 + line.size:
        return False
    apart = line.text[match.end("mark") : match.end()] != "" or line.words[0].text == match["mark"]
    return apart or line.is_mark(line.words[0]) or match["mark"] in raised


def _note(lines: Sequence[Line]) -> Note:
    text = joined([line.text for line in lines])
    match = _NOTE.match(text)
    return Note(match["mark"].strip("[]"), text[match.end() :]) if match else Note("", text)


def _add_region(
    layout: Layout, region: Region, marks: set[str], above: float | None = None, aside: bool = False
) -> None:
    """Add all of it; `above` is the base line over its first line, which begins something new if that is far away."""
    left = region.box.x0 if region.atoms else 0.0
    for atom in region.atoms:
        if isinstance(atom, Table):
            layout.items.append(atom)
            above = atom.box.bottom
            continue
        layout.items.append(
            TextLine(
                atom.marked(marks),
                atom.box,
                atom.base,
                atom.size,
                atom.bold,
                atom.fixed,
                layout.number,
                None if above is None else atom.base - above,
                atom.words[0].box.width,
                atom.spread(left) if atom.fixed else "",
                aside,
            )
        )
        above = atom.base
