"""Documents by the names that people give them."""

from __future__ import annotations

import difflib
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from urllib.parse import unquote, urlsplit

from jargonaut.core.document import Chunk, Document, document_id

_MOST_COMPARED = 3_000
"""Names that a wrong one is compared with."""
_MOST_SUGGESTED = 200
"""Wrong names for which the nearest right one is looked up: each costs some milliseconds."""


class KnownDocuments:
    """Looks documents up by URI, path, file name or title, if that names one alone.

    Args:
        documents: All that are there.
        chunks: All of theirs.
        deleted: URIs of documents that were deleted.
    """

    def __init__(self, documents: Sequence[Document], chunks: Sequence[Chunk], deleted: Collection[str]) -> None:
        gone = frozenset(deleted)
        self._deleted = frozenset(map(_key, gone))
        self._uris = [document.uri for document in documents if document.uri not in gone]
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for document in documents:
            if document.uri not in gone:
                for name in _names(document):
                    self._by_name[name].add(document.uri)
        self._chunks: dict[str, list[Chunk]] = defaultdict(list)
        self._by_id: dict[str, Chunk] = {}
        for chunk in chunks:
            if chunk.uri not in gone:
                self._chunks[chunk.document_id].append(chunk)
                self._by_id[chunk.id] = chunk
        self._suggested = 0

    def document(self, name: str) -> str | None:
        """The URI of the one document that is called so."""
        exact = unicodedata.normalize("NFC", name)
        if document_id(exact) in self._chunks:
            return exact
        found = self._by_name.get(_key(name), set())
        return next(iter(found)) if len(found) == 1 else None

    def was_deleted(self, name: str) -> bool:
        """Whether there was such a document."""
        return _key(name) in self._deleted

    def chunk(self, name: str) -> Chunk | None:
        """The chunk with this id."""
        return self._by_id.get(name)

    def chunks_of(self, uri: str) -> Sequence[Chunk]:
        """The chunks of a document."""
        return self._chunks.get(document_id(uri), ())

    def unknown(self, name: str) -> str:
        """What to say of a name that is no document's, or several documents'."""
        several = sorted(self._by_name.get(_key(name), ()))
        if several:
            return f"`{name}` may be {_or(several[:3])}: write the whole path."
        self._suggested += 1
        near = self._near(name) if self._suggested <= _MOST_SUGGESTED else []
        return f"there is no document `{name}`." + (f" Did you mean {_or(near)}?" if near else "")

    def unknown_heading(self, uri: str, heading: str) -> str:
        """What to say of a heading that the document does not have."""
        paths = dict.fromkeys(" › ".join(chunk.heading_path) for chunk in self.chunks_of(uri))
        near = difflib.get_close_matches(heading, [path for path in paths if path], n=2, cutoff=0.4)
        return f"`{uri}` has no section `{heading}`." + (f" Did you mean {_or(near)}?" if near else "")

    def _near(self, name: str) -> list[str]:
        wanted = posixpath.basename(_key(name))
        by_end = {posixpath.basename(_key(uri)): uri for uri in reversed(self._uris)}
        ends = list(by_end)
        if len(ends) > _MOST_COMPARED:
            ends = [end for end in ends if end[:2] == wanted[:2]][:_MOST_COMPARED]
        return [by_end[end] for end in difflib.get_close_matches(wanted, ends, n=2, cutoff=0.6)]


def _names(document: Document) -> set[str]:
    """All that it may be called: its path and the ends of that, with and without extension; its title."""
    key = _key(document.uri)
    parts = key.split("/")
    names = {"/".join(parts[at:]) for at in range(len(parts))}
    names |= {posixpath.splitext(name)[0] for name in names}
    return names | ({_key(document.title)} if document.title else set())


def _key(name: str) -> str:
    """A name as it is compared: no host, no leading `./`, no fragment of an address, no case."""
    text = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    if "://" in text:
        text = unquote(urlsplit(text).path)
    return text.removeprefix("./").strip("/").casefold()


def _or(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)
