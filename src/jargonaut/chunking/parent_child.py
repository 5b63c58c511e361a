"""Small chunks to find, and the section around them, or a large part of it, to answer from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jargonaut.chunking.cutting import CuttingChunker, Piece
from jargonaut.chunking.port import TokenSpans
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import Span, TokenizedText
from jargonaut.core.document import Document


class ParentChildChunker(CuttingChunker):
    """See `chunking.port.Chunker`. The children are cut as by heading, only smaller.

    Args:
        token_spans: See `CuttingChunker`.
        max_tokens: See `CuttingChunker`; of a child.
        tokenizer_id: See `CuttingChunker`.
        parent_tokens: Most tokens of a parent. A longer section has several, of about the same size.
    """

    NAME = "parent-child-1"

    def __init__(self, token_spans: TokenSpans, max_tokens: int, tokenizer_id: str, parent_tokens: int = 512) -> None:
        self._parent_tokens = parent_tokens
        super().__init__(token_spans, max_tokens, tokenizer_id)

    def _options(self) -> tuple[int, ...]:
        return (self._parent_tokens,)

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for section in sections(document, text, self.longest_heading):
            children = [piece for cut in self.cut(text, section) for piece in self._fitting(text, cut)]
            spans = [(child.start, child.end) for child in children]
            parents = iter(text.packed(spans, max(self._parent_tokens, self._budget), ()))
            parent: Span = (0, 0)
            for child in children:
                if child.end > parent[1]:
                    parent = next(parents)
                yield replace(child, parent=None if parent == (child.start, child.end) else parent)
