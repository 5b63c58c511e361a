"""`jargonaut prove`: tune the encoder to the documents, and let the gate decide whether it goes live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase

_REFUSED = 5


def prove(
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="Tune the encoder, or fit the ranking only.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Promote whatever the verdict is. It is recorded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tune, prove on documents that training never saw, and promote what is proven. Exit code 5: not promoted.

    If chunkers were changed in the settings, and built, that is proven instead; if [answer] was changed, that goes live
    if it answers no worse.
    """
    from jargonaut.cli.workspace import open_knowledge_base

    run(open_knowledge_base(folder, config, knowledge_base), force, as_json, train)


def run(base: KnowledgeBase, force: bool, as_json: bool, train: bool = True) -> None:
    """Prove, show, and leave with the exit code."""
    from dataclasses import asdict

    from jargonaut.adapt import adapt, prove_change, prove_chunker
    from jargonaut.build import build_lock
    from jargonaut.chunk_trial import rechunking_plan
    from jargonaut.cli.output import note, print_json, print_table, short, shown_progress
    from jargonaut.plans import AdaptationOptions, adaptation_plan, changed_recipe
    from jargonaut.proof.gate import Gate

    with shown_progress() as progress, build_lock(base.work_folder / "build.lock"):
        rechunking = rechunking_plan(base, Gate(base.workspace.settings.gate.level), force)
        changed = changed_recipe(base)
        if rechunking is not None:
            note("The settings cut the documents otherwise: that is what is proven now, not the encoder.")
            adaptation = prove_chunker(rechunking, progress)
        elif changed is not None:
            note("The settings change how answers are made: that is what is proven now, not the encoder.")
            margin = base.workspace.settings.gate.margin
            plan = adaptation_plan(base, AdaptationOptions(False, force, margin), note, progress)
            adaptation = prove_change(plan, changed, progress)
        else:
            adaptation = adapt(adaptation_plan(base, AdaptationOptions(train, force), note, progress), progress)
    proof = adaptation.proof
    report = base.storage.local_path(adaptation.report_key)
    live = base.follower.current().channels[LIVE]
    if as_json:
        print_json(
            {
                "verdict": proof.verdict,
                "reason": proof.reason,
                "promoted": adaptation.promoted,
                "forced": adaptation.forced,
                "candidate": adaptation.candidate.id,
                "candidate_label": adaptation.candidate.label,
                "release": adaptation.release.id,
                "live": live.release,
                "live_label": base.registry.recipe(live.recipe).label,
                "report": str(report),
                "proof": asdict(proof),
            }
        )
    else:
        rows = [
            (
                row.name,
                *(
                    f"{v.mean:.3f} [{v.low:.3f}, {v.high:.3f}]"
                    for v in (row.ndcg_at_10, row.recall_at_10, row.mrr_at_10)
                ),
            )
            for row in proof.rows
        ]
        print_table(("", "nDCG@10", "Recall@10", "MRR@10"), rows)
        print(f"\n{proof.verdict}: {proof.reason}\nquestions: {proof.query_source}")
        done = "promoted by force" if adaptation.forced else "promoted" if adaptation.promoted else "not promoted"
        print(f"{adaptation.candidate.label} recipe {done}; live is release {short(live.release)}\nreport: {report}")
    if not adaptation.promoted:
        raise typer.Exit(_REFUSED)
