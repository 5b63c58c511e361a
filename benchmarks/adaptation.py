"""What adaptation gains on labelled collections (`make bench-adaptation`), into `results/adaptation.json`.

python -m benchmarks.adaptation                    everything
python -m benchmarks.adaptation ranking stackunix  one part, one collection

Collections lie in `../shared/datasets`; index, vectors and tokens of each stay in `.cache/adaptation/<name>`, so that
an interrupted run goes on where it was, and a second one encodes nothing. Another part is a function from the names of
collections to rows, in `PARTS`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.adaptation_serving import serving_rows
from benchmarks.rows import Row, row, write
from benchmarks.static_table import StaticTable
from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.cli.output import shown_progress
from jargonaut.core.proof import Interval
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.port import Encoder
from jargonaut.evaluation.beir import read_beir
from jargonaut.evaluation.collection import Place
from jargonaut.evaluation.evaluate import Evaluation, evaluate
from jargonaut.evaluation.ladder import DOCUMENTS_ALONE, WITH_QUESTIONS
from jargonaut.index.lance import LanceIndex
from jargonaut.storage.local import LocalStorage

COMMAND = "make bench-adaptation"
DATA = Path(__file__).parents[2] / "shared" / "datasets"
CACHE = Path(__file__).parent / ".cache" / "adaptation"
SETS = ("scifact", "stackunix", "insuranceqa_en", "tidb_docs_zh", "stard_law_zh")
"""Those that the targets are averages over."""
CEILINGS = ("pubmedqa", "cmrc2018")
"""Where BM25 finds nearly everything: nothing is to be lost."""
_CHINESE = ("tidb_docs_zh", "stard_law_zh", "cmrc2018")
_TABLE = "JARGONAUT_CHINESE_TABLE"
_RESAMPLES = 20_000
_TARGETS = {DOCUMENTS_ALONE: 1.5, WITH_QUESTIONS: 2.5}


def ranking(names: Sequence[str]) -> list[Row]:
    """The ranking without labels against the best row that nothing was fitted for, on questions of unseen documents."""
    rows: list[Row] = []
    for name in names or (*SETS, *CEILINGS):
        started = time.perf_counter()
        evaluation = measured(name)
        rows = rows_of(name, evaluation)
        write("adaptation", rows)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        for item in rows:
            print(f"  {item.what}: {item.value} {item.unit}", file=sys.stderr)
    return averages()


def measured(name: str) -> Evaluation:
    """Every row of one collection. What a search finds is not kept: only what had to be encoded is."""
    folder = CACHE / name
    encoder = encoder_for(name)
    chunker = make_chunker(Choice(), Tokens(encoder.token_spans, encoder.card.max_tokens, encoder.card.space))
    place = Place(LanceIndex(folder / "index"), LocalStorage(folder / "artifacts"))
    with shown_progress() as progress:
        evaluation = evaluate(read_beir(DATA / name), encoder, chunker, place, progress)
    found = {item.name: item.scores.ndcg_at_10 for item in evaluation.rows}
    np.savez(folder / "scores.npz", best=evaluation.best_untrained, **found)
    return evaluation


def encoder_for(name: str) -> Encoder:
    """MiniLM for English, a static table for Chinese."""
    if name in _CHINESE:
        folder = os.environ.get(_TABLE, "")
        if not folder:
            raise SystemExit(f"Set {_TABLE} to the folder with a static table (see benchmarks/static_table.py).")
        return StaticTable(Path(folder))
    storage = LocalStorage(CACHE / "encoders")
    base = resolve_base("sentence-transformers/all-MiniLM-L6-v2")
    stored = load_encoder(storage, save_encoder(storage, base).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


def rows_of(name: str, evaluation: Evaluation) -> list[Row]:
    """Every row's nDCG@10, and what the fitted ones gain over the best of the others."""
    by_name = {item.name: item for item in evaluation.rows}
    best = by_name[evaluation.best_untrained]
    peer = (f"best untrained: {best.name}", round(100 * best.ndcg, 2))
    rows = [row(f"{name}: nDCG@10 of {item.name}", 100 * item.ndcg, "", "", COMMAND, peer) for item in evaluation.rows]
    rows += [
        row(f"{name}: {item.name}, gain", 100 * item.difference.mean, _interval(item.difference), "", COMMAND, peer)
        for item in evaluation.rows
        if item.fitted and item.difference
    ]
    if evaluation.agreed.queries:
        count = evaluation.agreed.queries
        rows.append(
            row(
                f"{name}: weight of words agreed on by {count} questions",
                evaluation.agreed.lexical_weight,
                "",
                "",
                COMMAND,
            )
        )
    return rows


def averages() -> list[Row]:
    """The mean gain over the collections that were measured, every one weighing the same."""
    stored = {name: np.load(CACHE / name / "scores.npz") for name in SETS if (CACHE / name / "scores.npz").is_file()}
    rows = []
    for what, target in _TARGETS.items():
        gains = {name: found[what] - found[str(found["best"])] for name, found in stored.items() if what in found}
        if not gains:
            continue
        mean, worse = _mean_of_sets(list(gains.values()))
        whole = len(gains) == len(SETS)
        measured_on = "" if whole else f", {len(gains)} of {len(SETS)} collections"
        of = f"{what}, mean gain over the best untrained row of each collection"
        unit = f"{_interval(mean)}{measured_on}"
        rows.append(row(of, 100 * mean.mean, unit, f">= {target}" if whole else "", COMMAND))
        rows.append(row(f"{what}, its lower bound", 100 * mean.low, "points", "> 0" if whole else "", COMMAND))
        rows.append(row(f"{what}, collections significantly worse", worse, "", "== 0" if whole else "", COMMAND))
    return rows


def _mean_of_sets(gains: Sequence[np.ndarray]) -> tuple[Interval, int]:
    """Questions are resampled within each collection; and how many collections have their interval below zero."""
    rng = np.random.default_rng(0)
    means = np.array([gain[rng.integers(len(gain), size=(_RESAMPLES, len(gain)))].mean(axis=1) for gain in gains])
    low, high = np.quantile(means.mean(axis=0), [0.025, 0.975])
    worse = int((np.quantile(means, 0.975, axis=1) < 0).sum())
    return Interval(float(np.mean([gain.mean() for gain in gains])), float(low), float(high)), worse


def _interval(interval: Interval) -> str:
    return f"points [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def serving(names: Sequence[str]) -> list[Row]:
    """How long comparing the tokens of a pool takes, and what they take up."""
    return serving_rows(CACHE / "serving")


PARTS: dict[str, Callable[[Sequence[str]], list[Row]]] = {"ranking": ranking, "serving": serving}


def main() -> None:
    """Run the part that is named, on the collections that are named; or all."""
    chosen, names = (sys.argv[1:2], sys.argv[2:]) if len(sys.argv) > 1 else (list(PARTS), [])
    for part in chosen:
        write("adaptation", PARTS[part](names))
    print((Path(__file__).parent / "results" / "adaptation.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
