"""`jargonaut prove`: tune the encoder to the documents, and let the gate decide whether it goes live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName, Wait
from jargonaut.core.errors import InputError, JargonautError, RefusedError
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    from jargonaut.core.release import Recipe
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


def _without_proof(base: KnowledgeBase, changed: Recipe, error: JargonautError, force: bool, as_json: bool) -> None:
    """Where nothing can be proven, such as how a lexical release answers, only force lets a change pass."""
    from jargonaut.adapt import force_change
    from jargonaut.cli.output import print_json, short

    if not force:
        raise RefusedError(
            f"The change of [answer] cannot be proven here: {error.message}",
            "`jargonaut prove --force` lets it go live as it is; that is recorded.",
        ) from error
    release = force_change(base.journal, base.registry, base.scope, changed)
    if as_json:
        print_json({"verdict": "unproven", "promoted": True, "forced": True, "live": release.id})
    else:
        print(f"The change of [answer] was promoted by force, unproven; live is release {short(release.id)}.")


def run(base: KnowledgeBase, force: bool, as_json: bool, train: bool = True, wait: bool = False) -> None:
    """Prove, show, and leave with the exit code."""
    from dataclasses import asdict

    from jargonaut.adapt import adapt, prove_change, prove_chunker
    from jargonaut.chunk_trial import reindexing_plan
    from jargonaut.cli.busy import held
    from jargonaut.cli.output import note, print_json, print_table, short, shown_progress
    from jargonaut.plans import AdaptationOptions, adaptation_plan, changed_recipe
    from jargonaut.proof.gate import Gate

    changed = changed_recipe(base)
    with shown_progress() as progress, held(base.work_folder / "prove.lock", "proof", wait):
        reindexing = reindexing_plan(base, Gate(base.workspace.settings.gate.level), force, note)
        if reindexing is not None:
            note("The settings encode or cut the documents otherwise: that is what is proven now, nothing is tuned.")
            adaptation = prove_chunker(reindexing, progress)
        elif changed is not None:
            note("The settings change how answers are made: that is what is proven now, not the encoder.")
            margin = base.workspace.settings.gate.margin
            try:
                plan = adaptation_plan(base, AdaptationOptions(False, force, margin), note, progress)
                adaptation = prove_change(plan, changed, progress)
            except (InputError, RefusedError) as error:
                _without_proof(base, changed, error, force, as_json)
                return
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
        raise typer.Exit(RefusedError.exit_code)
