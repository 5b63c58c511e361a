"""`jargonaut init`: write a settings file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jargonaut.core.errors import InputError


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of documents that the settings are for.")] = Path("docs"),
    name: Annotated[str, typer.Option("--name", help="Name of the knowledge base; else that of the folder.")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write.")] = Path("jargonaut.toml"),
) -> None:
    """Write a commented jargonaut.toml with every setting and its default."""
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
    print(f"Wrote {output}. Next: jargonaut up")
    _say_what_is_left_behind(folder, output, chosen)


def _say_what_is_left_behind(folder: Path, output: Path, name: str) -> None:
    """A folder that was built without a settings file has its data elsewhere; with one, it would begin anew."""
    import shlex

    from jargonaut.settings import home_for, settings_for_folder

    before, now = home_for(folder), home_for(output)
    if before == now or not before.is_dir() or now.exists():
        return
    built_as = settings_for_folder(folder).knowledge_bases[0].name
    print(f"\n{folder} was built before, without a settings file: its releases, deletes and keys are in {before}.")
    print("To go on with them, stop `jargonaut up`, and move them to where the settings file looks for them:")
    print(f"\n    mv {shlex.quote(str(before))} {shlex.quote(str(now))}\n")
    if name != built_as:
        print(f'They are those of the knowledge base `{built_as}`: name it so in {output} (name = "{built_as}").')
