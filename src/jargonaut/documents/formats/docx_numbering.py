"""Numbering of a DOCX file: the number or letter that Word shows before a heading or a list item."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jargonaut.documents.formats.counting import counted
from jargonaut.documents.formats.docx_styles import VAL, Styles
from jargonaut.documents.formats.ooxml import W, is_on, whole
from jargonaut.documents.formats.package import Element

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
BULLET = "-"


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    style: str = "decimal"
    text: str = ""
    restart: int | None = None
    legal: bool = False
    """Whether all its numbers are shown as decimals."""
    paragraph_style: str = ""


@dataclass(slots=True)
class _List:
    """A `w:num`: an abstract list, with what it changes in it."""

    abstract: str
    levels: dict[int, _Level]
    starts: dict[int, int] = field(default_factory=dict)
    begun: bool = False

    def start(self, depth: int) -> int:
        """Its first number at that level."""
        return self.starts.get(depth, self.levels.get(depth, _Level()).start)


class Numbering:
    """Counts as the document is read.

    Args:
        root: Of the part with the numbering; None if there is none.
        styles: Numbering may be named by a style.
    """

    def __init__(self, root: Element | None, styles: Styles) -> None:
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._lists: dict[str, _List] = {}
        self._counters: dict[str, dict[int, int]] = {}
        links: dict[str, str] = {}
        for element in root if root is not None else ():
            if element.tag == f"{W}abstractNum":
                identifier = element.get(f"{W}abstractNumId") or ""
                self._abstract[identifier] = dict(map(_level, element.iterfind(f"{W}lvl")))
                link = element.find(f"{W}numStyleLink")
                if link is not None:
                    links[identifier] = styles.numbering_of(link.get(VAL) or "")
            elif element.tag == f"{W}num":
                self._add_list(element)
        for each in self._lists.values():
            target = self._lists.get(links.get(each.abstract, ""))
            if target is not None:
                each.abstract, each.levels = target.abstract, {**target.levels, **each.levels}

    def level_of(self, number: str, style: str) -> int:
        """The level of list `number` that belongs to the paragraph style of that id."""
        found = self._lists.get(number)
        if found is not None:
            for depth, level in found.levels.items():
                if level.paragraph_style == style:
                    return depth
        return 0

    def list_of(self, number: str) -> str:
        """What the lists that count together have in common; empty if there is no such list."""
        return self._lists[number].abstract if number in self._lists else ""

    def mark(self, number: str, depth: int) -> str | None:
        """What stands before the next paragraph of list `number` at level `depth`; None if there is no such list."""
        found = self._lists.get(number)
        if found is None or not 0 <= depth < _LEVELS:
            return None
        counters = self._counters.setdefault(found.abstract, {})
        if not found.begun:
            found.begun = True
            for level in found.starts:
                counters.pop(level, None)
        level_here = found.levels.get(depth, _Level())
        counters[depth] = counters[depth] + 1 if depth in counters else found.start(depth)
        for level in range(depth + 1, _LEVELS):
            restart = found.levels.get(level, _Level()).restart
            if restart is None or depth < restart:
                counters.pop(level, None)
        if level_here.style == "bullet":
            return BULLET
        return self._shown(found, level_here, counters)

    def _shown(self, found: _List, here: _Level, counters: dict[int, int]) -> str:
        def number(match: re.Match[str]) -> str:
            depth = int(match[1]) - 1
            level = found.levels.get(depth, _Level())
            style = "decimal" if here.legal and level.style != "decimalZero" else level.style
            return counted(counters.setdefault(depth, found.start(depth)), style)

        return _PLACE.sub(number, here.text).strip()

    def _add_list(self, element: Element) -> None:
        abstract = element.find(f"{W}abstractNumId")
        identifier = (abstract.get(VAL) or "") if abstract is not None else ""
        made = _List(identifier, dict(self._abstract.get(identifier, {})))
        for change in element.iterfind(f"{W}lvlOverride"):
            depth = whole(change.get(f"{W}ilvl"))
            start, level = change.find(f"{W}startOverride"), change.find(f"{W}lvl")
            if level is not None:
                made.levels[depth] = _level(level)[1]
            if start is not None:
                made.starts[depth] = whole(start.get(VAL), 1)
        self._lists[element.get(f"{W}numId") or ""] = made


def _level(element: Element) -> tuple[int, _Level]:
    value = {str(child.tag).removeprefix(W): child.get(VAL) or "" for child in element}
    style = value.get("numFmt", "decimal")
    if style == "custom":
        style = "decimal"
    text = value.get("lvlText", "")
    restart = whole(value["lvlRestart"]) if "lvlRestart" in value else None
    legal = is_on(element.find(f"{W}isLgl"), VAL)
    made = _Level(whole(value.get("start"), 1), style, text, restart, legal, value.get("pStyle", ""))
    return whole(element.get(f"{W}ilvl")), made
