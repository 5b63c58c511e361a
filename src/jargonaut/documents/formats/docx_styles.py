"""Styles of a DOCX file: which paragraphs are headings, captions or code, and which runs a reader sees."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from jargonaut.documents.composing import LOWERED, RAISED, Script
from jargonaut.documents.formats.colours import Scheme
from jargonaut.documents.formats.hidden import (
    NOT_DISPLAYED,
    SAME_COLOUR,
    SMALLEST_POINTS,
    TOO_SMALL,
    WHITE,
    same_colour,
)
from jargonaut.documents.formats.ooxml import W, is_on, whole
from jargonaut.documents.formats.package import Element

VAL = f"{W}val"
_HEADING = re.compile(
    r"(?:heading|标题|標題|überschrift|titre|título|titolo|rubrik|kop|nagłówek|заголовок|見出し|제목)\s*([1-9])"
)
_TITLE_NAMES = frozenset({"title", "标题", "標題", "titel", "titre", "título", "titolo", "表題", "제목"})
_CAPTION_NAMES = frozenset({"caption", "题注", "題注", "beschriftung", "légende", "図表番号", "캡션"})
_CODE = re.compile(
    r"(?:source |program )?(?:code|listing|verbatim|代码)(?: ?block)?|html preformatted|preformatted text|macro text"
)
_CONTENTS = re.compile(r"(?:toc|目录|目錄|contents|verzeichnis) ?\d|table of figures|图表目录|index \d")
_LIST_DEPTH = re.compile(r"list (?:bullet|number|continue)? ?([2-5])|列表(?:项目符号|编号|接续)? ?([2-5])")
_MOST_ANCESTORS = 20
_BODY_LEVEL = 9
_THEME_NAMES = {"background1": "lt1", "light1": "lt1", "text1": "dk1", "dark1": "dk1", "background2": "lt2"}
_HIGHLIGHTS = {"white": WHITE, "none": ""}
_SCRIPTS: dict[str, Script] = {"superscript": RAISED, "subscript": LOWERED}
_NARROWEST = 10
"""Hundredths of their usual width at which characters are lines."""


@dataclass(frozen=True, slots=True)
class RunLook:
    """What decides whether a run is seen; None where nothing is said."""

    vanish: bool | None = None
    points: float | None = None
    colour: str | None = None
    ground: str | None = None
    """Its own shading; `?` if that cannot be told."""
    script: Script | None = None
    scale: int | None = None
    """Width of its characters, in hundredths of the usual."""

    def over(self, other: RunLook) -> RunLook:
        """The look of both, where this one has the say."""
        return RunLook(
            other.vanish if self.vanish is None else self.vanish,
            other.points if self.points is None else self.points,
            self.colour or other.colour,
            self.ground or other.ground,
            other.script if self.script is None else self.script,
            other.scale if self.scale is None else self.scale,
        )

    def hidden(self, ground: str | None) -> str:
        """Why a reader does not see text of this look on `ground`; empty if a reader does."""
        if self.vanish:
            return NOT_DISPLAYED
        if self.points is not None and self.points <= SMALLEST_POINTS:
            return TOO_SMALL
        if self.scale is not None and self.scale <= _NARROWEST:
            return TOO_SMALL
        return SAME_COLOUR if self.colour and same_colour(self.colour, self.ground or ground) else ""


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What a paragraph style says about its paragraphs."""

    kind: str = ""
    """`title`, `caption`, `code`, `contents` or empty."""
    level: int = 0
    """1 to 9 for headings, 0 for text."""
    number: str = ""
    """Id of its numbering."""
    number_level: int | None = None
    numbered_by: str = ""
    """Id of the style that brought the numbering in."""
    depth: int = 0
    """How much deeper than their numbering says list items of this style are shown."""
    look: RunLook = RunLook()
    indent: int = 0
    """Of its first line, in twips."""


class Styles:
    """The styles of a document.

    Args:
        root: Of the part with the styles.
        scheme: Colours of the theme.
    """

    def __init__(self, root: Element | None, scheme: Scheme) -> None:
        self._scheme = scheme
        self._elements: dict[str, Element] = {}
        self._paragraphs: dict[str, ParagraphStyle] = {}
        self._runs: dict[str, RunLook] = {}
        self._default = ""
        base = RunLook()
        for element in root if root is not None else ():
            if element.tag == f"{W}style":
                name = element.get(f"{W}styleId") or ""
                self._elements[name] = element
                if element.get(f"{W}type") == "paragraph" and element.get(f"{W}default") in ("1", "true"):
                    self._default = name
            elif element.tag == f"{W}docDefaults":
                base = self.look(element.find(f"{W}rPrDefault/{W}rPr"))
        self._base = base

    def paragraph(self, name: str | None) -> ParagraphStyle:
        """The paragraph style of that id, with all that it inherits."""
        name = name or self._default
        if name not in self._paragraphs:
            self._paragraphs[name] = self._made(name)
        return self._paragraphs[name]

    def run(self, name: str) -> RunLook:
        """What the character style of that id says."""
        if name not in self._runs:
            look = RunLook()
            for element in reversed(self._ancestry(name)):
                look = self.look(element.find(f"{W}rPr")).over(look)
            self._runs[name] = look
        return self._runs[name]

    def numbering_of(self, name: str) -> str:
        """Id of the numbering that the numbering style of that id stands for."""
        element = self._elements.get(name)
        found = element.find(f"{W}pPr/{W}numPr/{W}numId") if element is not None else None
        return (found.get(VAL) or "") if found is not None else ""

    def table_colours(self, name: str | None) -> bool:
        """Whether the table style of that id paints cells."""
        return any(
            (shade.get(f"{W}fill") or "auto").lower() not in ("auto", WHITE)
            for element in self._ancestry(name or "")
            for shade in element.iter(f"{W}shd")
        )

    def table_marks_first_row(self, name: str | None) -> bool:
        """Whether the table style of that id gives the first row a look of its own."""
        return any(
            part.get(f"{W}type") == "firstRow"
            for element in self._ancestry(name or "")
            for part in element.iterfind(f"{W}tblStylePr")
        )

    def look(self, properties: Element | None) -> RunLook:
        """What run properties say themselves."""
        if properties is None or not len(properties):
            return RunLook()
        vanish, points, colour, ground = None, None, None, None
        script: Script | None = None
        scale: int | None = None
        for child in properties:
            tag = child.tag
            if tag == f"{W}vanish":
                vanish = is_on(child, VAL)
            elif tag == f"{W}sz":
                points = whole(child.get(VAL), 20) / 2
            elif tag == f"{W}color":
                colour = self._colour(child)
            elif tag == f"{W}shd":
                ground = self.shading(child) or ground
            elif tag == f"{W}highlight":
                ground = _HIGHLIGHTS.get(child.get(VAL) or "", "?") or ground
            elif tag == f"{W}vertAlign":
                script = _SCRIPTS.get(child.get(VAL) or "", "")
            elif tag == f"{W}w":
                scale = whole((child.get(VAL) or "").rstrip("%"), 100)
        return RunLook(vanish, points, colour, ground, script, scale)

    def shading(self, element: Element | None) -> str | None:
        """The colour that a `w:shd` paints; `?` if it cannot be told, None if it paints nothing."""
        if element is None:
            return None
        fill = (element.get(f"{W}fill") or "auto").lower()
        if (element.get(VAL) or "clear") not in ("clear", "nil"):
            return "?"
        if theme := element.get(f"{W}themeFill"):
            fill = self._scheme.get(_THEME_NAMES.get(theme, theme), fill)
        return None if fill == "auto" else fill

    def _colour(self, element: Element) -> str:
        theme = element.get(f"{W}themeColor")
        if theme and element.get(f"{W}themeTint") is None and element.get(f"{W}themeShade") is None:
            return self._scheme.get(_THEME_NAMES.get(theme, theme), "000000")
        value = (element.get(VAL) or "auto").lower()
        return "auto" if value == "auto" else value

    def _ancestry(self, name: str) -> list[Element]:
        """The style of that id, what it is based on, and so on."""
        found: list[Element] = []
        while name in self._elements and len(found) < _MOST_ANCESTORS:
            found.append(self._elements[name])
            parent = self._elements[name].find(f"{W}basedOn")
            name = (parent.get(VAL) or "") if parent is not None else ""
        return found

    def _made(self, name: str) -> ParagraphStyle:
        style = ParagraphStyle(look=self._base)
        for element in reversed(self._ancestry(name)):
            style = self._applied(style, element)
        if not self._ancestry(name) and (found := _HEADING.fullmatch(name.lower())):
            style = dataclasses.replace(style, level=int(found[1]))
        return style

    def _applied(self, style: ParagraphStyle, element: Element) -> ParagraphStyle:
        named = element.find(f"{W}name")
        name = ((named.get(VAL) or "") if named is not None else "").lower()
        kind, level = _kind(name), style.level
        if found := _HEADING.fullmatch(name) or _HEADING.fullmatch((element.get(f"{W}styleId") or "").lower()):
            level = int(found[1])
        properties = element.find(f"{W}pPr")
        number, number_level, by = style.number, style.number_level, style.numbered_by
        if properties is not None:
            outline = properties.find(f"{W}outlineLvl")
            if outline is not None:
                stated = whole(outline.get(VAL), _BODY_LEVEL)
                level = stated + 1 if 0 <= stated < _BODY_LEVEL else 0
            identifier, depth = properties.find(f"{W}numPr/{W}numId"), properties.find(f"{W}numPr/{W}ilvl")
            if identifier is not None:
                number, number_level, by = identifier.get(VAL) or "", None, element.get(f"{W}styleId") or ""
            if depth is not None:
                number_level = whole(depth.get(VAL))
                by = element.get(f"{W}styleId") or ""
        look = self.look(element.find(f"{W}rPr")).over(style.look)
        deeper = _LIST_DEPTH.fullmatch(name)
        depth = int(deeper[1] or deeper[2]) - 1 if deeper else style.depth
        indent = indent_of(properties, style.indent)
        return ParagraphStyle(kind or style.kind, level, number, number_level, by, depth, look, indent)


def indent_of(properties: Element | None, otherwise: int) -> int:
    """Twips by which paragraph properties move the first line to the right of the margin, or their frame."""
    if properties is None:
        return otherwise
    frame, indent = properties.find(f"{W}framePr"), properties.find(f"{W}ind")
    moved = whole(frame.get(f"{W}x")) if frame is not None else 0
    if indent is None:
        return moved or otherwise
    start = indent.get(f"{W}left") or indent.get(f"{W}start")
    first = whole(indent.get(f"{W}firstLine")) - whole(indent.get(f"{W}hanging"))
    return moved + whole(start) + first


def _kind(name: str) -> str:
    if name in _TITLE_NAMES:
        return "title"
    if name in _CAPTION_NAMES:
        return "caption"
    if _CODE.fullmatch(name):
        return "code"
    return "contents" if _CONTENTS.fullmatch(name) else ""
