"""`jargonaut encoders`: which encoders there are, how they differ, and a plain copy of any of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase

app = typer.Typer(help="The encoders of a knowledge base: list, compare, export.", no_args_is_help=True)

EncoderName = Annotated[str, typer.Argument(help="Id of an encoder, or how it begins; or `live`.")]


@app.command("list")
def list_encoders(
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Show every encoder: base or tuned, how it was trained, which of them serve."""
    from jargonaut.cli.output import print_json, print_table, short
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.encoders import described_encoders

    found = described_encoders(open_knowledge_base(directory, config, knowledge_base))
    if as_json:
        print_json([item.as_json() for item in found])
        return
    if not found:
        print("There is no encoder yet: `jargonaut build` exports the base.")
        return
    rows = [
        (
            short(item.card.id),
            item.kind,
            item.card.base,
            str(item.card.dimensions),
            "" if item.steps is None else str(item.steps),
            "" if item.score is None or item.base_score is None else f"{item.base_score:.3f} -> {item.score:.3f}",
            ", ".join(item.serves),
        )
        for item in found
    ]
    print_table(("encoder", "kind", "base", "dimensions", "steps", "set aside", "live for"), rows)


@app.command("compare")
def compare(
    first: EncoderName,
    second: EncoderName,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Encode questions of the documents with two encoders, and show where they part.

    Two encoders of one space are compared by cosine too; of two spaces, by which chunks they hold to be alike.
    """
    from jargonaut.cli.output import print_json, print_table, short, shown_progress
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.encoders import compare_encoders

    base = open_knowledge_base(directory, config, knowledge_base)
    with shown_progress() as progress:
        result = compare_encoders(base, _named(base, first), _named(base, second), progress)
    if as_json:
        print_json(result.as_json())
        return
    rows = [
        (short(side.encoder), f"{side.reciprocal_rank:.3f}", f"{side.texts_a_second:.1f}", f"{side.question_ms:.1f}")
        for side in result.sides
    ]
    print_table(("encoder", "reciprocal rank", "texts/s", "ms a question"), rows)
    cosine = "" if result.cosine is None else f"; mean cosine of the same text {result.cosine:.4f}"
    print(
        f"\n{result.questions} questions among {result.texts} chunks; same first chunk {result.same_first:.0%}{cosine}"
    )
    print("These are a sample's figures, training documents among them: only `jargonaut prove` decides.")


@app.command("export")
def export(
    encoder: EncoderName,
    target: Annotated[Path, typer.Argument(help="Folder to make.")],
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Write an encoder as a plain folder that `SentenceTransformer(folder)` loads, with the same vectors."""
    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.encoding.artifact import load_encoder
    from jargonaut.encoding.plain_folder import write_plain_folder

    base = open_knowledge_base(directory, config, knowledge_base)
    stored = load_encoder(base.storage, _named(base, encoder))
    write_plain_folder(stored, target)
    said: dict[str, Any] = {"encoder": stored.card.id, "folder": str(target.resolve())}
    if as_json:
        print_json(said)
    else:
        print(f"{target}: encoder {stored.card.id}, for SentenceTransformer({str(target)!r})")


def _named(base: KnowledgeBase, name: str) -> str:
    from jargonaut.encoders import find_encoder

    return find_encoder(base, name)
