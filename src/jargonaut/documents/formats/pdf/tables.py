"""Tables: where they are on a page, and what stands in their cells."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from jargonaut.documents.formats.pdf.alignment import Row, bands_of, cells_of, flat, grouped, looks_tabular, separators
from jargonaut.documents.formats.pdf.drawings import Rule
from jargonaut.documents.formats.pdf.geometry import Box, around
from jargonaut.documents.formats.pdf.grids import Grid, find_grids
from jargonaut.documents.formats.pdf.heads import bold_head, head_of, places_under
from jargonaut.documents.formats.pdf.hyphens import joined
from jargonaut.documents.formats.pdf.lines import lines_of, rows_of
from jargonaut.documents.formats.pdf.page import Page
from jargonaut.documents.formats.pdf.words import Word

_LEAST_FILLED = 0.3
"""Share of a table's cells with text; charts have less."""
_LONGEST_CELL = 1_500
"""Characters, in a table that is no layout."""
_MOST_REPEATED = 4
"""How often, on average, the text of a table may stand in it because of merged cells."""
_SAME_EXTENT = 6.0
_LEAST_BARE = 3
"""Rows without a first cell in a table whose first column speaks of several rows at once."""
_NUMBER = re.compile(r"[-+(]?[^\w\s]?\s?\d[\d\s.,:/%()-]*\W?\w{0,3}")


@dataclass(slots=True)
class Table:
    """Rows of texts, a merged cell's in each of its places. Line feeds are soft."""

    box: Box
    rows: list[list[str]]
    header_rows: int
    page: int
    """That it begins on."""
    places: tuple[float, ...] = ()
    """On x, between its columns, if they are told by white space."""


def take_tables(page: Page) -> list[Table]:
    """Tables that rules show; their words are taken from the page."""
    tables: list[Table] = []
    grids, loose = find_grids(page.drawings.across, page.drawings.down)
    for grid in sorted(grids, key=lambda grid: grid.box.area):
        inside = _inside(page.words, grid.box)
        table = _ruled(grid, inside, page.number)
        if table is not None:
            tables.append(table)
            page.words = _without(page.words, inside)
    for area, ys in _ladders([*loose, *page.drawings.across], tables):
        area, inside = _with_ends(area, ys, page.words)
        table = _partly_ruled(area, ys, inside, page.number)
        if table is not None:
            tables.append(table)
            page.words = _without(page.words, inside)
    return tables


def _inside(words: Iterable[Word], box: Box) -> list[Word]:
    return [
        word for word in words if box.contains((word.box.x0 + word.box.x1) / 2, (word.box.top + word.box.bottom) / 2)
    ]


def _without(words: Iterable[Word], taken: Iterable[Word]) -> list[Word]:
    known = {id(word) for word in taken}
    return [word for word in words if id(word) not in known]


def text_of(words: Iterable[Word]) -> str:
    """What stands in a cell."""
    return joined([line.text for line in lines_of(words)])


def _ruled(grid: Grid, words: Sequence[Word], page: int) -> Table | None:
    if len(grid.ys) < 3 or not words or _mostly_fixed(words):
        return None
    content: dict[int, list[Word]] = {}
    boxes = [grid.box_of(cell) for cell in grid.cells]
    for word in words:
        x, y = (word.box.x0 + word.box.x1) / 2, (word.box.top + word.box.bottom) / 2
        number = next((number for number, box in enumerate(boxes) if box.contains(x, y)), None)
        if number is not None:
            content.setdefault(number, []).append(word)
    if len(content) < max(2, _LEAST_FILLED * len(grid.cells)):
        return None
    texts = {number: text_of(found) for number, found in content.items()}
    if max(map(len, texts.values())) > _LONGEST_CELL or _is_form(grid, texts):
        return None
    rows = [[""] * (len(grid.xs) - 1) for _ in range(len(grid.ys) - 1)]
    bold = [True] * len(rows)
    for number, (row, column, row_end, column_end) in enumerate(grid.cells):
        for place in range(row, row_end):
            rows[place][column:column_end] = [texts.get(number, "")] * (column_end - column)
            bold[place] = bold[place] and all(word.type.bold for word in content.get(number, ()))
    if sum(sum(map(bool, row)) > 1 for row in rows) < 2 and len(rows) > 1:
        return None
    spans = [
        row_end
        for row, column, row_end, column_end in grid.cells
        if row == 0 and row_end < len(rows) and (column_end - column < len(rows[0]))
    ]
    divided = any(row == 0 and 1 < column_end - column < len(rows[0]) for row, column, _, column_end in grid.cells)
    return _finished(grid.box, rows, bold, max([*spans, 2 if divided else 1], default=1), page)


def _is_form(grid: Grid, texts: Mapping[int, str]) -> bool:
    """Whether fields lie over a fine grid: each would stand in so many places that nothing could be found in them."""
    spread = sum(
        len(texts.get(number, "")) * (row_end - row) * (column_end - column)
        for number, (row, column, row_end, column_end) in enumerate(grid.cells)
    )
    return spread > _MOST_REPEATED * sum(map(len, texts.values()))


def _mostly_fixed(words: Sequence[Word]) -> bool:
    return sum(word.type.fixed for word in words) > 0.8 * len(words)


def _finished(box: Box, rows: list[list[str]], bold: Sequence[bool], spanned: int, page: int) -> Table:
    """With its header rows counted, and without rows and columns in which there is nothing."""
    kept_rows = [number for number, row in enumerate(rows) if any(row)]
    kept = [column for column in range(len(rows[0])) if any(row[column] for row in rows)]
    cut = [[rows[number][column] for column in kept] for number in kept_rows]
    marked = [bold[number] for number in kept_rows]
    return Table(box, cut, header_rows(cut, marked, spanned), page)


def header_rows(rows: Sequence[Sequence[str]], bold: Sequence[bool], spanned: int = 1) -> int:
    """How many rows head the columns: those set in bold, else the first, unless it holds figures as the others do."""
    marked = next((number for number, is_bold in enumerate(bold) if not is_bold), 0)
    if 0 < marked < len(rows):
        return min(max(marked, min(spanned, 2)), 3)
    if len(rows) < 2:
        return 0
    figures = [
        bool(_NUMBER.fullmatch(first.strip())) and bool(_NUMBER.fullmatch(second.strip()))
        for first, second in zip(rows[0], rows[1], strict=True)
    ]
    return 0 if any(figures[1:]) else min(spanned, len(rows) - 1)


def _ladders(rules: Iterable[Rule], tables: Sequence[Table]) -> list[tuple[Box, list[float]]]:
    """Areas between rules of one extent, which lie over each other, and where those are."""
    groups: list[list[Rule]] = []
    for rule in sorted(set(rules)):
        if any(table.box.contains((rule.start + rule.stop) / 2, rule.at) for table in tables):
            continue
        for group in groups:
            last = group[-1]
            if abs(last.start - rule.start) <= _SAME_EXTENT and abs(last.stop - rule.stop) <= _SAME_EXTENT:
                if rule.at - last.at > _SAME_EXTENT:
                    group.append(rule)
                break
        else:
            groups.append([rule])
    return [
        (Box(group[0].start - 2, group[0].at, group[0].stop + 2, group[-1].at), [rule.at for rule in group])
        for group in groups
        if len(group) > 1
    ]


def _with_ends(area: Box, ys: Sequence[float], words: Sequence[Word]) -> tuple[Box, list[Word]]:
    """With the row over the first rule and the one under the last, if they fit the columns between."""
    inside = _inside(words, area)
    places = separators([flat(band) for band in bands_of(rows_of(inside))])
    if not places:
        return area, inside
    step = max(min(below - above for above, below in pairwise(ys)), 12.0)
    for end in (area._replace(top=ys[0] - step, bottom=ys[0]), area._replace(top=ys[-1], bottom=ys[-1] + step)):
        rows = rows_of(_inside(words, end))
        if rows and all(fits(row, places) for row in rows):
            inside += [word for row in rows for word in row]
            area = around([area, end])
    return area, inside


def fits(row: Row, places: Sequence[float]) -> bool:
    """Whether a row has cells in most columns, with room between them."""
    cells = cells_of(row, places)
    crossed = any(word.box.x0 < place < word.box.x1 for word in row for place in places)
    near = any(
        after[0].box.x0 - before[-1].box.x1 < 0.5 * after[0].type.size
        for before, after in pairwise([cell for cell in cells if cell])
    )
    return not crossed and not near and sum(map(bool, cells)) >= max(2, 0.5 * len(cells))


def _partly_ruled(area: Box, ys: Sequence[float], words: Sequence[Word], page: int) -> Table | None:
    """A table with rules across only."""
    if not words or _mostly_fixed(words):
        return None
    rows = [flat(band) for band in bands_of(rows_of(words))]
    above = sum(max(row, key=lambda word: word.type.size).base < ys[1] for row in rows) if len(ys) > 2 else 0
    places, head = places_under(rows, above or bold_head(rows))
    if not places:
        return None
    bands = _bands(rows[head:], ys)
    if len(ys) >= 5 and not any(_is_stacked(band, places) for band in bands):
        groups = bands
    else:
        groups = [group for band in bands for group in grouped(band, places)]
    if not looks_tabular(groups, places, least_rows=2 if len(ys) > 2 else 4):
        return None
    return aligned_table(groups, places, page, area, rows[:head])


def _bands(rows: Sequence[Row], ys: Sequence[float]) -> list[list[Row]]:
    """Rows by the rules that they stand between."""
    bands: dict[int, list[Row]] = {}
    for row in rows:
        bands.setdefault(bisect(ys, max(row, key=lambda word: word.type.size).base), []).append(row)
    return list(bands.values())


def _is_stacked(band: Sequence[Row], places: Sequence[float]) -> bool:
    """Whether rows between two rules are rows of the table, each with a first cell."""
    return len(band) > 2 and all(cells_of(row, places)[0] and len(row) > 1 for row in band)


def _repeat_down(rows: list[list[str]], first: int) -> None:
    """Say again what the first column says of several rows, if it says so of most, and they lack nothing else."""
    bare = [row for row in rows[first:] if not row[0]]
    labels = len(rows) - first - len(bare)
    if len(bare) < _LEAST_BARE or not 1 < labels <= len(bare) or not rows[first][0]:
        return
    if any(not all(row[1:]) for row in rows[first:]):
        return
    for above, row in pairwise(rows[first:]):
        row[0] = row[0] or above[0]


def aligned_table(
    groups: Sequence[Sequence[Row]],
    places: Sequence[float],
    page: int,
    area: Box | None = None,
    head: Sequence[Row] = (),
) -> Table:
    """The table of these rows of words, which may have more than one line each, under a head over several columns."""
    rows = [[text_of(words) if words else "" for words in row] for row in head_of(head, places)] if head else []
    bold = [True] * len(rows)
    for group in groups:
        columns: list[list[Word]] = [[] for _ in range(len(places) + 1)]
        for row in group:
            for column, cell in enumerate(cells_of(row, places)):
                columns[column] += cell
        rows.append([text_of(words) if words else "" for words in columns])
        bold.append(all(word.type.bold for row in group for word in row))
    if head and all(bold):
        bold = [True, True, *[False] * (len(rows) - 2)]
    box = around(word.box for group in [*groups, head] for row in group for word in row)
    _repeat_down(rows, 2 if head else 1)
    table = _finished(area or box, rows, bold, 1, page)
    table.places = tuple(places)
    return table
