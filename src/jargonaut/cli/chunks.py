"""`jargonaut chunks`: how a file is cut, and which chunker suits the documents."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName
from jargonaut.core.errors import InputError

if TYPE_CHECKING:
    from jargonaut.chunk_trial import ChunkTrial
    from jargonaut.cut_file import FileCut


def chunks(
    file: Annotated[Path | None, typer.Argument(help="File to cut.", show_default=False)] = None,
    chunker: Annotated[
        str, typer.Option("--chunker", help="Cut it by this one, whatever the settings say.", show_default=False)
    ] = "",
    measure: Annotated[
        bool, typer.Option("--measure", help="Compare all chunkers on the documents of a knowledge base.")
    ] = False,
    match: Annotated[
        str, typer.Option("--match", help="With --measure: only documents whose URI matches.", show_default=False)
    ] = "",
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Show how a file is cut: by the rule that applies to it, by another chunker, or by heading.

    With --measure: try every chunker on questions that the documents ask, and say which finds their answers best.
    """
    if measure:
        _measure(folder, config, knowledge_base, match, as_json)
        return
    if file is None:
        raise InputError("No file was given.", "Name one, as in `jargonaut chunks handbook/leave.md`.")
    from jargonaut.cli.output import print_json

    cuts = _cut(file, chunker, folder, config, knowledge_base)
    if as_json:
        print_json([_record(cut) for cut in cuts])
    else:
        for cut in cuts:
            _show(cut)


def _cut(file: Path, chunker: str, folder: Path | None, config: Path | None, name: str | None) -> list[FileCut]:
    from jargonaut.cli.workspace import open_workspace, settings_file_above
    from jargonaut.cut_file import cut_file, home_of

    found = config or (
        None if folder else settings_file_above(file.absolute()) or settings_file_above(Path.cwd() / file.name)
    )
    workspace = open_workspace(folder, found) if folder or found else None
    return cut_file(file, home_of(workspace, file, name), chunker)


def _record(cut: FileCut) -> dict[str, Any]:
    return {
        "uri": cut.document.uri,
        "chunker": cut.chunker,
        "rule": cut.rule,
        "chunks": [
            {
                "ordinal": chunk.ordinal,
                "tokens": tokens,
                "kind": chunk.kind,
                **dataclasses.asdict(chunk.place),
                "heading_path": list(chunk.heading_path),
                "start": chunk.start,
                "end": chunk.end,
                "parent": list(chunk.parent) if chunk.parent else None,
                "text": chunk.text,
                "indexed_text": chunk.indexed_text,
            }
            for chunk, tokens in zip(cut.chunks, cut.tokens, strict=True)
        ],
    }


def _show(cut: FileCut) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    why = f'rule "{cut.rule}"' if cut.rule else "no rule"
    console.print(
        Text(f"{cut.document.uri}: {len(cut.chunks)} chunks of at most {max(cut.tokens, default=0)} tokens", "bold")
    )
    console.print(Text(f"{cut.chunker} ({why})\n", "dim"))
    for chunk, tokens in zip(cut.chunks, cut.tokens, strict=True):
        facts = [f"#{chunk.ordinal}", f"{tokens} tokens", chunk.kind, str(chunk.place)]
        if chunk.parent:
            facts.append(f"answered from {chunk.parent[0]}-{chunk.parent[1]}")
        console.print(Text("  ".join(fact for fact in facts if fact), "cyan"), soft_wrap=True)
        if chunk.heading_path:
            console.print(Text(" › ".join(chunk.heading_path), "bold"), soft_wrap=True)
        if chunk.said:
            console.print(Text(f"indexed as: {chunk.said.rpartition(chr(10))[2]}", "green"), soft_wrap=True)
        console.print(Text(chunk.text), soft_wrap=True)
        console.print()


def _measure(folder: Path | None, config: Path | None, name: str | None, match: str, as_json: bool) -> None:
    from jargonaut.chunk_trial import try_chunkers
    from jargonaut.cli.output import note, print_json, shown_progress
    from jargonaut.cli.workspace import open_knowledge_base

    base = open_knowledge_base(folder, config, name)
    with shown_progress(quiet=as_json) as progress:
        trials = try_chunkers(base, match, note, progress)
    if as_json:
        print_json([dataclasses.asdict(trial) for trial in trials])
    else:
        for trial in trials:
            _show_trial(trial)


def _show_trial(trial: ChunkTrial) -> None:
    from jargonaut.cli.output import print_table

    print(f"{trial.match}: {trial.questions} questions on {trial.documents} documents. {trial.source}")
    rows = []
    for row in trial.rows:
        shares = [share for share in (row.lexical, row.dense, row.fused) if share is not None] if row.chunks else []
        rows.append((row.chunker, row.chunks or "cuts as heading does", *(f"{share:.3f}" for share in shares)))
    print_table(("chunker", "chunks", "found by words", "by meaning", "as ranked")[: max(map(len, rows))], rows)
    print(f"{trial.verdict}\n")
