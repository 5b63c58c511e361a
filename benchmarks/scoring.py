"""How near what a tool read of a file comes to the truth. The same arithmetic for every tool.

A *token* is a word or number, or one Chinese character; case, width, punctuation and white space do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

from benchmarks.tables import cell_accuracy

_TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|(?:(?![\u3400-\u9fff\uf900-\ufaff])\w)+")
_GRAM = 3
"""Tokens in a row by which a piece of text is recognised."""


@dataclass(frozen=True)
class Reading:
    """What a tool made of a file."""

    text: str
    tables: Sequence[Sequence[Sequence[str]]] = ()
    headings: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True)
class Score:
    """All in 0 to 1, but for counts. None where the file has nothing to judge by."""

    text: float
    """F1 of tokens as a multiset."""
    flow: float
    """F1 of tokens in order: by their longest common subsequence."""
    order: float | None
    """Share of pairs of text units that are there, and in order."""
    cells: float | None
    """F1 of table cells, each at its place."""
    headings: float | None
    """Share of headings that are marked as headings."""
    notes: float | None
    """Share of footnotes, sheet names and the like that are there, wherever."""
    leaks: int
    """Hidden texts that came out."""
    hidden: int
    """Hidden texts that there are."""
    running: int
    """Heads and feet of pages that came out."""


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of `text`."""
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text).lower()))


def score(truth: Mapping[str, Any], reading: Reading) -> Score:
    """Compare. A tool that could not read the file gets what an empty text gets."""
    units: list[str] = truth.get("text", [])
    notes: list[str] = truth.get("notes", [])
    optional = {token for text in truth.get("optional", ()) for token in tokens(text)}
    flow = [token for unit in units for token in tokens(unit)]
    beside = Counter(token for note in notes for token in tokens(note))
    got = list(tokens(reading.text))
    wanted, found = Counter(flow) + beside, Counter(got)
    for token in optional:
        # What may come out or not counts only as far as the truth has it anyway.
        found[token] = min(found[token], wanted[token])
    # The same holds of a merged cell's text in the rest of the cell.
    found -= (found - wanted) & Counter(_repeatable(truth.get("tables", ())))
    in_order = common_length(flow, got)
    # Notes may stand anywhere, so that they make the flow neither better nor worse.
    flowing = max(found.total() - (beside & (found - Counter(flow))).total(), in_order)
    hidden: list[str] = truth.get("hidden", [])
    return Score(
        text=_f1((wanted & found).total(), wanted.total(), found.total()),
        flow=_f1(in_order, len(flow), flowing),
        order=unit_order(units, got),
        cells=cell_accuracy(truth["tables"], reading.tables) if truth.get("tables") else None,
        headings=_found([text for _, text in truth.get("headings", [])], reading.headings),
        notes=sum(_holds(got, note) for note in notes) / len(notes) if notes else None,
        leaks=sum(_leaks(reading.text, got, text) for text in hidden),
        hidden=len(hidden),
        running=sum(_holds(got, text) for text in truth.get("running", ())),
    )


def _repeatable(tables: Sequence[Sequence[Sequence[str | None]]]) -> Iterator[str]:
    """The tokens of a merged cell, once for each place that belongs to it: to what is on its left, else above."""
    for table in tables:
        above: list[str] = [""] * max(map(len, table), default=0)
        for row in table:
            left = ""
            for column, cell in enumerate(row):
                left = cell if cell is not None else left or above[column]
                above[column] = left
                if cell is None:
                    yield from tokens(left)


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, a row of the table of Hyyrö's bit-vector method at a time."""
    places: dict[str, int] = {}
    for number, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << number
    everything = (1 << len(one)) - 1
    row = everything
    for token in other:
        matches = row & places.get(token, 0)
        row = (row + matches | row - matches) & everything
    return len(one) - row.bit_count()


def unit_order(units: Sequence[str], got: Sequence[str]) -> float | None:
    """Share of pairs of units that both were found in `got`, the first before the second.

    A unit is found by the runs of tokens that only it has, and stands in their midst.
    """
    said = [tokens(unit) for unit in units]
    times = Counter(run for unit in said for length in range(1, _GRAM + 1) for run in _runs(unit, length))
    where: dict[tuple[str, ...], int] = {}
    for length in range(1, _GRAM + 1):
        for start, run in enumerate(_runs(tuple(got), length)):
            where.setdefault(run, start)
    known = [[run for run in _runs(unit, min(_GRAM, len(unit))) if times[run] == 1] for unit in said]
    places = [_place(some, where) for some in known if some]
    if len(places) < 2:
        return None
    pairs = list(combinations(places, 2))
    return sum(a is not None and b is not None and a < b for a, b in pairs) / len(pairs)


def _runs(unit: tuple[str, ...], length: int) -> list[tuple[str, ...]]:
    return [unit[start : start + length] for start in range(len(unit) - length + 1)]


def _place(runs: Sequence[tuple[str, ...]], where: Mapping[tuple[str, ...], int]) -> int | None:
    """Median of the places of a unit's runs; None if none is there."""
    found = sorted(where[run] for run in runs if run in where)
    return found[len(found) // 2] if found else None


def _found(wanted: Sequence[str], got: Sequence[str]) -> float | None:
    if not wanted:
        return None
    available = Counter(tokens(text) for text in got)
    found = 0
    for text in wanted:
        found += available[tokens(text)] > 0
        available[tokens(text)] -= 1
    return found / len(wanted)


def _holds(got: Sequence[str], text: str) -> bool:
    """Whether the tokens of `text` stand in `got` in a row."""
    part = tokens(text)
    return bool(part) and f" {' '.join(part)} " in f" {' '.join(got)} "


def _leaks(raw: str, got: Sequence[str], hidden: str) -> bool:
    return _holds(got, hidden) if tokens(hidden) else hidden in raw


def _f1(common: int, wanted: int, got: int) -> float:
    return 2 * common / (wanted + got) if wanted + got else 1.0


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are not None."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@dataclass
class Tally:
    """Scores of one tool on the files of one format."""

    scores: list[Score] = field(default_factory=list)

    def mean(self, measure: str) -> float | None:
        """Mean over files; for counts, the sum."""
        values = [getattr(item, measure) for item in self.scores]
        return float(sum(values)) if measure in ("leaks", "hidden", "running") else mean(values)
