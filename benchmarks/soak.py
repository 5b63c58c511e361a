"""Long counts: kill -9 at random moments, and nothing that was live is lost; spoiled files, and nothing gives way;
questions of many to the edge, and nobody gets what is not theirs.

make soak                               200 kills, 10,000 files, 100,000 questions; each goes on where it was stopped
python -m benchmarks.soak kills 20 7    20 kills with seed 7
python -m benchmarks.soak fuzz 500 3    500 spoiled files with seed 3
python -m benchmarks.soak edge 2000 5   2,000 questions with seed 5
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import edge_isolation
from benchmarks.fuzzing import fuzz
from benchmarks.rows import row, write
from jargonaut.answering.retrieve import Question, retrieve
from jargonaut.build import build
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import JargonautError
from jargonaut.core.progress import silent
from jargonaut.core.scope import LIVE
from jargonaut.plans import build_plan
from jargonaut.settings import load_settings
from jargonaut.wiring import KnowledgeBase, Workspace
from tests.handbook import write_handbook

WORK = Path(__file__).parent / ".cache" / "soak"
STEADY = ("What badge do visitors wear?", "visitors.html")
"""A question whose document is never touched: it must be answerable after every kill."""
LONGEST_S = 6.0
_PATIENCE_S = 300.0
"""A busy machine is slow; that loses nothing."""
EDGE_PART = 5_000
"""Requests to one edge."""


@dataclass
class Trial:
    """One folder of documents that is changed, built and killed again and again."""

    folder: Path

    @classmethod
    def begin(cls, folder: Path) -> Trial:
        shutil.rmtree(folder, ignore_errors=True)
        write_handbook(folder / "docs")
        settings = '[[knowledge_bases]]\nname = "kb"\n[[knowledge_bases.sources]]\npath = "docs"\n'
        (folder / "jargonaut.toml").write_text(settings, encoding="utf-8")
        trial = cls(folder)
        trial.rebuild()
        return trial

    @property
    def base(self) -> KnowledgeBase:
        """Opened anew each time: nothing may rest on what a process remembers."""
        return Workspace(load_settings(self.folder / "jargonaut.toml"), self.folder / "home").knowledge_base()

    def rebuild(self) -> None:
        base = self.base
        build(build_plan(base, lexical=False, say=lambda text: None), silent)

    def change(self, number: int, chance: random.Random) -> list[str]:
        """Change some documents; the command to be killed."""
        docs = self.folder / "docs"
        for _ in range(chance.randint(1, 30)):
            name = f"more-{chance.randrange(60)}.md"
            text = " ".join(f"Item {chance.randrange(10_000)} is teal." for _ in range(chance.randrange(40)))
            # Named, so that no two are copies of each other: of copies, one is indexed.
            (docs / name).write_text(
                f"# Machine {number} of {name}\n\n## Colours\n\n{text}\n\n## Notes\n\nKill {number}.\n"
            )
        kind = chance.choices(("build", "rm", "restore", "rollback"), (7, 1, 1, 1))[0]
        config = ["--config", str(self.folder / "jargonaut.toml")]
        deleted = sorted(self.base.follower.current().deleted)
        held = sorted(uri for uri in self.base.catalog.entries() if uri.startswith("more-") and uri not in deleted)
        if kind == "rm" and held:
            return ["documents", "rm", chance.choice(held), *config]
        if kind == "restore" and deleted:
            return ["documents", "restore", chance.choice(deleted), *config]
        if kind == "rollback" and len(self.base.follower.current().history) > 2:
            return ["releases", "rollback", *config]
        return ["build", *config]

    def check(self) -> None:
        """What is live answers, says no deleted document, and is whole after the next build."""
        self.answers()
        self.rebuild()
        self.answers()
        base = self.base
        state = base.follower.current()
        live = base.registry.documents(base.registry.revision(state.channels[LIVE].revision).documents)
        on_disk = {path.name for path in (self.folder / "docs").glob("*.*")} | {"hr/salaries.md"}
        assert set(live) == on_disk - state.deleted.keys(), set(live) ^ (on_disk - state.deleted.keys())

    def answers(self) -> None:
        async def ask() -> list[str]:
            release, seen = await self.base.load_for_reading("", [])
            found = await retrieve(release, Question(STEADY[0], top_k=50), seen, Deadline.after(_PATIENCE_S))
            return [item.chunk.uri for item in found.passages]

        uris = asyncio.run(ask())
        deleted = self.base.follower.current().deleted
        assert uris[0] == STEADY[1], uris
        assert not deleted.keys() & set(uris), "a deleted document was found"


def kills(wanted: int, seed: int) -> None:
    """Kill `wanted` commands in all, going on from an interrupted run with the same seed."""
    record = WORK / f"kills-{seed}.json"
    done = json.loads(record.read_text()) if record.is_file() else {"kills": 0, "ended_before": 0, "lost": []}
    folder = WORK / f"kills-{seed}"
    trial = Trial(folder) if done["kills"] and (folder / "home").is_dir() else Trial.begin(folder)
    environment = {**os.environ, "JARGONAUT_HOME": str(folder / "home")}
    while done["kills"] < wanted:
        number = done["kills"] + done["ended_before"]
        chance = random.Random(seed * 1_000_003 + number)
        command = [sys.executable, "-m", "jargonaut", *trial.change(number, chance)]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, LONGEST_S))
        ended = child.poll() is not None
        child.send_signal(signal.SIGKILL)
        child.wait()
        try:
            trial.check()
        except (AssertionError, JargonautError) as error:
            done["lost"].append(f"seed {seed}, number {number}, {command[3]}: {error}")
        done["ended_before" if ended else "kills"] += 1
        record.write_text(json.dumps(done))
        print(
            f"  {done['kills']} kills, {done['ended_before']} ended before, {len(done['lost'])} lost", file=sys.stderr
        )
    command_line = f"python -m benchmarks.soak kills {wanted} {seed}"
    what = f"kills at random moments after which something was lost, of {done['kills']} (seed {seed})"
    write("soak", [row(what, len(done["lost"]), "", "== 0", command_line)])
    for line in done["lost"]:
        print(line)
    if done["lost"]:
        raise SystemExit(1)


def fuzz_documents(wanted: int, seed: int) -> None:
    """Read `wanted` spoiled files in all, going on from an interrupted run with the same seed."""
    tally = fuzz(wanted, seed, WORK / "fuzz")
    command = f"python -m benchmarks.soak fuzz {wanted} {seed}"
    of = f"of {tally.files} spoiled files (seed {seed})"
    counts = {
        "crashes of the build": len(tally.crashed),
        "hangs": len(tally.hung),
        "writes, programs started and sockets opened while parsing": len(tally.escaped),
    }
    rows = [row(f"{what}, {of}", count, "", "== 0", command) for what, count in counts.items()]
    told = {
        "documents read": tally.read,
        "quarantined with a reason": tally.refused,
        "of these, parsers that crashed and cost their file only": len(tally.lost),
        "of these, parsers ended when their time was up": len(tally.slow),
        "of these, errors that no parser means": tally.bugs.total(),
    }
    write("soak", rows + [row(f"{what}, {of}", count, "", "", command) for what, count in told.items()])
    for line in (*tally.failures, *tally.lost, *(f"{n} times {what}" for what, n in tally.bugs.most_common())):
        print(line)
    if tally.failures:
        raise SystemExit(1)


def isolate_edge(wanted: int, seed: int) -> None:
    """Send `wanted` requests in all to an edge in trouble, going on from an interrupted run with the same seed."""
    record = WORK / f"edge-{seed}.json"
    tally = edge_isolation.Tally()
    if record.is_file():
        tally.add(edge_isolation.Tally.of(json.loads(record.read_text())))
    while tally.requests < wanted:
        part = min(EDGE_PART, wanted - tally.requests)
        tally.add(edge_isolation.soak_part(part, seed * 1_000_003 + tally.requests))
        record.write_text(json.dumps(vars(tally)))
        print(f"  {tally.requests} requests, {len(tally.failures)} wrong, {dict(tally.labels)}", file=sys.stderr)
    command = f"python -m benchmarks.soak edge {wanted} {seed}"
    of = f"of {tally.requests} requests to the edge (seed {seed})"
    bound = f"{edge_isolation.BOUND_S + edge_isolation.STALE_S:g} s"
    counts = {
        "answers that somebody else's question or rights made": tally.crossed,
        f"answers older than the bound ({edge_isolation.BOUND_S:g} s; marked STALE, {bound})": tally.stale,
        "answers that were not whole, told as whole": tally.truncated,
        "errors that are not documented": tally.unplanned,
    }
    rows = [row(f"{what}, {of}", len(found), "", "== 0", command) for what, found in counts.items()]
    told = {f"answered as {label}": number for label, number in sorted(tally.labels.items())}
    told["connections cut by a broken origin or a killed edge"] = tally.cut
    write("soak", rows + [row(f"{what}, {of}", number, "", "", command) for what, number in told.items()])
    for line in tally.failures:
        print(line)
    if tally.failures:
        raise SystemExit(1)


PARTS: dict[str, tuple[Callable[[int, int], None], int, int]] = {
    "kills": (kills, 200, 7),
    "fuzz": (fuzz_documents, 10_000, 7),
    "edge": (isolate_edge, 100_000, 7),
}
"""What runs, how often, and with which seed."""


def main() -> None:
    """`kills [COUNT [SEED]]`, `fuzz [COUNT [SEED]]`, `edge [COUNT [SEED]]`, or all."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:2] or PARTS:
        part, count, seed = PARTS[name]
        given = [int(argument) for argument in sys.argv[2:4]]
        part(*given, *(count, seed)[len(given) :])


if __name__ == "__main__":
    main()
