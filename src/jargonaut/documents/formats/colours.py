"""Colours in DrawingML and their themes, as six hexadecimal digits."""

from __future__ import annotations

from jargonaut.documents.formats.hidden import WHITE
from jargonaut.documents.formats.ooxml import A, OfficePackage
from jargonaut.documents.formats.package import Element

_PRESETS = {"white": WHITE, "black": "000000"}
_ALIASES = {"bg1": "lt1", "tx1": "dk1", "bg2": "lt2", "tx2": "dk2"}
_SEEN = 10_000
"""Least alpha of a colour that can be seen, in hundred-thousandths."""
TRANSPARENT = "none"
"""A fill through which the ground is seen."""

Scheme = dict[str, str]


def theme_scheme(package: OfficePackage, part: str) -> Scheme:
    """Colours of the theme of `part` by their name (`lt1`, `accent1`, ...)."""
    scheme = {"lt1": WHITE, "dk1": "000000"}
    root = package.related_xml(part, "theme")
    found = root.find(f".//{A}clrScheme") if root is not None else None
    for element in found if found is not None else ():
        colour = colour_of(element, {})
        if colour:
            scheme[str(element.tag).removeprefix(A)] = colour
    return scheme


def colour_of(element: Element | None, scheme: Scheme) -> str | None:
    """The colour that `element` (a fill, or an entry of a scheme) holds; None if it cannot be told."""
    for colour in element if element is not None else ():
        kind = str(colour.tag).removeprefix(A)
        modified = {str(child.tag).removeprefix(A): child for child in colour}
        alpha = modified.pop("alpha", None)
        if alpha is not None and (alpha.get("val") or "").isdigit() and int(alpha.get("val")) < _SEEN:
            return TRANSPARENT
        if modified:
            return None
        value = colour.get("val") or ""
        if kind == "srgbClr":
            return value.lower()
        if kind == "sysClr":
            return (colour.get("lastClr") or _PRESETS["white" if value == "window" else "black"]).lower()
        if kind == "schemeClr":
            return scheme.get(value) or scheme.get(_ALIASES.get(value, value))
        return _PRESETS.get(value)
    return None


def fill_of(properties: Element | None, scheme: Scheme) -> tuple[bool, str | None]:
    """Whether shape properties say how the shape is filled, and its colour: `TRANSPARENT`, or None if not known."""
    for child in properties if properties is not None else ():
        kind = str(child.tag).removeprefix(A)
        if kind == "noFill":
            return True, TRANSPARENT
        if kind == "solidFill":
            return True, colour_of(child, scheme)
        if kind in ("gradFill", "blipFill", "pattFill", "grpFill"):
            return True, None
    return False, None
