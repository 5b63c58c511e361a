"""What was done with a folder before it had a settings file: it lies elsewhere, and would be missed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jargonaut.wiring import Workspace


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A home that was made for a folder of documents by itself, where a settings file now has another."""

    folder: Path
    """Of documents."""
    before: Path
    now: Path
    built_as: str
    """Name of the knowledge base there."""
    name: str
    """Its name in the settings file."""

    @property
    def command(self) -> str:
        """Moves it to where the settings file looks for it."""
        move = f"mv {shlex.quote(str(self.before))} {shlex.quote(str(self.now))}"
        if not self.now.exists():
            return move
        aside = self.now.with_name(f"{self.now.name}-unused")
        return f"mv {shlex.quote(str(self.now))} {shlex.quote(str(aside))} && {move}"

    @property
    def in_words(self) -> str:
        """For people."""
        lines = [
            f"\n{self.folder} was built before, without a settings file: its releases, deletes and keys are in "
            f"{self.before}.",
            "They are not used with the settings file: what was deleted comes back, and keys are not known.",
            "To go on with them, stop what runs (Ctrl-C), and move them to where the settings file looks for them:",
            f"\n    {self.command}\n",
        ]
        if self.name != self.built_as:
            lines.append(
                f"They are those of the knowledge base `{self.built_as}`: name it so in the settings file "
                f'(name = "{self.built_as}").'
            )
        return "\n".join(lines)


def left_behind(folder: Path, start: Path, name: str) -> LeftBehind | None:
    """What a folder of documents has elsewhere than where the settings file `start` looks; None if nothing.

    Args:
        folder: Of documents.
        start: The settings file.
        name: Of the knowledge base, in the settings file.
    """
    from jargonaut.settings import home_for, settings_for_folder

    before, now = home_for(folder), home_for(start)
    if before == now or not before.is_dir():
        return None
    return LeftBehind(folder, before, now, settings_for_folder(folder).knowledge_bases[0].name, name)


def left_behind_of(workspace: Workspace) -> LeftBehind | None:
    """The same for a workspace in which nothing was built or deleted yet; None for any other."""
    from jargonaut.settings import SETTINGS_FILE, home_for

    start = workspace.home.parent / SETTINGS_FILE
    if home_for(start) != workspace.home:
        return None  # of a folder without a settings file
    found = (
        left_behind(source.path, start, base.scope.knowledge_base)
        for base in workspace.knowledge_bases.values()
        for source in base.settings.sources
    )
    first = next((item for item in found if item), None)
    if first is None or any(base.follower.current().sequence for base in workspace.knowledge_bases.values()):
        return None
    return first
