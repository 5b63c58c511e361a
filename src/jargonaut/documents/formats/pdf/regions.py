"""Reading order: a page is cut into columns and bands, and each of those is read by itself.

A recursive cut along white space (the X-Y cut of Nagy and Seth, 1984) that looks for the gutter which the least text
runs across; what does, such as a title over two columns, parts what is above from what is below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from jargonaut.documents.formats.pdf.alignment import (
    Row,
    bands_of,
    cells_of,
    flat,
    grouped,
    looks_tabular,
    wide_gaps,
)
from jargonaut.documents.formats.pdf.geometry import Box, around
from jargonaut.documents.formats.pdf.heads import bold_head, places_under
from jargonaut.documents.formats.pdf.lines import Line, rows_of, segments_of
from jargonaut.documents.formats.pdf.page import Page
from jargonaut.documents.formats.pdf.tables import Table, aligned_table, fits
from jargonaut.documents.formats.pdf.tight import tight_columns
from jargonaut.documents.formats.pdf.words import is_wide

Atom = Line | Table

_LEAST_IN_COLUMN = 2
_LEAST_IN_COLUMNS = 5
_FULL = 0.5
"""Share of a column's width that most of its lines fill."""
_LEAST_CHARACTERS = 18
"""Of most lines in a column; cells have fewer. A Chinese one counts twice."""
_FEWEST_CHARACTERS = 12
"""Of those in columns whose lines do not stand beside each other."""
_NEAR = 0.6
"""Most white space between lines of a cell, in sizes."""
_MOST_DEPTH = 12
_MOST_ATOMS = 3_000
"""On a page that is cut; a gutter is looked for beside each of them."""
_CANDIDATES = 40
_INNER_CANDIDATES = 3


@dataclass(slots=True)
class Region:
    """What is read from top to bottom."""

    atoms: list[Atom]

    @property
    def box(self) -> Box:
        """Around all."""
        return around(atom.box for atom in self.atoms)


def regions_of(page: Page, tables: Sequence[Table]) -> list[Region]:
    """The page in reading order, its lines not yet told from tables without rules."""
    atoms: list[Atom] = [*segments_of(page.words), *tables]
    return [Region(part) for part in _cut(atoms, 0)]


def settled(region: Region, page: int, before: Table | None = None) -> Region:
    """The region with its lines whole, and the tables in it that white space shows.

    Args:
        region: As it was cut.
        page: Its number.
        before: The table that the page before ends with.
    """
    tables = sorted((atom for atom in region.atoms if isinstance(atom, Table)), key=lambda table: table.box.top)
    words = [word for atom in region.atoms if isinstance(atom, Line) for word in atom.words]
    rows = rows_of(words)
    found: list[Atom] = []
    start = 0
    if before is not None and before.places:
        bands = bands_of(rows)
        merged = [flat(band) for band in bands]
        stop = next((n for n, row in enumerate(merged) if not fits(row, before.places)), len(merged))
        if stop:
            found.append(aligned_table(grouped(merged[:stop], before.places), before.places, page))
            start = sum(map(len, bands[:stop]))
    for table in tables:
        stop = start
        while stop < len(rows) and rows[stop][0].base < table.box.bottom:
            stop += 1
        found += _with_tables(rows[start:stop], page)
        found.append(table)
        start = stop
    return Region([*found, *_with_tables(rows[start:], page)])


def _cut(atoms: list[Atom], depth: int) -> list[list[Atom]]:
    if not _LEAST_IN_COLUMNS <= len(atoms) <= _MOST_ATOMS or depth > _MOST_DEPTH:
        return [atoms] if atoms else []
    gutter = _best_gutter(atoms)
    if gutter is None:
        return [atoms]
    parts: list[list[Atom]] = []
    across: list[Atom] = []
    for is_columns, band in _bands(atoms, gutter):
        if not is_columns:
            across += band
            continue
        if across:
            parts += _cut(across, depth + 1)
            across = []
        left = [atom for atom in band if atom.box.x1 <= gutter]
        right = [atom for atom in band if atom.box.x1 > gutter]
        parts += [*_cut(left, depth + 1), *_cut(right, depth + 1)]
    return [*parts, *(_cut(across, depth + 1) if across else [])]


def _bands(atoms: Sequence[Atom], gutter: float) -> list[tuple[bool, list[Atom]]]:
    """Atoms from top to bottom: those in columns beside the gutter, and the others."""
    bands: list[tuple[bool, list[Atom]]] = []
    current: list[Atom] = []

    def end() -> None:
        nonlocal current
        if current:
            bands.append((_are_columns(current, gutter), current))
        current = []

    for atom in sorted(atoms, key=lambda atom: (atom.box.top, atom.box.x0)):
        if atom.box.x0 < gutter < atom.box.x1:
            end()
            bands.append((False, [atom]))
        else:
            current.append(atom)
    end()
    return bands


def _best_gutter(atoms: Sequence[Atom]) -> float | None:
    x0 = np.array([atom.box.x0 for atom in atoms])
    x1 = np.array([atom.box.x1 for atom in atoms])
    best, best_score = None, 0
    for gutter in _gutters(x0, x1):
        aside = int(((x1 <= gutter) | (x0 >= gutter)).sum())
        if aside <= max(best_score, _LEAST_IN_COLUMNS - 1):
            continue
        score = sum(len(band) for is_columns, band in _bands(atoms, gutter) if is_columns)
        if score > best_score:
            best, best_score = gutter, score
    return best


def _gutters(x0: np.ndarray, x1: np.ndarray) -> list[float]:
    """The middle of each white strip, those first that are crossed least."""
    edges = np.unique(np.concatenate([x0, x1]))
    middles = (edges[:-1] + edges[1:]) / 2
    wide = np.diff(edges) >= 1.0
    crossings = ((x0[:, None] < middles) & (x1[:, None] > middles)).sum(axis=0)
    beside = np.minimum((x1[:, None] <= middles).sum(axis=0), (x0[:, None] >= middles).sum(axis=0))
    chosen = np.flatnonzero(wide & (beside >= _LEAST_IN_COLUMN))
    ordered = sorted(chosen.tolist(), key=lambda index: (crossings[index], -np.diff(edges)[index]))
    return [float(middles[index]) for index in ordered[:_CANDIDATES]]


def _are_columns(band: Sequence[Atom], gutter: float) -> bool:
    """Whether there is prose on both sides, rather than the cells of a table."""
    left = [atom for atom in band if atom.box.x1 <= gutter]
    right = [atom for atom in band if atom.box.x1 > gutter]
    if any(isinstance(atom, Table) for atom in band) and left and right:
        return True
    if min(len(left), len(right)) < _LEAST_IN_COLUMN or len(band) < _LEAST_IN_COLUMNS:
        return False
    if not (_is_filled(left) and _is_filled(right)):
        return False
    least = min(_usual_length(left), _usual_length(right))
    narrow = least >= _FEWEST_CHARACTERS and min(len(left), len(right)) >= _LEAST_IN_COLUMNS
    return least >= _LEAST_CHARACTERS or (narrow and not _stand_beside(left, right))


def _is_filled(column: Sequence[Atom], whole: bool = True) -> bool:
    """Whether most lines fill the column, or the two columns that it is made of."""
    widths = sorted(atom.box.width for atom in column)
    if widths[len(widths) // 2] >= _FULL * around(atom.box for atom in column).width:
        return True
    if not whole:
        return False
    x0 = np.array([atom.box.x0 for atom in column])
    x1 = np.array([atom.box.x1 for atom in column])
    for gutter in _gutters(x0, x1)[:_INNER_CANDIDATES]:
        left = [atom for atom in column if atom.box.x1 <= gutter]
        right = [atom for atom in column if atom.box.x0 >= gutter]
        if len(left) + len(right) == len(column) and _is_filled(left, False) and _is_filled(right, False):
            return True
    return False


def _usual_length(column: Sequence[Atom]) -> float:
    lengths = [sum(2 if is_wide(c) else 1 for c in atom.text) for atom in column if isinstance(atom, Line)]
    return median(lengths) if lengths else _LEAST_CHARACTERS


def _stand_beside(left: Sequence[Atom], right: Sequence[Atom]) -> bool:
    """Whether lines of the one have their counterparts on the base lines of the other, as the cells of rows do."""
    few, many = sorted(([a.base for a in side if isinstance(a, Line)] for side in (left, right)), key=len)
    return sum(any(abs(base - other) < 1.0 for other in many) for base in few) > 0.6 * len(few)


def _with_tables(rows: Sequence[Row], page: int) -> list[Atom]:
    """Lines, and tables where several rows in a row have gaps in the same places."""
    bands = bands_of(rows)
    merged = [flat(band) for band in bands]
    found: list[Atom] = []
    start = 0
    while start < len(bands):
        stop = max(_end_of_run(merged, start), start + 1)
        table = _table(merged[start:stop], page) if stop - start > 2 else None
        count, places = tight_columns(merged, start)
        if count and (table is None or sum(map(_filled, table.rows)) < count * (len(places) + 1)):
            stop = start + count
            found.append(aligned_table([[row] for row in merged[start:stop]], places, page))
        elif table is None:
            found += [Line(row) for band in bands[start:stop] for row in band]
        else:
            found.append(table)
        start = stop
    return found


def _end_of_run(rows: Sequence[Row], start: int) -> int:
    """Behind the last row that may be of one table with that at `start`: it has a gap, or goes on in a later cell."""
    stop = start
    left = rows[start][0].box.x0
    for row in rows[start:]:
        if all(word.type.fixed for word in row):
            break
        if wide_gaps(row):
            left = min(left, row[0].box.x0)
        elif stop == start or not _is_below(rows[stop - 1], row, left):
            break
        stop += 1
    return stop


def _is_below(above: Row, row: Row, left: float) -> bool:
    """Whether a row without a gap may be the next line of a cell."""
    size = row[0].type.size
    near = min(word.box.top for word in row) - max(word.box.bottom for word in above) < _NEAR * size
    return near and row[0].box.x0 > left + size


def _filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))


def _table(rows: Sequence[Row], page: int) -> Table | None:
    places, head = places_under(rows, bold_head(rows))
    groups = grouped(rows[head:], places)
    if not looks_tabular(groups, places) or (len(places) == 1 and not _pairs_are_aligned(rows, places)):
        return None
    return aligned_table(groups, places, page, head=rows[:head])


def _pairs_are_aligned(rows: Sequence[Row], places: Sequence[float]) -> bool:
    """Of two columns, the second begins or ends in one place, and there is much of it."""
    cells = [cell for row in rows if (cell := cells_of(row, places)[1])]
    if len(cells) < 3:
        return False
    starts, ends = [cell[0].box.x0 for cell in cells], [cell[-1].box.x1 for cell in cells]
    return any(sum(abs(place - median(side)) < 2.0 for place in side) >= 0.8 * len(side) for side in (starts, ends))
