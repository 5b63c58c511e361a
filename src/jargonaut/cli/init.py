"""`jargonaut init`: write a settings file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jargonaut.cli.options import AsJson
from jargonaut.core.errors import InputError


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of documents that the settings are for.")] = Path("docs"),
    name: Annotated[str, typer.Option("--name", help="Name of the knowledge base; else that of the folder.")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write.")] = Path("jargonaut.toml"),
    as_json: AsJson = False,
) -> None:
    """Write a commented jargonaut.toml with every setting and its default."""
    from jargonaut.cli.left_behind import left_behind
    from jargonaut.cli.output import print_json
    from jargonaut.settings import example_toml, settings_for_folder

    chosen = name or settings_for_folder(folder).knowledge_bases[0].name
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(example_toml(chosen, folder.as_posix()))
    except FileExistsError:
        raise InputError(
            f"{output} exists already; nothing was changed.", "Choose another name with --output."
        ) from None
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error
    before = left_behind(folder, output, chosen)
    if before is not None and before.now.exists():
        before = None  # another settings file's data are there already: `build` says what is to be said
    if as_json:
        print_json(
            {
                "written": str(output.resolve()),
                "knowledge_base": chosen,
                "left_behind": before
                and {"home": str(before.before), "knowledge_base": before.built_as, "command": before.command},
            }
        )
        return
    print(f"Wrote {output}. Next: jargonaut up")
    if before is not None:
        print(before.in_words)
