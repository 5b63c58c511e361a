"""Heads of tables that say one thing over several columns, and another over each."""

from __future__ import annotations

from collections.abc import Sequence

from jargonaut.documents.formats.pdf.alignment import Row, cells_of, separators
from jargonaut.documents.formats.pdf.lines import Line, segments_of
from jargonaut.documents.formats.pdf.words import Word

_LEAST_BELOW = 3
"""Rows under a head."""


def bold_head(rows: Sequence[Row]) -> int:
    """How many rows at the top are set in bold, if those below are not."""
    bold = next((number for number, row in enumerate(rows) if not all(word.type.bold for word in row)), 0)
    return bold if len(rows) - bold >= _LEAST_BELOW else 0


def places_under(rows: Sequence[Row], head: int) -> tuple[list[float], int]:
    """Places on x between columns, and of how many rows the head is that says something over several of them.

    What stands over several columns hides the space between them. Without it more of them may be seen; that is right
    if each of them has something of its own over it.
    """
    places = separators(rows)
    if not head or len(rows) - head < _LEAST_BELOW:
        return places, 0
    below = separators(rows[head:])
    if len(below) < len(places):
        return places, 0
    over, own = _parted(rows[:head], below)
    return (below, head) if over and all(cells_of(own, below)) else (places, 0)


def head_of(rows: Sequence[Row], places: Sequence[float]) -> list[list[list[Word]]]:
    """The words of a head by row and column: what stands over several columns, repeated, then what stands over each."""
    over, own = _parted(rows, places)
    columns = [list(cell) for cell in cells_of(own, places)]
    upper = [list(cell) for cell in columns]
    edges = [float("-inf"), *places, float("inf")]
    for line in over:
        for column in range(len(columns)):
            if line.box.x0 < edges[column + 1] and line.box.x1 > edges[column]:
                upper[column] = list(line.words)
    return [upper, columns]


def _parted(rows: Sequence[Row], places: Sequence[float]) -> tuple[list[Line], Row]:
    """What stands over several columns, and the words that do not."""
    over: list[Line] = []
    own: Row = []
    for line in segments_of(word for row in rows for word in row):
        if any(line.box.x0 < place < line.box.x1 for place in places):
            over.append(line)
        else:
            own += line.words
    return over, own
