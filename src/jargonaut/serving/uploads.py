"""Uploaded documents: files in a folder of the knowledge base, which a build reads like any other source."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jargonaut.core.errors import ConflictError, InputError, UnavailableError
from jargonaut.core.scope import checked_principals
from jargonaut.documents.catalog import Entry, digest_of_file
from jargonaut.documents.metadata import ALLOW, Metadata, metadata_of
from jargonaut.documents.opening import Formats
from jargonaut.documents.permissions import Rules, readers_of_both
from jargonaut.documents.sidecar import LARGEST_BYTES, SUFFIXES
from jargonaut.documents.source import SourceFile, source_file

UPLOADS = "uploads"
"""First part of the URIs of uploaded documents."""

_SIDECAR = ".meta.json"
_LONGEST_PART = 200
"""Bytes of the name of a file or folder: with a sidecar's suffix it has to fit into 255."""
_LONGEST_PATH = 1000
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]|[\ud800-\udfff]")


class UploadError(InputError):
    """Something cannot be uploaded; nothing was changed."""

    code = "invalid_upload"


class NameTakenError(ConflictError):
    """A document cannot have this name."""

    code = "name_taken"
    retryable = False


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An uploaded file."""

    uri: str
    size_bytes: int
    digest: str
    """Of the file and what was said of it: the `content_digest` of its document, once that is indexed."""
    said: Metadata
    """What was said of it when it was uploaded, `allow` included."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploaded documents of one knowledge base. Safe to use from several threads and processes."""

    folder: Path
    largest_bytes: int
    """0: nothing can be uploaded."""
    rules: Rules
    entries: Callable[[], Mapping[str, Entry]] = field(default=dict)
    """What the last build knew of the files, by URI."""

    def uri(self, name: str) -> str:
        """The URI of a document that is uploaded as `name`, with or without the prefix.

        Raises:
            UploadError: It cannot be a name, or no parser reads such a file.
        """
        path = name.removeprefix(f"{UPLOADS}/")
        parts = path.split("/")
        wrong = (
            any(part in ("", ".", "..") or part.startswith(".") for part in parts)
            or any(len(part.encode("utf-8", "replace")) > _LONGEST_PART for part in parts)
            or len(path) > _LONGEST_PATH
            or _UNFIT.search(path) is not None
            or path.endswith(SUFFIXES)
            or not {"node_modules", "__pycache__"}.isdisjoint(parts)
        )
        if wrong:
            hint = f"Parts between `/`: up to {_LONGEST_PART} bytes each, not beginning with a dot, without `\\`."
            raise UploadError("That cannot be the name of a document.", hint)
        extensions = Formats().extensions
        if os.path.splitext(path)[1].lower() not in extensions:  # noqa: PTH122 - of a text
            raise UploadError(f"No parser reads `{parts[-1]}`.", f"Known formats: {' '.join(sorted(extensions))}.")
        return f"{UPLOADS}/{path}"

    def put(self, uri: str, data: bytes, said: Mapping[str, object]) -> Uploaded:
        """Store a document, in place of one with the same URI; whole or not at all.

        Whatever moment a build reads it, nobody may read it who may not read what is there at last.

        Args:
            uri: As `uri` gave it.
            data: The file.
            said: Metadata; `allow` in it can only narrow who may read it.

        Raises:
            UploadError: It is empty, or too large, or so is what is said of it.
            RuleError: `allow` does not list principals.
            NameTakenError: A folder has this name.
            UnavailableError: The disk refuses.
        """
        if not data:
            raise UploadError("The document is empty.")
        if len(data) > self.largest_bytes:
            raise UploadError(f"The document is larger than {self.largest_bytes} bytes.")
        metadata = metadata_of(said)
        if len(_json(metadata)) > LARGEST_BYTES:
            raise UploadError(f"What is said of the document is larger than {LARGEST_BYTES} bytes.")
        path = self._path(uri)
        with self._locked(), _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise NameTakenError(f"{uri} is the name of a folder.", "Choose another name.")
            before = self._said(path) if path.exists() else metadata
            _replace(_sidecar(path), _json(_narrower(before, metadata)))
            _replace(path, data)
            if metadata:
                _replace(_sidecar(path), _json(metadata))
            else:
                _sidecar(path).unlink()
        return self._uploaded(uri, path)

    def find(self, uri: str) -> Uploaded | None:
        """The upload at `uri`, if there is one.

        Raises:
            UnavailableError: It cannot be read.
        """
        path = self._path(uri)
        if not self.owns(uri) or not path.is_file():
            return None
        with self._locked(), _told(path):
            return self._uploaded(uri, path)

    def remove(self, uri: str) -> bool:
        """Remove an upload; whether there was one.

        Raises:
            UnavailableError: The disk refuses.
        """
        path = self._path(uri)
        if not self.owns(uri) or not path.is_file():
            return False
        with self._locked(), _told(path):
            path.unlink()
            with suppress(FileNotFoundError):
                _sidecar(path).unlink()
        return True

    def uris(self) -> Iterator[str]:
        """Of all uploads, in no particular order."""
        for root, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith(".") and not name.endswith(SUFFIXES):
                    yield f"{UPLOADS}/{(Path(root) / name).relative_to(self.folder).as_posix()}"

    def owns(self, uri: str) -> bool:
        """Whether it could be the URI of an upload."""
        return uri.startswith(f"{UPLOADS}/") and not _climbs(uri)

    def readers(self, uri: str) -> tuple[str, ...]:
        """Who may read an upload, by the rules and what was said of it; its own text can only narrow that."""
        return self.rules.allow_for(uri, self._said(self._path(uri)))

    def may_read(self, uri: str, principals: frozenset[str]) -> bool:
        """Whether someone is among its readers."""
        return not principals.isdisjoint(self.readers(uri))

    def unreadable(self, uploaded: Uploaded) -> str:
        """Why the last build could not read it; empty if it could, or has not tried."""
        entry = self.entries().get(uploaded.uri)
        if entry is None or entry.digest != uploaded.digest or not entry.quarantined:
            return ""
        return f"{entry.quarantined} {entry.hint}".strip()

    def _path(self, uri: str) -> Path:
        return self.folder / uri.removeprefix(f"{UPLOADS}/")

    def _uploaded(self, uri: str, path: Path) -> Uploaded:
        file: SourceFile = source_file(path, uri)
        return Uploaded(uri, file.size_bytes, digest_of_file(file), self._said(path))

    def _said(self, path: Path) -> Metadata:
        try:
            value = json.loads(_sidecar(path).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{_sidecar(path)} cannot be read: {error}.") from error
        return metadata_of(value)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def checked_allow(allow: Sequence[str]) -> list[str]:
    """Principals as they stand in what is said of a document.

    Raises:
        RuleError: One of them is none.
    """
    return sorted(checked_principals(allow, "`allow`"))


def _narrower(before: Metadata, after: Metadata) -> Metadata:
    """What is said while one document takes the place of another: only who may read both may read either."""
    if ALLOW not in before:
        return after
    own = after.get(ALLOW, before[ALLOW])
    return {**after, ALLOW: tuple(sorted(readers_of_both(frozenset(before[ALLOW]), frozenset(own))))}


def _json(said: Metadata) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + _SIDECAR)


def _climbs(uri: str) -> bool:
    return any(part in ("", ".", "..") for part in uri.split("/")) or "\x00" in uri


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (NotADirectoryError, FileExistsError) as error:
        raise NameTakenError("A part of the name is that of a document.", "Choose another name.") from error
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be written: {error.strerror}.", "Free some space, or check permissions, and try again."
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all, and on the disk when it returns. A build leaves out hidden files."""
    partial = path.with_name(f".{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
