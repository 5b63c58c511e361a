"""Chunks by heading path: sections, cut between blocks, then between sentences, rows or lines."""

from __future__ import annotations

from collections.abc import Iterator

from jargonaut.chunking.cutting import SPECIAL_TOKENS, CuttingChunker, Piece
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import TokenizedText
from jargonaut.core.document import Document

__all__ = ["SPECIAL_TOKENS", "HeadingChunker"]


class HeadingChunker(CuttingChunker):
    """See `chunking.port.Chunker`.

    A chunk is a span of one section. Its heading path stands apart: the document's title, then the headings down to its
    section. The path of a table that had to be cut ends with the table's header row. A heading with nothing under it is
    a chunk by itself.
    """

    NAME = "heading-1"

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for section in sections(document, text, self.longest_heading):
            yield from self.cut(text, section)
