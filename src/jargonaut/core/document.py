"""What flows: documents, the blocks they are made of, and the chunks they are cut into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jargonaut.core.canonical import digest_of

BlockKind = Literal["heading", "paragraph", "list", "table", "code"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the source something stands: 1-based, `line` for text formats, `page` for paged ones."""

    line: int | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document that is not cut if it fits.

    `start` and `end` are character offsets into `Document.text`: the one coordinate system of spans.
    """

    kind: BlockKind
    start: int
    end: int
    place: Place = Place()
    level: int = 0
    """1 to 6 for headings, 0 otherwise."""
    anchors: tuple[str, ...] = ()
    """Names by which other places refer to this heading."""


@dataclass(frozen=True, slots=True)
class CrossReference:
    """A place in a document that points at another."""

    start: int
    end: int
    """Character offsets into `Document.text` of the text that the reference stands for."""
    target: str
    """As written: an anchor (`cookie-age`), a path from the source root (`http/sessions.txt`), or `path#anchor`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source file, read. The text is normalised: NFC, line feeds, blocks separated by one empty line."""

    uri: str
    """Path relative to the source root with `/`, prefixed by the source's name if there are several."""
    content_digest: str
    """Of the bytes of the source file."""
    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    language: str = ""
    """`en`, `zh`, ... or empty."""
    media_type: str = "text/plain"
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Front matter and the like: `author`, `date`, `tags`, ..., and `allow`, which can only narrow."""
    references: tuple[CrossReference, ...] = ()

    @property
    def id(self) -> str:
        """Stable over edits: the digest of the URI."""
        return document_id(self.uri)


def document_id(uri: str) -> str:
    """Id of the document at `uri`."""
    return digest_of(uri)[:20]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, small enough for its encoder.

    `text` is verbatim `Document.text[start:end]`; `heading_path` stands apart from it. What is encoded and lexically
    indexed is `indexed_text`.
    """

    document_id: str
    uri: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    ordinal: int
    """0, 1, 2 ... within the document."""
    kind: BlockKind
    place: Place
    chunker: str

    @property
    def id(self) -> str:
        """Digest of document, span, chunker and text."""
        return digest_of([self.document_id, self.start, self.end, self.chunker, self.heading_path, self.text])[:24]

    @property
    def indexed_text(self) -> str:
        """Heading path and text: what is encoded and searched."""
        heading = " › ".join(self.heading_path)
        return f"{heading}\n{self.text}" if heading else self.text


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file that could not be read, with the reason; the build goes on without it."""

    uri: str
    content_digest: str
    reason: str
    hint: str = ""
