"""Which workspace a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jargonaut.core.errors import InputError

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase, Workspace


def one_folder(argument: Path | None, option: Path | None) -> Path | None:
    """The folder of a command that takes it as an argument and as `--dir`.

    Raises:
        InputError: Both were given, and differ.
    """
    if argument is not None and option is not None and argument != option:
        raise InputError(f"Two folders were given: {argument} and --dir {option}.", "Give one of them.")
    return argument or option


def open_workspace(folder: Path | None, config: Path | None) -> Workspace:
    """The workspace of a settings file, of a folder of documents, or of the settings file here or above.

    Raises:
        InputError: None of them is there.
        SettingsError: The settings file says something that cannot be.
    """
    from jargonaut.settings import home_for, load_settings, settings_for_folder
    from jargonaut.wiring import Workspace

    if folder is not None and config is not None:
        raise InputError("A folder and a settings file were both given.", "The settings file names its folders itself.")
    if folder is not None and not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"`{folder}` {what}.", "Give the folder that holds your documents.")
    found = config or _settings_file(folder)
    if found is not None:
        return Workspace(load_settings(found), home_for(found))
    documents = folder or Path.cwd()
    if folder is not None or home_for(documents).is_dir():
        return Workspace(settings_for_folder(documents), home_for(documents))
    raise InputError(
        "There is no jargonaut.toml here, and no folder was given.",
        "Name a folder of documents, as in `jargonaut up ~/my-docs`, or write a settings file with `jargonaut init`.",
    )


def open_knowledge_base(folder: Path | None, config: Path | None, name: str | None) -> KnowledgeBase:
    """The knowledge base that a command is about."""
    return open_workspace(folder, config).knowledge_base(name)


def settings_file_above(file: Path) -> Path | None:
    """The settings file in the folder of `file`, or above."""
    from jargonaut.settings import SETTINGS_FILE

    return next((place / SETTINGS_FILE for place in file.parents if (place / SETTINGS_FILE).is_file()), None)


def _settings_file(folder: Path | None) -> Path | None:
    """The one in the folder of documents itself, if its owner keeps one there; without a folder, here or above."""
    from jargonaut.settings import SETTINGS_FILE

    if folder is None:
        return settings_file_above(Path.cwd() / SETTINGS_FILE)
    return folder / SETTINGS_FILE if (folder / SETTINGS_FILE).is_file() else None
