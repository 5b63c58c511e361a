"""Text recognised in the picture of a page (OCR), with the models that `rapidocr-onnxruntime` carries in its wheel.

They read Chinese and English. A dense page takes about 8 s of one core and, with all that is loaded, 850 MiB of address
space, if it is recognised line by line by one thread: less than a worker has by default.
"""

from __future__ import annotations

import importlib.util
import signal
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from statistics import median
from typing import Any

import numpy as np

from jargonaut.documents.formats.pdf.drawings import Drawings
from jargonaut.documents.formats.pdf.geometry import Box
from jargonaut.documents.formats.pdf.glyphs import Type
from jargonaut.documents.formats.pdf.page import Page
from jargonaut.documents.formats.pdf.words import Word, is_wide

EXTRA = "ocr"
_DOTS_PER_POINT = 150 / 72
_LONGEST_SIDE = 2_200
"""Of a picture, in dots: pages may be of any size."""
_OPTIONS = {
    "intra_op_num_threads": 1,  # the other cores read other files
    "inter_op_num_threads": 1,
    "det_limit_side_len": 960,
    "det_limit_type": "max",
    "det_unclip_ratio": 2.2,  # with less room around a line, its blanks are lost
    "rec_batch_num": 1,
}
_LEAST_CONFIDENCE = 0.5
_TYPE_OF_BOX = 0.62
"""Size of the type in a line, in heights of its box."""
_SAME_SIZE = 0.25
"""Sizes that differ by less are the same: they are measured from pictures."""
_SPARE_S = 3.0
_FIRST_PAGE_S = 12.0


@dataclass
class Recogniser:
    """Reads pictures of text, as long as there is time."""

    out_of_time: bool = False
    _longest_s: float = field(default=_FIRST_PAGE_S)

    @cached_property
    def is_installed(self) -> bool:
        """Whether the extra is."""
        return importlib.util.find_spec("rapidocr_onnxruntime") is not None

    @property
    def seconds_a_page(self) -> int:
        """How long the slowest page took, or may take."""
        return round(self._longest_s)

    def recognise(self, page: Any, found: Page) -> Page | None:
        """What can be read in the picture of a page of pypdfium2; None if it cannot be read now.

        Raises:
            MemoryError: It does not fit into the memory that this process may have.
        """
        if not self.is_installed or self.out_of_time:
            return None
        if _time_left() < self._longest_s + _SPARE_S:
            self.out_of_time = True
            return None
        start = time.monotonic()
        width, height = page.get_size()
        scale = min(_DOTS_PER_POINT, _LONGEST_SIDE / max(width, height, 1.0))
        lines = self._read(_picture(page, scale))
        seconds = time.monotonic() - start
        self._longest_s = seconds if self._longest_s == _FIRST_PAGE_S else max(self._longest_s, seconds)
        return Page(found.number, width, height, list(_words(lines, scale)), drawings=Drawings(), hidden=found.hidden)

    def _read(self, picture: Any) -> Sequence[Any]:
        try:
            lines, _ = _engine()(picture, use_cls=False)
        except MemoryError:
            raise
        except Exception as error:
            if "bad_alloc" in str(error) or "OutOfMemory" in str(error) or "nsufficient memory" in str(error):
                raise MemoryError("recognising text") from error
            raise
        return lines or []


@cache
def _engine() -> Any:
    """Kept for the next file: it takes seconds and most of the memory to load."""
    import cv2
    from rapidocr_onnxruntime import RapidOCR

    cv2.setNumThreads(1)
    return RapidOCR(**_OPTIONS)


def _time_left() -> float:
    """Seconds until the worker ends this process; endless outside of a worker."""
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    return left or float("inf")


def _picture(page: Any, scale: float) -> Any:
    bitmap = page.render(scale=scale, draw_annots=False, may_draw_forms=False)
    picture = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
    bitmap.close()
    return picture


def _words(lines: Sequence[Any], scale: float) -> list[Word]:
    """Each line as one word, in points, its size that of most if it is near."""
    read = [(text, _box(corners, scale)) for corners, text, sure in lines if sure >= _LEAST_CONFIDENCE and text.strip()]
    usual = median(box.height for _, box in read) if read else 0.0
    words = []
    for text, box in read:
        height = usual if abs(box.height - usual) <= _SAME_SIZE * usual else box.height
        size = round(height * _TYPE_OF_BOX * 2) / 2
        base = box.bottom - 0.28 * box.height
        words.append(Word(_western(text.strip()), box, base, Type(size), spaced=True))
    return words


def _box(corners: Sequence[Sequence[float]], scale: float) -> Box:
    xs, ys = zip(*corners, strict=True)
    return Box(min(xs) / scale, min(ys) / scale, max(xs) / scale, max(ys) / scale)


def _western(text: str) -> str:
    """Signs of half width in a line without Chinese: the models prefer the full ones."""
    if any(is_wide(character) and character.isalpha() for character in text):
        return text
    return unicodedata.normalize("NFKC", text)
