"""How results and progress are shown: results on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from jargonaut.core.progress import Progress

_LINE_EVERY_S = 5.0
_LONGEST_WORD = 24
_NO_EDGE = 1 << 20


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str = "Nothing.") -> None:
    """A table on stdout, or `empty`.

    Ids, times and other words of their own column are never broken over lines; off a terminal nothing is.
    """
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        words = all(_is_word(str(row[number])) for row in rows if number < len(row))
        table.add_column(column, overflow="fold", no_wrap=words)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = stdout_console()
    with console.capture() as drawn:
        console.print(table)
    # Without the blanks that fill up the last column.
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def stdout_console() -> Console:
    """Stdout as rich writes on it: as wide as the terminal, and without an edge where there is none."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _NO_EDGE, highlight=False)


def _is_word(cell: str) -> bool:
    return len(cell) <= _LONGEST_WORD and not any(map(str.isspace, cell))


def note(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def shown_progress(quiet: bool = False) -> Iterator[Progress]:
    """Bars on a terminal, a line every few seconds elsewhere, nothing if `quiet`."""
    if quiet:
        from jargonaut.core.progress import silent

        yield silent
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _Lines()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(), TextColumn("[dim]{task.fields[note]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int, note: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None, note="")
            bars.update(tasks[stage], completed=done, total=total or None, note=note[-40:])

        yield report


class _Lines:
    """One line when a stage begins, ends, and every few seconds between."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        ends = bool(total) and done >= total
        if stage in self._said and not ends and now - self._said[stage] < _LINE_EVERY_S:
            return
        self._said[stage] = now
        of = f"{done}/{total}" if total else str(done)
        print(f"{stage:<12} {of}{f'  {note}' if note else ''}", file=sys.stderr, flush=True)


def short(identifier: str) -> str:
    """The beginning of an id, enough to name it."""
    return identifier[:12]


def as_lines(pairs: Mapping[str, object]) -> str:
    """`name  value` lines, aligned."""
    width = max((len(name) for name in pairs), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs.items())
