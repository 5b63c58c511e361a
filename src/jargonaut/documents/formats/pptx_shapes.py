"""Shapes of a slide: where they stand, in which order they are read, and what colour is behind their text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jargonaut.documents.formats.colours import TRANSPARENT, Scheme, colour_of, fill_of, theme_scheme
from jargonaut.documents.formats.hidden import NOT_DISPLAYED, OFF_THE_PAGE, TOO_SMALL, WHITE
from jargonaut.documents.formats.ooxml import MC, A, OfficePackage, P, chosen, is_on, whole
from jargonaut.documents.formats.package import Element

_MOST_SHAPES = 20_000
_MOST_NESTED = 50
_LEAST_SIZE = 12_700
"""EMU, one point: shapes without that much width or height show nothing."""
_SAME_ROW = 0.04
"""Of the slide's height: tops that differ by less stand in one row."""
_SLIVER = 0.02
_FULL = 95_000
"""Alpha through which nothing is read, in hundred-thousandths."""
_BOXES = frozenset({"rect", "flowChartProcess", "round2SameRect", "roundRect", "snip1Rect"})
"""Forms that fill their box, but for the corners."""
_LEAVES = frozenset(P + name for name in ("sp", "graphicFrame", "pic", "cxnSp"))
_TITLES = frozenset({"title", "ctrTitle"})
_RELATED = {"ctrTitle": "title", "subTitle": "body", "obj": "body", "": "body", "half": "body"}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a slide, in EMU."""

    left: float
    top: float
    width: float
    height: float

    def holds(self, other: Box) -> bool:
        """Whether all of `other` lies in it, but for a sliver."""
        slack_x, slack_y = _SLIVER * other.width, _SLIVER * other.height
        return (
            self.left <= other.left + slack_x
            and self.top <= other.top + slack_y
            and self.left + self.width >= other.left + other.width - slack_x
            and self.top + self.height >= other.top + other.height - slack_y
        )

    def covers(self, other: Box) -> bool:
        """Whether the middle of `other` lies in it."""
        x, y = other.left + other.width / 2, other.top + other.height / 2
        return self.left <= x <= self.left + self.width and self.top <= y <= self.top + self.height


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape, with what it takes over from its layout and its master."""

    element: Element
    box: Box | None
    kind: str
    """Of a placeholder (`title`, `body`, ...); `other` if it is none."""
    inherited: tuple[Element, ...]
    """The same placeholder in the layout and in the master."""

    @property
    def is_title(self) -> bool:
        """Whether it holds the title of the slide."""
        return self.kind in _TITLES


@dataclass(slots=True)
class Look:
    """A layout or a master: what its slides take over."""

    root: Element
    scheme: Scheme
    placeholders: dict[tuple[str, str], Element]


class Backdrop:
    """What has been painted on a slide so far, from the background up."""

    def __init__(self, roots: tuple[Element, ...], scheme: Scheme) -> None:
        self._scheme = scheme
        self._base = _background(roots, scheme)
        self._painted: list[tuple[Box, str | None]] = []

    def ground(self, shape: Shape) -> str | None:
        """The colour behind the text of `shape`; None if it cannot be told."""
        fill = self._fill(shape)
        if fill != TRANSPARENT:
            return fill
        for box, colour in reversed(self._painted) if shape.box else ():
            if shape.box and box.covers(shape.box):
                return colour
        return self._base

    def paint(self, shape: Shape) -> None:
        """`shape` lies over what came before."""
        fill = None if shape.element.tag == f"{P}pic" else self._fill(shape)
        if shape.box and fill != TRANSPARENT and shape.element.tag != f"{P}graphicFrame":
            self._painted.append((shape.box, fill))

    def is_opaque(self, shape: Shape) -> bool:
        """Whether nothing behind the box of `shape` is seen."""
        properties = shape.element.find(f"{P}spPr")
        frame = properties.find(f"{A}xfrm") if properties is not None else None
        if shape.element.tag != f"{P}sp" or (frame is not None and whole(frame.get("rot"))):
            return False
        alphas = properties.iter(f"{A}alpha") if properties is not None else ()
        if any(whole(alpha.get("val"), _FULL) < _FULL for alpha in alphas):
            return False
        form = properties.find(f"{A}prstGeom") if properties is not None else None
        is_box = form.get("prst") in _BOXES if form is not None else properties is None or not _has_own_form(properties)
        return is_box and self._fill(shape) not in (TRANSPARENT, None)

    def _fill(self, shape: Shape) -> str | None:
        for element in (shape.element, *shape.inherited):
            stated, colour = fill_of(element.find(f"{P}spPr"), self._scheme)
            if stated:
                return colour
            reference = element.find(f"{P}style/{A}fillRef")
            if reference is not None and reference.get("idx") != "0":
                return colour_of(reference, self._scheme)
        return TRANSPARENT


def look_of(package: OfficePackage, part: str, scheme: Scheme | None = None) -> Look:
    """The layout or master in `part`."""
    root = package.xml(part)
    if scheme is None:
        scheme = theme_scheme(package, part)
        mapping = root.find(f"{P}clrMap")
        for name, target in mapping.attrib.items() if mapping is not None else ():
            if target in scheme:
                scheme[name] = scheme[target]
    found: dict[tuple[str, str], Element] = {}
    for element in root.iter(f"{P}sp"):
        kind, index = _placeholder(element)
        if kind is not None:
            found.setdefault((kind, index), element)
            found.setdefault((_RELATED.get(kind, kind), ""), element)
            found.setdefault(("#", index), element)
    return Look(root, scheme, found)


def shapes_of(root: Element, layout: Look | None, master: Look | None) -> Iterator[Shape]:
    """Shapes of a slide, a layout or a master in the order in which they are painted, those of groups too."""
    tree = root.find(f"{P}cSld/{P}spTree")
    if tree is None:
        return
    for number, (element, place) in enumerate(_leaves(tree, (1.0, 1.0, 0.0, 0.0), 0)):
        if number == _MOST_SHAPES:
            return
        kind, index = _placeholder(element)
        inherited = _inherited(kind, index, layout, master) if kind is not None else ()
        box = _box(element, place)
        for each in inherited:
            box = box or _box(each, (1.0, 1.0, 0.0, 0.0))
        yield Shape(element, box, "other" if kind is None else kind or "body", inherited)


def why_unseen(shape: Shape, width: int, height: int) -> str:
    """Why a reader does not see `shape` at all; empty if a reader does."""
    properties = next(shape.element.iter(f"{P}cNvPr"), None)
    if properties is not None and properties.get("hidden") and is_on(properties, "hidden"):
        return NOT_DISPLAYED
    box = shape.box
    if box is None:
        return ""
    if box.left + box.width <= 0 or box.top + box.height <= 0 or box.left >= width or box.top >= height:
        return OFF_THE_PAGE
    return TOO_SMALL if min(box.width, box.height) < _LEAST_SIZE and shape.element.tag == f"{P}sp" else ""


def covered(shapes: Sequence[Shape], backdrop: Backdrop, root: Element) -> list[Shape]:
    """Those of `shapes`, in the order in which they are painted, that lie behind another and are never uncovered."""
    moving = {target.get("spid") for target in root.iter(f"{P}spTgt")}
    lids = [
        (number, shape.box)
        for number, shape in enumerate(shapes)
        if shape.box and backdrop.is_opaque(shape) and _identifier(shape.element) not in moving
    ]
    return [
        shape
        for number, shape in enumerate(shapes)
        if shape.box
        and _identifier(shape.element) not in moving
        and any(later > number and lid.holds(shape.box) for later, lid in lids)
    ]


def _identifier(element: Element) -> str:
    properties = next(element.iter(f"{P}cNvPr"), None)
    return (properties.get("id") or "") if properties is not None else ""


def _has_own_form(properties: Element) -> bool:
    return properties.find(f"{A}custGeom") is not None


def in_reading_order(shapes: list[Shape], height: int) -> list[Shape]:
    """The title first, the others row by row, from left to right in each.

    Placeholders stay in the order of their layout, which knows about columns; other shapes are put among them.
    """
    order = [shape for shape in shapes if shape.is_title]
    others = sorted((each for each in shapes if each.box and not each.is_title), key=_top)
    rows: list[list[Shape]] = []
    for shape in others:
        if rows and _top(shape) - _top(rows[-1][0]) <= _SAME_ROW * height:
            rows[-1].append(shape)
        else:
            rows.append([shape])
    by_place = [shape for row in rows for shape in sorted(row, key=_left)]
    held = [shape for shape in shapes if shape.box and not shape.is_title and shape.kind != "other"]
    rank = {id(shape): number for number, shape in enumerate(by_place)}
    for shape in by_place:
        if shape.kind != "other":
            continue
        while held and rank[id(held[0])] < rank[id(shape)]:
            order.append(held.pop(0))
        order.append(shape)
    return order + held + [shape for shape in shapes if not shape.box and not shape.is_title]


def _left(shape: Shape) -> float:
    return shape.box.left if shape.box else 0.0


def _top(shape: Shape) -> float:
    return shape.box.top if shape.box else 0.0


def _placeholder(element: Element) -> tuple[str | None, str]:
    """Kind and index of a placeholder; None if the shape is none."""
    for child in element:
        found = child.find(f"{P}nvPr/{P}ph")
        if found is not None:
            return found.get("type") or "", found.get("idx") or ""
    return None, ""


def _inherited(kind: str, index: str, layout: Look | None, master: Look | None) -> tuple[Element, ...]:
    found = []
    if layout is not None:
        places = layout.placeholders
        keys: list[tuple[str, str]] = [(kind, index)]
        keys += [("#", index)] if index else []
        keys += [(_RELATED.get(kind, kind), "")]
        found.append(next((places[key] for key in keys if key in places), None))
    if master is not None:
        found.append(master.placeholders.get((_RELATED.get(kind, kind), "")))
    return tuple(element for element in found if element is not None)


_Transform = tuple[float, float, float, float]


def _leaves(parent: Element, place: _Transform, depth: int) -> Iterator[tuple[Element, _Transform]]:
    for child in parent:
        if child.tag in _LEAVES:
            yield child, place
        elif child.tag == f"{P}grpSp" and depth < _MOST_NESTED:
            yield from _leaves(child, _within(child, place), depth + 1)
        elif child.tag == f"{MC}AlternateContent":
            yield from _leaves(chosen(child), place, depth)


def _within(group: Element, place: _Transform) -> _Transform:
    """Scale and offset of what is in a group."""
    frame = group.find(f"{P}grpSpPr/{A}xfrm")
    if frame is None:
        return place
    offset, size = _pair(frame, "off", "x", "y"), _pair(frame, "ext", "cx", "cy")
    inner, inner_size = _pair(frame, "chOff", "x", "y"), _pair(frame, "chExt", "cx", "cy")
    if offset is None or size is None or inner is None or inner_size is None:
        return place
    x, y = (size[0] / inner_size[0] if inner_size[0] else 1.0), (size[1] / inner_size[1] if inner_size[1] else 1.0)
    scale_x, scale_y, move_x, move_y = place
    return (
        scale_x * x,
        scale_y * y,
        move_x + scale_x * (offset[0] - x * inner[0]),
        move_y + scale_y * (offset[1] - y * inner[1]),
    )


def _box(element: Element, place: _Transform) -> Box | None:
    frame = element.find(f"{P}spPr/{A}xfrm")
    frame = element.find(f"{P}xfrm") if frame is None else frame
    if frame is None:
        return None
    offset, size = _pair(frame, "off", "x", "y"), _pair(frame, "ext", "cx", "cy")
    if offset is None or size is None:
        return None
    scale_x, scale_y, move_x, move_y = place
    return Box(
        move_x + scale_x * offset[0], move_y + scale_y * offset[1], abs(scale_x * size[0]), abs(scale_y * size[1])
    )


def _pair(frame: Element, name: str, first: str, second: str) -> tuple[int, int] | None:
    found = frame.find(f"{A}{name}")
    return None if found is None else (whole(found.get(first)), whole(found.get(second)))


def _background(roots: tuple[Element, ...], scheme: Scheme) -> str | None:
    for root in roots:
        found = root.find(f"{P}cSld/{P}bg")
        if found is None:
            continue
        reference = found.find(f"{P}bgRef")
        if reference is not None:
            return colour_of(reference, scheme) if whole(reference.get("idx")) in (1000, 1001) else None
        stated, colour = fill_of(found.find(f"{P}bgPr"), scheme)
        return colour if stated else None
    return scheme.get("bg1", WHITE)
