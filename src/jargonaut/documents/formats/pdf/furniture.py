"""Running heads, feet and page numbers: what stands in the same place on page after page."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from jargonaut.documents.formats.pdf.grids import find_grids
from jargonaut.documents.formats.pdf.lines import Line, rows_of, segments_of
from jargonaut.documents.formats.pdf.page import Page
from jargonaut.documents.formats.pdf.words import Word

_REACH = 8
"""Pages before and after that a page is compared with: heads change with the chapter."""
_LEAST_TWINS = 2
_MOST_ROWS = 3
_MARGIN = 0.15
"""Share of a page, from its edge, in which rows behind the outermost may be furniture."""
_NUMBER_MARGIN = 0.12
_SAME_PLACE = 5.0
_CLEARANCE = 1.55
"""Least distance of furniture from the text, in sizes, from base line to base line."""
_SMALL = 0.8
"""Most of furniture's type, in sizes of the text's, for it to stand nearer to that."""
_CLEARANCE_OF_SMALL = 1.15
_LARGE = 1.4
"""Least size of a title, in sizes of the text's type."""
_MOST_IN_FORM = 14
"""Rows on a page that may be a form, or a card."""
_ALIKE = 0.5
_DATE_AND_TITLE = re.compile(r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4},?\s+(?:[上下]午\s*)?\d{1,2}:\d{2}\b")
_ADDRESS_AND_PAGE = re.compile(r"(?:https?|file)://\S+.*?\s\d{1,5}/\d{1,5}")
_APART = 1.3
"""The same of a row behind the outermost, in usual distances of rows."""
_DIGITS = re.compile(r"\d+|\b[ivxlc]{1,7}\b", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"[\W_]*(?:page|seite|p\.|第)?\s*(?:\d{1,5}|[ivxlc]{1,7})\s*(?:页)?(?:\s*(?:/|of|von|／|共|，|,)\s*(?:共|第)?\s*\d{1,5}\s*页?)?[\W_]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Row:
    keys: frozenset[str]
    """Its parts, with every number the same."""
    base: float
    words: tuple[Word, ...]
    number: bool
    """Whether it is nothing but a page number, or what a browser prints at the edge."""
    large: bool
    """Whether it is set as titles are."""


@dataclass(frozen=True, slots=True)
class _Margins:
    head: tuple[_Row, ...]
    """From the edge inwards, each further from the text than lines are from each other."""
    foot: tuple[_Row, ...]
    between: tuple[_Row, ...] | None = None
    """All rows but those, of a page that has few."""


def without_furniture(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages, each compared with those around it; few are held at a time."""
    margins: list[_Margins] = []
    waiting: deque[Page] = deque()
    for page in pages:
        margins.append(_margins(page))
        waiting.append(page)
        if len(waiting) > _REACH:
            yield _cleaned(waiting.popleft(), margins)
    while waiting:
        yield _cleaned(waiting.popleft(), margins)


def _cleaned(page: Page, margins: Sequence[_Margins]) -> Page:
    index = page.number - 1
    around = [margins[other] for other in range(max(0, index - _REACH), min(len(margins), index + _REACH + 1))]
    others = [other for other in around if other is not margins[index]]
    least = min(_LEAST_TWINS, max(len(margins) - 1, 1))
    is_form = _is_form(margins[index], others)
    dropped: list[_Row] = []
    for rows, rival in ((margins[index].head, "head"), (margins[index].foot, "foot")):
        outer = True
        for row in rows:
            twins = sum(_has_twin(row, getattr(other, rival)) for other in others)
            # Left and right pages, and those of a chapter, have heads of their own in the same place.
            alike = sum(_stands_with(row, getattr(other, rival)) for other in others)
            repeated = twins >= least or (twins > 0 and alike >= _LEAST_TWINS)
            outer = outer and (row.number or (repeated and not row.large and not is_form))
            if outer:
                dropped.append(row)
    if sum(len(row.words) for row in dropped) >= len(page.words):
        # A page of one line is not made of furniture.
        dropped = [row for row in dropped if row.number]
    if not dropped:
        return page
    drop = {id(word) for row in dropped for word in row.words}
    return replace(page, words=[word for word in page.words if id(word) not in drop])


def _is_form(page: _Margins, others: Sequence[_Margins]) -> bool:
    """Whether most of what is on a page stands on others too, so that what is repeated tells nothing."""
    if not page.between:
        return False
    rivals = [other.between for other in others if other.between]
    alike = sum(any(_has_twin(row, rival) for rival in rivals) for row in page.between)
    return alike >= _ALIKE * len(page.between)


def _has_twin(row: _Row, others: Sequence[_Row]) -> bool:
    return any(abs(other.base - row.base) <= _SAME_PLACE and row.keys & other.keys for other in others)


def _stands_with(row: _Row, others: Sequence[_Row]) -> bool:
    return any(abs(other.base - row.base) <= 1.0 for other in others)


def _margins(page: Page) -> _Margins:
    rows = rows_of(page.words)
    if not rows:
        return _Margins((), ())
    grids, _ = find_grids(page.drawings.across, page.drawings.down)
    tables = [grid.box for grid in grids if len(grid.ys) > 2 and grid.box.height > _MARGIN * page.height]
    size = median(word.type.size for word in page.words)
    bases = [max(row, key=lambda word: word.type.size).base for row in rows]
    leading = median(below - above for above, below in pairwise(bases)) if len(bases) > 1 else 0.0
    sides = []
    for order in (range(len(rows)), range(len(rows) - 1, -1, -1)):
        found: list[_Row] = []
        waiting: list[_Row] = []
        for number, index in enumerate(list(order)[:_MOST_ROWS]):
            away = min(bases[index], page.height - bases[index])
            row = _row(rows[index], bases[index], away < _NUMBER_MARGIN * page.height, size)
            inside = any(box.contains(rows[index][0].box.x0, bases[index]) for box in tables)
            if inside or (number and away > _MARGIN * page.height):
                break
            waiting.append(row)
            following = index + (1 if order.step > 0 else -1)
            distance = abs(bases[following] - bases[index]) if 0 <= following < len(rows) else page.height
            usually = _APART * leading if number else 0.0
            own = max(word.type.size for word in rows[index])
            clearance = _CLEARANCE_OF_SMALL if own <= _SMALL * size else _CLEARANCE
            if distance >= max(clearance * max(size, own), usually):
                found += waiting
                waiting = []
        sides.append(tuple(found))
    head, foot = _by_browser(*sides)
    taken = {id(row.words[0]) for row in (*head, *foot)}
    between = None
    if len(rows) <= _MOST_IN_FORM:
        inner = (row for row in rows if not any(id(word) in taken for word in row))
        between = tuple(_exact(row) for row in inner)
    return _Margins(head, foot, between)


def _exact(words: Sequence[Word]) -> _Row:
    base = max(words, key=lambda word: word.type.size).base
    return _Row(frozenset({Line(list(words)).text}), base, tuple(words), number=False, large=False)


def _by_browser(head: tuple[_Row, ...], foot: tuple[_Row, ...]) -> tuple[tuple[_Row, ...], tuple[_Row, ...]]:
    """The date over a page and the address under it, which browsers print, count as page numbers do."""
    if not (head and foot and _DATE_AND_TITLE.match(_text(head[0])) and _ADDRESS_AND_PAGE.fullmatch(_text(foot[0]))):
        return head, foot
    return (replace(head[0], number=True), *head[1:]), (replace(foot[0], number=True), *foot[1:])


def _text(row: _Row) -> str:
    return Line(list(row.words)).text


def _row(words: Sequence[Word], base: float, at_edge: bool, size: float) -> _Row:
    parts = [line.text for line in segments_of(words, gap=1.5)]
    keys = frozenset(key for part in parts if (key := _DIGITS.sub("#", part.strip()).casefold()))
    telling = frozenset(key for key in keys if key.strip("#").strip()) or keys
    text = Line(list(words)).text
    large = min(word.type.size for word in words) >= _LARGE * size
    return _Row(telling, base, tuple(words), at_edge and not large and bool(_PAGE_NUMBER.fullmatch(text)), large)
