"""Tables set so close that only their edges tell the columns, as browsers print those without a style."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jargonaut.documents.formats.pdf.alignment import Row, looks_tabular

_ALIGNED = 1.0
"""Most that the left edges of a column differ, in points."""
_LEAST_ROWS = 3
_FEWER_ROWS = 2
"""Enough for three columns or more."""
_SAME_STEP = 0.15
"""Most that distances of rows differ, as a share."""
_NARROWEST = 1.5
"""Of white space between columns, in points."""
_WIDER_THAN_BLANK = 0.6
"""White space that words are not set apart by, in sizes; some row has it."""
_MOST_ROWS = 500


def tight_columns(lines: Sequence[Row], start: int) -> tuple[int, list[float]]:
    """How many of `lines`, from `start` on, are such a table, and the places on x between its columns; 0 for none.

    A head names every column; the rows below follow each other at the distance that they have from it, and in each of
    them a word begins exactly where every column does. A head that is not set in bold takes three columns to be one.
    """
    if start + _FEWER_ROWS >= len(lines) or _is_bold(lines[start + 1]) or not _begins_block(lines, start):
        return 0, []
    rows = lines[start : start + _MOST_ROWS]
    is_bold = _is_bold(rows[0])
    body = rows[1 : 1 + _evenly_spaced(rows)]
    if len(body) < _FEWER_ROWS:
        return 0, []
    places = [place for place in _shared_starts(body) if not _is_crossed(rows[0], place)]
    places = _named(rows[0], places)
    if len(places) < (1 if is_bold else 2):
        return 0, []
    if len(body) < (_FEWER_ROWS if is_bold and len(places) > 1 else _LEAST_ROWS):
        return 0, []
    if not looks_tabular([[row] for row in body], places, _FEWER_ROWS):
        return 0, []
    return (1 + len(body), places) if any(_has_room(row, place) for row in body for place in places) else (0, [])


def _is_bold(row: Row) -> bool:
    return all(word.type.bold for word in row)


def _begins_block(lines: Sequence[Row], start: int) -> bool:
    """Whether the line before stands at another distance, so that of a paragraph only the first line is looked at."""
    if not start or _is_bold(lines[start]):
        return True
    before, line, after = (lines[start + step][0].base for step in (-1, 0, 1))
    return abs((after - line) - (line - before)) > _SAME_STEP * (after - line)


def _evenly_spaced(rows: Sequence[Row]) -> int:
    """Rows under the first that follow at one distance and are not set in bold."""
    step = rows[1][0].base - rows[0][0].base
    count = 0
    for above, row in pairwise(rows):
        if _is_bold(row) or abs(row[0].base - above[0].base - step) > _SAME_STEP * step:
            break
        count += 1
    return count


def _shared_starts(rows: Sequence[Row]) -> list[float]:
    """Places just before words that begin at one x in every row, but for the first column."""
    found: list[float] = []
    for word in rows[0][1:]:
        starts = [
            min((each.box.x0 for each in row[1:]), key=lambda x: abs(x - word.box.x0), default=0.0) for row in rows
        ]
        first = min(starts)
        if max(starts) - first <= _ALIGNED and not any(_is_crossed(row, first - _NARROWEST / 2) for row in rows):
            found.append(first - _NARROWEST / 2)
    return found


def _is_crossed(row: Row, place: float) -> bool:
    return any(word.box.x0 < place < word.box.x1 + _NARROWEST / 2 for word in row)


def _named(head: Row, places: Sequence[float]) -> list[float]:
    """Those places that have something of the head between them and the next."""
    kept: list[float] = []
    end = float("inf")
    for place in reversed(places):
        if any(place < word.box.x0 < end for word in head):
            kept.insert(0, place)
            end = place
    return kept if any(word.box.x0 < end for word in head) else kept[1:]


def _has_room(row: Row, place: float) -> bool:
    before = max((word.box.x1 for word in row if word.box.x0 < place), default=place)
    return place - before > _WIDER_THAN_BLANK * row[0].type.size
