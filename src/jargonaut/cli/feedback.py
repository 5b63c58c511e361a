"""`jargonaut feedback`: what askers thought of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName

app = typer.Typer(help="Judgements of answers, and the labels that follow from them.", no_args_is_help=True)


@app.command("list")
def list_feedback(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Every judgement, oldest first."""
    import dataclasses

    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import one_folder, open_knowledge_base
    from jargonaut.state.feedback import FeedbackLog

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    judgements = FeedbackLog(base.journal, base.scope).judgements()
    if as_json:
        print_json([{"at": at, **dataclasses.asdict(judgement)} for at, judgement in judgements])
        return
    rows = [(at[:19], one.rating, one.query[:80], one.document, one.comment[:120]) for at, one in judgements]
    print_table(("at", "rating", "question", "document", "comment"), rows, "Nobody has judged an answer yet.")


@app.command("export")
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else standard output.", show_default=False)
    ] = None,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
) -> None:
    """Write labels as JSON Lines, for `[tuning] labels`: what more found right than wrong."""
    import json

    from jargonaut.cli.output import note
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.core.errors import InputError
    from jargonaut.state.feedback import FeedbackLog, labels

    base = open_knowledge_base(folder, config, knowledge_base)
    deleted = base.follower.current().deleted
    judged = (judgement for _, judgement in FeedbackLog(base.journal, base.scope).judgements())
    lines = [json.dumps(label.as_json(), ensure_ascii=False) for label in labels(judged) if label.uri not in deleted]
    if output is None:
        for line in lines:
            print(line)
        return
    try:
        output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.", "Choose another file.") from error
    note(f"{len(lines)} labels in {output}.")
