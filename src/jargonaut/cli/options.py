"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path | None,
    typer.Argument(help="Folder of documents. Not needed where a jargonaut.toml is.", show_default=False),
]
"""For commands that take no other argument. They take `FolderOption` too, as all do."""
FolderOption = Annotated[
    Path | None,
    typer.Option("--dir", "-d", help="Folder of documents. Not needed where a jargonaut.toml is.", show_default=False),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; else the jargonaut.toml here or above.", show_default=False),
]
KnowledgeBaseName = Annotated[
    str | None,
    typer.Option("--kb", "-k", help="Knowledge base, if there are several: NAME or TENANT/NAME.", show_default=False),
]
Wait = Annotated[bool, typer.Option("--wait", help="If another is running, wait for it to end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
