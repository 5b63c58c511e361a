"""Whether a disk is full: not every library says so when it fails on one."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_HINT = "The disk is full: free some space and run the same command again. Nothing that was live is lost."
LEAST_FREE_BYTES = 256 << 10
"""With less nothing useful can be written: a database grows by tens of kilobytes at a time."""


def is_full(path: Path) -> bool:
    """Whether the file system that `path` is on, or would be, has no space left to speak of for this user."""
    for place in (path, *path.parents):
        try:
            return shutil.disk_usage(place).free < LEAST_FREE_BYTES
        except OSError:
            continue
    return False
