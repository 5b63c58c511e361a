"""`jargonaut labels`: whether labels can be used, before anything is proven on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName
from jargonaut.core.errors import InputError

if TYPE_CHECKING:
    from jargonaut.core.document import Chunk, Document
    from jargonaut.labels.label import LabelFile
    from jargonaut.labels.resolving import ResolvedLabels
    from jargonaut.wiring import KnowledgeBase

app = typer.Typer(help="Check questions with what answers them.", no_args_is_help=True)
Shape = Annotated[
    str,
    typer.Option("--shape", help="`beir`, `judged`, `answers`, `clicks` or `feedback`, if that cannot be told."),
]


@app.callback()
def _labels() -> None:
    pass


@app.command("check")
def check(
    path: Annotated[
        Path | None,
        typer.Argument(help="File or BEIR folder; else what [tuning] labels names.", show_default=False),
    ] = None,
    shape: Shape = "auto",
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """List every row that cannot be used, with its line; names are looked up among the documents of what is live.

    Exit code 0: all rows can be used; 1: some cannot; 2: none can.
    """
    from jargonaut.cli.output import note, print_json
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.user_labels import told

    base = open_knowledge_base(folder, config, knowledge_base)
    read, stated = _read(base, path, shape)
    documents, chunks = _documents(base)
    found = _resolved(base, read, documents, chunks)
    if as_json:
        print_json(_record(found))
    else:
        print("\n".join(told(found, most=None)))
        note(stated)
    if found.problems:
        raise typer.Exit(1)


def _read(base: KnowledgeBase, path: Path | None, shape: str) -> tuple[LabelFile, str]:
    """The labels as they are written, and what they would be used for."""
    from typing import cast

    from jargonaut.labels.label import Shape as LabelShape
    from jargonaut.labels.reading import read_labels
    from jargonaut.user_labels import stated_examination

    tuning = base.settings.tuning
    if path is None and not tuning.labels:
        raise InputError("No labels were given.", "Name a file, or set [tuning] labels.")
    wanted = tuning.labels_shape if path is None else cast(LabelShape, shape)
    read = read_labels(path or Path(tuning.labels), wanted, stated_examination(base))
    if path is None or (tuning.labels and path.absolute() == Path(tuning.labels)):
        return read, "[tuning] labels names them: `jargonaut prove` uses them."
    return read, f'To prove on them, write into jargonaut.toml:\n\n[tuning]\nlabels = "{path}"'


def _documents(base: KnowledgeBase) -> tuple[list[Document], list[Chunk]]:
    """What is live, cut as it is."""
    from jargonaut.chunkers import chunker_of
    from jargonaut.core.scope import LIVE
    from jargonaut.encoding.artifact import load_card
    from jargonaut.plans import stored_documents

    pointer = base.follower.current().channels.get(LIVE)
    if pointer is None:
        raise InputError("Nothing is live yet, so that no document is known.", "Build first: `jargonaut build`.")
    recipe, revision = base.registry.recipe(pointer.recipe), base.registry.revision(pointer.revision)
    card = load_card(base.storage, recipe.encoder.document) if recipe.encoder else None
    chunker = chunker_of(base, recipe.chunker, card)
    documents = stored_documents(base, base.registry.documents(revision.documents))
    return documents, [chunk for document in documents for chunk in chunker.split(document)]


def _resolved(base: KnowledgeBase, read: LabelFile, documents: list[Document], chunks: list[Chunk]) -> ResolvedLabels:
    from jargonaut.labels.resolving import resolve

    return resolve(read, documents, chunks, base.follower.current().deleted)


def _record(labels: ResolvedLabels) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "path": labels.path,
        "shape": labels.shape,
        "rows": labels.rows,
        "questions": len(labels.questions),
        "answers": labels.pairs,
        "duplicates": labels.duplicates,
        "deleted": labels.deleted,
        "problems": [asdict(problem) for problem in labels.problems],
        "contradictions": [asdict(problem) for problem in labels.contradictions],
        "notes": list(labels.notes),
    }
