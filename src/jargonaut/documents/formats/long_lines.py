"""Lines that nobody wrote: parsers of markup look for the end of every mark in the rest of a paragraph, which takes
time by the square of its length.
"""

from __future__ import annotations

import re

_LONGEST = 20_000
"""Characters of a line; a paragraph of prose has some thousands."""
_PIECE = re.compile(r"(?s)(.{1,3000}(?=\s|\Z)|.{1,3000})\s*")


def shortened(line: str) -> str:
    """`line`, or paragraphs of it if it is very long."""
    return line if len(line) <= _LONGEST else "\n\n".join(_PIECE.findall(line))
