"""Plain text: paragraphs between empty lines, and what looks like a heading, a list or a table."""

from __future__ import annotations

import re
from itertools import pairwise

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.restructuredtext import RestructuredTextParser, is_restructuredtext
from jargonaut.documents.metadata import split_plain_front_matter

_UNDERLINE = re.compile(r"\s*([=\-~*#^_])\1{2,}\s*\Z")
_NUMBERED = re.compile(
    r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,4})[.)、]?\s+\S|第[一二三四五六七八九十百零\d]+(?P<part>[章节条编部分篇])"
)
_CHINESE_NUMBERED = re.compile(r"[一二三四五六七八九十]{1,3}、\S")
_ITEM = re.compile(r"\s*(?:[-*•·]|\d{1,3}[.)]|[(（]?[a-z\d一二三四五六七八九十]{1,3}[)）])\s*\S")
_ENDS_PROSE = re.compile(r"[.!?。！？；;,，:：]\Z")
_ALIGNED = re.compile(r"\S(?:\t| {3,})\S")
_LONGEST_HEADING = 80
_WRAPPED_AT_LEAST = 50
"""Characters of the longest line of prose that was wrapped by hand."""
_PART_LEVELS = {"编": 1, "部": 1, "篇": 1, "章": 1, "节": 2, "条": 3, "分": 2}


class TextParser:
    """See `documents.port.Parser`. Text that is clearly reStructuredText is read as such."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        metadata, text = split_plain_front_matter(decode(data))
        if is_restructuredtext(text):
            return RestructuredTextParser().parse(data, uri)
        composer = Composer()
        lines: list[str] = []
        for number, line in enumerate([*text.split("\n"), ""], start=1):
            if line.strip():
                lines.append(line)
            elif lines:
                _add(composer, lines, number - len(lines))
                lines = []
        title = metadata.get("title", "")
        return composer.document(
            uri, digest_bytes(data), "text/plain", metadata, title if isinstance(title, str) else ""
        )


def _add(composer: Composer, lines: list[str], first: int) -> None:
    if len(lines) > 2 and _UNDERLINE.match(lines[0]) and _UNDERLINE.match(lines[2]):
        lines, first = lines[1:], first + 1
    place = Place(line=first)
    if len(lines) > 1 and len(lines[0]) <= _LONGEST_HEADING and _UNDERLINE.match(lines[1]):
        _heading(composer, lines[0], 1 if lines[1].strip()[0] in "=#*" else 2, place)
        lines, place = lines[2:], Place(line=first + 2)
    elif len(lines) == 1 and (level := _heading_level(lines[0].strip())):
        _heading(composer, lines[0], level, place)
        return
    lines = [line for line in lines if not _UNDERLINE.match(line)]
    if not lines:
        return
    if sum(bool(_ALIGNED.search(line)) for line in lines) > len(lines) / 2 or all(line[0] in " \t" for line in lines):
        composer.verbatim("code", "\n".join(lines), place)
    elif _ITEM.match(lines[0]) and len(lines) > 1:
        composer.verbatim("list", "\n".join(lines), place)
    elif _is_wrapped(lines):
        prose = Inline()
        prose.add("\n".join(lines))
        composer.paragraph(prose, place)
    else:
        composer.verbatim("paragraph", "\n".join(lines), place)


def _heading(composer: Composer, line: str, level: int, place: Place) -> None:
    inline = Inline()
    inline.add(line)
    composer.heading(inline, level, place)


def _heading_level(line: str) -> int:
    """1 to 4 if a line that stands alone looks like a heading, else 0."""
    if len(line) > _LONGEST_HEADING or _ENDS_PROSE.search(line):
        return 0
    numbered = _NUMBERED.match(line)
    if numbered:
        return _PART_LEVELS.get(numbered["part"], 1) if numbered["part"] else numbered["number"].count(".") + 1
    if _CHINESE_NUMBERED.match(line):
        return 2
    return 1 if line.isupper() and any(len(word) > 2 for word in line.split()) else 0


def _is_wrapped(lines: list[str]) -> bool:
    """Whether the lines were broken for width: all but the last are about as long as the longest."""
    longest = max(len(line) for line in lines)
    if len(lines) == 1:
        return True
    return longest >= _WRAPPED_AT_LEAST and all(
        len(line) + len(following.split(" ", 1)[0]) >= 0.7 * longest for line, following in pairwise(lines)
    )
