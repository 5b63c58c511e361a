"""A great many files of all formats: how fast with all cores, and whether memory stays bounded.

The files are those of the golden set, over and over, each time under another name. What was done is kept after every
batch, so that a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.golden_set import files_of
from benchmarks.readers import READABLE, source_file
from benchmarks.rows import Row, row
from jargonaut.core.document import Document
from jargonaut.documents.reading import read_documents
from jargonaut.documents.source import SourceFile

COMMAND = "make bench-documents"
FILES = 10_000
_BATCH = 1_000
_RECORD = Path(__file__).parent / ".cache" / "many.json"
_EVERY_S = 0.2


def many() -> list[Row]:
    """Read `FILES` files; the peak of all processes, and of this one at the beginning and at the end."""
    paths = [path for path in files_of() if path.suffix in READABLE and path.parent.name != "scan"]
    formats = len({path.suffix for path in paths})
    said = [FILES, formats]
    record = json.loads(_RECORD.read_text(encoding="utf-8")) if _RECORD.is_file() else {}
    if record.get("said") != said or record["files"] >= FILES:
        record = {"said": said, "files": 0, "documents": 0, "seconds": 0.0, "peaks": [], "own": []}
    while record["files"] < FILES:
        with _watched_memory() as peak:
            started = time.perf_counter()
            for result in read_documents(_batch(paths, record["files"]), workers=os.cpu_count() or 1):
                record["documents"] += isinstance(result, Document)
            record["seconds"] += time.perf_counter() - started
        record["files"] += _BATCH
        record["peaks"].append(peak["all"])
        record["own"].append(peak["own"])
        _RECORD.write_text(json.dumps(record), encoding="utf-8")
        print(f"  {record['files']} files, {peak['all']} MB", file=sys.stderr)
    of = f"{FILES} files of {formats} formats"
    return [
        row(f"{of}: read per second, all cores", FILES / record["seconds"], "1/s", "", COMMAND),
        row(f"{of}: documents that came of them", record["documents"], "", f">= {FILES}", COMMAND),
        row(f"{of}: peak memory of all processes", max(record["peaks"]), "MB", "<= 1536", COMMAND),
        row(
            f"{of}: growth of the parent from the first 1,000 to the last",
            _growth(record["own"]),
            "MB",
            "<= 16",
            COMMAND,
        ),
    ]


def _growth(own: list[int]) -> int:
    return own[-1] - own[0]


def _batch(paths: list[Path], first: int) -> Iterator[SourceFile]:
    for number in range(first, first + _BATCH):
        path = paths[number % len(paths)]
        yield source_file(path, f"{number}/{path.name}")


@contextmanager
def _watched_memory() -> Iterator[dict[str, int]]:
    """Peak of resident memory in MB, of this process and of it with its children, looked at every now and then."""
    peak = {"own": 0, "all": 0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY_S):
            own = _resident(os.getpid())
            peak["own"] = max(peak["own"], own)
            peak["all"] = max(peak["all"], own + sum(map(_resident, _children())))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _resident(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(status.partition("VmRSS:")[2].split()[0]) >> 10 if "VmRSS:" in status else 0


def _children() -> list[int]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found
