"""Raised and lowered text in a line of plain text.

`10<sup>3</sup>` must not read as 103, nor a word that a note hangs on as another word. Yet people look for `m2`, `H2O`
and `1st`. So a power after a digit is `10^3`; after a short unit it is `m²`, which the lexical analysis takes for `m2`;
the mark of a note is `[5]`; what is lowered, and the ending of an ordinal number, stand as they are.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+\-−–]?\d{1,4}|\d{0,2}[+\-−–]")
_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|ère|re|e|ème|o|a|os|as|de|te)\.?", re.IGNORECASE)
_UNIT = re.compile(r"(?<![A-Za-z\u00b5\u0370-\u03ff])[A-Za-z\u00b5\u0370-\u03ff]{1,3}\Z")
"""What may be raised to a power or be an ion: a word of no more than three letters."""
_MARK = re.compile(r"\d{1,3}(?:\s?[,–-]\s?\d{1,3})*|[a-z]")
TAIL = 12
"""Characters before it that decide how it is written."""


def raised(before: str, text: str) -> str:
    """`text` as it is written after `before`, raised."""
    last = before[-1:]
    if not text or not last or last.isspace():
        return text
    if last.isdigit() or last in ")]}）":
        return text if last.isdigit() and _ORDINAL.fullmatch(text) else _after_number(text)
    unit = _UNIT.search(before)
    if _NUMBER.fullmatch(text) and (unit or not text.isdigit()):
        return text.translate(_RAISED)
    if unit:
        return f"^{text}" if len(unit[0]) == len(text) == 1 and text.isalnum() else text
    return f"[{text}]" if _MARK.fullmatch(text) else text


def lowered(before: str, text: str) -> str:
    """`text` as it is written after `before`, lowered."""
    return f"_{text}" if before[-1:].isdigit() and text[:1].isdigit() else text


def note_mark(text: str) -> str:
    """The mark of a note as all parsers write it."""
    bare = text.strip().removeprefix("[").removesuffix("]").strip()
    return f"[{bare}]" if bare else ""


def _after_number(text: str) -> str:
    if len(text) == 1 and not text.isalnum() and text not in "+-−–":
        return text  # 5°, 5*
    return f"^{text}" if text.isalnum() or _NUMBER.fullmatch(text) or text[0] in "([" else f"^({text})"
