"""`jargonaut prove`: tune the encoder to the documents, and let the gate decide whether it goes live."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName, Wait
from jargonaut.core.errors import RefusedError
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    from jargonaut.adapt import Adaptation, AdaptationPlan
    from jargonaut.core.progress import Progress
    from jargonaut.plans import AdaptationOptions
    from jargonaut.wiring import KnowledgeBase


def prove(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="Tune the encoder, or fit the ranking only.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Promote whatever the verdict is. It is recorded.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Tune, prove on documents that training never saw, and promote what is proven. Exit code 5: not promoted.

    If chunkers were changed in the settings, and built, that is proven instead; if [answer] was changed, that goes live
    if it answers no worse.
    """
    from jargonaut.cli.workspace import one_folder, open_knowledge_base

    run(open_knowledge_base(one_folder(folder, directory), config, knowledge_base), force, as_json, train, wait)


def run(base: KnowledgeBase, force: bool, as_json: bool, train: bool = True, wait: bool = False) -> None:
    """Prove, show, and leave with the exit code."""
    from dataclasses import asdict

    from jargonaut.cli.busy import held
    from jargonaut.cli.output import print_json, print_table, short, shown_progress
    from jargonaut.plans import AdaptationOptions

    options = AdaptationOptions(train, force)
    with shown_progress() as progress, held(base.work_folder / "prove.lock", wait):
        adaptation = _adapted(base, options, wait, progress)
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
        raise typer.Exit(RefusedError.exit_code)


def _adapted(base: KnowledgeBase, options: AdaptationOptions, wait: bool, progress: Progress) -> Adaptation:
    """Prove. Builds are kept away but for the training: that takes minutes, and needs no more of the index."""
    from jargonaut.adapt import adapt
    from jargonaut.cli.busy import held
    from jargonaut.cli.output import note
    from jargonaut.plans import adaptation_plan

    lock = base.work_folder / "build.lock"
    with held(lock, wait):
        changed = _change_of_settings(base, options, progress)
        if changed is not None:
            return changed
        plan = adaptation_plan(base, options, note, progress)
    enough = plan.held_out.chosen_on and plan.held_out.judged_on
    tuned = list(plan.tune(progress)) if plan.tune and enough else []
    with held(lock, wait=True):
        plan = _on_what_is_live(base, plan, options, progress)
        return adapt(dataclasses.replace(plan, tune=lambda report: tuned), progress)


def _on_what_is_live(
    base: KnowledgeBase, plan: AdaptationPlan, options: AdaptationOptions, progress: Progress
) -> AdaptationPlan:
    """`plan`, to be judged on and promoted with the documents that are live by now; its questions stay."""
    from jargonaut.cli.output import note
    from jargonaut.plans import adaptation_plan

    live = base.follower.current().channels[LIVE]
    if live.release == plan.live.release.id:
        return plan
    if live.recipe != plan.live.recipe.id:
        raise RefusedError(
            f"Another recipe of {base.scope.path} went live during the training, which fits it no more.",
            "Prove again: `jargonaut prove`.",
        )
    now = adaptation_plan(base, dataclasses.replace(options, train=False), note, progress)
    return dataclasses.replace(plan, live=now.live)


def _change_of_settings(base: KnowledgeBase, options: AdaptationOptions, progress: Progress) -> Adaptation | None:
    """The proof of what the settings ask for, if that is another chunker or another way to answer."""
    from jargonaut.adapt import prove_change, prove_chunker
    from jargonaut.chunk_trial import rechunking_plan
    from jargonaut.cli.output import note
    from jargonaut.plans import AdaptationOptions, adaptation_plan, changed_recipe
    from jargonaut.proof.gate import Gate

    gate = base.workspace.settings.gate
    rechunking = rechunking_plan(base, Gate(gate.level), options.force)
    if rechunking is not None:
        note("The settings cut the documents otherwise: that is what is proven now, not the encoder.")
        return prove_chunker(rechunking, progress)
    changed = changed_recipe(base)
    if changed is not None:
        note("The settings change how answers are made: that is what is proven now, not the encoder.")
        plan = adaptation_plan(base, AdaptationOptions(False, options.force, gate.margin), note, progress)
        return prove_change(plan, changed, progress)
    return None
