"""Code by function and class; what introduces it stays with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jargonaut.chunking.cutting import CuttingChunker, Piece, Unit
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import Span, TokenizedText
from jargonaut.core.document import Block, Document

_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|sealed|async|override|virtual|inline"
    r"|pub(?:\([a-z]+\))?|unsafe|extern|const|open|data|partial|declare)\s+)*"
)
_DEFINITION = re.compile(
    rf"{_MODIFIERS}(?:def|class|func|function|fn|interface|struct|enum|trait|type|module|namespace|object|record|protocol"
    r"|extension|sub|procedure)\s+[\w(*<`$]|impl\b|macro_rules!"
    r"|(?:CREATE|ALTER|DROP|INSERT|SELECT|UPDATE|DELETE|GRANT|WITH|create|alter|drop)\s+\S"
    rf"|{_MODIFIERS}(?:const|let|var|val)\s+\w+\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|\(.*=>)"
    r"|(?!(?:if|else|for|while|switch|return|try|catch|do|case|new|throw)\b)"
    r"[\w<>\[\],.*&:]+(?: [\w<>\[\],.*&:]+)* \*?[\w:~]+\s?\(.*\{\Z"
)
"""First line of a function, class or statement of SQL. The last alternative is that of C, C++, C# and Java."""
_BELONGS_BELOW = re.compile(r"@|#|//|/\*|\*|--|\[[A-Z]")
"""Decorators, attributes and comments: part of what they stand above."""
_LONGEST_LINE = 300
"""Characters; a longer one is data."""
_LONGEST_NAME = 120
_DEEPEST = 3
"""Classes within classes whose methods are told apart."""


class CodeChunker(CuttingChunker):
    """See `chunking.port.Chunker`. Prose is cut by heading; a paragraph or caption before code stays with it if it can.

    Code that is too long is cut before functions and classes, told by keywords and indents in most languages; a class
    that is too long between its methods, its first line ending their paths.
    """

    NAME = "code-1"

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for section in sections(document, text, self.longest_heading):
            for unit in self._units(text, section):
                yield from self.cut(text, unit)

    def _introduces(self, text: TokenizedText, block: Block, following: Block) -> bool:
        introduces_code = following.kind == "code" and block.kind in ("paragraph", "caption")
        return introduces_code or super()._introduces(text, block, following)

    def _units(self, text: TokenizedText, section: Unit) -> Iterator[Unit]:
        """The section, parted where code is too long; what introduces that stands before its first part."""
        run: list[Block] = []
        for block in section.blocks:
            if block.kind != "code" or self.fits(text, replace(section, blocks=(block,))):
                run.append(block)
                continue
            introduction = [run.pop()] if run and self._introduces(text, run[-1], block) else []
            if run:
                yield replace(section, blocks=tuple(run))
            run = []
            first, *others = self._definitions(text, replace(section, blocks=(block,)))
            yield replace(first, blocks=(*introduction, *first.blocks))
            yield from others
        if run:
            yield replace(section, blocks=tuple(run))

    def _definitions(self, text: TokenizedText, unit: Unit, depth: int = 0) -> Iterator[Unit]:
        """The definitions in a block of code, small neighbours together; one that is too long between its own."""
        (code,) = unit.blocks
        run: tuple[Block, ...] = ()
        for start, end in _parts(text, code):
            part = replace(code, start=start, end=end)
            if run and self.fits(text, replace(unit, blocks=(*run, part))):
                run = (*run, part)
                continue
            yield from self._inside(text, replace(unit, blocks=run), depth)
            run = (part,)
        yield from self._inside(text, replace(unit, blocks=run), depth)

    def _inside(self, text: TokenizedText, unit: Unit, depth: int) -> Iterator[Unit]:
        if not unit.blocks:
            return
        code = unit.blocks[0]
        if len(unit.blocks) > 1 or self.fits(text, unit):
            yield unit
        elif depth < _DEEPEST and (opened := _opened(text, code)):
            head, body = opened
            yield replace(unit, blocks=(head,))
            yield from self._definitions(text, Unit((*unit.path, _name(text, head)), (body,)), depth + 1)
        else:
            yield replace(unit, name=_name(text, code))


def _parts(text: TokenizedText, code: Block) -> list[Span]:
    """Spans that begin with a definition of the outermost level, or, where there is none, after an empty line."""
    lines = text.lines(code.start, code.end)
    depths = [_depth(text, line) for line in lines]
    outer = [number for number, depth in enumerate(depths) if depth == min(depths)]
    starts = [number for number in outer if _defines(text, lines[number])]
    if not starts:
        starts = [number for number in outer if number and not _adjoin(text, lines, number)]
    firsts = sorted({0, *(_with_what_is_above(text, lines, depths, number) for number in starts)})
    bounds = [lines[number][0] for number in firsts]
    return list(zip(bounds, [*(_line_before(text, bound) for bound in bounds[1:]), code.end], strict=True))


def _opened(text: TokenizedText, code: Block) -> tuple[Block, Block] | None:
    """A definition's first lines, and the rest of it from the first of its own definitions, if it has several."""
    lines = text.lines(code.start, code.end)
    depths = [_depth(text, line) for line in lines]
    inner = sorted({depth for depth in depths if depth > min(depths)})[:1]
    own = [number for number, line in enumerate(lines) if number and depths[number] in inner and _defines(text, line)]
    if len(own) < 2:
        return None
    cut = lines[_with_what_is_above(text, lines, depths, own[0])][0]
    return replace(code, end=_line_before(text, cut)), replace(code, start=cut)


def _name(text: TokenizedText, code: Block) -> str:
    """The first line of a definition, without what opens its body; empty if it is none."""
    for line in text.lines(code.start, code.end):
        if _defines(text, line):
            return text.text[slice(*line)].strip().rstrip("{: ")[:_LONGEST_NAME]
    return ""


def _defines(text: TokenizedText, line: Span) -> bool:
    said = text.text[slice(*line)].strip()
    return len(said) <= _LONGEST_LINE and _DEFINITION.match(said) is not None


def _with_what_is_above(text: TokenizedText, lines: Sequence[Span], depths: Sequence[int], number: int) -> int:
    """The first of the decorators and comments right above a line."""
    while number and _adjoin(text, lines, number) and depths[number - 1] == depths[number]:
        if not _BELONGS_BELOW.match(text.text[slice(*lines[number - 1])].strip()):
            break
        number -= 1
    return number


def _adjoin(text: TokenizedText, lines: Sequence[Span], number: int) -> bool:
    """Whether no empty line stands before a line."""
    return text.text.count("\n", lines[number - 1][1], lines[number][0]) == 1


def _line_before(text: TokenizedText, start: int) -> int:
    """Where the line before the one that begins at `start` ends."""
    return text.text.rindex("\n", 0, start)


def _depth(text: TokenizedText, line: Span) -> int:
    body = text.text[slice(*line)]
    return len(body) - len(body.lstrip())
