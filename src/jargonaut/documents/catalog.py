"""What is known of the files of a knowledge base, so that unchanged ones are neither hashed nor parsed again.

A cache: losing it costs time, never correctness. Documents are kept as compressed JSON under the digest of their file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jargonaut.core.canonical import DIGEST_LENGTH, canonical_json, digest_of
from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import UnavailableError
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import document_from_json, document_to_json

FORMAT = 2
"""Raise it when parsing changes: everything is then read again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, as it was when it was last looked at."""

    uri: str
    size_bytes: int
    modified_ns: int
    digest: str
    own_allow: tuple[str, ...] | None = None
    """What the document itself says about who may read it; None if nothing."""
    quarantined: str = ""
    """Why it could not be read; empty if it could."""
    hint: str = ""
    parsed: bool = False
    language: str = ""


class Catalog:
    """The files of one knowledge base, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "catalog.json"
        self._entries = self._load()

    def entries(self) -> Mapping[str, Entry]:
        """By URI."""
        return self._entries

    def look(self, files: Iterable[SourceFile]) -> dict[str, Entry]:
        """The current entry of every file: hashed again only if its size or time has changed.

        A file that cannot be opened, or has vanished, is left out; parsing it will say why.
        """
        current = {}
        for file in files:
            known = self._entries.get(file.uri)
            same = known and (known.size_bytes, known.modified_ns) == (file.size_bytes, file.modified_ns)
            if known and same:
                current[file.uri] = known
                continue
            digest = _digest_of_file(file.path)
            if known and known.digest == digest:
                current[file.uri] = dataclasses.replace(known, size_bytes=file.size_bytes, modified_ns=file.modified_ns)
            else:
                current[file.uri] = Entry(file.uri, file.size_bytes, file.modified_ns, digest)
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
        listed = [dataclasses.asdict(entry) for _, entry in sorted(entries.items())]
        _write(self._file, canonical_json({"format": FORMAT, "entries": listed}))
        self._entries = dict(entries)
        needed = {self._parsed_path(entry.uri, entry.digest).name for entry in entries.values()}
        for path in (self._folder / "parsed").glob("*"):
            if path.name not in needed:
                with suppress(OSError):
                    path.unlink()

    def _load(self) -> dict[str, Entry]:
        try:
            value = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        if value.get("format") != FORMAT:
            return {}
        entries = (
            Entry(**{**item, "own_allow": None if item["own_allow"] is None else tuple(item["own_allow"])})
            for item in value["entries"]
        )
        return {entry.uri: entry for entry in entries}

    def _parsed_path(self, uri: str, digest: str) -> Path:
        return self._folder / "parsed" / digest_of([uri, digest])


def quarantined_entry(entry: Entry, refused: Quarantined) -> Entry:
    """`entry` of a file that could not be read."""
    return dataclasses.replace(entry, quarantined=refused.reason, hint=refused.hint, parsed=False, own_allow=None)


def parsed_entry(entry: Entry, document: Document) -> Entry:
    """`entry` of a file that was read."""
    allow = document.metadata.get("allow")
    own = None if allow is None else ((allow,) if isinstance(allow, str) else tuple(allow))
    return dataclasses.replace(entry, own_allow=own, parsed=True, quarantined="", hint="", language=document.language)


def _digest_of_file(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()[:DIGEST_LENGTH]


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
