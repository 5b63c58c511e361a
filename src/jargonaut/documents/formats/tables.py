"""Tables of any format on their way to the composer: merged cells, titles, and which rows are the header."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jargonaut.core.document import Place
from jargonaut.documents.composing import Composer, Inline

Cell = Inline | str

_MOST_COLUMNS = 512
"""That a merged cell may claim; programs allow 63 (Word) to 16,384 (Excel), of which nobody merges more."""
_LONGEST_REPEATED = 300
"""Characters of a merged cell that are said again in each of its places."""
_LONGEST_LABEL = 60
"""Characters of a column's label."""
_MOST_HEADER_ROWS = 6
_SAMPLE_ROWS = 50
_NUMERIC = re.compile(
    r"[-+(]?\s*(?:[A-Z]{3}|(?:[A-Z]{1,2})?[¥￥$€£₩₹])?\s*[-+]?\d[\d.,' \u00a0]*(?:[eE][-+]?\d+)?\s*"
    r"(?:[%‰°)]|[^\W\d_]{0,3})?\s*\)?"
    r"|\d{1,4}[-/.年]\d{1,2}(?:[-/.月]\d{1,4}日?)?(?:[T ].*)?|\d{1,2}:\d{2}.*|TRUE|FALSE|true|false|#[A-Z/0!?]+"
)
_YEAR = re.compile(r"(?:FY|Q[1-4] )?(?:19|20)\d\d(?:年|E|F)?(?:Q[1-4])?|Q[1-4]|\d{1,2}月|[1-4]季度")
_LABEL_END = (":", "：")


@dataclass(slots=True)
class Table:
    """Rows of cells under construction; a merged cell is put into each of its places."""

    rows: list[list[Cell]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """For each row its line or row in the source; empty if that is not known."""
    spans: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Rows and columns of merged cells by the row and column of their first place."""
    _latest: dict[int, int] = field(default_factory=dict)
    """For each column, the last row in which a cell was put there."""

    def place(self, row: int, column: int, cell: Cell, rows: int = 1, columns: int = 1) -> int:
        """Put `cell` at `column` of `row`; the column after it."""
        while len(self.rows) <= row:
            self.rows.append([])
        line = self.rows[row]
        column = min(column, _MOST_COLUMNS - 1)
        columns = max(1, min(columns, _MOST_COLUMNS - column))
        line.extend([""] * (column + columns - len(line)))
        line[column : column + columns] = [cell, *[_again(cell)] * (columns - 1)]
        if rows > 1 or columns > 1:
            self.spans[row, column] = (max(rows, 1), columns)
        self._latest[column] = row
        return column + columns

    def extend_down(self, row: int, column: int) -> bool:
        """Let the cell above `column` reach down to `row`, which is the last one; whether there is such a cell."""
        first = self._latest.get(column, row)
        rows, columns = self.spans.get((first, column), (1, 1))
        if first + rows != row:
            return False
        self.spans[first, column] = (rows + 1, columns)
        return True

    def extend_right(self, row: int, column: int) -> None:
        """Let the cell left of `column` reach to it."""
        line = self.rows[row]
        for first in range(column - 1, -1, -1):
            rows, columns = self.spans.get((row, first), (1, 1))
            if first + columns == column and columns < _MOST_COLUMNS:
                self.spans[row, first] = (rows, columns + 1)
                line.extend([""] * (column - len(line)))
                line.append(_again(line[first]))
                return

    def fill_down(self) -> None:
        """Repeat what spans several rows in each of them."""
        for (row, column), (rows, columns) in self.spans.items():
            cell = self.rows[row][column]
            for line in self.rows[row + 1 : row + rows]:
                line.extend([""] * (column + columns - len(line)))
                line[column : column + columns] = [_again(cell)] * columns


def add_table(composer: Composer, table: Table, place: Place, header_rows: int | None = None) -> None:
    """Hand a table over: titles above it as captions, the rest with as many header rows as it has.

    Args:
        composer: Takes it.
        table: Whose merged cells were filled in.
        place: Of its first row.
        header_rows: Of the rows, titles included; None to find out.
    """
    width = max((len(row) for row in table.rows), default=0)
    texts = [[text_of(cell) for cell in row] + [""] * (width - len(row)) for row in table.rows]
    first = _titles(texts, table.spans, width)
    for number in range(first):
        caption = Inline()
        caption.add(next(filter(None, texts[number]), ""))
        composer.caption(caption, _place_of(table, number, place))
    body = texts[first:]
    spans = {(row - first, column): span for (row, column), span in table.spans.items() if row >= first}
    taken = header_rows is not None and 0 < header_rows <= first
    headers = guessed_header_rows(body, spans) if header_rows is None or taken else max(header_rows - first, 0)
    columns = [column for column in range(width) if any(row[column] for row in body)]
    shown: list[list[Cell]] = []
    for number, row in enumerate(table.rows[first:]):
        across = spans.get((number, 0), (1, 1))[1] >= width > 1
        shown.append([row[0]] if across else [row[column] if column < len(row) else "" for column in columns])
    composer.table(shown, _place_of(table, first, place), headers, table.numbers[first:])


def text_of(cell: Cell) -> str:
    """What `cell` says."""
    return cell if isinstance(cell, str) else cell.text


def guessed_header_rows(rows: Sequence[Sequence[str]], spans: Mapping[tuple[int, int], tuple[int, int]]) -> int:
    """How many of `rows` label the columns, judged by what is in them."""
    if len(rows) < 2:
        return 0
    first = [(column, span) for (row, column), span in spans.items() if row == 0]
    depth = max((down for _, (down, _) in first), default=1)
    if depth == 1 and any(across > 1 for _, (_, across) in first) and not any(map(is_value, rows[1])):
        depth = 2
    depth = depth if depth < min(len(rows), _MOST_HEADER_ROWS + 1) else 1
    return depth if _labels_columns(rows[0], rows[depth:]) else 0


def is_value(text: str) -> bool:
    """Whether it is a number, an amount or a date, and so no label; years alone are labels."""
    return bool(_NUMERIC.fullmatch(text)) and any(map(str.isdigit, text)) and not _YEAR.fullmatch(text)


def _labels_columns(labels: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    first = [text for text in labels if text]
    if 2 * len(first) < len(labels) or any(is_value(text) for text in first):
        return False
    below = rows[:_SAMPLE_ROWS]
    if all(row[0].endswith(_LABEL_END) for row in (labels, *below) if row and row[0]):
        return False
    has_values = False
    for column, label in enumerate(labels):
        values = [row[column] for row in below if column < len(row) and row[column]]
        if 2 * sum(map(is_value, values)) > len(values):
            has_values = True
        elif label and values.count(label) > len(values) / 3 and len(values) > 1:
            return False
    return has_values or all(len(text) <= _LONGEST_LABEL for text in first)


def _titles(texts: Sequence[Sequence[str]], spans: Mapping[tuple[int, int], tuple[int, int]], width: int) -> int:
    """Rows at the top that are one cell across the whole table."""
    number = 0
    while number < len(texts) - 1 and width > 1 and spans.get((number, 0), (1, 1))[1] >= width:
        number += 1
    return number


def _place_of(table: Table, row: int, place: Place) -> Place:
    if not table.numbers or row >= len(table.numbers):
        return place
    number = table.numbers[row]
    cell = f"{place.cell.rstrip('0123456789')}{number}" if place.cell else ""
    return Place(number, place.page, place.sheet, cell)


def _again(cell: Cell) -> Cell:
    """A merged cell in another of its places: its references count once."""
    text = text_of(cell)
    return text if len(text) <= _LONGEST_REPEATED else ""
