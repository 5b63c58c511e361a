"""Which folders change: from the first moment on, and also when a folder goes, comes back, or is replaced."""

from __future__ import annotations

import stat
import threading
from collections.abc import Collection, Iterator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import DefaultFilter, watch

from jargonaut.cli.output import note

LOOK_MS = 300
"""How often a change of anything else than files is looked for."""
_SETTLED_MS = 300
"""Changes are told when no other has come for so long: editors write in bursts..."""
_MOST_MS = 3_000
"""...but after this time at the latest."""
_POLL_MS = 5_000


@dataclass(frozen=True, slots=True)
class _Place:
    """The folder that a path leads to now: another one may be put there under the same name."""

    path: Path
    device: int
    inode: int


def changed_folders(folders: Collection[Path], home: Path, stopped: threading.Event) -> Iterator[Set[Path]]:
    """Those of `folders` in which something has changed; an empty set, every `LOOK_MS`, while nothing has.

    Every folder counts as changed once it is watched: so what follows the first set misses nothing.

    Args:
        folders: The folders; one that is gone is said to be gone, and followed again when it is back.
        home: Changes below it are our own, but for those of `folders` that are in it themselves.
        stopped: Ends it.
    """
    of_interest = DefaultFilter()
    places: Mapping[Path, _Place | None] = {}
    untold: set[Path] = set()
    polling: bool | None = None
    while not stopped.is_set():
        before, places = places, {folder: _place(folder) for folder in folders}
        untold |= {folder for folder, place in places.items() if place and place != before.get(folder)}
        _say_what_is_gone(before, places)
        there = {place.path for place in places.values() if place}
        told = watch(
            *sorted(there),
            watch_filter=None,  # what it leaves out, it would not wake us for either
            step=_SETTLED_MS,
            debounce=_MOST_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            stop_event=stopped,
            force_polling=polling,
            poll_delay_ms=_POLL_MS,
            raise_interrupt=False,
        )
        try:
            with closing(told):
                for changes in told:
                    changed = {Path(path) for kind, path in changes if of_interest(kind, path)}
                    yield untold | _containing(places, {path for path in changed if not _is_ours(path, places, home)})
                    untold = set()
                    if any(_place(folder) != place for folder, place in places.items()):
                        break
        except (OSError, RuntimeError) as error:
            if any(_place(folder) != place for folder, place in places.items()):
                continue  # it went while its watch was being set up
            if polling is None:
                note(f"Changes are looked for every {_POLL_MS // 1000} s, because the system does not tell: {error}.")
            polling = True
            stopped.wait(LOOK_MS / 1000)


def _place(folder: Path) -> _Place | None:
    try:
        path = folder.resolve(strict=True)
        found = path.stat()
    except (OSError, RuntimeError):
        return None
    return _Place(path, found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def _is_ours(path: Path, places: Mapping[Path, _Place | None], home: Path) -> bool:
    if not path.is_relative_to(home):
        return False
    inner = (place.path for place in places.values() if place and place.path.is_relative_to(home))
    return not any(path.is_relative_to(folder) for folder in inner)


def _containing(places: Mapping[Path, _Place | None], changed: Set[Path]) -> set[Path]:
    return {
        folder for folder, place in places.items() if place and any(path.is_relative_to(place.path) for path in changed)
    }


def _say_what_is_gone(before: Mapping[Path, _Place | None], now: Mapping[Path, _Place | None]) -> None:
    for folder, place in now.items():
        if place is None and (folder not in before or before[folder]):
            note(f"{folder} is gone. What was live goes on serving; the folder is followed again once it is back.")
        elif place and folder in before and before[folder] is None:
            note(f"{folder} is back, and followed again.")
