"""A question and its answer together: FAQ pages, `Q:` and `A:`, 问： and 答：."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jargonaut.chunking.cutting import CuttingChunker, Piece, Unit
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import TokenizedText
from jargonaut.core.document import Block, Document

_NUMBER = r"\s*[(（]?(?:\d{1,4}|[一二三四五六七八九十百]{1,4})?[)）]?\s*"
_QUESTION = re.compile(rf"[\s\-*•]*(?:\*\*)?(?:Q|Question|问题|提问|问){_NUMBER}[:：.、]\s*\S", re.IGNORECASE)
_ASKS = re.compile(r"[?？][\s\"'”’)）*_]*\Z")
_LONGEST_QUESTION = 300
"""Characters of a line that may be a question without saying so."""


class QuestionAnswerChunker(CuttingChunker):
    """See `chunking.port.Chunker`. A pair is one chunk; of one too long, every part has the question in its path.

    A question is a line that begins with `Q:`, 问： and the like, a heading that ends with a question mark, or, where
    headings ask, what stands under it with its subsections. All else is cut by heading.
    """

    NAME = "qa-1"

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for unit in _whole_answers(self, document, text):
            for pair in _pairs(text, unit):
                yield from self.cut(text, pair)


def _whole_answers(chunker: CuttingChunker, document: Document, text: TokenizedText) -> Iterator[Unit]:
    """Sections; one whose heading asks together with its subsections, if that fits into a chunk."""
    headings = [block for block in document.blocks if block.kind == "heading"]
    ends = [heading.end for heading in headings]
    taken = 0
    for unit in sections(document, text, chunker.longest_heading):
        if unit.start < taken:
            continue
        number = bisect_right(ends, unit.start) - 1
        if number >= 0 and _ASKS.search(text.text, headings[number].start, ends[number]):
            later = (other.start for other in headings[number + 1 :] if other.level <= headings[number].level)
            end = next(later, len(text.text))
            inside = tuple(block for block in document.blocks if unit.start <= block.start and block.end <= end)
            whole = replace(unit, blocks=inside)
            if unit.end <= end and chunker.fits(text, whole):
                unit, taken = whole, end
        yield unit


def _pairs(text: TokenizedText, unit: Unit) -> Iterator[Unit]:
    """The unit cut before every line that says that it is a question."""
    run: list[Block] = []
    name = ""
    for block in unit.blocks:
        for part in _parts(text, block):
            if _QUESTION.match(text.text, part.start, part.end):
                if run:
                    yield replace(unit, blocks=tuple(run), name=name)
                run = []
                line = text.text[part.start : part.end].strip().split("\n", 1)[0]
                name = line[:_LONGEST_QUESTION]
            run.append(part)
    if run:
        yield replace(unit, blocks=tuple(run), name=name)


def _parts(text: TokenizedText, block: Block) -> Sequence[Block]:
    """A block of prose cut before the lines that are questions."""
    if block.kind not in ("paragraph", "list"):
        return [block]
    lines = text.lines(block.start, block.end)
    starts = [line[0] for line in lines if _QUESTION.match(text.text, *line)]
    if not starts or starts == [lines[0][0]]:
        return [block]
    bounds = sorted({block.start, *starts})
    ends = [*bounds[1:], block.end]
    return [replace(block, start=start, end=end) for start, end in zip(bounds, ends, strict=True)]
