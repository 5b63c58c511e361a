"""Where the golden set lies."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden"


def files_of() -> list[Path]:
    """All documents of the set, without their truth."""
    return sorted(path for path in FOLDER.rglob("*.*") if path.is_file() and ".truth." not in path.name)
