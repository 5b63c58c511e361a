"""What is drawn on a page beside its text: rules, filled shapes and images, in the order of painting."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

from jargonaut.documents.formats.pdf.geometry import Box, Frame

Matrix = tuple[float, float, float, float, float, float]

_UNIT: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_OBJECTS = 20_000
"""Looked at on a page; maps and plots have millions."""
_MOST_SEGMENTS = 200
"""Of one path that may hold rules."""
_DEEPEST_FORM = 8
_THICKEST_RULE = 3.5
_SHORTEST_RULE = 4.0
_SMALLEST_DOT, _LARGEST_DOT = 1.5, 8.0
_STRAIGHT = 0.6
"""Most that a rule deviates, in points."""
_WHITE = 250
_OPAQUE = 200


class Rule(NamedTuple):
    """A line across (from `start` to `stop` on x, at `at` on y), or down (the other way round)."""

    at: float
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Something that covers what was painted before."""

    box: Box
    order: int
    image: bool = False
    colour: tuple[int, ...] | None = None
    """None if it has more than one."""


@dataclass(slots=True)
class Drawings:
    """All of a page."""

    across: list[Rule] = field(default_factory=list)
    down: list[Rule] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    dots: list[Box] = field(default_factory=list)
    """Small filled shapes as wide as high: browsers draw the marks of lists."""
    texts: dict[int, int] = field(default_factory=dict)
    """By address of a text object, when it is painted."""
    in_forms: set[int] = field(default_factory=set)
    """Text objects that are not the page's own."""
    cut_short: bool = False
    """Whether there are more objects than were looked at."""


class _Object(NamedTuple):
    handle: Any
    kind: int
    matrix: Matrix
    in_form: bool


def read_drawings(page: Any, frame: Frame) -> Drawings:
    """Of a PDFium page, in the page turned as `frame` says."""
    drawings = Drawings()
    for order, found in enumerate(_objects(page)):
        if order == _MOST_OBJECTS:
            drawings.cut_short = True
            break
        if found.kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            address = ctypes.addressof(found.handle.contents)
            drawings.texts[address] = order
            if found.in_form:
                drawings.in_forms.add(address)
        elif found.kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            _add_path(drawings, found, order, frame)
        elif found.kind in {pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING}:
            box = _bounds(found, frame)
            drawings.shapes.append(Shape(box, order, found.kind == pdfium_c.FPDF_PAGEOBJ_IMAGE))
    return drawings


def _objects(page: Any) -> Iterator[_Object]:
    for index in range(pdfium_c.FPDFPage_CountObjects(page)):
        yield from _unfolded(pdfium_c.FPDFPage_GetObject(page, index), _UNIT, 0)


def _unfolded(handle: Any, matrix: Matrix, depth: int) -> Iterator[_Object]:
    kind = pdfium_c.FPDFPageObj_GetType(handle)
    if kind != pdfium_c.FPDF_PAGEOBJ_FORM:
        yield _Object(handle, kind, matrix, depth > 0)
    elif depth < _DEEPEST_FORM:
        inner = _times(_matrix(handle), matrix)
        for index in range(pdfium_c.FPDFFormObj_CountObjects(handle)):
            yield from _unfolded(pdfium_c.FPDFFormObj_GetObject(handle, index), inner, depth + 1)


def _matrix(handle: Any) -> Matrix:
    found = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(handle, found):
        return _UNIT
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _applied(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _bounds(found: _Object, frame: Frame) -> Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium_c.FPDFPageObj_GetBounds(found.handle, left, bottom, right, top)
    if found.matrix is _UNIT:
        return frame.box(left.value, bottom.value, right.value, top.value)
    corners = [(x.value, y.value) for x in (left, right) for y in (bottom, top)]
    xs, ys = zip(*(_applied(found.matrix, x, y) for x, y in corners), strict=True)
    return frame.box(min(xs), min(ys), max(xs), max(ys))


def _add_path(drawings: Drawings, found: _Object, order: int, frame: Frame) -> None:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(found.handle, fill, stroke)
    colour = _colour(pdfium_c.FPDFPageObj_GetFillColor, found.handle) if fill.value else None
    if colour and colour[3] == 0:
        colour = None
    drawn = _colour(pdfium_c.FPDFPageObj_GetStrokeColor, found.handle) if stroke.value else None
    if drawn and (drawn[3] == 0 or min(drawn[:3]) >= _WHITE):
        drawn = None
    if not colour and not drawn:
        return
    box = _bounds(found, frame)
    if drawn and _SMALLEST_DOT <= box.width <= _LARGEST_DOT and abs(box.width - box.height) < 0.3:
        drawings.dots.append(box)
    elif colour and box.width > _THICKEST_RULE and box.height > _THICKEST_RULE:
        if colour[3] >= _OPAQUE:
            drawings.shapes.append(Shape(box, order, colour=colour[:3]))
        if min(colour[:3]) < _WHITE or drawn:
            _add_edges(drawings, found, frame)
    elif drawn and box.width > _THICKEST_RULE and box.height > _THICKEST_RULE:
        _add_edges(drawings, found, frame)
    elif colour and _SMALLEST_DOT <= box.width <= _LARGEST_DOT and abs(box.width - box.height) < 0.3:
        drawings.dots.append(box)
    elif box.width >= max(_SHORTEST_RULE, box.height):
        drawings.across.append(Rule((box.top + box.bottom) / 2, box.x0, box.x1))
    elif box.height >= _SHORTEST_RULE:
        drawings.down.append(Rule((box.x0 + box.x1) / 2, box.top, box.bottom))


def _colour(function: Any, handle: Any) -> tuple[int, ...]:
    parts = [ctypes.c_uint() for _ in range(4)]
    function(handle, *parts)
    return tuple(part.value for part in parts)


def _add_edges(drawings: Drawings, found: _Object, frame: Frame) -> None:
    """The lines of a path that run straight across or down."""
    matrix = _times(_matrix(found.handle), found.matrix)
    for start, end in _segments(found.handle):
        box = frame.box(*_applied(matrix, *start), *_applied(matrix, *end))
        if box.height <= _STRAIGHT and box.width >= _SHORTEST_RULE:
            drawings.across.append(Rule(box.top, box.x0, box.x1))
        elif box.width <= _STRAIGHT and box.height >= _SHORTEST_RULE:
            drawings.down.append(Rule(box.x0, box.top, box.bottom))


def _segments(handle: Any) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    x, y = ctypes.c_float(), ctypes.c_float()
    first = last = (0.0, 0.0)
    for index in range(min(pdfium_c.FPDFPath_CountSegments(handle), _MOST_SEGMENTS)):
        segment = pdfium_c.FPDFPath_GetPathSegment(handle, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = (x.value, y.value)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == pdfium_c.FPDF_SEGMENT_LINETO:
            yield last, point
        last = point
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            yield last, first
            last = first
