r"""A row of a table as a line of text, and back: cells with bars between, a bar that stands in a cell as `\|`."""

from __future__ import annotations

import re
from collections.abc import Iterable

CELL_MARK = " | "
_LONE_BAR = re.compile(r"(?<!\S)(\\*\|)(?!\S)")
_MARKED_BAR = re.compile(r"(?<!\S)\\(\\*\|)(?!\S)")
_BETWEEN = re.compile(r"(?:\A| )\|(?: |\Z)")


def line_of(cells: Iterable[str]) -> str:
    """The line; `cells_of` gives the same cells again."""
    return CELL_MARK.join(map(marked, cells))


def marked(cell: str) -> str:
    """A cell as it stands in a line: only a bar that could be taken for one between cells is written differently."""
    return _LONE_BAR.sub(r"\\\1", cell) if "|" in cell else cell


def cells_of(line: str) -> list[str]:
    """The cells of a line, which may have lost the blanks at its ends."""
    cells = _BETWEEN.split(line)
    return [_MARKED_BAR.sub(r"\1", cell) for cell in cells] if "|" in line else cells
