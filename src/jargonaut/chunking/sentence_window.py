"""A sentence or a few to find, and what stands around them to answer from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jargonaut.chunking.cutting import CuttingChunker, Piece, Unit
from jargonaut.chunking.port import TokenSpans
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import Span, TokenizedText
from jargonaut.core.document import Document


class SentenceWindowChunker(CuttingChunker):
    """See `chunking.port.Chunker`. Chunks are whole sentences of one block, and small; the window stays in the section.

    Args:
        token_spans: See `CuttingChunker`.
        max_tokens: See `CuttingChunker`.
        tokenizer_id: See `CuttingChunker`.
        window_tokens: About how many tokens are answered from.
    """

    NAME = "sentence-window-1"

    def __init__(self, token_spans: TokenSpans, max_tokens: int, tokenizer_id: str, window_tokens: int = 256) -> None:
        self._window_tokens = window_tokens
        super().__init__(token_spans, max_tokens, tokenizer_id)

    def _options(self) -> tuple[int, ...]:
        return (self._window_tokens,)

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for section in sections(document, text, self.longest_heading):
            found = [
                piece
                for block in section.blocks
                for cut in self.cut(text, Unit(section.path, (block,)))
                for piece in self._fitting(text, cut)
            ]
            for at, piece in enumerate(found):
                parent = _window(text, found, at, self._window_tokens)
                yield replace(piece, parent=None if parent == (piece.start, piece.end) else parent)


def _window(text: TokenizedText, pieces: Sequence[Piece], at: int, most: int) -> Span:
    """Whole pieces around one, about as many before as after where there are enough."""
    first = last = at
    while True:
        wider = [
            (start, end)
            for start, end in ((first - 1, last), (first, last + 1))
            if start >= 0 and end < len(pieces) and text.count(pieces[start].start, pieces[end].end) <= most
        ]
        if not wider:
            return pieces[first].start, pieces[last].end
        first, last = min(wider, key=lambda window: abs((at - window[0]) - (window[1] - at)))
