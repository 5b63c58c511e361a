"""Which characters a reader of a page sees: those without which its picture would differ."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium_c

from jargonaut.documents.formats.pdf.drawings import Drawings
from jargonaut.documents.formats.pdf.geometry import Box, Boxes, Frame
from jargonaut.documents.formats.pdf.glyphs import INVISIBLE, Glyphs

Picture = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

SHOWN, NOT_DISPLAYED, SAME_COLOUR, TOO_SMALL, OFF_PAGE, COVERED = range(6)
REASONS = ("", "not displayed", "same colour as its ground", "too small to read", "off the page", "covered")
SCAN_SHARE = 0.7
"""Of a page, covered by images: what was recognised in them lies under or over them, and is not painted."""
_LEAST_SIZE = 2.0
_LEAST_WIDTH = 0.04
"""Of a character, on average, in sizes of its type."""
_LEAST_CONTRAST = 12
"""Between two colours, in one of red, green and blue, of 255."""
_FAINTEST = 0.05 * 255
"""Opacity, up to 255, that cannot be told from nothing."""
_MOST_PIXELS = 4_000_000
_LEAST_PIXELS = 2.0
"""Height of a character that can be judged."""
_INK = 0.7
"""Darkest share of a scan's brightness that is ink."""


def image_share(drawings: Drawings, frame: Frame) -> float:
    """Share of the page that images cover."""
    page = Box(0, 0, frame.width, frame.height)
    covered = sum(shape.box.overlap(page) for shape in drawings.shapes if shape.image)
    return covered / page.area if page.area else 0.0


def judge(page: Any, glyphs: Glyphs, boxes: Boxes, drawings: Drawings, frame: Frame) -> npt.NDArray[np.uint8]:
    """For each character, why it is not seen, as an index of `REASONS`.

    Args:
        page: A page of pypdfium2.
        glyphs: Its characters.
        boxes: Theirs, in `frame`.
        drawings: What else is on it.
        frame: The page as it is looked at.
    """
    reasons = np.zeros(len(boxes), dtype=np.uint8)
    if not glyphs.runs:
        return reasons
    sizes, colours, orders = _features(glyphs, drawings, len(boxes))
    reasons[_too_small(glyphs, boxes)] = TOO_SMALL
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    outside = (middle < 0).any(axis=1) | (middle[:, 0] > frame.width) | (middle[:, 1] > frame.height)
    reasons[outside] = OFF_PAGE
    scale = min(1.0, math.sqrt(_MOST_PIXELS / max(frame.width * frame.height, 1.0)))
    judged = (reasons == SHOWN) & (sizes * scale >= _LEAST_PIXELS)
    cells = _pixels(boxes * scale)
    whole = _picture(page, scale)
    with _switched_off(drawings.texts):
        ground = _picture(page, scale)
    unseen = judged & (_unpainted(glyphs, len(boxes)) | ~_any_in(_differ(whole, ground), cells))
    reasons[unseen] = NOT_DISPLAYED
    reasons[judged & _like_ground(ground, cells, colours)] = SAME_COLOUR
    over = _painted_over(boxes, orders, drawings)
    covered = np.unique(orders[over & judged & ~unseen])
    if covered.size:
        # Others may show in the same place: only these are taken away.
        wanted = set(covered.tolist())
        with _switched_off(address for address, order in drawings.texts.items() if order in wanted):
            unseen |= judged & np.isin(orders, covered) & ~_any_in(_differ(whole, _picture(page, scale)), cells)
    reasons[unseen & over & (reasons != SAME_COLOUR)] = COVERED
    if image_share(drawings, frame) >= SCAN_SHARE:
        # What was recognised stands a little beside what it was recognised in.
        margin = sizes[:, None] * np.array([-0.5, -0.3, 0.5, 0.3])
        reasons[judged & _any_in(_ink(whole), _pixels((boxes + margin) * scale))] = SHOWN
    return reasons


def _features(
    glyphs: Glyphs, drawings: Drawings, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Size, fill colour (-1 if it is not known) and order of painting of each character."""
    sizes = np.zeros(count)
    colours = np.full((count, 3), -1, dtype=np.int16)
    orders = np.fromiter((drawings.texts.get(item or 0, -1) for item in glyphs.objects), np.int64, count)
    for run in glyphs.runs:
        place = slice(run.start, run.stop)
        sizes[place] = run.type.size
        if run.mode == 0 and run.colour[3]:
            colours[place] = run.colour[:3]
    return sizes, colours, orders


def _unpainted(glyphs: Glyphs, count: int) -> Flags:
    """What leaves no trace by itself, whatever else is seen in its place."""
    unpainted = np.zeros(count, dtype=np.bool_)
    for run in glyphs.runs:
        faint = run.mode == 0 and run.colour[3] < _FAINTEST
        unpainted[run.start : run.stop] = faint or run.mode == INVISIBLE
    return unpainted


def _too_small(glyphs: Glyphs, boxes: Boxes) -> Flags:
    small = np.zeros(len(boxes), dtype=np.bool_)
    for run in glyphs.runs:
        part = boxes[run.start : run.stop]
        extent = max(part[:, 2].max() - part[:, 0].min(), part[:, 3].max() - part[:, 1].min())
        if run.type.size < _LEAST_SIZE or extent < _LEAST_WIDTH * run.type.size * (run.stop - run.start):
            small[run.start : run.stop] = True
    return small


def _picture(page: Any, scale: float) -> Picture:
    """Blue, green and red of each pixel. What an annotation shows is not part of the page."""
    bitmap = page.render(scale=scale, draw_annots=False, may_draw_forms=False)
    picture: Picture = bitmap.to_numpy()[:, :, :3].astype(np.int16)
    bitmap.close()
    return picture


@contextmanager
def _switched_off(addresses: Iterable[int]) -> Any:
    """Paint without these text objects."""
    handles = [ctypes.cast(address, pdfium_c.FPDF_PAGEOBJECT) for address in addresses]
    for handle in handles:
        pdfium_c.FPDFPageObj_SetIsActive(handle, False)
    try:
        yield
    finally:
        for handle in handles:
            pdfium_c.FPDFPageObj_SetIsActive(handle, True)


def _differ(one: Picture, other: Picture) -> Flags:
    differ: Flags = (np.abs(one - other) >= _LEAST_CONTRAST).any(axis=2)
    return differ


def _ink(picture: Picture) -> Flags:
    brightness = picture.mean(axis=2)
    ink: Flags = brightness < _INK * np.median(brightness)
    return ink


def _pixels(boxes: Boxes) -> npt.NDArray[np.int64]:
    """The inner part of each box, at least one pixel, so that its neighbours do not show for it."""
    inset = np.minimum((boxes[:, 2] - boxes[:, 0]) * 0.15, 1.0)[:, None] * np.array([1.0, 0.0, -1.0, 0.0])
    cells: npt.NDArray[np.int64] = np.floor(boxes + inset).astype(np.int64)
    cells[:, 2:] = np.maximum(cells[:, 2:] + 1, cells[:, :2] + 1)
    return cells


def _any_in(flags: Flags, cells: npt.NDArray[np.int64]) -> Flags:
    """For each cell, whether one of its pixels is flagged: by sums over rectangles from the corner."""
    height, width = flags.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int32)
    np.cumsum(np.cumsum(flags, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    x0, x1 = np.clip(cells[:, 0], 0, width), np.clip(cells[:, 2], 0, width)
    y0, y1 = np.clip(cells[:, 1], 0, height), np.clip(cells[:, 3], 0, height)
    found: Flags = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0] > 0
    return found


def _like_ground(ground: Picture, cells: npt.NDArray[np.int64], colours: npt.NDArray[np.int16]) -> Flags:
    """Whether the ground has the colour of the character, in the middle and towards the corners."""
    height, width = ground.shape[:2]
    like = colours[:, 0] >= 0
    for across, down in ((0.5, 0.5), (0.2, 0.3), (0.8, 0.3), (0.2, 0.7), (0.8, 0.7)):
        x = np.clip((cells[:, 0] + across * (cells[:, 2] - cells[:, 0])).astype(np.int64), 0, width - 1)
        y = np.clip((cells[:, 1] + down * (cells[:, 3] - cells[:, 1])).astype(np.int64), 0, height - 1)
        like &= (np.abs(ground[y, x] - colours[:, ::-1]) < _LEAST_CONTRAST).all(axis=1)
    return like


def _painted_over(boxes: Boxes, orders: npt.NDArray[np.int64], drawings: Drawings) -> Flags:
    """Whether a shape may lie over the character."""
    over = np.zeros(len(boxes), dtype=np.bool_)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    first = orders[orders >= 0].min(initial=0)
    for shape in drawings.shapes:
        if shape.order > first:
            box = shape.box
            inside = (x >= box.x0) & (x <= box.x1) & (y >= box.top) & (y <= box.bottom)
            over |= inside & (orders >= 0) & (orders < shape.order)
    return over
