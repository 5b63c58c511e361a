"""Laws, regulations and contracts by article, in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jargonaut.chunking.cutting import CuttingChunker, Piece, Unit
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import TokenizedText
from jargonaut.core.document import Block, Document

FEWEST_ARTICLES = 2
"""A text with fewer is not a statute."""

_HAN_NUMBER = r"[一二三四五六七八九十百千零〇两\d]+"
_LABEL_ENDS = r"(?![\w.\-–]*[\w])(?=\s*(?:\Z|[.:：—–\-(（\[【])|\s+[^\sa-z])"
"""After a label in Latin script: nothing, punctuation or a heading. In prose, a word ("Article 5 of the law")."""
_HAN_ARTICLE = re.compile(
    rf"第\s?{_HAN_NUMBER}\s?条(?:\s?之\s?{_HAN_NUMBER})?"
    r"(?!\s*(?:[的至到、，,和与及或中]|规定|所[称列述]|第\s?[一二三四五六七八九十\d]|以[外内上下]))"
)
_ARTICLE = re.compile(rf"(?:Article|ARTICLE|Art\.?)\s+(?:\d+[A-Za-z]?|[IVXLC]+)(?:[.\-]\d+)*{_LABEL_ENDS}")
_SECTION = re.compile(
    rf"(?:§§?\s*|(?:Section|SECTION|Sec\.|Clause|CLAUSE|Rule|Regulation)\s+)"
    rf"\d+[A-Za-z]{{0,2}}(?:[.\-–]\d+[A-Za-z]?)*{_LABEL_ENDS}"
)
_HAN_PART = re.compile(rf"第\s?{_HAN_NUMBER}\s?(?P<kind>分编|编|章|节|部分)(?=\s|\Z|[^\s，。；、的])")
_PART = re.compile(
    r"(?P<kind>Book|Part|Title|Division|Chapter|Subpart|Subchapter|Section|BOOK|PART|TITLE|DIVISION|CHAPTER|SUBPART"
    rf"|SUBCHAPTER|SECTION)\s+(?:\d+[A-Za-z]?|[IVXLC]+|[A-Z])\b{_LABEL_ENDS}"
)
_RANKS = (
    *("book", "编"),
    *("part", "部分", "分编"),
    *("title", "division"),
    *("chapter", "章"),
    *("subpart", "subchapter"),
    *("section", "节"),
)
_BELOW_HEADINGS = 10
"""Level of a part whose name is no heading."""
_LONGEST_LABEL_LINE = 120
"""Characters of a line that names a part of the law."""
_ITEM = re.compile(
    r"\s*(?:[-*•]\s+)?(?:[(（]\s?(?:[一二三四五六七八九十百]+|\d{1,3}|[a-z]{1,4})\s?[)）]|\d{1,3}[.、)）]|[a-z][.)]\s)"
)
_MOST_LINES_KEPT = 3
"""Lines above an article that stand in its chunk; more are a table of contents, or a heading with text of its own."""


@dataclass(frozen=True, slots=True)
class _Line:
    block: Block
    """The line alone."""
    text: str
    label: str = ""
    """Of the article that begins here."""
    part: int = 0
    """Rank of the part that begins here, from 1; 0 if none does."""

    @property
    def names_part(self) -> bool:
        """Whether a part or a headed section begins here."""
        return self.part > 0 or (self.block.kind == "heading" and not self.label)


class StatuteChunker(CuttingChunker):
    """See `chunking.port.Chunker`. An article is one chunk; parts, chapters and sections are its path.

    An article that is too long is cut between its paragraphs (款), items (项) staying with theirs, and all its chunks
    have its label in their path. A text with less than two articles is cut by heading.
    """

    NAME = "statute-1"

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        lines = _lines(document, text)
        is_statute = sum(bool(line.label) for line in lines) >= FEWEST_ARTICLES
        units = _articles(document, lines) if is_statute else sections(document, text, self.longest_heading)
        for unit in units:
            yield from self.cut(text, unit)


def _lines(document: Document, text: TokenizedText) -> list[_Line]:
    """All lines; tables and code stay whole."""
    alone = [
        replace(block, start=start, end=end) if block.kind in ("paragraph", "list") else block
        for block in document.blocks
        for start, end in (
            text.lines(block.start, block.end) if block.kind in ("paragraph", "list") else [(block.start, block.end)]
        )
    ]
    said = [text.text[block.start : block.end].strip().lstrip("#*_ ") for block in alone]
    has_articles = sum(bool(_ARTICLE.match(line)) for line in said) >= FEWEST_ARTICLES
    labels = (_HAN_ARTICLE, _ARTICLE) if has_articles else (_HAN_ARTICLE, _SECTION)
    return [_line(block, line, labels) for block, line in zip(alone, said, strict=True)]


def _line(block: Block, said: str, labels: Sequence[re.Pattern[str]]) -> _Line:
    if block.kind in ("table", "code"):
        return _Line(block, said)
    for pattern in labels:
        if found := pattern.match(said):
            return _Line(block, said, label=" ".join(found[0].split()).rstrip("."))
    if len(said) <= _LONGEST_LABEL_LINE:
        for pattern in (_HAN_PART, _PART):
            if found := pattern.match(said):
                return _Line(block, said, part=_RANKS.index(found["kind"].lower()) + 1)
    return _Line(block, said)


def _articles(document: Document, lines: Sequence[_Line]) -> Iterator[Unit]:
    """Articles with the parts that they are in as path; what stands before, between and after them by itself."""
    parts: list[tuple[tuple[int, int], str]] = []
    run: list[_Line] = []
    article: _Line | None = None
    for line in lines:
        names = line.names_part and not (article and 0 < article.block.level < line.block.level)
        waiting = article is None and all(other.names_part for other in run)
        if (line.label and not (waiting and len(run) <= _MOST_LINES_KEPT)) or (names and not waiting):
            yield from _unit(document, [name for _, name in parts], article, run)
            run, article = [], None
        if names:
            level = (line.block.level or _BELOW_HEADINGS, line.part)
            while parts and parts[-1][0] >= level:
                parts.pop()
            parts.append((level, line.text))
        article = line if line.label else article
        run.append(line)
    yield from _unit(document, [name for _, name in parts], article, run)


def _unit(document: Document, parts: Sequence[str], article: _Line | None, run: Sequence[_Line]) -> Iterator[Unit]:
    """Paragraphs with the items that belong to them. Headings that the path says are not said twice."""
    title = document.title if not parts or parts[0].casefold() != document.title.casefold() else ""
    label = article.label if article else ""
    blocks: list[Block] = []
    for line in run:
        block = line.block
        if block.kind == "heading" and line.text in parts:
            continue
        if blocks and _ITEM.match(line.text) and {block.kind, blocks[-1].kind} <= {"paragraph", "list"}:
            blocks[-1] = replace(blocks[-1], end=block.end)
        else:
            blocks.append(block)
    path = tuple(name for name in (title, *parts, label) if name)
    if blocks:
        yield Unit(path, tuple(blocks))
    elif run:
        yield Unit(path[:-1], (run[-1].block,))
