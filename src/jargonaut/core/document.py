"""What flows: documents, the blocks they are made of, and the chunks they are cut into."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jargonaut.core.canonical import digest_of

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "caption", "note"]
"""A note is a footnote, an endnote or what a speaker's notes say: it stands after what it belongs to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the source something stands, counted from 1."""

    line: int | None = None
    """Of a text format; the row of a sheet."""
    page: int | None = None
    """Of a paged format; the slide of a presentation."""
    sheet: str = ""
    """Name of the sheet of a workbook."""
    cell: str = ""
    """Of a sheet, as `C17`."""

    def __str__(self) -> str:
        """As people say it: `line 12`, `page 3`, `Prices!C17`; empty if it is not known."""
        if self.sheet:
            return f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        if self.page:
            return f"page {self.page}"
        return f"line {self.line}" if self.line else self.cell


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
    header_lines: int = 1
    """Of a table, the lines of its header, repeated wherever it is cut; 0 if it has none."""
    lines: tuple[int, ...] = ()
    """Of a table, the line or row in the source of each of its lines; empty if it is not known."""

    def place_at(self, line: int) -> Place:
        """Where line `line` of the block, counted from 0, stands in the source."""
        if not 0 <= line < len(self.lines):
            return self.place
        row = self.lines[line]
        cell = f"{self.place.cell.rstrip('0123456789')}{row}" if self.place.cell else ""
        return dataclasses.replace(self.place, line=row, cell=cell)


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
    hidden: Mapping[str, int] = field(default_factory=dict)
    """Characters left out because a reader would not have seen them, by the reason."""

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
    parent: tuple[int, int] | None = None
    """Span of the passage that is answered from when this chunk is found; None if that is the chunk itself."""
    said: str = ""
    """What is indexed in place of path and text, where it says the same in words: a table's row as `Column: value`."""

    @property
    def id(self) -> str:
        """Digest of document, span, chunker and text."""
        return digest_of([self.document_id, self.start, self.end, self.chunker, self.heading_path, self.text])[:24]

    @property
    def indexed_text(self) -> str:
        """Heading path and text, or what says the same in words: what is encoded and searched."""
        if self.said:
            return self.said
        heading = " › ".join(self.heading_path)
        return f"{heading}\n{self.text}" if heading else self.text


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file that could not be read, with the reason; the build goes on without it."""

    uri: str
    content_digest: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that only holds others; all of them have been read."""

    uri: str
    content_digest: str
