"""A text whose tokens have been found once, so that any span of it can be counted and cut."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from jargonaut.chunking.port import TokenSpans
from jargonaut.core.sentences import split_sentences

Span = tuple[int, int]
"""Character offsets."""
Cut = Callable[[int, int], Sequence[Span]]
"""Finer pieces of a span, in order, that leave out nothing but white space."""

_WORD_ENDS = re.compile(r"(?<=\s)(?=\S)|(?<=[，、；：。])(?=\S)")


class TokenizedText:
    """A text and where its tokens begin."""

    def __init__(self, text: str, token_spans: TokenSpans) -> None:
        self.text = text
        self._starts = sorted(start for start, _ in token_spans(text))

    def count(self, start: int, end: int) -> int:
        """Tokens that begin in the span."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def packed(self, pieces: Iterable[Span], budget: int, finer: Sequence[Cut]) -> list[Span]:
        """Neighbouring pieces put together up to `budget` tokens, evenly; what is too long is cut by `finer`.

        Args:
            pieces: In order, with nothing but white space between them.
            budget: Most tokens of a result.
            finer: Ways to cut, the coarsest first; after the last, tokens are cut.
        """
        whole = list(pieces)
        if not whole:
            return []
        total = self.count(whole[0][0], whole[-1][1])
        aim = -(-total // max(-(-total // budget), 1))
        packed: list[Span] = []
        is_open = False
        for start, end in whole:
            if self.count(start, end) > budget:
                packed.extend(self._cut(start, end, budget, finer))
                is_open = False
            elif is_open and self.count(packed[-1][0], end) <= budget and self.count(*packed[-1]) < aim:
                packed[-1] = (packed[-1][0], end)
            else:
                packed.append((start, end))
                is_open = True
        return [self._without_blanks(start, end) for start, end in packed if not self._is_blank(start, end)]

    def sentences(self, start: int, end: int) -> Sequence[Span]:
        """Sentences of a span."""
        return [(start + first, start + last) for first, last in split_sentences(self.text[start:end])]

    def lines(self, start: int, end: int) -> Sequence[Span]:
        """Lines of a span that are not blank."""
        spans = []
        while start < end:
            stop = self.text.find("\n", start, end)
            stop = end if stop < 0 else stop
            if not self._is_blank(start, stop):
                spans.append((start, stop))
            start = stop + 1
        return spans

    def words(self, start: int, end: int) -> Sequence[Span]:
        """Words of a span, in Chinese clauses, with the white space after them."""
        ends = [match.start() for match in _WORD_ENDS.finditer(self.text, start, end)]
        if ends and self._is_blank(start, ends[0]):
            ends = ends[1:]
        return list(zip([start, *ends], [*ends, end], strict=True))

    def prefix(self, start: int, end: int, budget: int) -> Span:
        """The first `budget` tokens of a span."""
        return self._by_tokens(start, end, budget)[0]

    def _cut(self, start: int, end: int, budget: int, finer: Sequence[Cut]) -> list[Span]:
        if finer:
            return self.packed(finer[0](start, end), budget, finer[1:])
        return self._by_tokens(start, end, budget)

    def _by_tokens(self, start: int, end: int, budget: int) -> list[Span]:
        spans = []
        while self.count(start, end) > budget:
            cut = self._starts[bisect_left(self._starts, start) + budget]
            # Several tokens may begin at one character, which cannot be cut.
            cut = max(cut, start + 1)
            spans.append((start, cut))
            start = cut
        if start < end:
            spans.append((start, end))
        return spans

    def _is_blank(self, start: int, end: int) -> bool:
        return not self.text[start:end].strip()

    def _without_blanks(self, start: int, end: int) -> Span:
        """The span without white space at its ends, but for the indent of a first line, which belongs to code."""
        text = self.text[start:end]
        kept = len(text.rstrip())
        indent = len(text) - len(text.lstrip())
        line = text.rfind("\n", 0, indent) + 1
        begins_line = start == 0 or self.text[start - 1] == "\n" or line > 0
        return start + (line if begins_line else min(indent, kept)), start + kept
