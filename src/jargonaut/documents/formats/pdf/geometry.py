"""Places on a page as it is looked at: x to the right, y down from the upper left corner, in points."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
"""A row of left, top, right and bottom each."""
QUARTER = 90


class Box(NamedTuple):
    """An upright rectangle."""

    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Zero for a line."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def overlap(self, other: Box) -> float:
        """Area that both cover."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def contains(self, x: float, y: float) -> bool:
        """Whether the point is in it or on its edge."""
        return self.x0 <= x <= self.x1 and self.top <= y <= self.bottom


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box with all of them, of which there must be one."""
    x0, top, x1, bottom = zip(*boxes, strict=True)
    return Box(min(x0), min(top), max(x1), max(bottom))


@dataclass(frozen=True, slots=True)
class Frame:
    """How the space of a page, in which y goes up, is turned so that a text stands upright."""

    left: float
    bottom: float
    right: float
    top: float
    turn: int = 0
    """Degrees clockwise, a multiple of 90."""

    @property
    def width(self) -> float:
        """Of the turned page."""
        return self.right - self.left if self.turn % (2 * QUARTER) == 0 else self.top - self.bottom

    @property
    def height(self) -> float:
        """Of the turned page."""
        return self.top - self.bottom if self.turn % (2 * QUARTER) == 0 else self.right - self.left

    def turned(self, turn: int) -> Frame:
        """The same page with another turn."""
        return Frame(self.left, self.bottom, self.right, self.top, turn)

    def point(self, x: Any, y: Any) -> tuple[Any, Any]:
        """A point of the page's space, or arrays of them."""
        if self.turn == 0:
            return x - self.left, self.top - y
        if self.turn == QUARTER:
            return y - self.bottom, x - self.left
        if self.turn == 2 * QUARTER:
            return self.right - x, y - self.bottom
        return self.top - y, self.right - x

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """The box with these two corners."""
        (a, b), (c, d) = self.point(x0, y0), self.point(x1, y1)
        return Box(min(a, c), min(b, d), max(a, c), max(b, d))

    def boxes(self, corners: Boxes) -> Boxes:
        """The same of an array: a row of x, y, x, y each."""
        a, b = self.point(corners[:, 0], corners[:, 1])
        c, d = self.point(corners[:, 2], corners[:, 3])
        return np.stack([np.minimum(a, c), np.minimum(b, d), np.maximum(a, c), np.maximum(b, d)], axis=1)


def nearest_turn(x: float, y: float) -> int | None:
    """The turn that makes text in direction (x, y) run to the right; None if it runs aslant."""
    degrees = math.degrees(math.atan2(y, x))
    turn = QUARTER * round(degrees / QUARTER)
    return turn % (4 * QUARTER) if abs(degrees - turn) < 10 else None
