"""What is known of the files of a knowledge base, so that unchanged ones are neither hashed nor parsed again.

A cache: losing it costs time, never correctness. Documents are kept as compressed JSON under the digest of their file.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from jargonaut.core.canonical import DIGEST_LENGTH, canonical_json, digest_of
from jargonaut.core.document import Document, Opened, Quarantined
from jargonaut.core.errors import InputError, UnavailableError
from jargonaut.documents.regular import read_regular
from jargonaut.documents.sidecar import LARGEST_BYTES, digest_with
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Result, document_from_json, document_to_json, metadata_from_json

FORMAT = 4
"""Raise it when parsing changes: everything is then read again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, as it was when it was last looked at."""

    uri: str
    size_bytes: int
    modified_ns: int
    digest: str
    sidecar_modified_ns: int = 0
    """Of what stands beside it and speaks of it; 0 if nothing does."""
    changed_ns: int = 0
    """When its permissions or its contents last changed."""
    inside: str = ""
    """URI of the file that it was taken out of; empty if it is a file itself."""
    opened: bool = False
    """Whether it only holds other files, and all of them were read."""
    parsed: bool = False
    quarantined: str = ""
    """Why it could not be read; empty if it could."""
    hint: str = ""
    conditions: str = ""
    """Under which it could not be read, see `Catalog`."""
    title: str = ""
    language: str = ""
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """What the document says about itself, its `allow` included."""
    hidden: Mapping[str, int] = field(default_factory=dict)
    """See `Document.hidden`."""
    fingerprint: str = ""
    """See `copies.fingerprint`."""
    copy_of: str = ""
    """URI of the document that is indexed instead of this one."""

    @property
    def is_read(self) -> bool:
        """Whether there is nothing to be read, as long as the file does not change."""
        return self.parsed or self.opened or bool(self.quarantined)

    def is_of(self, file: SourceFile) -> bool:
        """Whether the file has not changed since."""
        seen = (self.size_bytes, self.modified_ns, self.sidecar_modified_ns)
        same = not self.inside and seen == (file.size_bytes, file.modified_ns, file.sidecar_modified_ns)
        # What could not be read may be readable since its permissions changed.
        return same and (not self.quarantined or self.changed_ns == file.changed_ns)


class Catalog:
    """The files of one knowledge base, in a folder of its own.

    Args:
        folder: The folder.
        conditions: All that decides whether a file can be read besides the file itself: limits, parsers that are there.
            What could not be read under others is tried again.
    """

    def __init__(self, folder: Path, conditions: str = "") -> None:
        self._folder = folder
        self._conditions = conditions
        self._file = folder / "catalog.json"
        self._entries = self._load()

    @property
    def conditions(self) -> str:
        """See the class."""
        return self._conditions

    def entries(self) -> Mapping[str, Entry]:
        """By URI."""
        return self._entries

    def look(self, files: Iterable[SourceFile]) -> dict[str, Entry]:
        """The current entry of every file: hashed again only if its size or time has changed.

        A file that cannot be opened, or has vanished, is left out; parsing it will say why.
        """
        again = self._to_be_read_again()
        current: dict[str, Entry] = {}
        for file in files:
            known = None if file.uri in again else self._entries.get(file.uri)
            if known and known.is_of(file):
                current[file.uri] = known
                continue
            seen = Entry(
                file.uri,
                file.size_bytes,
                file.modified_ns,
                _digest_of_file(file),
                file.sidecar_modified_ns,
                file.changed_ns,
            )
            if known and not known.inside and known.digest == seen.digest and not known.quarantined:
                current[file.uri] = replace(
                    known,
                    size_bytes=seen.size_bytes,
                    modified_ns=seen.modified_ns,
                    sidecar_modified_ns=seen.sidecar_modified_ns,
                    changed_ns=seen.changed_ns,
                )
            else:
                current[file.uri] = seen
        # What is in a file is known as long as the file is, and was read to its end.
        for entry in self._entries.values():
            if entry.inside and entry.inside in current and current[entry.inside].is_read:
                current[entry.uri] = entry
        return current

    def keep(self, document: Document) -> None:
        """Store a parsed document."""
        path = self._parsed_path(document.uri, document.content_digest)
        data = zlib.compress(canonical_json({"format": FORMAT, **document_to_json(document)}), 1)
        _write(path, data)

    def document(self, uri: str, digest: str) -> Document | None:
        """The stored document, if it is there and whole."""
        try:
            value = json.loads(zlib.decompress(self._parsed_path(uri, digest).read_bytes()))
        except (OSError, zlib.error, ValueError):
            return None
        return document_from_json(value) if value.pop("format") == FORMAT else None

    def save(self, entries: Mapping[str, Entry]) -> None:
        """Replace what is known by `entries`, and drop stored documents that none of them needs."""
        listed = [asdict(entry) for _, entry in sorted(entries.items())]
        _write(self._file, canonical_json({"format": FORMAT, "entries": listed}))
        self._entries = dict(entries)
        needed = {self._parsed_path(entry.uri, entry.digest).name for entry in entries.values()}
        for path in (self._folder / "parsed").glob("*"):
            if path.name not in needed:
                with suppress(OSError):
                    path.unlink()

    def _to_be_read_again(self) -> set[str]:
        """Files whose text was lost, or that could not be read under other limits or with other extras than today's."""
        stored = {path.name for path in (self._folder / "parsed").glob("*")}
        return {
            entry.inside or entry.uri
            for entry in self._entries.values()
            if (entry.parsed and self._parsed_path(entry.uri, entry.digest).name not in stored)
            or (entry.quarantined and entry.conditions != self._conditions)
        }

    def _load(self) -> dict[str, Entry]:
        try:
            value = json.loads(self._file.read_bytes())
            if value["format"] != FORMAT:
                return {}
            listed = value["entries"]
            entries = [Entry(**{**item, "metadata": metadata_from_json(item["metadata"])}) for item in listed]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}  # a cache that is lost
        return {entry.uri: entry for entry in entries}

    def _parsed_path(self, uri: str, digest: str) -> Path:
        return self._folder / "parsed" / digest_of([uri, digest])


def entry_of(result: Result, known: Entry | None, inside: str, conditions: str) -> Entry:
    """What is known after a file, or a file in it, was read.

    Args:
        result: What came of it.
        known: What was known of the file before; None for a file in another.
        inside: URI of that other file.
        conditions: See `Catalog`.
    """
    entry = known or Entry(result.uri, 0, 0, result.content_digest, inside=inside)
    # The file may have changed since it was looked at; what was read is what counts.
    entry = Entry(
        entry.uri,
        entry.size_bytes,
        entry.modified_ns,
        result.content_digest or entry.digest,
        entry.sidecar_modified_ns,
        entry.changed_ns,
        entry.inside,
    )
    match result:
        case Quarantined():
            return replace(entry, quarantined=result.reason, hint=result.hint, conditions=conditions)
        case Opened():
            return replace(entry, opened=True)
        case Document():
            return replace(
                entry,
                parsed=True,
                title=result.title,
                language=result.language,
                metadata=result.metadata,
                hidden=result.hidden,
            )


def _digest_of_file(file: SourceFile) -> str:
    digest = hashlib.sha256()
    try:
        with file.path.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
        beside = [read_regular(str(file.sidecar), LARGEST_BYTES)] if file.sidecar else []
    except (OSError, InputError):
        return ""  # reading it will say why
    return digest_with(digest.hexdigest()[:DIGEST_LENGTH], beside)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; a cache may be replaced, so a rename is right here."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnavailableError(
            f"Could not write {path}: {error.strerror}.", "Free some space, or check permissions, and run it again."
        ) from error
