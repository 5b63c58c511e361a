"""Tables that are drawn: rules that cross each other, and the cells between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jargonaut.documents.formats.pdf.drawings import Rule
from jargonaut.documents.formats.pdf.geometry import Box

_NEAR = 3.0
"""Rules so close are one: browsers draw a frame around each cell."""
_WALL = 0.6
"""Least share of a cell's side that is drawn, for a wall to be there."""
_MOST_RULES = 2_000
_MOST_CELLS = 20_000
_OVERHANG = 8.0
"""How far rules must stand out over the last one that crosses them for another column to be there."""

Cell = tuple[int, int, int, int]
"""First row, first column, and those after the last."""


@dataclass(slots=True)
class Grid:
    """Rules that hang together, as rows and columns."""

    xs: list[float]
    ys: list[float]
    cells: list[Cell]
    """Those not parted by a wall are one."""

    @property
    def box(self) -> Box:
        """Around all."""
        return Box(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])

    def box_of(self, cell: Cell) -> Box:
        """Around one cell."""
        row, column, row_end, column_end = cell
        return Box(self.xs[column], self.ys[row], self.xs[column_end], self.ys[row_end])


def merged_rules(rules: Iterable[Rule]) -> list[Rule]:
    """Rules on one line that touch are one."""
    merged: list[Rule] = []
    for group in _aligned(rules):
        at = sum(rule.at for rule in group) / len(group)
        current: Rule | None = None
        for rule in sorted(group, key=lambda rule: rule.start):
            if current is not None and rule.start <= current.stop + _NEAR:
                current = Rule(at, current.start, max(current.stop, rule.stop))
            else:
                if current is not None:
                    merged.append(current)
                current = Rule(at, rule.start, rule.stop)
        if current is not None:
            merged.append(current)
    return merged


def _aligned(rules: Iterable[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in sorted(rules):
        if groups and rule.at - groups[-1][0].at <= _NEAR:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return groups


def find_grids(across: Sequence[Rule], down: Sequence[Rule]) -> tuple[list[Grid], list[Rule]]:
    """Grids of two cells or more, and the rules across that are in none."""
    across, down = merged_rules(across), merged_rules(down)
    if not across or not down or len(across) + len(down) > _MOST_RULES:
        return [], across
    grids: list[Grid] = []
    rest: list[Rule] = []
    for rows, columns in _connected(across, down):
        grid = _grid([across[index] for index in rows], [down[index] for index in columns])
        if grid is None:
            rest.extend(across[index] for index in rows)
        else:
            grids.append(grid)
    return grids, rest


def _connected(across: Sequence[Rule], down: Sequence[Rule]) -> Iterable[tuple[list[int], list[int]]]:
    """Indexes of rules that hang together by crossing."""
    a, d = np.array(across), np.array(down)
    crosses = (
        (d[None, :, 0] >= a[:, None, 1] - _NEAR)
        & (d[None, :, 0] <= a[:, None, 2] + _NEAR)
        & (a[:, None, 0] >= d[None, :, 1] - _NEAR)
        & (a[:, None, 0] <= d[None, :, 2] + _NEAR)
    )
    waiting = np.ones(len(across), dtype=np.bool_)
    while waiting.any():
        rows = np.zeros(len(across), dtype=np.bool_)
        rows[int(waiting.argmax())] = True
        while True:
            columns = crosses[rows].any(axis=0)
            grown = rows | crosses[:, columns].any(axis=1)
            if (grown == rows).all():
                break
            rows = grown
        waiting &= ~rows
        yield np.flatnonzero(rows).tolist(), np.flatnonzero(columns).tolist()


def _grid(across: Sequence[Rule], down: Sequence[Rule]) -> Grid | None:
    if not down:
        return None
    ys = _edges([rule.at for rule in across], [(rule.start, rule.stop) for rule in down])
    xs = _edges([rule.at for rule in down], [(rule.start, rule.stop) for rule in across])
    rows, columns = len(ys) - 1, len(xs) - 1
    if columns < 2 or rows < 1 or rows * columns > _MOST_CELLS:
        return None
    walls = [_drawn(down, x, ys) for x in xs[1:]]
    floors = [_drawn(across, y, xs) for y in ys[1:]]
    return Grid(xs, ys, _cells(list(zip(*walls, strict=True)), floors))


def _edges(places: Iterable[float], extents: Sequence[tuple[float, float]]) -> list[float]:
    """Places of rules, and where those that they cross end."""
    edges: list[float] = []
    for place in sorted(places):
        if not edges or place - edges[-1] > _NEAR:
            edges.append(place)
    first, last = min(start for start, _ in extents), max(stop for _, stop in extents)
    if first < edges[0] - _OVERHANG:
        edges.insert(0, first)
    if last > edges[-1] + _OVERHANG:
        edges.append(last)
    return edges


def _drawn(rules: Sequence[Rule], at: float, edges: Sequence[float]) -> list[bool]:
    """For each pair of neighbouring edges, whether there is a rule at `at` between them."""
    near = [rule for rule in rules if abs(rule.at - at) <= _NEAR]
    return [
        sum(max(min(rule.stop, stop) - max(rule.start, start), 0.0) for rule in near) >= _WALL * (stop - start)
        for start, stop in pairwise(edges)
    ]


def _cells(right: Sequence[Sequence[bool]], below: Sequence[Sequence[bool]]) -> list[Cell]:
    """Rectangles of places without a wall between them; any other shape falls apart into its places."""
    rows, columns = len(right), len(right[0])
    taken = [[False] * columns for _ in range(rows)]
    cells: list[Cell] = []
    for row in range(rows):
        for column in range(columns):
            if taken[row][column]:
                continue
            column_end = column + 1
            while column_end < columns and not right[row][column_end - 1] and not taken[row][column_end]:
                column_end += 1
            row_end = row + 1
            while row_end < rows and _goes_on(right, below, row_end, column, column_end):
                row_end += 1
            for place in range(row, row_end):
                taken[place][column:column_end] = [True] * (column_end - column)
            cells.append((row, column, row_end, column_end))
    return cells


def _goes_on(
    right: Sequence[Sequence[bool]], below: Sequence[Sequence[bool]], row: int, column: int, column_end: int
) -> bool:
    """Whether a cell that spans these columns goes on in `row`."""
    return not any(below[row - 1][column:column_end]) and not any(right[row][column : column_end - 1])
