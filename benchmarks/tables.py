"""Tables that were read against tables that there are: which cells are right, each at its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

Table = Sequence[Sequence[str | None]]
Alignment = list[tuple[int, int]]

_CJK = r"[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
_BLANK_IN_CJK = re.compile(rf"(?<={_CJK})\s+(?={_CJK})")
_MOST_PARTS = 4
"""Pages over which one table may have been read as several."""


def cell_accuracy(wanted: Sequence[Table], got: Sequence[Table]) -> float:
    """F1 over the cells of all tables that hold text.

    Each table is matched with the one that was read, or with several in a row that it may have been split into, that
    fits best. Rows and columns are then aligned in order, and a cell counts if its text is that of its counterpart.
    Tables that were read and match none count against the tool. What stands where the truth has `None` (the rest of a
    merged cell) does not count either way.
    """
    wanted = [[[_plain(cell) for cell in row] for row in table] for table in wanted]
    got = [[[_plain(cell) or "" for cell in row] for row in table] for table in got]
    total = sum(bool(cell) for table in wanted for row in table for cell in row)
    pieces = [(start, length) for start in range(len(got)) for length in range(1, _MOST_PARTS + 1)]
    pieces = [(start, length) for start, length in pieces if start + length <= len(got)]
    candidates = []
    for number, table in enumerate(wanted):
        for start, length in pieces:
            joined = _joined(got[start : start + length])
            common, covered = _agreement(table, joined)
            if common:
                size = sum(bool(cell) for row in joined for cell in row) - covered
                mine = sum(bool(cell) for row in table for cell in row)
                candidates.append((2 * common / (mine + size), common, size, number, range(start, start + length)))
    used: set[int] = set()
    done: set[int] = set()
    right = claimed = 0
    for _, common, size, number, span in sorted(candidates, key=lambda item: item[0], reverse=True):
        if number not in done and used.isdisjoint(span):
            done.add(number)
            used.update(span)
            right += common
            claimed += size
    claimed += sum(bool(cell) for n, table in enumerate(got) if n not in used for row in table for cell in row)
    return 2 * right / (total + claimed) if total + claimed else 1.0


def _plain(cell: str | None) -> str | None:
    if cell is None:
        return None
    text = unicodedata.normalize("NFKC", cell).casefold()
    return _BLANK_IN_CJK.sub("", " ".join(text.split()))


def _joined(parts: Sequence[Table]) -> list[Sequence[str | None]]:
    """One table of several; a header that is repeated counts once."""
    rows = list(parts[0])
    for part in parts[1:]:
        repeated = 0
        while repeated < min(len(part), len(parts[0])) and part[repeated] == parts[0][repeated]:
            repeated += 1
        rows += part[repeated:]
    return rows


def _agreement(wanted: Table, got: Table) -> tuple[int, int]:
    """Cells that agree, and texts in `got` where `wanted` has the rest of a merged cell."""
    rows = _align(len(wanted), len(got), lambda r, s: _similarity(wanted[r], got[s]))
    columns: Alignment = []
    for _ in range(2):
        columns = _align(
            _width(wanted), _width(got), lambda c, d, at=rows: sum(_same(wanted, got, r, s, c, d) for r, s in at)
        )
        rows = _align(
            len(wanted), len(got), lambda r, s, at=columns: sum(_same(wanted, got, r, s, c, d) for c, d in at)
        )
    common = sum(_same(wanted, got, r, s, c, d) for r, s in rows for c, d in columns)
    covered = sum(_is_covered(wanted, got, r, s, c, d) for r, s in rows for c, d in columns)
    return common, covered


def _similarity(one: Sequence[str | None], other: Sequence[str | None]) -> int:
    """Cells with text that two rows have in the same order."""
    left, right = [cell for cell in one if cell], [cell for cell in other if cell]
    return len(_align(len(left), len(right), lambda a, b: int(left[a] == right[b])))


def _width(table: Table) -> int:
    return max((len(row) for row in table), default=0)


def _at(table: Table, row: int, column: int) -> str | None:
    return table[row][column] if column < len(table[row]) else ""


def _same(wanted: Table, got: Table, r: int, s: int, c: int, d: int) -> int:
    cell = _at(wanted, r, c)
    return int(bool(cell) and cell == _at(got, s, d))


def _is_covered(wanted: Table, got: Table, r: int, s: int, c: int, d: int) -> int:
    return int(_at(wanted, r, c) is None and bool(_at(got, s, d)))


def _align(height: int, width: int, gain: Callable[[int, int], int]) -> Alignment:
    """Pairs in order, with the greatest sum of gains; only pairs that gain something."""
    gains = [[gain(r, s) for s in range(width)] for r in range(height)]
    best = [[0] * (width + 1) for _ in range(height + 1)]
    for r in reversed(range(height)):
        for s in reversed(range(width)):
            best[r][s] = max(best[r + 1][s], best[r][s + 1], best[r + 1][s + 1] + gains[r][s])
    pairs, r, s = [], 0, 0
    while r < height and s < width:
        if gains[r][s] and best[r][s] == best[r + 1][s + 1] + gains[r][s]:
            pairs.append((r, s))
            r, s = r + 1, s + 1
        elif best[r][s] == best[r + 1][s]:
            r += 1
        else:
            s += 1
    return pairs
