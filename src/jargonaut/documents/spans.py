"""Tables with merged cells, spread out so that every row can be read alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jargonaut.documents.composing import Inline

MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Spanning:
    """A cell, over so many columns and rows."""

    content: Inline
    columns: int = 1
    rows: int = 1


def spread(rows: Sequence[Sequence[Spanning]]) -> list[list[Inline]]:
    """Rows of cells, with the content of a merged cell in each of its places.

    A cell that takes a whole row stands there once: it is a title, and nothing would be said by repeating it.
    """
    grid: list[dict[int, Inline]] = [{} for _ in rows]
    whole: set[int] = set()
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in grid[number]:
                column += 1
            last = min(column + cell.columns, MOST_COLUMNS)
            for down in grid[number : number + cell.rows]:
                down.update(dict.fromkeys(range(column, last), cell.content))
            column = last
        if len(row) == 1 and row[0].columns > 1 and row[0].rows == 1 and len(grid[number]) == row[0].columns:
            whole.add(number)
    width = max((max(row) + 1 for row in grid if row), default=0)
    return [
        [row[0]] if number in whole else [row.get(column, _EMPTY) for column in range(width)]
        for number, row in enumerate(grid)
    ]


_EMPTY = Inline()
