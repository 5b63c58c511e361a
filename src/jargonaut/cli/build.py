"""`jargonaut build`: bring the live release up to date with the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName, Wait

if TYPE_CHECKING:
    from jargonaut.build import BuildResult


def build(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    lexical: Annotated[
        bool,
        typer.Option(
            "--lexical",
            help="Index without vectors: seconds instead of minutes. The encoder is exported all the same, once: "
            "chunks are cut by its tokens.",
        ),
    ] = False,
    tune: Annotated[
        bool, typer.Option("--tune", help="Afterwards tune the encoder and prove it (see `prove`).")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Read and index everything again; for an index that is damaged or lost.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Read what is new or changed, index it, and make it live. Does nothing if nothing has changed."""
    from jargonaut.build import build as run_build
    from jargonaut.cli.busy import when_free
    from jargonaut.cli.left_behind import left_behind_of
    from jargonaut.cli.output import note, print_json, shown_progress
    from jargonaut.cli.workspace import one_folder, open_knowledge_base
    from jargonaut.plans import build_plan, changed_recipe

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    if left_behind := left_behind_of(base.workspace):
        note(left_behind.in_words)
    with shown_progress(quiet=as_json) as progress:
        result = when_free(lambda: run_build(build_plan(base, lexical, note, anew), progress), wait)
    if changed_recipe(base) is not None:
        note("[answer] was changed in the settings; what is live stays as it is until `jargonaut prove` lets it pass.")
    if as_json:
        print_json(as_record(result))
    else:
        print(in_words(result))
    if tune:
        from jargonaut.cli.prove import run

        run(base, force=False, as_json=as_json, wait=wait)


def as_record(result: BuildResult) -> dict[str, object]:
    """A build's result as JSON."""
    return {
        "outcome": result.outcome,
        "release": result.release.id,
        "recipe": result.recipe.id,
        "label": result.recipe.label,
        "revision": result.revision.id,
        "documents": result.revision.document_count,
        "chunks": result.revision.chunk_count,
        "added": result.added,
        "changed": result.changed,
        "removed": result.removed,
        "deleted": sorted(result.corpus.deleted),
        "copies": {e.uri: e.copy_of for e in result.corpus.copies},
        "hidden_characters": {e.uri: dict(e.hidden) for e in result.corpus.with_hidden_text},
        "quarantined": [{"uri": e.uri, "reason": e.quarantined, "hint": e.hint} for e in result.corpus.quarantined],
    }


def in_words(result: BuildResult) -> str:
    """A build's result for people."""
    from jargonaut.cli.output import short

    size = f"{result.revision.document_count} documents, {result.revision.chunk_count} chunks"
    lines = {
        "unchanged": [
            f"Nothing has changed: release {short(result.release.id)} ({result.recipe.label}) is live; {size}."
        ],
        "published": [
            f"Release {short(result.release.id)} ({result.recipe.label}) is live: {size}; "
            f"{result.added} added, {result.changed} changed, {result.removed} removed."
        ],
        "needs proof": [
            f"Release {short(result.release.id)} ({result.recipe.label}) is built: {size}. It is not live, because its "
            "recipe is another than the live one's and not proven: `jargonaut prove` compares them if only the chunker "
            "differs; `jargonaut releases promote --force` overrides.",
        ],
    }[result.outcome]
    if refused := result.corpus.quarantined:
        lines.append(f"{len(refused)} files could not be read: `jargonaut documents quarantine` says why.")
    if hidden := result.corpus.with_hidden_text:
        lines.append(f"{len(hidden)} documents hold hidden text, which was left out: see `jargonaut documents list`.")
    if copies := result.corpus.copies:
        lines.append(f"{len(copies)} documents are copies of others and were left out.")
    return "\n".join(lines)
