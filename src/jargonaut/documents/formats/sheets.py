"""A sheet of a spreadsheet, whatever its format: which of its cells make a table, and what is only text around it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from jargonaut.core.document import Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.tables import Table, add_table, guessed_header_rows

MOST_CELLS = 2_000_000
"""Of a workbook: more do not fit the memory of a worker, and are a database, not a document."""
_MOST_MERGED = 200_000
"""Places of merged cells in one sheet."""
_MOST_HEADER_ROWS = 6
_MOST_NESTED = 4
"""How often a part of a sheet is split again."""
_SPARSE = 50
"""Places to one cell, in a part of a sheet that is no table."""
_LONGEST_LABEL = 40
_LONGEST_GAP = 2
"""Empty rows inside a table."""
_REMARK = re.compile(r"(?:注|备注|说明|来源|资料来源|note|notes|source|remark)s?\s*\d*\s*[:：.]|[*※†]", re.IGNORECASE)
_USUAL_NAME = re.compile(r"(?:sheet|工作表|tabelle|feuil|hoja|foglio|blad|シート|sheet ?)\s*\d+", re.IGNORECASE)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, its sides included."""

    top: int
    left: int
    bottom: int
    right: int
    header_rows: int = 0
    """Of a table that the file itself declares."""


@dataclass(slots=True)
class Sheet:
    """What a sheet shows. Rows and columns are counted from 1."""

    name: str
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    """Text by row and column, of cells that have some."""
    spans: dict[Span, Span] = field(default_factory=dict)
    """Rows and columns of merged cells by their first row and column."""
    declared: list[Area] = field(default_factory=list)
    """Tables that the file declares."""
    header_bottom: int = 0
    """Last of the rows that stay in view, or are printed on every page; 0 if there are none."""
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[Span] = field(default_factory=list)
    """First and last, in order."""
    floating: list[str] = field(default_factory=list)
    """Texts of shapes that lie over the cells."""

    def fill_merged(self) -> None:
        """Repeat the text of merged cells in each of their places, as far as the sheet is used."""
        last_row = max(self.rows, default=0)
        last_column = max((max(cells) for cells in self.rows.values() if cells), default=0)
        budget = _MOST_MERGED
        for (row, column), (rows, columns) in list(self.spans.items()):
            text = self.rows.get(row, {}).get(column)
            bottom = min(row + rows - 1, last_row)
            right = column + columns - 1 if bottom == row else min(column + columns - 1, last_column)
            budget -= (bottom - row + 1) * (right - column + 1)
            if not text or budget < 0 or right - column > 1000:
                del self.spans[row, column]
                continue
            self.spans[row, column] = (bottom - row + 1, right - column + 1)
            for number in range(row, bottom + 1):
                cells = self.rows.setdefault(number, {})
                for place in range(column, right + 1):
                    cells[place] = text


@dataclass(frozen=True, slots=True)
class _Part:
    rows: Sequence[int]
    columns: Sequence[int]
    header_rows: int | None = None


def add_sheets(composer: Composer, sheets: Sequence[Sheet]) -> None:
    """All sheets, each under its name."""
    sheets = [sheet for sheet in sheets if sheet.rows or sheet.floating]
    for sheet in sheets:
        if len(sheets) > 1 or not _USUAL_NAME.fullmatch(sheet.name):
            composer.heading(_inline(sheet.name), 1, Place(sheet=sheet.name))
        sheet.fill_merged()
        for part in _joined(sheet, list(_parts(sheet))):
            _add_part(composer, sheet, part)
        for text in sheet.floating:
            composer.paragraph(_inline(text), Place(sheet=sheet.name))
        sheet.rows.clear()


def check_cells(count: int) -> None:
    """Refuse a workbook that is too large.

    Raises:
        InputError: It has more than `MOST_CELLS`.
    """
    if count > MOST_CELLS:
        raise InputError(
            f"It has more than {MOST_CELLS:,} cells.", "Split it, or give a database's contents in a smaller form."
        )


def cell_name(row: int, column: int) -> str:
    """As `C17`."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def _parts(sheet: Sheet) -> Iterator[_Part]:
    """Declared tables, and what hangs together among the other cells; from top to bottom."""
    parts: list[_Part] = []
    taken: list[Area] = []
    for area in sheet.declared:
        rows = [number for number in sorted(sheet.rows) if area.top <= number <= area.bottom]
        columns = {c for number in rows for c in sheet.rows[number] if area.left <= c <= area.right}
        overlaps = any(
            area.top <= each.bottom and each.top <= area.bottom and area.left <= each.right and each.left <= area.right
            for each in taken
        )
        if len(rows) > 1 and columns and not overlaps:
            taken.append(area)
            parts.append(_Part(rows, sorted(columns), sum(number < area.top + area.header_rows for number in rows)))
    free: dict[int, set[int]] = {}
    for number in sorted(sheet.rows):
        across = [area for area in taken if area.top <= number <= area.bottom]
        columns = set(sheet.rows[number])
        if across:
            columns = {c for c in columns if not any(area.left <= c <= area.right for area in across)}
        if columns:
            free[number] = columns
    parts.extend(_split(sheet, free, 0))
    yield from sorted(parts, key=lambda part: (part.rows[0], part.columns[0]))


def _split(sheet: Sheet, cells: dict[int, set[int]], depth: int) -> Iterator[_Part]:
    for rows in _runs(list(cells), lambda first, last: _hidden_rows_between(sheet, first, last)):
        used = sorted(set().union(*(cells[number] for number in rows)))
        groups = _runs(used, lambda first, last: _hidden_columns_between(sheet, first, last))
        if len(groups) == 1 or depth == _MOST_NESTED:
            yield _Part(rows, used)
            continue
        for group in groups:
            inside = set(group)
            yield from _split(sheet, {n: part for n in rows if (part := cells[n] & inside)}, depth + 1)


def _runs(numbers: Sequence[int], hidden_between: Callable[[int, int], int]) -> list[list[int]]:
    """Numbers in order, split where visible ones are missing."""
    runs: list[list[int]] = []
    for number in numbers:
        gap = number - runs[-1][-1] - 1 if runs else 1
        if gap and (not runs or gap > hidden_between(runs[-1][-1], number)):
            runs.append([])
        runs[-1].append(number)
    return runs


def _hidden_rows_between(sheet: Sheet, first: int, last: int) -> int:
    return bisect_left(sheet.hidden_rows, last) - bisect_left(sheet.hidden_rows, first + 1)


def _hidden_columns_between(sheet: Sheet, first: int, last: int) -> int:
    return sum(max(min(end, last - 1) - max(start, first + 1) + 1, 0) for start, end in sheet.hidden_columns)


def _joined(sheet: Sheet, parts: list[_Part]) -> list[_Part]:
    """Parts of one table that an empty row or two has split: below the header, nothing labels the columns again."""
    joined: list[_Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and part.header_rows is None
            and last.columns == part.columns
            and len(part.columns) > 1
            and part.rows[0] - last.rows[-1] - 1 <= _LONGEST_GAP
            and _header_rows(sheet, last) > 0
            and not guessed_header_rows(_texts(sheet, part), {})
            and len(_texts(sheet, part)[0]) - _texts(sheet, part)[0].count("") > 1
        ):
            joined[-1] = _Part([*last.rows, *part.rows], last.columns, last.header_rows)
        else:
            joined.append(part)
    return joined


def _texts(sheet: Sheet, part: _Part, most: int = 60) -> list[list[str]]:
    return [[sheet.rows[row].get(column, "") for column in part.columns] for row in part.rows[:most]]


def _header_rows(sheet: Sheet, part: _Part) -> int:
    known = _known_header_rows(sheet, part)
    return guessed_header_rows(_texts(sheet, part), {}) if known is None else known


def _known_header_rows(sheet: Sheet, part: _Part) -> int | None:
    """Header rows that the file tells of."""
    if part.header_rows is not None:
        return part.header_rows
    count = sum(number <= sheet.header_bottom for number in part.rows[: _MOST_HEADER_ROWS + 1])
    return count if 0 < count <= _MOST_HEADER_ROWS and count < len(part.rows) else None


def _add_part(composer: Composer, sheet: Sheet, part: _Part) -> None:
    rows = _texts(sheet, part, len(part.rows))
    column = part.columns[0]
    places = [Place(number, None, sheet.name, cell_name(number, column)) for number in part.rows]
    header_rows = _known_header_rows(sheet, part)
    if len(part.columns) == 1 and header_rows is None and _is_prose([row[0] for row in rows]):
        for row, place in zip(rows, places, strict=True):
            composer.paragraph(_inline(row[0]), place)
        return
    if len(rows) * len(part.columns) > 10_000 + _SPARSE * sum(len(sheet.rows[number]) for number in part.rows):
        rows = [[text for text in row if text] for row in rows]
    first, last = 0, len(rows)
    if len(part.columns) > 1 and part.header_rows is None:
        while first < last - 1 and _alone(rows[first]):
            composer.caption(_inline("".join(rows[first])), places[first])
            first += 1
        while last - 1 > first and _is_remark(rows[last - 1], rows[first:last]):
            last -= 1
    across = {number: index for index, number in enumerate(part.columns)}
    at = {number: index for index, number in enumerate(part.rows[first:last])}
    spans = {(at[row], across[left]): span for (row, left), span in sheet.spans.items() if row in at and left in across}
    if header_rows and part.header_rows is None:
        header_rows = header_rows - first if header_rows > first else None
    table = Table([list(row) for row in rows[first:last]], list(part.rows[first:last]), spans)
    add_table(composer, table, places[first], header_rows)
    for row, place in zip(rows[last:], places[last:], strict=True):
        composer.paragraph(_inline("".join(row)), place)


def _alone(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) == 1


def _is_remark(row: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a last row is a remark below the table."""
    if not _alone(row) or not row[0]:
        return False
    longest = max((len(other[0]) for other in rows[:-1]), default=0)
    return bool(_REMARK.match(row[0])) or len(row[0]) > max(_LONGEST_LABEL, longest)


def _is_prose(texts: Sequence[str]) -> bool:
    return len(texts) == 1 or sum(len(text) for text in texts) > _LONGEST_LABEL * len(texts)


def _inline(text: str) -> Inline:
    inline = Inline()
    inline.add(text)
    return inline
