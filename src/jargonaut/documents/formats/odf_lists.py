"""Numbering of OpenDocument lists and headings: what stands before them."""

from __future__ import annotations

from jargonaut.documents.formats.counting import counted
from jargonaut.documents.formats.odf import STYLE, TEXT, OdfStyles
from jargonaut.documents.formats.ooxml import whole
from jargonaut.documents.formats.package import Element

_FORMATS = {
    **{"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "": "none"},
    **{"一, 二, 三, ...": "chineseCounting", "壹, 贰, 叁, ...": "chineseLegalSimplified"},
    **{"甲, 乙, 丙, ...": "ideographTraditional", "子, 丑, 寅, ...": "ideographZodiac"},
    **{"①, ②, ③, ...": "decimalEnclosedCircle", "一, 十, 一百(繁), ...": "taiwaneseCounting"},
    **{"壹, 貳, 參, ...": "ideographLegalTraditional", "１, ２, ３, ...": "decimalFullWidth"},
    **{"01, 02, 03, ...": "decimalZero", "一, 二, 三": "chineseCounting"},
}
_LEVELS = 10
BULLET = "-"
_TAGS = ("list-level-style-number", "outline-level-style", "list-level-style-bullet", "list-level-style-image")


class OdfNumbering:
    """Counts as the document is read.

    Args:
        styles: With the list styles and the numbering of headings.
    """

    def __init__(self, styles: OdfStyles) -> None:
        self._styles = styles
        self._levels: dict[int, dict[int, Element]] = {}
        self._outline: dict[int, int] = {}

    def heading_mark(self, level: int, restart: str | None = None) -> str:
        """What stands before the next heading of that level."""
        if self._styles.outline is None:
            return ""
        return self._next(self._styles.outline, self._outline, level, restart) or ""

    def item_mark(self, style: str, counters: dict[int, int], level: int, restart: str | None = None) -> str:
        """What stands before the next item of that level of a list of that style."""
        element = self._styles.lists.get(style)
        return BULLET if element is None else self._next(element, counters, level, restart) or ""

    def _next(self, style: Element, counters: dict[int, int], level: int, restart: str | None) -> str | None:
        levels = self._levels_of(style)
        here = levels.get(level)
        for deeper in range(level + 1, _LEVELS + 1):
            counters.pop(deeper, None)
        if here is None:
            return None
        if not str(here.tag).endswith(("number", "outline-level-style")):
            return BULLET
        start = whole(here.get(f"{TEXT}start-value"), 1)
        counters[level] = whole(restart, start) if restart else counters.get(level, start - 1) + 1
        shown = min(max(whole(here.get(f"{TEXT}display-levels"), 1), 1), level)
        parts = []
        for depth in range(level - shown + 1, level + 1):
            each = levels.get(depth)
            if each is None:
                continue
            text = counted(counters.setdefault(depth, 1), _format(each))
            if text:
                parts.append(text)
        if not parts:
            return None
        return f"{here.get(f'{STYLE}num-prefix') or ''}{'.'.join(parts)}{here.get(f'{STYLE}num-suffix') or ''}".strip()

    def _levels_of(self, style: Element) -> dict[int, Element]:
        key = id(style)
        if key not in self._levels:
            self._levels[key] = {
                whole(child.get(f"{TEXT}level")): child for child in style if str(child.tag).removeprefix(TEXT) in _TAGS
            }
        return self._levels[key]


def _format(level: Element) -> str:
    return _FORMATS.get(level.get(f"{STYLE}num-format") or "", "decimal")
