"""`jargonaut index`: move chunks between engines, and check what an engine holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName

if TYPE_CHECKING:
    from jargonaut.core.release import Revision
    from jargonaut.index.port import Index, Snapshot
    from jargonaut.wiring import KnowledgeBase

app = typer.Typer(help="Move the index between engines, and check it.", no_args_is_help=True)
Engine = Annotated[str, typer.Argument(help="lance, elasticsearch or opensearch.")]


@app.command("copy")
def copy_index(
    source: Engine,
    target: Engine,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
) -> None:
    """Copy every revision that is kept into another engine, without encoding anything; also while serving.

    The server is the one in [index]. Releases stay what they are: set `engine` there when it is done, and start again.
    """
    import asyncio

    from jargonaut.cli.output import note, shown_progress
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.core.errors import InputError, IntegrityError
    from jargonaut.index.moving import copy_revision
    from jargonaut.index.port import IndexWriter, Snapshot, TableKey
    from jargonaut.state.lock import held_lock

    if source == target:
        raise InputError(f"`{source}` was given twice.", "Name the engine to copy from, then the one to copy to.")
    base = open_knowledge_base(folder, config, knowledge_base)
    from_index, to_index = base.index_in(source), base.index_in(target)
    writers: dict[TableKey, IndexWriter] = {}
    # A build writes the head that is copied to only if it uses that engine.
    lock = base.work_folder / ("build.lock" if target == base.index.engine else f"copy-{target}.lock")
    with held_lock(lock, "build"), shown_progress() as progress:
        for revision in _kept(base):
            snapshot = Snapshot(revision.table, revision.table_version)
            if _is_there(to_index, snapshot):
                note(f"{revision.id[:12]} is there already.")
                continue
            try:
                reader = asyncio.run(from_index.open_reader(snapshot))
            except IntegrityError as error:
                note(f"{revision.id[:12]} is left out. {error}")
                continue
            writer = writers.setdefault(reader.key, to_index.new_writer(reader.key))
            documents = base.registry.documents(revision.documents)
            copy_revision(reader, writer, documents, snapshot, progress)
            note(f"{revision.id[:12]}: {revision.document_count} documents, {revision.chunk_count} chunks copied.")
    print(f'Copied to {target}. Set engine = "{target}" in [index] to search there.')


@app.command("verify")
def verify_index(
    engine: Annotated[str, typer.Option("--engine", help="Another than that of the settings.")] = "",
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Compare every kept revision with what the index holds: documents, texts, permissions, vectors; and search it."""
    import asyncio

    from jargonaut.cli.output import note, print_json, print_table, shown_progress
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.core.errors import IntegrityError
    from jargonaut.index.moving import Problem, verify_revision
    from jargonaut.index.port import Snapshot

    base = open_knowledge_base(folder, config, knowledge_base)
    index = base.index_in(engine) if engine else base.index
    found: list[dict[str, Any]] = []
    revisions = _kept(base)
    with shown_progress(as_json) as progress:
        for revision in revisions:
            try:
                reader = asyncio.run(index.open_reader(Snapshot(revision.table, revision.table_version)))
                documents = base.registry.documents(revision.documents)
                problems = asyncio.run(verify_revision(reader, documents, progress))
            except IntegrityError as error:
                problems = [Problem("damaged", "*", error.message)]
            found += [{"revision": revision.id, **asdict(problem)} for problem in problems]
    if as_json:
        print_json({"engine": index.engine, "revisions": [item.id for item in revisions], "problems": found})
    else:
        rows = [(item["revision"][:12], item["kind"], item["uri"], item["detail"]) for item in found]
        whole = f"All {len(revisions)} revisions in {index.engine} are whole."
        print_table(("revision", "problem", "document", "what"), rows, whole)
    if found:
        note("`jargonaut build --anew` makes the index again from the documents.")
        raise typer.Exit(3)


@app.command("pipeline")
def pipeline(
    url: Annotated[str, typer.Option("--url", help="Address of the served encoder: OpenAI's /v1/embeddings.")],
    model: Annotated[str, typer.Option("--model", help="Its name there.")] = "encoder",
    name: Annotated[str, typer.Option("--name", help="Of the pipeline on the server.")] = "jargonaut",
    key_env: Annotated[str, typer.Option("--key-env", help="Environment variable with the encoder's key.")] = "",
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
) -> None:
    """Let the server in [index] encode what other programs write there, with the live release's document encoder.

    Jargonaut itself does not need it. Elasticsearch asks for an enterprise licence, OpenSearch for ML Commons.
    """
    import os

    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.core.errors import RefusedError
    from jargonaut.core.scope import LIVE
    from jargonaut.index.pipeline import PROBE, ServedEncoder, write_pipeline

    base = open_knowledge_base(folder, config, knowledge_base)
    live = base.follower.current().channels.get(LIVE)
    encoder = base.registry.recipe(live.recipe).encoder if live else None
    if encoder is None:
        raise RefusedError("No release with an encoder is live.", "Build first: `jargonaut build`.")
    (expected,) = base.load_encoder(encoder.document).encode_documents([PROBE])
    served = ServedEncoder(url, model, len(expected), os.environ.get(key_env, "") if key_env else "")
    server = base.workspace.server(base.workspace.settings.index.engine)
    for line in write_pipeline(server, name, served, expected):
        print(f"made  {line}")


def _kept(base: KnowledgeBase) -> list[Revision]:
    from jargonaut.core.errors import RefusedError
    from jargonaut.releases.channels import kept_revisions

    names = kept_revisions(base.follower.current(), base.workspace.settings.build.keep_revisions)
    if not names:
        raise RefusedError(f"{base.scope.path} has no revision yet.", "Build first: `jargonaut build`.")
    return [base.registry.revision(name) for name in names]


def _is_there(index: Index, snapshot: Snapshot) -> bool:
    import asyncio

    from jargonaut.core.errors import IntegrityError

    try:
        asyncio.run(index.open_reader(snapshot))
    except IntegrityError:
        return False
    return True
