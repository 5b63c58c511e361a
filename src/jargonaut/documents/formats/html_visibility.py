"""What a browser would not show of a page, told by attributes, inline styles and style sheets.

Hidden text is how pages are made to say one thing to people and another to programs, so it is left out and counted.
Style sheets elsewhere are not fetched: what only they hide is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from jargonaut.documents.formats.css import (
    ROOT_PIXELS,
    Colour,
    Node,
    Rule,
    colour_of,
    declarations_of,
    length_of,
    rules_of,
    substituted,
    without_blanks,
)
from jargonaut.documents.formats.html_boxes import NOT_DISPLAYED, Said, why_no_room

SAME_COLOUR = "same colour as its ground"
TOO_SMALL = "too small to read"

_TELLING = frozenset(
    str.split(
        """
        display visibility opacity content-visibility filter clip clip-path transform scale translate position left top
        right bottom inset text-indent margin margin-left margin-top margin-right margin-bottom width height max-width
        max-height overflow overflow-x overflow-y font font-size color background background-color background-image
        background-clip -webkit-background-clip -webkit-text-fill-color text-shadow inset-inline-start
        block-size inline-size max-block-size max-inline-size zoom
        """
    )
)
_SMALLEST_PIXELS = 3.0
_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0}
_FAINTEST = 0.05
"""Opacity that cannot be told from nothing."""
_SAME = 24 / 255
"""Most that two colours that look the same differ, summed over red, green and blue."""
_WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
_BLACK: Colour = (0.0, 0.0, 0.0, 1.0)
_MOST_DEEP = 400
"""Elements around one that say how it looks."""

_Order = tuple[bool, tuple[int, int, int], int]


@dataclass(frozen=True, slots=True)
class _Look:
    """How the text in an element looks."""

    pixels: float = ROOT_PIXELS
    colour: Colour = _BLACK
    fill: Colour | None = None
    """Of its letters, if that is another than `colour`."""
    ground: Colour | None = _WHITE
    """None if that is a picture."""
    opacity: float = 1.0
    shown: bool = True
    told_by_other_means: bool = False
    """Whether its letters show by their shadow, or by the picture that they are cut out of."""

    @property
    def why_hidden(self) -> str:
        """Why the text cannot be seen; empty if it can."""
        if not self.shown or self.opacity < _FAINTEST:
            return NOT_DISPLAYED
        if self.pixels <= _SMALLEST_PIXELS:
            return TOO_SMALL
        if self.told_by_other_means:
            return ""
        colour = self.fill or self.colour
        if colour[3] < _FAINTEST:
            return SAME_COLOUR
        return SAME_COLOUR if self.ground and _close(_over(colour, self.ground), self.ground) else ""


class Styling:
    """How the elements of a page look.

    Args:
        tree: The page.
        sheets: Style sheets besides those in it, which come after them.
    """

    def __init__(self, tree: LexborHTMLParser, sheets: Iterable[str] = ()) -> None:
        written = [sheet.text() for sheet in tree.css("style") if _is_for_screens(sheet)]
        self._rules: dict[int, list[tuple[_Order, str, list[Node]]]] = {}
        self._variables: dict[str, list[Node]] = {}
        self._looks: dict[int, _Look] = {}
        self._why: dict[int, str] = {}
        known: set[str] | None = None
        for number, rule in enumerate(_all_rules([*written, *sheets])):
            known = _names_in(tree) if known is None else known
            if rule.names <= known:
                self._apply(tree, rule, number)

    def why_hidden(self, node: LexborNode) -> str:
        """Why a browser would show nothing of this element; empty if it would."""
        key = node.mem_id
        if key not in self._why:
            self._why[key] = self._own_reason(node)
        return self._why[key]

    def why_unseen(self, text: LexborNode) -> str:
        """Why a reader would not see this text, in an element that is shown; empty if a reader would."""
        return self._look(text.parent).why_hidden

    def _apply(self, tree: LexborHTMLParser, rule: Rule, number: int) -> None:
        told = [(each.lower_name, each) for each in rule.declarations if each.lower_name in _TELLING]
        variables = [each for each in rule.declarations if each.name.startswith("--")]
        if not told and not variables:
            return
        try:
            found = tree.css(rule.selector)
        except SelectolaxError:
            return
        for node in found:
            for declaration in variables:
                if node.tag in ("html", "body"):
                    self._variables[declaration.name] = without_blanks(declaration.value)
            entries = self._rules.setdefault(node.mem_id, [])
            for name, declaration in told:
                order = (declaration.important, rule.specificity, number)
                entries.append((order, name, declaration.value))

    def _said(self, node: LexborNode) -> Said:
        """What holds for an element, by property."""
        attributes = node.attributes
        style = attributes.get("style")
        entries = self._rules.get(node.mem_id, [])
        if style:
            own = declarations_of(style)
            entries = entries + [
                ((each.important, (1_000_000, 0, 0), 0), each.lower_name, each.value)
                for each in own
                if each.lower_name in _TELLING
            ]
        if not entries:
            return {}
        said: dict[str, list[Node]] = {}
        for _, name, value in sorted(entries, key=lambda entry: entry[0]):
            tokens = without_blanks(substituted(value, self._variables))
            # A shorthand sets what it leaves out as well.
            for other in _LONG_FORMS.get(name, ()):
                said.pop(other, None)
            said.pop(name, None)
            said[name] = tokens
        return said

    def _own_reason(self, node: LexborNode) -> str:
        if "hidden" in node.attributes and not _says(self._said(node), "display"):
            return NOT_DISPLAYED
        said = self._said(node)
        if not said:
            return ""
        if _word(said, "display") == "none" or _word(said, "content-visibility") == "hidden":
            return NOT_DISPLAYED
        look = self._look(node)
        if look.opacity < _FAINTEST:
            return NOT_DISPLAYED
        return why_no_room(said, look.pixels)

    def _look(self, node: LexborNode | None) -> _Look:
        chain: list[LexborNode] = []
        at = node
        while at is not None and at.is_element_node and at.mem_id not in self._looks and len(chain) < _MOST_DEEP:
            chain.append(at)
            at = at.parent
        look = self._looks.get(at.mem_id, _Look()) if at is not None else _Look()
        for element in reversed(chain):
            look = self._within(look, element)
            self._looks[element.mem_id] = look
        return look

    def _within(self, outer: _Look, node: LexborNode) -> _Look:
        said = self._said(node)
        attributes = node.attributes
        colour = _legacy(attributes.get("color")) if node.tag == "font" else None
        ground = _legacy(attributes.get("bgcolor"))
        look = outer
        if colour:
            look = replace(look, colour=colour)
        if ground:
            look = replace(look, ground=ground)
        if not said:
            return look
        return _with_colours(_with_size(look, said), said)


_LONG_FORMS: Mapping[str, tuple[str, ...]] = {
    "background": ("background-color", "background-image", "background-clip", "-webkit-background-clip"),
    "font": ("font-size",),
    "margin": ("margin-left", "margin-top", "margin-right", "margin-bottom"),
    "overflow": ("overflow-x", "overflow-y"),
    "inset": ("left", "top", "right", "bottom"),
}


def _all_rules(sheets: Iterable[str]) -> Iterator[Rule]:
    for sheet in sheets:
        yield from rules_of(sheet)


def _is_for_screens(sheet: LexborNode) -> bool:
    media = (sheet.attributes.get("media") or "").strip()
    return not media or bool(rules_of(f"@media {media} {{ a {{ color: red }} }}"))


def _names_in(tree: LexborHTMLParser) -> set[str]:
    """Classes and ids that elements of the page have."""
    names = {f"#{node.attributes.get('id')}" for node in tree.css("[id]")}
    for node in tree.css("[class]"):
        names.update(f".{name}" for name in (node.attributes.get("class") or "").split())
    return names


def _with_size(look: _Look, said: Said) -> _Look:
    visibility = _word(said, "visibility")
    if visibility in ("hidden", "collapse", "visible"):
        look = replace(look, shown=visibility == "visible")
    opacity = _opacity(said)
    if opacity < 1.0:
        look = replace(look, opacity=look.opacity * opacity)
    for name in [name for name in said if name in ("font", "font-size")]:
        pixels = _type_size(said[name], look.pixels, is_shorthand=name == "font")
        if pixels is not None:
            look = replace(look, pixels=pixels)
    return look


def _with_colours(look: _Look, said: Said) -> _Look:
    if tokens := said.get("color"):
        look = replace(look, colour=_own_colour(tokens, look.colour), fill=None)
    if tokens := said.get("-webkit-text-fill-color"):
        look = replace(look, fill=_own_colour(tokens, look.colour))
    for name in [name for name in said if name in ("background", "background-color", "background-image")]:
        look = replace(look, ground=_ground(said[name], look))
    cut_out = "text" in (_word(said, "background-clip"), _word(said, "-webkit-background-clip")) or (
        "background" in said and any(getattr(each, "value", "") == "text" for each in said["background"])
    )
    if cut_out or _word(said, "text-shadow") not in ("", "none"):
        look = replace(look, told_by_other_means=True)
    return look


def _own_colour(tokens: Sequence[Node], outer: Colour) -> Colour:
    return next((found for token in tokens if (found := colour_of(token)) is not None), outer)


def _ground(tokens: Sequence[Node], look: _Look) -> Colour | None:
    if any(token.type == "url" or (token.type == "function" and colour_of(token) is None) for token in tokens):
        return None
    for token in tokens:
        colour = colour_of(token)
        if colour is not None:
            return _over(colour, look.ground) if look.ground else (colour if colour[3] == 1.0 else None)
    return look.ground


def _type_size(tokens: Sequence[Node], outer: float, is_shorthand: bool) -> float | None:
    for token in tokens:
        if token.type == "ident" and token.lower_value in _SIZES:
            return _SIZES[token.lower_value]
        if token.type == "ident" and token.lower_value in ("smaller", "larger"):
            return outer * (0.83 if token.lower_value == "smaller" else 1.2)
        if token.type == "literal" and is_shorthand and token.value == "/":
            return None
        if token.type == "number" and token.value:
            continue  # a weight
        if token.type in ("dimension", "percentage", "number", "function"):
            size = length_of(token, outer, outer)
            if size is not None:
                return size
    return None


def _opacity(said: Said) -> float:
    found = 1.0
    if tokens := said.get("opacity"):
        found = _share(tokens)
    for token in said.get("filter", ()):
        if token.type == "function" and token.lower_name == "opacity":
            found *= _share(without_blanks(token.arguments))
    return found


def _share(tokens: Sequence[Node]) -> float:
    value = length_of(tokens[0], ROOT_PIXELS, 1.0) if tokens else None
    return 1.0 if value is None else min(max(value, 0.0), 1.0)


def _word(said: Said, name: str) -> str:
    tokens = said.get(name)
    return getattr(tokens[0], "lower_value", None) or "?" if tokens else ""


def _says(said: Said, name: str) -> bool:
    return bool(said.get(name)) and _word(said, name) != "none"


def _legacy(text: str | None) -> Colour | None:
    """A colour in an attribute, which may lack its `#`."""
    if not text:
        return None
    for written in (text.strip(), f"#{text.strip()}"):
        for declaration in declarations_of(f"color: {written}")[:1]:
            found = [colour for token in declaration.value if (colour := colour_of(token)) is not None]
            if found:
                return found[0]
    return None


def _over(colour: Colour, ground: Colour) -> Colour:
    """What is seen of a colour that may be transparent."""
    red, green, blue = (
        own * colour[3] + below * (1 - colour[3]) for own, below in zip(colour[:3], ground[:3], strict=True)
    )
    return red, green, blue, 1.0


def _close(one: Colour, other: Colour) -> bool:
    return sum(abs(a - b) for a, b in zip(one[:3], other[:3], strict=True)) <= _SAME
