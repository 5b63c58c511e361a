"""Spoiled files of all formats, read as a build reads them: nothing may crash, hang, escape or call out.

Every file is made of its number and a seed alone, so that a run goes on where it was stopped, and one file can be
made again: `python -m benchmarks.fuzzing 7 1234 FILE` writes number 1234 of seed 7.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType

from benchmarks.golden_set import files_of
from benchmarks.mutations import ESCAPE, mutated
from benchmarks.readers import READABLE, source_file
from jargonaut.core.document import Document, Quarantined
from jargonaut.documents.reading import Limits, read_documents

FENCE = Path(__file__).parent / "fence"
LIMITS = Limits(time_s=5, memory_bytes=768 << 20, size_bytes=20 << 20)
BATCH = 50
_LONGEST_S = BATCH * (LIMITS.time_s + 5) / 2 + 60
"""For a batch in which every file uses up its time."""
_TEXTS = {
    ".rst": b"Gland\n=====\n\n.. note:: Bleed first.\n\n+---+---+\n| a | b |\n+---+---+\n\n- `x <y>`_\n" * 9,
    ".txt": "第一条 填料压盖\n\nTighten the follower. See section 4.\n".encode() * 9,
}


@dataclass
class Tally:
    """What came of the files so far."""

    files: int = 0
    read: int = 0
    refused: int = 0
    """Quarantined with a reason."""
    members: int = 0
    """Documents and refusals out of archives."""
    lost: list[str] = field(default_factory=list)
    """Whose worker crashed, which cost that file only."""
    slow: list[str] = field(default_factory=list)
    """Whose worker was ended, its time being up."""
    bugs: Counter[str] = field(default_factory=Counter)
    """Errors of a kind that no parser means, by their first words."""
    crashed: list[str] = field(default_factory=list)
    """Batches in which reading itself failed, or a file without a result."""
    hung: list[str] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)
    """Writes, programs started and sockets, with where; and files that appeared."""

    @property
    def failures(self) -> list[str]:
        """All that must not be."""
        return [*self.crashed, *self.hung, *self.escaped]


def fuzz(count: int, seed: int, folder: Path) -> Tally:
    """Read files 0 to `count` of that seed; what is in `folder` of an earlier run counts as done."""
    folder = folder.resolve()
    record = folder / f"fuzz-{seed}.json"
    tally = _loaded(record)
    folder.mkdir(parents=True, exist_ok=True)
    while tally.files < count:
        numbers = range(tally.files, min(tally.files + BATCH, count))
        with _fenced(folder) as log:
            _read_batch(numbers, seed, folder / "in", tally)
            tally.escaped += _escapes(folder, log, f"seed {seed}, files {numbers.start} to {numbers.stop - 1}")
        tally.files = numbers.stop
        record.write_text(json.dumps({**vars(tally), "bugs": dict(tally.bugs)}), encoding="utf-8")
        print(f"\r  {tally.files} files, {len(tally.failures)} failures", end="", file=sys.stderr)
    print(file=sys.stderr)
    return tally


def spoiled(number: int, seed: int) -> tuple[str, bytes]:
    """Name and content of one file."""
    chance = random.Random(f"{seed}-{number}")
    suffix, data = chance.choice(_originals())
    if chance.random() < 0.03:
        suffix = chance.choice(_originals())[0]
    return f"{number:06}{suffix}", mutated(data, suffix, chance)


@cache
def _originals() -> tuple[tuple[str, bytes], ...]:
    """One of every format weighs as much as one of any other, however many there are."""
    by_suffix: dict[str, list[bytes]] = {suffix: [data] for suffix, data in _TEXTS.items() if suffix in READABLE}
    for path in files_of():
        if path.suffix in READABLE:
            by_suffix.setdefault(path.suffix, []).append(path.read_bytes())
    most = max(map(len, by_suffix.values()))
    return tuple((suffix, items[n % len(items)]) for suffix, items in sorted(by_suffix.items()) for n in range(most))


def _read_batch(numbers: range, seed: int, folder: Path, tally: Tally) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for number in numbers:
        name, data = spoiled(number, seed)
        (folder / name).write_bytes(data)
        files.append(source_file(folder / name))
    where = f"seed {seed}, files {numbers.start} to {numbers.stop - 1}"
    seen: set[str] = set()
    try:
        with _alarm():
            for result in read_documents(files, LIMITS, workers=2):
                seen.add(result.uri.split("/")[0])
                _count(result, tally)
    except TimeoutError:
        tally.hung.append(where)
    except Exception as error:  # noqa: BLE001 - whatever ends a build is what is looked for
        tally.crashed.append(f"{where}: {type(error).__name__}: {error}")
    else:
        tally.crashed += [f"seed {seed}: {file.uri} has no result" for file in files if file.uri not in seen]


def _count(result: object, tally: Tally) -> None:
    if isinstance(result, Document | Quarantined) and "/" in result.uri:
        tally.members += 1
    if isinstance(result, Document):
        tally.read += 1
    elif isinstance(result, Quarantined):
        tally.refused += 1
        if "parser crashed" in result.reason:
            fenced = f"signal {signal.SIGSYS.value})" in result.reason
            (tally.escaped if fenced else tally.lost).append(f"{result.uri}: {result.reason}")
        elif "more than 5 seconds" in result.reason:
            tally.slow.append(result.uri)
        elif "parser failed" in result.reason:
            tally.bugs[f"{Path(result.uri).suffix}: {result.reason[:120]}"] += 1


@contextmanager
def _fenced(folder: Path) -> Iterator[Path]:
    """Let parsers run behind the fence, with a home, a place for temporary files and a folder that stay empty."""
    log = folder / "fence.log"
    log.write_bytes(b"")
    outside = {name: folder / name for name in ("home", "tmp", "here")}
    for path in outside.values():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    source = str(Path(__file__).resolve().parents[1] / "src")
    changed = {
        "PYTHONPATH": os.pathsep.join([str(FENCE), source]), "PYTHONDONTWRITEBYTECODE": "1", "FENCE_LOG": str(log),
        "HOME": str(outside["home"]), "TMPDIR": str(outside["tmp"]),
    }  # fmt: skip
    before, here = dict(os.environ), Path.cwd()
    os.environ.update(changed)
    os.chdir(outside["here"])
    tempfile.tempdir = str(folder)
    try:
        yield log
    finally:
        tempfile.tempdir = None
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def _escapes(folder: Path, log: Path, where: str) -> list[str]:
    found = [f"{where}: {line}" for line in log.read_text(errors="replace").splitlines()[:20]]
    for name in ("home", "tmp", "here"):
        found += [f"{where}: {path} appeared" for path in (folder / name).rglob("*")]
    for place in (*folder.resolve().parents, folder, folder / "in", Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
        found += [f"{where}: {path} appeared" for path in place.glob(f"*{ESCAPE}*")]
    return found


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _loaded(record: Path) -> Tally:
    if not record.is_file():
        return Tally()
    value = json.loads(record.read_text(encoding="utf-8"))
    return Tally(**{**value, "bugs": Counter(value["bugs"])})


if __name__ == "__main__":
    Path(sys.argv[3]).write_bytes(spoiled(int(sys.argv[2]), int(sys.argv[1]))[1])
