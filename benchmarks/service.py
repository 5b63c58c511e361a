"""What the answering service is measured by, into benchmarks/results/service.json.

`citations`: the check of citations on minimal pairs (see `citation_pairs`) from documents that it was not made on.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from benchmarks.citation_pairs import Pair, documents, pairs
from benchmarks.rows import Row, row, write
from jargonaut.answering.citations import is_supported

COMMAND = "make bench-service"
SHARED = Path(__file__).resolve().parents[2] / "shared"

SOURCES = {
    "en": ("documents/rocketmq_docs_en_md", "datasets/pubmedqa/corpus.jsonl", "datasets/scifact/corpus.jsonl"),
    "zh": ("documents/rocketmq_docs_zh_md", "datasets/cmrc2018/corpus.jsonl", "datasets/stard_law_zh/corpus.jsonl"),
}
"""Of each, a fifth of the documents was looked at while the check was made; results are of the rest."""
SEEN_ALONE = {"en": ("documents/prometheus_docs_en_md",), "zh": ("documents/tidb_docs_zh_md",)}
"""Sources that were looked at altogether."""
SWAPS = ("number", "unit", "name")
_DOCUMENTS, _EACH = 700, 150
"""Most documents, and pairs of each kind, of one source."""


def judged(sources: dict[str, tuple[str, ...]], seed: int, *, seen: bool) -> dict[str, list[tuple[Pair, bool]]]:
    """By language, pairs and whether the check finds the statement supported."""
    found: dict[str, list[tuple[Pair, bool]]] = {}
    for language, names in sources.items():
        for name in names:
            made = pairs(documents(SHARED / name, _DOCUMENTS, seed, seen=seen), language, _EACH, seed)
            found.setdefault(language, []).extend((pair, is_supported(pair.statement, pair.passage)) for pair in made)
    return found


def citations() -> list[Row]:
    """The shares that the check gets right."""
    by_language = judged(SOURCES, seed=11, seen=False)
    rows = []
    for language, results in by_language.items():
        rows += _rows(f" ({language})", results)
    return _rows("", [item for results in by_language.values() for item in results]) + rows


def _rows(of: str, results: list[tuple[Pair, bool]]) -> list[Row]:
    wrong = [found for pair, found in results if pair.kind in SWAPS]
    denied = [found for pair, found in results if pair.kind == "denial"]
    right = [found for pair, found in results if pair.supported]
    reworded = [found for pair, found in results if pair.kind == "reworded"]
    told = {
        ("swaps caught", ">= 0.95"): wrong,
        ("denials caught", ">= 0.8"): denied,
        ("false marks", "<= 0.05"): right,
        ("false marks of reworded", ""): reworded,
        **{(f"{kind} swaps caught", ""): [found for pair, found in results if pair.kind == kind] for kind in SWAPS},
    }
    return [
        row(f"citations{of}: {what}, of {len(found)}", _share(found, False), "share", target, COMMAND)
        for (what, target), found in told.items()
    ]


def _share(found: list[bool], value: bool) -> float:
    return sum(item == value for item in found) / max(len(found), 1)


def mistakes() -> None:
    """What the check gets wrong on the documents that it was made on."""
    sources = {language: SOURCES[language] + SEEN_ALONE[language] for language in SOURCES}
    for language, results in judged(sources, seed=3, seen=True).items():
        total, wrong = Counter(pair.kind for pair, _ in results), Counter()
        for pair, found in results:
            if found != pair.supported:
                wrong[pair.kind] += 1
                print(f"[{language} {pair.kind}] {pair.statement}\n    {pair.passage}\n")
        print(language, {kind: f"{wrong[kind]}/{total[kind]}" for kind in total})


PARTS = {"citations": citations}


def main() -> None:
    """Run the parts that are named, or all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    arguments.add_argument("--mistakes", action="store_true", help="show what goes wrong on seen documents instead")
    wanted = arguments.parse_args()
    if wanted.mistakes:
        mistakes()
        return
    for part in wanted.parts or list(PARTS):
        write("service", PARTS[part]())
    print((Path(__file__).parent / "results" / "service.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
