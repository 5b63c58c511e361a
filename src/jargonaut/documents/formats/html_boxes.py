"""Boxes of a page that show nothing, whatever the colour of what is in them: without room, clipped, or off the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from jargonaut.documents.formats.css import Node, arguments_of, length_of, without_blanks

NOT_DISPLAYED = "not displayed"
OFF_PAGE = "off the page"
Said = Mapping[str, Sequence[Node]]
"""Tokens of the values that hold for an element, by property."""

WHOLE = 1000.0
"""Pixels that a percentage of a box is reckoned of."""
_FAR_OFF = 900.0
_FARTHEST = 5_000.0
"""Right of or below the page, which can be scrolled that way."""
_NO_ROOM = 1.5
_SMALLEST_SCALE = 0.1
_SIZES = (
    "height",
    "width",
    "max-height",
    "max-width",
    "block-size",
    "inline-size",
    "max-block-size",
    "max-inline-size",
)
_CLIPPING = frozenset({"hidden", "clip", "auto", "scroll"})
_MOVED = frozenset({"absolute", "fixed", "relative", "sticky", "?"})


def why_no_room(said: Said, em: float) -> str:
    """Why nothing of a box is seen; empty if something may be.

    Args:
        said: What holds for it.
        em: Size of its type, in pixels.
    """
    if _is_clipped(said, em) or any(_shrinks(token) for name in ("transform", "scale") for token in said.get(name, ())):
        return NOT_DISPLAYED
    if (tokens := said.get("scale")) and _length(tokens[0], em) == 0:
        return NOT_DISPLAYED
    return OFF_PAGE if _is_off(said, em) else ""


def _is_clipped(said: Said, em: float) -> bool:
    overflow = {_word(said, name) for name in ("overflow", "overflow-x", "overflow-y")}
    sizes = [_length(said[name][0], em) for name in _SIZES if said.get(name)]
    if overflow & _CLIPPING and any(size is not None and size <= _NO_ROOM for size in sizes):
        return True
    for token in said.get("clip", ()):
        if token.type == "function" and token.lower_name == "rect":
            sides = [_length(part, em) for part in without_blanks(token.arguments) if part.type != "literal"]
            if len(sides) == 4 and _shuts(sides[0], sides[2]) | _shuts(sides[3], sides[1]):
                return True
    return any(token.type == "function" and _is_shut(token, em) for token in said.get("clip-path", ()))


def _shuts(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and other - one <= _NO_ROOM


def _is_shut(shape: Node, em: float) -> bool:
    """Whether a `clip-path` leaves nothing."""
    tokens = without_blanks(shape.arguments)
    first = _length(tokens[0], em) if tokens else None
    match shape.lower_name:
        case "circle" | "ellipse":
            return first is not None and first <= _NO_ROOM
        case "inset":
            sides = [size for token in tokens[:4] if (size := _length(token, em)) is not None]
            if not sides:
                return False
            top, right = sides[0], sides[1 % len(sides)]
            bottom, left = sides[2] if len(sides) > 2 else top, sides[3] if len(sides) > 3 else right
            return top + bottom >= WHOLE or left + right >= WHOLE
        case "polygon":
            return _has_no_area(shape, em)
        case _:
            return False


def _has_no_area(polygon: Node, em: float) -> bool:
    corners = []
    for part in arguments_of(polygon):
        numbers = [number for token in without_blanks(part) if (number := _length(token, em)) is not None]
        if len(numbers) == 2:
            corners.append((numbers[0], numbers[1]))
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*corners, *corners[:1]]))
    return bool(corners) and abs(area) / 2 <= _NO_ROOM * _NO_ROOM


def _shrinks(function: Node) -> bool:
    """Whether a `transform` leaves next to nothing."""
    if function.type != "function":
        return False
    numbers = [token.value for token in without_blanks(function.arguments) if token.type in ("number", "percentage")]
    match function.lower_name:
        case "scale" | "scalex" | "scaley" | "scale3d":
            return any(abs(number) < _SMALLEST_SCALE for number in numbers[:2])
        case "matrix" if len(numbers) >= 4:
            return bool(abs(numbers[0] * numbers[3] - numbers[1] * numbers[2]) < _SMALLEST_SCALE**2)
        case _:
            return False


def _is_off(said: Said, em: float) -> bool:
    for name in ("text-indent", "margin-left", "margin-top", "margin"):
        if any((size := _length(token, em)) is not None and size <= -_FAR_OFF for token in said.get(name, ())):
            return True
    if _word(said, "position") in _MOVED:
        for name in ("left", "top", "right", "bottom", "inset", "inset-inline-start"):
            sizes = [size for token in said.get(name, ()) if (size := _length(token, em)) is not None]
            if any(size <= -_FAR_OFF or size >= _FARTHEST for size in sizes):
                return True
    shifts = [*said.get("translate", ())]
    for token in said.get("transform", ()):
        if token.type == "function" and token.lower_name.startswith("translate"):
            shifts += without_blanks(token.arguments)
        elif token.type == "function" and token.lower_name == "matrix":
            shifts += without_blanks(token.arguments)[8:]
    return any((size := _length(token, em)) is not None and abs(size) >= _FAR_OFF for token in shifts)


def _length(token: Node, em: float) -> float | None:
    return length_of(token, em, WHOLE)


def _word(said: Said, name: str) -> str:
    tokens = said.get(name)
    return getattr(tokens[0], "lower_value", None) or "" if tokens else ""
