"""Text of a shape: its paragraphs and bullets, after what placeholders, layouts and masters say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jargonaut.documents.composing import LOWERED, RAISED, Inline, Script
from jargonaut.documents.formats.colours import TRANSPARENT, Scheme, colour_of
from jargonaut.documents.formats.counting import counted
from jargonaut.documents.formats.equations import M, equation_text
from jargonaut.documents.formats.hidden import SAME_COLOUR, SMALLEST_POINTS, TOO_SMALL, same_colour
from jargonaut.documents.formats.ooxml import MC, A, OfficePackage, P, R, chosen, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.pptx_shapes import Look, Shape
from jargonaut.documents.links import resolve_link

_AUTOMATIC = re.compile(
    r"(?P<kind>arabic(?:Db)?|romanUc|romanLc|alphaUc|alphaLc|circleNum\w*?|ea1Ch[st]|ea1Jpn\w*?)"
    r"(?P<around>Period|ParenR|ParenBoth|Minus|Plain)?"
)
_KINDS = {"romanUc": "upperRoman", "romanLc": "lowerRoman", "alphaUc": "upperLetter", "alphaLc": "lowerLetter"}
_AROUND = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Minus": "{}-"}
_MOST_LEVELS = 9
_STYLES = {"title": "titleStyle", "ctrTitle": "titleStyle", "other": "otherStyle"}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a shape."""

    inline: Inline
    mark: str
    """Bullet or number; empty if it has none."""
    depth: int


class ShapeText:
    """Reads the text of the shapes of one slide.

    Args:
        package: The file.
        part: Name of the slide's part.
        uri: Of the document, for links.
        master: Of the slide.
        defaults: What the presentation says about text.
        hide: Takes what is not seen, with the reason.
    """

    def __init__(
        self,
        package: OfficePackage,
        part: str,
        uri: str,
        master: Look | None,
        defaults: Element | None,
        hide: Callable[[str, str], None],
    ) -> None:
        self._relations = package.relations(part)
        self._uri = uri
        self._master = master
        self._defaults = defaults
        self._scheme: Scheme = master.scheme if master is not None else {}
        self._hide = hide

    def lines(self, shape: Shape, ground: str | None) -> Iterator[Line]:
        """The paragraphs of `shape` that have text, on a ground of that colour."""
        body = shape.element.find(f"{P}txBody")
        if body is None:
            return
        reference = shape.element.find(f"{P}style/{A}fontRef")
        colour = colour_of(reference, self._scheme) if reference is not None else None
        counters: dict[int, int] = {}
        for paragraph in body.iterfind(f"{A}p"):
            properties = paragraph.find(f"{A}pPr")
            level = min(whole(properties.get("lvl")) if properties is not None else 0, _MOST_LEVELS - 1)
            chain = self._chain(shape, body, level)
            inline = self.inline(paragraph, ground, chain, colour)
            if inline.text:
                yield Line(inline, _mark(properties, chain, level, counters), level)

    def inline(
        self, paragraph: Element, ground: str | None, chain: Sequence[Element] = (), colour: str | None = None
    ) -> Inline:
        """The text of an `a:p`; `chain` and `colour` are what it takes over."""
        inline = Inline()
        self._walk(paragraph, inline, ground, chain, colour)
        return inline

    def _walk(
        self, parent: Element, inline: Inline, ground: str | None, chain: Sequence[Element], colour: str | None
    ) -> None:
        for child in parent:
            tag = child.tag
            if tag == f"{A}br":
                inline.add(" ")
            elif tag in (f"{A}r", f"{A}fld"):
                text = "".join(part.text or "" for part in child.iterfind(f"{A}t")).replace("\n", " ")
                properties = child.find(f"{A}rPr")
                reason = self._why_unseen(properties, ground, chain, colour)
                if reason:
                    self._hide(reason, text)
                else:
                    inline.refer(self._target(properties))
                    inline.add(text, _script(properties))
            elif tag == f"{MC}AlternateContent":
                self._walk(chosen(child), inline, ground, chain, colour)
            elif tag.startswith(M):
                inline.add(equation_text(child))
            elif tag.endswith("}m"):
                self._walk(child, inline, ground, chain, colour)

    def _target(self, properties: Element | None) -> str | None:
        link = properties.find(f"{A}hlinkClick") if properties is not None else None
        relation = self._relations.get(link.get(f"{R}id") or "") if link is not None else None
        return resolve_link(relation.target, self._uri) if relation is not None and relation.external else None

    def _why_unseen(
        self, properties: Element | None, ground: str | None, chain: Sequence[Element], colour: str | None
    ) -> str:
        stated = [properties] if properties is not None else []
        stated += [found for level in chain if (found := level.find(f"{A}defRPr")) is not None]
        size = next((whole(each.get("sz")) for each in stated if each.get("sz")), None)
        if size is not None and size <= 100 * SMALLEST_POINTS:
            return TOO_SMALL
        own = properties.find(f"{A}solidFill") if properties is not None else None
        if own is None and colour is None:
            own = next((fill for each in stated if (fill := each.find(f"{A}solidFill")) is not None), None)
        shown = colour_of(own, self._scheme) if own is not None else colour
        return SAME_COLOUR if shown == TRANSPARENT or same_colour(shown, ground) else ""

    def _chain(self, shape: Shape, body: Element, level: int) -> list[Element]:
        """What is said about paragraphs of that level, the nearest first."""
        name = f"{A}lvl{level + 1}pPr"
        sources = [body.find(f"{A}lstStyle")]
        sources += [element.find(f"{P}txBody/{A}lstStyle") for element in shape.inherited]
        if self._master is not None:
            styles = _STYLES.get(shape.kind, "bodyStyle")
            sources.append(self._master.root.find(f"{P}txStyles/{P}{styles}"))
        sources.append(self._defaults)
        levels = [source.find(name) for source in sources if source is not None]
        return [found for found in levels if found is not None]


def _script(properties: Element | None) -> Script:
    shift = whole(properties.get("baseline")) if properties is not None else 0
    return "" if not shift else RAISED if shift > 0 else LOWERED


def _mark(properties: Element | None, chain: Sequence[Element], level: int, counters: dict[int, int]) -> str:
    for deeper in range(level + 1, _MOST_LEVELS):
        counters.pop(deeper, None)
    for source in (properties, *chain):
        for child in source if source is not None else ():
            kind = str(child.tag).removeprefix(A)
            if kind == "buAutoNum":
                number = counters[level] + 1 if level in counters else whole(child.get("startAt"), 1)
                counters[level] = number
                return _automatic(number, child.get("type") or "")
            if kind in ("buNone", "buChar", "buBlip"):
                counters.pop(level, None)
                return "" if kind == "buNone" else "-"
    return ""


def _automatic(number: int, kind: str) -> str:
    match = _AUTOMATIC.fullmatch(kind)
    if match is None:
        return f"{number}."
    name = match["kind"]
    style = _KINDS.get(name, "decimal")
    if name.startswith("circle"):
        style = "decimalEnclosedCircle"
    elif name.startswith("ea1"):
        style = "chineseCounting"
    return _AROUND.get(match["around"] or "", "{}").format(counted(number, style))
