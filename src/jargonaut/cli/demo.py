"""`jargonaut demo`: the whole of it, on real documents, with nothing left running."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where to work; it may be deleted afterwards.")] = Path(
        "demo"
    ),
    fresh: Annotated[bool, typer.Option("--fresh/--resume", help="Begin anew, or go on from an earlier run.")] = True,
) -> None:
    """Build, ask, tune, prove, cache, delete: on the documentation of Django, in a few minutes."""
    from jargonaut.cli.demo_run import run_demo

    run_demo(folder, fresh)
