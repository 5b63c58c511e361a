"""The files of a source folder."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jargonaut.core.document import Quarantined
from jargonaut.core.errors import SourceError
from jargonaut.documents.globs import compiled, composed
from jargonaut.documents.names import can_be_shown, shown
from jargonaut.documents.opening import Formats
from jargonaut.documents.sidecar import SUFFIXES

_Pattern = re.Pattern[str]
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})
"""Besides hidden ones."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Of a folder that is there, and could not be looked into."""

    reason: str
    hint: str
    would_read: Callable[[str], bool]
    """Whether a file with this URI, if it is still there, would be read."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that can be read, as it was when the folder was looked through; or a folder that is closed."""

    uri: str
    """Path from the source folder with `/`, after the source's name if it has one."""
    path: Path
    size_bytes: int
    modified_ns: int
    """Nanoseconds since the epoch."""
    sidecar: Path | None = None
    """What stands beside it and speaks of it."""
    sidecar_modified_ns: int = 0
    changed_ns: int = 0
    """When its permissions or its contents last changed."""
    closed: Closed | None = None
    """Set for a folder: that nothing was seen in it does not mean that nothing is there."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a source folder holds."""

    files: tuple[SourceFile, ...]
    """By URI; folders that are closed among them."""
    skipped: tuple[Quarantined, ...] = ()
    """Links, folders that cannot be opened and the like, with reasons; by URI."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Number of files by extension that no parser reads."""

    @property
    def problems(self) -> list[str]:
        """What was skipped and why, a sentence or two each."""
        return [f"{item.uri}: {item.reason} {item.hint}".rstrip() for item in self.skipped]


def scan(
    root: Path,
    name: str = "",
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    extensions: Collection[str] = Formats().extensions,
) -> Scan:
    """Look through `root`, without opening a file.

    Hidden files and folders are left out. Links are never followed, not even inside the folder: what they lead to is
    read where it is, under the permissions that hold there.

    Args:
        root: The folder; may itself be a link.
        name: Put before every URI, with a `/`.
        include: Patterns (see `globs`), from `root`, of files to read; all if empty.
        exclude: Patterns of files and folders to leave out; stronger than `include`.
        extensions: Those that are read, in lower case with their dot.

    A folder that cannot be opened is among the files, as `closed`.

    Raises:
        SourceError: `root` is no folder that can be read, or a pattern cannot be read.
    """
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise SourceError(f"The source {root} {what}.", "Give the folder that holds the documents.")
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SourceError(f"The source {root} cannot be opened: {error.strerror}.", "Check its permissions.") from error
    scanner = _Scanner(root.resolve(), f"{name}/" if name else "", extensions)
    scanner.include = [_pattern(text, root) for text in include]
    scanner.exclude = [_pattern(text, root) for text in exclude]
    files = sorted(scanner.walk(), key=lambda file: file.uri)
    skipped = sorted(scanner.skipped, key=lambda item: item.uri)
    return Scan(tuple(files), tuple(skipped), dict(sorted(scanner.unknown.items())))


def source_file(path: Path, uri: str) -> SourceFile:
    """One file, with what stands beside it and speaks of it."""
    status = path.stat()
    sidecar = next((beside for end in SUFFIXES if os.path.lexists(beside := path.with_name(path.name + end))), None)
    beside_ns = sidecar.lstat().st_ctime_ns if sidecar else 0
    return SourceFile(uri, path.resolve(), status.st_size, status.st_mtime_ns, sidecar, beside_ns, status.st_ctime_ns)


def _pattern(text: str, root: Path) -> _Pattern:
    try:
        return compiled(text)
    except ValueError as error:
        raise SourceError(f"The pattern `{text}` of the source {root} cannot be read: {error}.") from error


class _Scanner:
    def __init__(self, root: Path, prefix: str, extensions: Collection[str]) -> None:
        self._root = root
        self._prefix = prefix
        self._extensions = extensions
        self.include: list[_Pattern] = []
        self.exclude: list[_Pattern] = []
        self.skipped: list[Quarantined] = []
        self.unknown: Counter[str] = Counter()

    def walk(self) -> Iterator[SourceFile]:
        """Files that are to be read."""
        folders = [(self._root, "")]
        while folders:
            folder, inside = folders.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except FileNotFoundError:
                continue  # it went while we looked
            except OSError as error:
                yield self._closed(folder, inside, error)
                continue
            beside = {entry.name: entry for entry in entries if entry.name.endswith(SUFFIXES)}
            try:
                for entry in entries:
                    path = f"{inside}{entry.name}"
                    if entry.name in beside or entry.name.startswith(".") or self._is_excluded(path):
                        continue
                    if entry.is_symlink():
                        self._skip_link(entry, path)
                    elif entry.is_dir(follow_symlinks=False):
                        if entry.name not in _SKIPPED_FOLDERS:
                            folders.append((Path(entry.path), f"{path}/"))
                    else:
                        yield from self._file_with(entry, path, beside)
            except PermissionError as error:  # its names can be listed, and nothing else
                yield self._closed(folder, inside, error)

    def _file_with(
        self, entry: os.DirEntry[str], path: str, beside: Mapping[str, os.DirEntry[str]]
    ) -> Iterator[SourceFile]:
        speaking = [beside[name] for end in SUFFIXES if (name := entry.name + end) in beside]
        if len(speaking) > 1:
            self._skip(path, "Several files beside it speak of it.", "Keep one of them.")
        else:
            yield from self._file(entry, path, speaking[0] if speaking else None)

    def _closed(self, folder: Path, inside: str, error: OSError) -> SourceFile:
        """Told, and kept: what is in a folder that cannot be opened for now has not gone."""
        path = inside.rstrip("/")
        if not path:
            raise SourceError(f"The source {folder} cannot be opened: {error.strerror}.", "Check its permissions.")
        reason = f"The folder cannot be opened: {error.strerror}. What was read from it before stays as it was."
        self._skip(path, reason, "Check its permissions.")
        uri, prefix = f"{self._prefix}{path}", len(self._prefix)

        def would_read(file: str) -> bool:
            return not self._is_excluded(file[prefix:]) and self._is_included(file[prefix:])

        return SourceFile(uri, folder, 0, 0, closed=Closed(reason, "Check its permissions.", would_read))

    def _file(self, entry: os.DirEntry[str], path: str, sidecar: os.DirEntry[str] | None) -> Iterator[SourceFile]:
        if not self._is_wanted(path):
            return
        if any("\ud800" <= character <= "\udfff" for character in path):
            written = os.fsencode(path).decode("utf-8", "backslashreplace")
            self._skip(written, "Its name is not valid UTF-8.", "Rename it.")
            return
        if not can_be_shown(path):
            self._skip(shown(path), "Its name holds a line break, or another character without a face.", "Rename it.")
            return
        try:
            status = entry.stat(follow_symlinks=False)
            beside = sidecar.stat(follow_symlinks=False).st_ctime_ns if sidecar else 0
        except PermissionError:
            raise  # of the folder
        except OSError as error:
            self._skip(path, f"It cannot be looked at: {error.strerror}.", "Check its permissions.")
            return
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, "It is not a regular file, but a pipe, socket or device.")
            return
        uri, speaks = f"{self._prefix}{path}", Path(sidecar.path) if sidecar else None
        yield SourceFile(uri, Path(entry.path), status.st_size, status.st_mtime_ns, speaks, beside, status.st_ctime_ns)

    def _is_excluded(self, path: str) -> bool:
        return any(pattern.fullmatch(composed(path)) for pattern in self.exclude)

    def _is_included(self, path: str) -> bool:
        return not self.include or any(pattern.fullmatch(composed(path)) for pattern in self.include)

    def _is_wanted(self, path: str) -> bool:
        if not self._is_included(path):
            return False
        extension = os.path.splitext(path)[1].lower()  # noqa: PTH122 - of a text, a hundred thousand times
        if extension in self._extensions:
            return True
        self.unknown[extension] += 1
        return False

    def _skip_link(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            target = Path(entry.path).resolve(strict=True)
        except (OSError, RuntimeError):
            self._skip(path, "It is a link that leads nowhere, or round in a circle.", "Remove it.")
            return
        if target == self._root or self._root not in target.parents:
            around = target == self._root or target in self._root.parents
            reason = "It is a link to a folder that it is in itself." if around else "It is a link out of the source."
            self._skip(path, f"{reason} Links are not followed.", "Add what it leads to as a source of its own.")
        elif target in Path(entry.path).parents:
            self._skip(path, "It is a link to a folder that it is in itself. Links are not followed.")
        elif target.is_dir() or self._is_wanted(path):
            inside = target.relative_to(self._root).as_posix()
            self._skip(path, f"It is a link to {inside}. Links are not followed; that is read under its own name.")

    def _skip(self, path: str, reason: str, hint: str = "") -> None:
        self.skipped.append(Quarantined(f"{self._prefix}{path}", "", reason, hint))
