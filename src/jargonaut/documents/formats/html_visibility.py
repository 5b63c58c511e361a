"""What a browser would not show of a page, told by attributes, inline styles and the page's own style sheets.

Hidden text is how pages are made to say one thing to people and another to programs, so it is left out and counted.
Style sheets elsewhere are not fetched: what only they hide is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

NOT_DISPLAYED = "not displayed"
SAME_COLOUR = "same colour as its ground"
TOO_SMALL = "too small to read"
OFF_PAGE = "off the page"

_MARK = "data-hidden-because"
_MOST_RULES = 500
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CONDITIONAL = re.compile(r"@[^{};]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_DISPLAY = re.compile(r"(?<![\w-])display\s*:\s*([\w-]+)")
_NOT_SHOWN = re.compile(
    r"(?<![\w-])(?:visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0\d*)?(?=[;\s!]|$)|content-visibility\s*:\s*hidden"
    r"|clip\s*:\s*rect\(\s*0|clip-path\s*:\s*inset\(\s*(?:50|100)%|transform\s*:\s*scale\(\s*0\s*\))"
)
_SIZE = re.compile(r"(?<![\w-])font-size\s*:\s*(\d*\.?\d+)\s*(px|pt|em|rem|%)?")
_LEAST_SIZE = {"px": 3.0, "pt": 2.25, "em": 0.2, "rem": 0.2, "%": 20.0, "": 0.0}
_OFF = re.compile(
    r"(?<![\w-])(?:left|top|right|text-indent|margin-left|margin-top)\s*:\s*-(\d+)\s*(?:px|pt|em|rem|%|vw|vh)"
)
_FAR_OFF = 900
_NO_ROOM = re.compile(r"(?<![\w-])(?:max-)?(?:height|width)\s*:\s*0(?:px|pt|em|rem|%)?\s*(?:;|!|$)")
_CLIPPED = re.compile(r"(?<![\w-])overflow(?:-[xy])?\s*:\s*(?:hidden|clip)")
_COLOUR = re.compile(r"(?<![\w-])color\s*:\s*([^;!]+)")
_GROUND = re.compile(r"(?<![\w-])background(?:-color)?\s*:\s*([^;!]+)")
_HEX = re.compile(r"#([0-9a-f]{3,8})\b")
_RGB = re.compile(r"rgba?\(([^)]*)\)")
_NAMED = {
    "white": (255, 255, 255), "black": (0, 0, 0), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "yellow": (255, 255, 0), "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "snow": (255, 250, 250), "ivory": (255, 255, 240), "whitesmoke": (245, 245, 245), "navy": (0, 0, 128),
}  # fmt: skip
_WHITE = (255, 255, 255)
_SAME = 24
"""Most that two colours that look the same differ, summed over red, green and blue."""

Colour = tuple[int, int, int]


def hide_by_style(tree: LexborHTMLParser) -> None:
    """Mark the elements that the page's own style sheets hide, so that `why_hidden` knows."""
    for number, (selector, declarations) in enumerate(_rules(tree)):
        if number >= _MOST_RULES:
            return
        why = _why(declarations)
        shown_again = _DISPLAY.search(declarations) and not why
        if not why and not shown_again:
            continue
        try:
            found = tree.css(selector)
        except SelectolaxError:
            continue
        for node in found:
            if why:
                node.attrs[_MARK] = why
            elif _MARK in node.attributes:
                del node.attrs[_MARK]


def why_hidden(node: LexborNode) -> str:
    """Why a browser would not show this element; empty if it would."""
    attributes = node.attributes
    if marked := attributes.get(_MARK):
        return marked
    if "hidden" in attributes:
        return NOT_DISPLAYED
    style = (attributes.get("style") or "").lower()
    if not style and "color" not in attributes:
        return ""
    if why := _why(style):
        return why
    colour = _colour(_COLOUR, style) or _parsed(attributes.get("color") or "")
    if colour and _close(colour, _ground_of(node)):
        return SAME_COLOUR
    return ""


def _rules(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    for sheet in tree.css("style"):
        text = _CONDITIONAL.sub("", _COMMENT.sub("", sheet.text()))
        for selectors, declarations in _RULE.findall(text):
            yield selectors.strip(), declarations.lower()


def _why(declarations: str) -> str:
    display = _DISPLAY.search(declarations)
    if (display and display[1] == "none") or _NOT_SHOWN.search(declarations):
        return NOT_DISPLAYED
    if _NO_ROOM.search(declarations) and _CLIPPED.search(declarations):
        return NOT_DISPLAYED
    size = _SIZE.search(declarations)
    if size and float(size[1]) <= _LEAST_SIZE[size[2] or ""]:
        return TOO_SMALL
    off = _OFF.search(declarations)
    if off and int(off[1]) >= _FAR_OFF:
        return OFF_PAGE
    colour, ground = _colour(_COLOUR, declarations), _colour(_GROUND, declarations)
    return SAME_COLOUR if colour and ground and _close(colour, ground) else ""


def _ground_of(node: LexborNode) -> Colour:
    """The nearest background colour that is written down, else the white of the page."""
    at: LexborNode | None = node
    while at is not None and at.is_element_node:
        style = (at.attributes.get("style") or "").lower()
        found = _colour(_GROUND, style) or _parsed(at.attributes.get("bgcolor") or "")
        if found:
            return found
        at = at.parent
    return _WHITE


def _colour(pattern: re.Pattern[str], style: str) -> Colour | None:
    found = pattern.search(style)
    return _parsed(found[1]) if found else None


def _parsed(text: str) -> Colour | None:
    text = text.strip().lower()
    if found := _HEX.search(text):
        digits = found[1] if len(found[1]) >= 6 else "".join(digit * 2 for digit in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    if found := _RGB.search(text):
        numbers = [float(number.rstrip("%")) for number in re.findall(r"[\d.]+%?", found[1])]
        if len(numbers) >= 3:
            return int(numbers[0]), int(numbers[1]), int(numbers[2])
    return _NAMED.get(text.split()[0]) if text else None


def _close(one: Colour, other: Colour) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) <= _SAME
