"""The words of a page."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jargonaut.documents.formats.pdf.geometry import Box, Boxes, Frame
from jargonaut.documents.formats.pdf.glyphs import Glyphs, Run, Type

_ASCENT, _DESCENT = 0.78, 0.22
"""Of a line of type, in sizes: fonts disagree, lines of text must not."""
_GAP = 0.17
"""Least distance between words, in sizes; letters are set apart by less."""
_WIDE_GAP = 0.6
"""Between Chinese characters, which are set apart to fill the line."""
_SPACED_GAP = 0.18
"""The same where there is a blank in the text."""
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_SYMBOLS = {"\uf02d": "-", "\uf0d8": "➢", "\uf0e0": "→", "\uf0e8": "➔", "\uf0fc": "✓"}
"""Of the symbol fonts of office programs. What else stands alone there is the mark of a list item."""


@dataclass(slots=True)
class Word:
    """Characters without a blank between them, of one type, on one base line."""

    text: str
    box: Box
    base: float
    """Where it stands on y."""
    type: Type
    spaced: bool
    """Whether a blank comes before it, rather than just a gap."""


def is_wide(text: str) -> bool:
    """Whether it is of a script that sets no blanks, as Chinese."""
    return bool(_WIDE.match(text))


def gap_is_blank(before: Word, after: Word) -> bool:
    """Whether there is a blank between two words on one line."""
    gap = after.box.x0 - before.box.x1
    size = min(before.type.size, after.type.size)
    if before.text and after.text and (is_wide(before.text[-1]) and is_wide(after.text[0])):
        return gap > (_SPACED_GAP if after.spaced else _WIDE_GAP) * size
    return (after.spaced and gap > 0.05 * size) or gap > _GAP * size


def words_of(
    glyphs: Glyphs, runs: Sequence[Run], boxes: Boxes, frame: Frame, hidden: npt.NDArray[np.uint8]
) -> Iterator[tuple[Word, int]]:
    """The words of `runs`, and why they are not seen, as an index of `visibility.REASONS`.

    Args:
        glyphs: All characters.
        runs: Those to read, all of one turn.
        boxes: Of all characters, in `frame`.
        frame: The page, turned so that the runs stand upright.
        hidden: For all characters, why they are not seen.
    """
    lefts, rights = boxes[:, 0].tolist(), boxes[:, 2].tolist()
    reasons = hidden.tolist()
    stop = -1
    for run in runs:
        base = frame.point(*run.origin)[1]
        # What PDFium put between two runs is a blank or the end of a line.
        spaced = run.start != stop
        stop = run.stop
        for start, end, blank in _pieces(glyphs.text, run, lefts, rights, spaced):
            text = _clean("".join(glyphs.text[start:end]))
            size = run.type.size
            x0, x1 = lefts[start], max(rights[start:end])
            why = Counter(reasons[start:end]).most_common(1)[0][0]
            yield Word(text, Box(x0, base - _ASCENT * size, x1, base + _DESCENT * size), base, run.type, blank), why


def _pieces(
    text: Sequence[str], run: Run, lefts: Sequence[float], rights: Sequence[float], spaced: bool
) -> Iterator[tuple[int, int, bool]]:
    """Start, end, and whether a blank comes before."""
    start = -1
    limit = _GAP * run.type.size
    wide = _WIDE_GAP * run.type.size
    for index in range(run.start, run.stop):
        character = text[index]
        if character.isspace() or (not character.isprintable() and character < " "):
            if start >= 0:
                yield start, index, spaced
            start, spaced = -1, True
            continue
        if start >= 0:
            gap = lefts[index] - rights[index - 1]
            if (gap > limit and (gap > wide or not is_wide(character))) or gap < -wide - wide:
                yield start, index, spaced
                start, spaced = index, False
        else:
            start = index
    if start >= 0:
        yield start, run.stop, spaced


def _clean(text: str) -> str:
    if text.isascii():
        return text
    if len(text) == 1 and _PRIVATE_USE.match(text):
        return _SYMBOLS.get(text, "•")
    text = _LIGATURES.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return "".join(map(_unified, text))


def _unified(character: str) -> str:
    """Radicals and compatibility forms of Chinese characters, which some fonts are mapped to, as the characters."""
    if "\u2e80" <= character <= "\u2fdf" or "\uf900" <= character <= "\ufaff":
        return unicodedata.normalize("NFKC", character)
    return character
