"""The characters of a page, as PDFium finds them, in runs of one type."""

from __future__ import annotations

import ctypes
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdfium2.raw as pdfium_c

from jargonaut.documents.formats.pdf.geometry import Boxes, nearest_turn

INVISIBLE = 3
"""Text render mode that paints nothing."""
_BOLD = re.compile(r"bold|black|heavy|semib|demi(?!l)|cmbx|[-,]bd", re.IGNORECASE)
_FIXED = re.compile(r"mono|courier|consol|menlo|monaco|typewriter|cmtt|inconsol|(?<![a-z])code", re.IGNORECASE)
_FIXED_FLAG = 1
_BOLD_WEIGHT = 600
_NAME_BYTES = 128
_LEAST_SIZE = 2.0


@dataclass(frozen=True, slots=True)
class Type:
    """What characters look like."""

    size: float
    """In points, rounded to halves."""
    bold: bool = False
    fixed: bool = False
    """Every character is as wide as the others."""


@dataclass(slots=True)
class Run:
    """Characters of one look, drawn one after the other on one base line."""

    start: int
    stop: int
    """Offsets of its characters."""
    type: Type
    turn: int | None
    """See `nearest_turn`."""
    origin: tuple[float, float]
    """Where its first character stands, in the page's space: on the base line."""
    colour: tuple[int, ...]
    """Red, green, blue and opacity, up to 255."""
    mode: int
    """Of rendering."""
    mapped: bool
    """Whether its font says which characters it shows."""


@dataclass(slots=True)
class Glyphs:
    """All characters of a page, in the order of its content."""

    text: list[str]
    """One character each; those outside of runs are blanks and line ends that PDFium made up."""
    corners: Boxes
    """x, y, x, y each, in the page's space."""
    objects: list[int | None]
    """Addresses of the text objects that they are drawn by."""
    runs: list[Run]


def _function(function: Any, *arguments: Any, result: Any = ctypes.c_int) -> Callable[..., Any]:
    """`function` with plain numbers for handles and pointers: it is called for every character."""
    return ctypes.CFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_PAGE, _INDEX, _OUT = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
_unicode = _function(pdfium_c.FPDFText_GetUnicode, _PAGE, _INDEX, result=ctypes.c_uint)
_object = _function(pdfium_c.FPDFText_GetTextObject, _PAGE, _INDEX, result=ctypes.c_void_p)
_loose_box = _function(pdfium_c.FPDFText_GetLooseCharBox, _PAGE, _INDEX, _OUT)
_origin = _function(pdfium_c.FPDFText_GetCharOrigin, _PAGE, _INDEX, _OUT, _OUT)
_matrix = _function(pdfium_c.FPDFText_GetMatrix, _PAGE, _INDEX, _OUT)
_size = _function(pdfium_c.FPDFText_GetFontSize, _PAGE, _INDEX, result=ctypes.c_double)
_unmapped = _function(pdfium_c.FPDFText_HasUnicodeMapError, _PAGE, _INDEX)
_colour = _function(pdfium_c.FPDFPageObj_GetFillColor, ctypes.c_void_p, _OUT, _OUT, _OUT, _OUT)
_mode = _function(pdfium_c.FPDFTextObj_GetTextRenderMode, ctypes.c_void_p)
_font = _function(pdfium_c.FPDFTextObj_GetFont, ctypes.c_void_p, result=ctypes.c_void_p)


def read_glyphs(text_page: Any) -> Glyphs:
    """The characters of a PDFium text page."""
    handle = ctypes.cast(text_page, ctypes.c_void_p).value
    count = max(pdfium_c.FPDFText_CountChars(text_page), 0)
    rectangles = np.zeros((count, 4), dtype=np.float32)
    _fill(_loose_box, repeat(handle), range(count), _rows(rectangles))
    addresses: list[int | None] = list(map(_object, repeat(handle), range(count)))
    codes = map(_unicode, repeat(handle), range(count))
    text = list(map(_character, codes))
    # FS_RECTF is left, top, right, bottom.
    corners = rectangles[:, [0, 3, 2, 1]].astype(np.float64)
    return Glyphs(text, corners, addresses, _joined(_runs(handle, addresses, corners)))


def _fill(function: Callable[..., Any], *arguments: Iterable[int | None]) -> None:
    deque(map(function, *arguments), maxlen=0)


def _rows(array: npt.NDArray[Any], column: int = 0) -> range:
    """Addresses of the rows of an array, or of a column in them."""
    size, start = array.shape[1] * array.itemsize, array.ctypes.data + column * array.itemsize
    return range(start, start + size * len(array), size)


def _character(code: int) -> str:
    if code == 2:
        return "-"  # what PDFium makes of a hyphen at the end of a line
    if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF or code == 0:
        return "\N{REPLACEMENT CHARACTER}"
    return chr(code)


def _runs(handle: int | None, addresses: list[int | None], corners: Boxes) -> Iterator[Run]:
    """One of each text object."""
    count = len(addresses)
    starts = [
        index for index in range(count) if addresses[index] and (not index or addresses[index] != addresses[index - 1])
    ]
    objects = [addresses[index] or 0 for index in starts]
    origins = np.zeros((len(starts), 2), dtype=np.float64)
    matrices = np.zeros((len(starts), 6), dtype=np.float32)
    colours = np.zeros((len(starts), 4), dtype=np.uint32)
    _fill(_origin, repeat(handle), starts, _rows(origins), _rows(origins, 1))
    _fill(_matrix, repeat(handle), starts, _rows(matrices))
    _fill(_colour, objects, *(_rows(colours, column) for column in range(4)))
    sizes = np.fromiter(map(_size, repeat(handle), starts), dtype=np.float64, count=len(starts))
    # Fonts made of drawings have any unit.
    heights = np.abs(corners[starts, 3] - corners[starts, 1])
    sizes *= np.hypot(matrices[:, 2], matrices[:, 3])
    sizes = np.round(np.where(sizes < _LEAST_SIZE, heights, sizes) * 2) / 2
    fonts: dict[int, tuple[bool, bool]] = {}
    for start, address, size, matrix, origin, colour in zip(
        starts, objects, sizes.tolist(), matrices.tolist(), origins.tolist(), colours.tolist(), strict=True
    ):
        stop = start + 1
        while stop < count and addresses[stop] == address:
            stop += 1
        yield Run(
            start,
            stop,
            Type(size, *_look(_font(address) or 0, fonts)),
            0 if not matrix[1] and matrix[0] > 0 else nearest_turn(matrix[0], matrix[1]),
            (origin[0], origin[1]),
            tuple(colour),
            _mode(address),
            not _unmapped(handle, start),
        )


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Runs that go on where the last one ends are one: browsers draw letter by letter."""
    joined: list[Run] = []
    for run in runs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.type == run.type
            and last.origin[1] == run.origin[1]
            and last.turn == run.turn == 0
            and (last.colour, last.mode, last.mapped) == (run.colour, run.mode, run.mapped)
        ):
            last.stop = run.stop
        else:
            joined.append(run)
    return joined


def _look(font: int, fonts: dict[int, tuple[bool, bool]]) -> tuple[bool, bool]:
    """Whether a font is bold, and whether it has a fixed width."""
    if font not in fonts:
        handle = ctypes.cast(font, pdfium_c.FPDF_FONT)
        buffer = ctypes.create_string_buffer(_NAME_BYTES)
        pdfium_c.FPDFFont_GetBaseFontName(handle, buffer, _NAME_BYTES)
        name = buffer.value.decode("latin-1")
        bold = bool(_BOLD.search(name)) or pdfium_c.FPDFFont_GetWeight(handle) >= _BOLD_WEIGHT
        fixed = bool(_FIXED.search(name)) or bool(pdfium_c.FPDFFont_GetFlags(handle) & _FIXED_FLAG)
        fonts[font] = bold, fixed
    return fonts[font]
