"""How fast files are parsed, per core, beside markitdown on the same files."""

from __future__ import annotations

import resource
from pathlib import Path

from benchmarks.golden_set import files_of
from benchmarks.readers import READABLE, peer, source_file
from benchmarks.rows import Row, row
from jargonaut.core.document import Document
from jargonaut.documents.reading import read_documents

COMMAND = "make bench-documents"
_READS = 400
"""At least so many of each format: some take a millisecond, and a process does not always start as fast."""


def speed() -> list[Row]:
    """Files per CPU second, start of the process included in neither; only files that both read."""
    paths = [path for path in files_of() if path.parent.name not in ("scan", "archive")]
    theirs: dict[Path, float] = {}
    # The first round loads libraries, and does not count.
    for path, (reading, seconds) in zip([*paths] * 2, peer("markitdown", [*paths] * 2), strict=True):
        if not reading.error:
            theirs[path] = seconds
    mine = _readable([path for path in paths if path in theirs])
    by_format: dict[str, list[Path]] = {}
    for path in mine:
        by_format.setdefault(path.parent.name, []).append(path)
    rows = []
    spent_here = spent_there = 0.0
    for name, files in sorted(by_format.items()):
        here, there = _seconds(files), sum(theirs[path] for path in files)
        rows.append(_row(f"{name} files parsed per second and core", len(files) / here, len(files) / there))
        spent_here, spent_there = spent_here + here, spent_there + there
    if mine:
        what = "files of all formats parsed per second and core"
        rows.append(_row(what, len(mine) / spent_here, len(mine) / spent_there))
    return rows


def _row(what: str, here: float, there: float) -> Row:
    peer = ("markitdown", round(there, 1))
    return row(what, here, "1/s", f">= {peer[1]}", COMMAND, peer)


def _readable(paths: list[Path]) -> list[Path]:
    files = [source_file(path, str(path)) for path in paths if path.suffix in READABLE]
    read = {result.uri for result in read_documents(files, workers=2) if isinstance(result, Document)}
    return [path for path in paths if str(path) in read]


def _seconds(paths: list[Path]) -> float:
    """CPU seconds for one pass over `paths` in a warm worker: what more passes cost beyond one."""

    def spent(times: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in read_documents((source_file(path) for path in paths * times), workers=1):
            pass
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    times = max(_READS // len(paths), 3)
    once = spent(1)
    return max(spent(1 + times) - once, 1e-6) / times
