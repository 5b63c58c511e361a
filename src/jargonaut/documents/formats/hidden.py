"""What a reader does not see: the reasons, and when text has the colour of its ground."""

from __future__ import annotations

NOT_DISPLAYED = "not displayed"
SAME_COLOUR = "same colour as its ground"
TOO_SMALL = "too small to read"
OFF_THE_PAGE = "off the page"
COVERED = "covered"
COMMENT = "comment"
DELETION = "tracked deletion"
HIDDEN_CELLS = "hidden sheet, row or column"
UNCOMPUTED = "formula without its value"
HIDDEN_SLIDE = "hidden slide"
ALTERNATIVE_TEXT = "alternative text"

SMALLEST_POINTS = 2.0
"""Type of this size or less cannot be read."""
WHITE = "ffffff"
_LEAST_DIFFERENCE = 24
"""Of red, green and blue together, for the eye to tell two colours apart."""
_LEAST_INSTRUCTION = 100
"""Characters of an alternative text that could be an instruction. Shorter ones name a picture."""


def same_colour(text: str | None, ground: str | None) -> bool:
    """Whether two colours like `ff0000` look the same; None is a colour that is not known."""
    if not text or not ground or len(text) != 6 or len(ground) != 6:
        return False
    try:
        pairs = [(int(text[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (0, 2, 4)]
    except ValueError:
        return False
    return sum(abs(one - other) for one, other in pairs) < _LEAST_DIFFERENCE


def suspicious_alternative(text: str) -> str:
    """`text` if it is long enough to be an instruction, else nothing."""
    return text if len(text.strip()) >= _LEAST_INSTRUCTION else ""
