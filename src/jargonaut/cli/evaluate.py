"""`jargonaut evaluate`: how well a labelled collection is searched, one row for each way to rank it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson

if TYPE_CHECKING:
    from jargonaut.core.proof import Interval
    from jargonaut.evaluation.evaluate import Evaluation


def evaluate(
    data: Annotated[Path, typer.Option("--data", help="BEIR folder: corpus.jsonl, queries.jsonl, qrels/*.tsv.")],
    split: Annotated[
        str, typer.Option("--split", help="Judge this one of qrels/; else test_unseen, test, dev or train.")
    ] = "",
    encoder: Annotated[
        str,
        typer.Option("--encoder", help="Hub id, folder, package:NAME or none; else by language."),
    ] = "auto",
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries",
            help="Questions without labels to fit on, one a line; else those of no judged split.",
            show_default=False,
        ),
    ] = None,
    documents_alone: Annotated[
        bool, typer.Option("--documents-alone", help="Fit on the documents only, on no question.")
    ] = False,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=0, help="Most tokens of a chunk; 0: all that the encoder reads.")
    ] = 0,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Keep the index and the vectors here.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure every way to rank a labelled collection: by words, by vectors, both fused, and fitted to it.

    Documents are encoded once; an interrupted run goes on where it was.
    """
    from jargonaut.cli.output import note, print_json, shown_progress
    from jargonaut.evaluate_folder import EvaluationOptions, evaluate_folder

    options = EvaluationOptions(split, encoder, max_tokens, queries, documents_alone, cache)
    with shown_progress() as progress:
        evaluation = evaluate_folder(data, options, note, progress)
    if as_json:
        print_json(_record(evaluation))
    else:
        _show(evaluation)


def _show(evaluation: Evaluation) -> None:
    from jargonaut.cli.output import print_table

    data = evaluation.data
    print(
        f"{data.folder.name}, split {data.split}: {len(data.queries)} questions, {data.documents} documents, "
        f"{evaluation.chunks} chunks; encoder {evaluation.encoder}"
    )
    rows = [
        (
            f"{row.name}{' *' if row.name == evaluation.best_untrained else ''}",
            *(f"{value:.4f}" for value in _means(row.scores).values()),
            "" if row.difference is None else _points(row.difference),
            "" if row.p_value is None else f"{row.p_value:.4f}",
        )
        for row in evaluation.rows
    ]
    print_table(("", "nDCG@10", "MRR@10", "R@5", "R@10", "R@100", "points to *", "p"), rows)
    if evaluation.agreed.queries:
        agreed = evaluation.agreed
        print(f"weight of words agreed on: {agreed.lexical_weight:g}, on {agreed.queries} questions without labels")
    print("* the best of the rows that nothing was fitted for; points: nDCG@10 x 100, paired, 95 % interval")


def _points(interval: Interval) -> str:
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def _means(scores: Any) -> dict[str, float]:
    named = ("ndcg_at_10", "mrr_at_10", "recall_at_5", "recall_at_10", "recall_at_100")
    return {name: float(getattr(scores, name).mean()) for name in named}


def _record(evaluation: Evaluation) -> dict[str, Any]:
    from dataclasses import asdict

    data = evaluation.data
    return {
        "data": str(data.folder),
        "split": data.split,
        "queries": len(data.queries),
        "documents": data.documents,
        "chunks": evaluation.chunks,
        "encoder": evaluation.encoder,
        "problems": data.problems.count,
        "best_untrained": evaluation.best_untrained,
        "agreed": asdict(evaluation.agreed),
        "rows": [
            {
                "name": row.name,
                "fitted": row.fitted,
                **_means(row.scores),
                "difference": asdict(row.difference) if row.difference else None,
                "p_value": row.p_value,
            }
            for row in evaluation.rows
        ],
    }
