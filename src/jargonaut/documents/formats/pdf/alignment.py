"""Tables without rules down: columns told by the white space that runs through all rows."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from jargonaut.documents.formats.pdf.lines import widest_blank
from jargonaut.documents.formats.pdf.words import Word

Row = list[Word]

_STEP = 1.0
_NARROWEST = 2.0
"""Of white space between columns, in points."""
_CROSSED = 0.06
"""Share of rows that may run across it."""
_SUPPORT = 0.4
"""Share of rows that must have a wide gap there."""
_LEAST_MEETING = 4
"""Rows in which two columns without a wide gap between them must meet."""
_ALIGNED = 1.5
_MOSTLY = 0.75
"""Of those; the head of a column may be centred."""
_LEAST_ROWS = 3
_PROSE = 45
"""Characters of a cell, on average, in a table that is not two columns of prose."""
_MARK = re.compile(r"[^\w\s]|o|[(（\[]?(?:\w|\d{1,2}|[ivx]{1,4})[.)）\]]")
"""Before the items of a list."""
_FURTHER = 0.15
"""How much further rows are apart than the lines of one cell, in sizes."""
_LINES_APART = 0.6
"""Most white space between the lines of a cell, in sizes."""
_OVERLAP = 0.9
"""Least distance of base lines, in sizes, of lines below each other."""


def bands_of(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that overlap: where cells are centred on each other, their lines do not stand on one base line."""
    bands: list[list[Row]] = []
    for row in rows:
        if bands and row[0].base - bands[-1][-1][0].base < _OVERLAP * row[0].type.size:
            bands[-1].append(row)
        else:
            bands.append([row])
    return bands


def flat(band: Sequence[Row]) -> Row:
    """All words of a band, from left to right."""
    return sorted((word for row in band for word in row), key=lambda word: word.box.x0)


def wide_gaps(row: Row) -> list[tuple[float, float]]:
    """Start and end on x of what parts cells."""
    found: list[tuple[float, float]] = []
    last = row[0]
    for word in row:
        if word.box.x0 - last.box.x1 > widest_blank(last, word) * word.type.size:
            found.append((last.box.x1, word.box.x0))
        last = max(last, word, key=lambda each: each.box.x1)
    return found


def separators(rows: Sequence[Row]) -> list[float]:
    """Places on x between columns."""
    if not rows:
        return []
    left = min(row[0].box.x0 for row in rows)
    right = max(word.box.x1 for row in rows for word in row)
    count = int((right - left) / _STEP) + 2
    crossed = np.zeros(count, dtype=np.int64)
    gaps = np.zeros(count, dtype=np.int64)
    sides = np.zeros(count, dtype=np.int64)
    """How many rows have words on both sides."""
    places = np.arange(count) * _STEP
    for row in rows:
        covered = np.zeros(count, dtype=np.bool_)
        for word in row:
            covered[int((word.box.x0 - left) / _STEP) : int((word.box.x1 - left) / _STEP) + 1] = True
        crossed += covered
        sides += (places >= row[0].box.x0 - left) & (places <= max(word.box.x1 for word in row) - left)
        for start, stop in wide_gaps(row):
            gaps[int((start - left) / _STEP) + 1 : int((stop - left) / _STEP)] += 1
    free = crossed <= _CROSSED * len(rows)
    needed = np.maximum(2, _SUPPORT * sides)
    found: list[float] = []
    start = -1
    for place in range(count):
        if free[place] and start < 0:
            start = place
        elif not free[place] and start >= 0:
            if (
                start > 0
                and (place - start) * _STEP >= _NARROWEST
                and ((gaps >= needed)[start:place].any() or _meet(rows, left + (start + place) / 2 * _STEP))
            ):
                # Columns are aligned on the left more often than not, so the end of the gap is exact.
                found.append(left + (place - min(place - start, 2) / 2) * _STEP)
            start = -1
    return found


def _meet(rows: Sequence[Row], place: float) -> bool:
    """Whether a column that is aligned on the right, as figures are, meets one that is aligned on the left."""
    pairs = []
    for row in rows:
        before = max((word for word in row if word.box.x1 <= place), key=lambda word: word.box.x1, default=None)
        after = min((word for word in row if word.box.x0 >= place), key=lambda word: word.box.x0, default=None)
        if before and after:
            pairs.append((before.box.x0, before.box.x1, after.box.x0))
    if len(pairs) < _LEAST_MEETING:
        return False
    starts, ends, nexts = np.array(pairs).T
    ragged = len(np.unique(np.round(starts))) > 2
    meeting = (np.abs(ends - np.median(ends)) <= _ALIGNED) & (np.abs(nexts - np.median(nexts)) <= _ALIGNED)
    return ragged and bool(meeting.mean() >= _MOSTLY)


def cells_of(row: Row, places: Sequence[float]) -> list[Row]:
    """The words of a row by column."""
    cells: list[Row] = [[] for _ in range(len(places) + 1)]
    for word in row:
        middle = (word.box.x0 + word.box.x1) / 2
        cells[bisect_left(places, middle)].append(word)
    return cells


def looks_tabular(groups: Sequence[Sequence[Row]], places: Sequence[float], least_rows: int = _LEAST_ROWS) -> bool:
    """Whether rows are filled as those of a table are, rather than being prose in columns or chance."""
    if not places or len(groups) < least_rows:
        return False
    rows = [[[word for row in group for word in cells_of(row, places)[column]] for column in range(len(places) + 1)]
            for group in groups]  # fmt: skip
    if sum(_is_mark(cells[0]) for cells in rows) > 0.5 * len(rows):
        return False  # a list
    filled = [[cell for cell in cells if cell] for cells in rows]
    full = sum(len(cells) >= 2 for cells in filled)
    if full < max(2, 0.6 * len(rows)):
        return False
    lengths = [sum(len(word.text) for word in cell) for cells in filled for cell in cells]
    return sum(lengths) / len(lengths) <= _PROSE


def _is_mark(cell: Row) -> bool:
    return len(cell) == 1 and bool(_MARK.fullmatch(cell[0].text))


def grouped(rows: Sequence[Row], places: Sequence[float]) -> list[list[Row]]:
    """Rows of words that are one row of the table: the lines of its cells."""
    if len(rows) < 2:
        return [[row] for row in rows]
    gaps = [min(w.box.top for w in below) - max(w.box.bottom for w in above) for above, below in pairwise(rows)]
    ordered = sorted(gaps)
    # Where gaps are of two kinds, the small ones are between the lines of a cell.
    size = rows[0][0].type.size
    limit = float("-inf")
    for less, more in pairwise(ordered):
        if more - less > _FURTHER * size and less <= _LINES_APART * size:
            limit = (less + more) / 2
            break
    groups: list[list[Row]] = [[rows[0]]]
    for row, gap in zip(rows[1:], gaps, strict=True):
        cells = cells_of(row, places)
        if gap < limit or _continues(cells, near=gap <= ordered[0] + 0.05 * size):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _continues(cells: Sequence[Row], near: bool) -> bool:
    """Whether a line without a first cell is more of the row above."""
    filled = sum(bool(cell) for cell in cells)
    return near and not cells[0] and filled <= len(cells) / 2
