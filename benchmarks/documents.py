"""What our parsers make of documents, side by side with peers that many use: quality, speed, and a great many files.

make bench-documents                       everything
python -m benchmarks.documents golden      one part: golden, real, speed, many
python -m benchmarks.documents show pdf    not measured, told: every file of one folder of the set, every tool
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.golden_set import FOLDER, files_of
from benchmarks.many_documents import many
from benchmarks.parsing_speed import speed
from benchmarks.readers import PEERS, ours, peer
from benchmarks.real_documents import real
from benchmarks.rows import Row, row, write
from benchmarks.scoring import Reading, Score, Tally, score

COMMAND = "make bench-documents"
MEASURES = {
    "text": "text F1",
    "flow": "text F1 in order",
    "order": "reading order",
    "cells": "table cells",
    "headings": "headings",
    "notes": "notes",
}
LEAST_CELLS = {"docx": 0.95, "xlsx": 0.95, "html": 0.95, "pdf": 0.85}
"""Absolute floors; beyond them, each measure has to reach that of the best peer."""


def readings_of(paths: list[Path]) -> dict[str, list[Reading]]:
    """What every tool makes of the files, ours first."""
    found = {"jargonaut": ours(paths)}
    for tool in PEERS:
        found[tool] = [reading for reading, _ in peer(tool, paths)]
    return found


def golden() -> list[Row]:
    """Every format of the golden set, against each peer."""
    paths = files_of()
    tallies: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for tool, readings in readings_of(paths).items():
        for path, reading in zip(paths, readings, strict=True):
            tallies[path.parent.name][tool].scores.append(_score(path, reading))
    rows = [row for name, by_tool in sorted(tallies.items()) for row in _rows_of(name, by_tool)]
    sums = {tool: sum(int(by[tool].mean("leaks") or 0) for by in tallies.values()) for tool in ("jargonaut", *PEERS)}
    hidden = sum(int(by["jargonaut"].mean("hidden") or 0) for by in tallies.values())
    what = f"golden set: hidden texts that come out, of {hidden}"
    return [*rows, row(what, sums["jargonaut"], "", "== 0", COMMAND, _best(sums, lowest=True))]


def _rows_of(name: str, by_tool: Mapping[str, Tally]) -> list[Row]:
    rows = []
    count = len(by_tool["jargonaut"].scores)
    for measure, words in MEASURES.items():
        values = {tool: tally.mean(measure) for tool, tally in by_tool.items()}
        mine = values["jargonaut"]
        if mine is None:
            continue
        best = _best({tool: value or 0.0 for tool, value in values.items()})
        # Where no peer gets anything, nothing is not enough.
        least = max(best[1], LEAST_CELLS.get(name, 0.01) if measure == "cells" else 0.01)
        what = f"golden set, {name} ({count} files): {words}"
        rows.append(row(what, round(mine, 4), "", f">= {round(least, 4)}", COMMAND, best))
    return rows


def _best(values: Mapping[str, float], lowest: bool = False) -> tuple[str, float]:
    """The best peer's value, the other peers' in its name."""
    peers = sorted(PEERS, key=lambda tool: values[tool], reverse=not lowest)
    others = ", ".join(f"{tool} {values[tool]:.4g}" for tool in peers[1:])
    return f"{peers[0]} ({others})", round(values[peers[0]], 4)


def _score(path: Path, reading: Reading) -> Score:
    truth = json.loads(path.with_name(f"{path.name}.truth.json").read_text(encoding="utf-8"))
    return score(truth, reading)


def show(folder: str) -> None:
    """Print the scores of every file in a folder of the golden set."""
    paths = [path for path in files_of() if path.parent.name == folder]
    for tool, readings in readings_of(paths).items():
        for path, reading in zip(paths, readings, strict=True):
            got = _score(path, reading)
            values = {name: getattr(got, name) for name in (*MEASURES, "leaks", "running")}
            told = " ".join(f"{name} {value:.3g}" for name, value in values.items() if value is not None)
            print(f"{tool:13} {path.relative_to(FOLDER)}  {told}  {reading.error[:80]}")


PARTS: dict[str, Callable[[], list[Row]]] = {"golden": golden, "real": real, "speed": speed, "many": many}


def main() -> None:
    """Run the parts that are named, or all."""
    if sys.argv[1:2] == ["show"]:
        show(sys.argv[2])
        return
    for name in sys.argv[1:] or PARTS:
        print(f"{name} ...", file=sys.stderr)
        write("documents", PARTS[name]())
    print((Path(__file__).parent / "results" / "documents.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
