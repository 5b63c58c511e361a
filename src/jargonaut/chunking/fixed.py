"""Chunks of a fixed number of tokens that overlap, whatever the structure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from jargonaut.chunking.cutting import CuttingChunker, Piece, place_in
from jargonaut.chunking.port import TokenSpans
from jargonaut.chunking.tokenized import Span, TokenizedText
from jargonaut.core.document import Document

MOST_OVERLAP = 0.5
"""Most of a chunk that the next one may repeat."""


class FixedChunker(CuttingChunker):
    """See `chunking.port.Chunker`. For texts without headings, such as transcripts; headings are text like all else.

    Args:
        token_spans: See `CuttingChunker`.
        max_tokens: See `CuttingChunker`.
        tokenizer_id: See `CuttingChunker`.
        overlap: Tokens at the end of a chunk that the next one begins with; at most half a chunk.
    """

    NAME = "fixed-1"

    def __init__(self, token_spans: TokenSpans, max_tokens: int, tokenizer_id: str, overlap: int = 0) -> None:
        self._overlap = overlap
        super().__init__(token_spans, max_tokens, tokenizer_id)

    def _options(self) -> tuple[int, ...]:
        return (self._overlap,)

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        path, tokens = self.fitted_path((document.title,) if document.title else ())
        budget = self._budget - tokens
        blocks = document.blocks
        starts = [block.start for block in blocks]
        for start, end in _windows(text, budget, min(self._overlap, int(MOST_OVERLAP * budget))):
            block = blocks[max(bisect_right(starts, start) - 1, 0)]
            kind = block.kind if end <= block.end and block.kind != "heading" else "paragraph"
            yield Piece(start, end, path, kind, place_in(text, block, start))


def _windows(text: TokenizedText, budget: int, overlap: int) -> Iterator[Span]:
    """Spans of at most `budget` tokens that begin and end with a word."""
    words = _words(text, budget)
    first = 0
    while first < len(words):
        last = first
        while last + 1 < len(words) and text.count(words[first][0], words[last + 1][1]) <= budget:
            last += 1
        yield words[first][0], words[last][1]
        if last + 1 == len(words):
            return
        after = last + 1
        while after - 1 > first and text.count(words[after - 1][0], words[last][1]) <= overlap:
            after -= 1
        first = after


def _words(text: TokenizedText, budget: int) -> Sequence[Span]:
    """Words without the white space around them; those of more than `budget` tokens are cut."""
    whole = [(0, len(text.text))] if text.text.strip() else []
    return [
        piece for start, end in whole for word in text.words(start, end) for piece in text.packed([word], budget, ())
    ]
