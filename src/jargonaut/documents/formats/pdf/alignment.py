"""Tables without rules down: columns told by the white space that runs through all rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from jargonaut.documents.formats.pdf.lines import WIDE_GAP
from jargonaut.documents.formats.pdf.words import Word

Row = list[Word]

_STEP = 1.0
_NARROWEST = 2.0
"""Of white space between columns, in points."""
_CROSSED = 0.06
"""Share of rows that may run across it."""
_SUPPORT = 0.4
"""Share of rows that must have a wide gap there."""
_LEAST_ROWS = 3
_PROSE = 45
"""Characters of a cell, on average, in a table that is not two columns of prose."""
_MARK = re.compile(r"[^\w\s]|o|[(（\[]?(?:\w|\d{1,2}|[ivx]{1,4})[.)）\]]")
"""Before the items of a list."""
_TIGHTER = 1.3
"""How much further rows are apart than the lines of one cell."""


def separators(rows: Sequence[Row]) -> list[float]:
    """Places on x between columns."""
    if not rows:
        return []
    left = min(row[0].box.x0 for row in rows)
    right = max(word.box.x1 for row in rows for word in row)
    count = int((right - left) / _STEP) + 2
    crossed = np.zeros(count, dtype=np.int64)
    gaps = np.zeros(count, dtype=np.int64)
    for row in rows:
        covered = np.zeros(count, dtype=np.bool_)
        for word in row:
            covered[int((word.box.x0 - left) / _STEP) : int((word.box.x1 - left) / _STEP) + 1] = True
        crossed += covered
        for before, word in pairwise(row):
            if word.box.x0 - before.box.x1 > WIDE_GAP * max(before.type.size, word.type.size):
                gaps[int((before.box.x1 - left) / _STEP) + 1 : int((word.box.x0 - left) / _STEP)] += 1
    free = crossed <= _CROSSED * len(rows)
    needed = max(2, _SUPPORT * len(rows))
    found: list[float] = []
    start = -1
    for place in range(count):
        if free[place] and start < 0:
            start = place
        elif not free[place] and start >= 0:
            if start > 0 and (place - start) * _STEP >= _NARROWEST and gaps[start:place].max() >= needed:
                # Columns are aligned on the left more often than not, so the end of the gap is exact.
                found.append(left + (place - min(place - start, 2) / 2) * _STEP)
            start = -1
    return found


def cells_of(row: Row, places: Sequence[float]) -> list[Row]:
    """The words of a row by column."""
    cells: list[Row] = [[] for _ in range(len(places) + 1)]
    for word in row:
        middle = (word.box.x0 + word.box.x1) / 2
        cells[sum(middle > place for place in places)].append(word)
    return cells


def looks_tabular(rows: Sequence[Row], places: Sequence[float], least_rows: int = _LEAST_ROWS) -> bool:
    """Whether rows are filled as those of a table are, rather than being prose in columns or chance."""
    if not places or len(rows) < least_rows:
        return False
    if sum(_is_mark(cells_of(row, places)[0]) for row in rows) > 0.5 * len(rows):
        return False  # a list
    filled = [[cell for cell in cells_of(row, places) if cell] for row in rows]
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
    gaps = [below[0].base - above[0].base for above, below in pairwise(rows)]
    ordered = sorted(gaps)
    # Where gaps are of two kinds, the small ones are between the lines of a cell.
    limit = 0.0
    for less, more in pairwise(ordered):
        if more > _TIGHTER * less and less <= 1.6 * rows[0][0].type.size:
            limit = (less + more) / 2
            break
    groups: list[list[Row]] = [[rows[0]]]
    for row, gap in zip(rows[1:], gaps, strict=True):
        cells = cells_of(row, places)
        if gap < limit or _continues(cells, gaps=gap <= 1.05 * ordered[0]):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _continues(cells: Sequence[Row], gaps: bool) -> bool:
    """Whether a line without a first cell is more of the row above."""
    filled = sum(bool(cell) for cell in cells)
    return gaps and not cells[0] and filled <= len(cells) / 2
