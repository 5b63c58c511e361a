"""`jargonaut train`: tune an encoder to the documents, and stop there: `jargonaut prove` decides on it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName, Wait


def train(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    method: Annotated[
        Literal["query-side", "full", "static"] | None,
        typer.Option("--method", help="Instead of the one of the settings.", show_default=False),
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Tune an encoder on the documents that are not held out. Nothing goes live: `jargonaut prove` decides.

    A training that was killed goes on where it was, and `prove` does not train again what was trained here.
    """
    from jargonaut.cli.busy import held
    from jargonaut.cli.output import note, print_json, print_table, short, shown_progress
    from jargonaut.cli.workspace import one_folder, open_knowledge_base
    from jargonaut.plans import training_ground
    from jargonaut.tuning import method_for
    from jargonaut.tuning import train as trained_on

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    with shown_progress() as progress, held(base.work_folder / "prove.lock", "proof", wait):
        ground = training_ground(base, note, progress)
        trained = trained_on(base, ground, method or method_for(base, ground.material), progress)
    is_judged = not math.isnan(trained.score)
    if as_json:
        print_json(
            {
                "method": trained.method,
                "encoders": [card.id for card in trained.cards],
                "steps": trained.steps,
                "seconds": trained.seconds,
                "questions": trained.questions,
                "stopped": trained.stopped,
                "development": {"base": trained.base_score, "tuned": trained.score} if is_judged else None,
            }
        )
        return
    print_table(("encoder", "from"), [(short(card.id), card.base) for card in trained.cards])
    print(f"\n{trained.method}: {trained.steps} steps on {trained.questions} questions in {trained.seconds:.0f} s")
    if trained.stopped:
        print(f"stopped early: {trained.stopped}")
    if is_judged:
        print(f"mean reciprocal rank on questions set aside: {trained.base_score:.3f} -> {trained.score:.3f}")
    flag = "" if method is None else f' (with method = "{method}" under [tuning])'
    print(f"`jargonaut prove` lets the gate decide{flag}; `jargonaut encoders list` shows all encoders.")
