"""`jargonaut prove`: tune the encoder to the documents, and let the gate decide whether it goes live."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName, Wait
from jargonaut.core.errors import InputError, JargonautError, RefusedError
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    from jargonaut.adapt import ChunkerPlan
    from jargonaut.core.progress import Progress
    from jargonaut.core.proof import Proof
    from jargonaut.core.release import Recipe
    from jargonaut.deciding import Adaptation
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
    against: Annotated[
        str,
        typer.Option(
            "--against",
            help="Compare what is live with this release instead; train and promote nothing.",
            show_default=False,
        ),
    ] = "",
    release: Annotated[
        str, typer.Option("--release", help="With --against: this release, not what is live.", show_default=False)
    ] = "",
    may_be_equal: Annotated[
        bool, typer.Option("--may-be-equal", help="With --against: pass if nothing worse is seen, too.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the verdict as JUnit XML.", show_default=False)
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Tune, prove on documents that training never saw, and promote what is proven. Exit code 5: not promoted.

    If chunkers were changed in the settings, and built, that is proven instead; if [answer] was changed, that goes live
    if it answers no worse. With --against, two releases are compared; exit code 5: not better.
    """
    from jargonaut.cli.workspace import one_folder, open_knowledge_base

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    if against:
        _compare(base, against, release, may_be_equal, (junit, as_json))
    elif release or may_be_equal:
        raise InputError("--release and --may-be-equal say something about --against only.", "Name a release there.")
    else:
        run(base, force, as_json, train, wait, junit)


def _compare(
    base: KnowledgeBase, against: str, release: str, may_be_equal: bool, output: tuple[Path | None, bool]
) -> None:
    """Compare two releases, show, and leave with the exit code."""
    from jargonaut.against import compare_releases
    from jargonaut.cli.output import note, print_json, short, shown_progress
    from jargonaut.proof.gate import Gate

    live = base.follower.current().channels.get(LIVE)
    if live is None:
        raise RefusedError("Nothing is live yet.", "Build first: `jargonaut build`.")
    baseline = base.registry.find_release(against).id
    candidate = base.registry.find_release(release).id if release else live.release
    junit, as_json = output
    with shown_progress() as progress:
        gate = Gate(base.workspace.settings.gate.level)
        found = compare_releases(base, candidate, baseline, gate, note, progress)
    proof = found.proof
    passed = proof.promotes or (may_be_equal and proof.verdict == "cannot tell")
    _write_junit(junit, proof, passed)
    report = base.storage.local_path(found.report_key)
    if as_json:
        print_json(
            {
                "verdict": proof.verdict,
                "reason": proof.reason,
                "passed": passed,
                "candidate": candidate,
                "baseline": baseline,
                "report": str(report),
                "proof": dataclasses.asdict(proof),
            }
        )
    else:
        _print_proof(proof)
        print(f"release {short(candidate)} against {short(baseline)}\nreport: {report}")
    if not passed:
        raise typer.Exit(RefusedError.exit_code)


def _write_junit(path: Path | None, proof: Proof, passed: bool) -> None:
    if path is None:
        return
    from jargonaut.proof.junit import junit_xml

    try:
        path.write_text(junit_xml(proof, passed), encoding="utf-8")
    except OSError as error:
        raise InputError(f"Could not write {path}: {error.strerror}.", "Choose another place.") from error


def _print_proof(proof: Proof) -> None:
    from jargonaut.cli.output import print_table

    rows = [
        (
            row.name,
            *(f"{v.mean:.3f} [{v.low:.3f}, {v.high:.3f}]" for v in (row.ndcg_at_10, row.recall_at_10, row.mrr_at_10)),
        )
        for row in proof.rows
    ]
    if rows:
        print_table(("", "nDCG@10", "Recall@10", "MRR@10"), rows)
    print(f"\n{proof.verdict}: {proof.reason}\nquestions: {proof.query_source}")
    for opinion in proof.opinions:
        agrees = "agrees" if opinion.verdict == proof.verdict else "does not agree"
        print(f"beside them: {opinion.queries} questions from {opinion.source} say {opinion.verdict}, which {agrees}")


def _chunks_proven(plan: ChunkerPlan, progress: Progress) -> Adaptation:
    from jargonaut.adapt import prove_chunker

    try:
        return prove_chunker(plan, progress)
    except InputError as error:
        raise RefusedError(
            f"What is encoded or cut otherwise cannot be proven here: {error.message}",
            "`jargonaut releases promote ID --force` lets it go live unproven; `jargonaut releases list` shows the ID.",
        ) from error


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


def run(
    base: KnowledgeBase,
    force: bool,
    as_json: bool,
    train: bool = True,
    wait: bool = False,
    junit: Path | None = None,
) -> None:
    """Prove, show, and leave with the exit code."""
    from jargonaut.adapt import adapt, prove_change
    from jargonaut.chunk_trial import reindexing_plan
    from jargonaut.cli.busy import held
    from jargonaut.cli.output import note, print_json, short, shown_progress
    from jargonaut.plans import AdaptationOptions, adaptation_plan, changed_recipe
    from jargonaut.proof.gate import Gate

    changed = changed_recipe(base)
    with shown_progress() as progress, held(base.work_folder / "prove.lock", "proof", wait):
        reindexing = reindexing_plan(base, Gate(base.workspace.settings.gate.level), force, note)
        if reindexing is not None:
            note("The settings encode or cut the documents otherwise: that is what is proven now, nothing is tuned.")
            adaptation = _chunks_proven(reindexing, progress)
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
    _write_junit(junit, proof, adaptation.promoted)
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
                "proof": dataclasses.asdict(proof),
            }
        )
    else:
        _print_proof(proof)
        done = "promoted by force" if adaptation.forced else "promoted" if adaptation.promoted else "not promoted"
        print(f"{adaptation.candidate.label} recipe {done}; live is release {short(live.release)}\nreport: {report}")
    if not adaptation.promoted:
        raise typer.Exit(RefusedError.exit_code)
