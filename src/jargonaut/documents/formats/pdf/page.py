"""One page: its words as a reader sees them, what is drawn beside them, and what was left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jargonaut.documents.formats.pdf.drawings import Drawings, read_drawings
from jargonaut.documents.formats.pdf.geometry import Box, Frame
from jargonaut.documents.formats.pdf.glyphs import Glyphs, Run, read_glyphs
from jargonaut.documents.formats.pdf.visibility import REASONS, image_share, judge
from jargonaut.documents.formats.pdf.words import Word, words_of

_LEAST_CHARACTERS = 8
"""Of a page with a text layer; scans have none or a stamp."""
_PICTURE_SHARE = 0.3
"""Of a page without text, covered by images, to be a picture of text."""
_MOST_UNMAPPED = 0.5
"""Share of characters of which nobody knows what they are, in a text that can be read."""
_MOST_DOTS = 100
_PRIVATE_USE = ("\ue000", "\uf8ff")


@dataclass(slots=True)
class Page:
    """What the stages of reading work on."""

    number: int
    """Counted from 1."""
    width: float
    height: float
    words: list[Word]
    aside: list[list[Word]] = field(default_factory=list)
    """Words that run in other directions, each list upright for itself."""
    drawings: Drawings = field(default_factory=Drawings)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    """Why, and which text."""
    picture: Page | None = None
    """What is left if the page is a picture of text, or text that cannot be told: itself without the latter."""


def read_page(page: Any, number: int) -> Page:
    """The page of pypdfium2, without its annotations."""
    text_page = page.get_textpage()
    try:
        return _read(page, number, read_glyphs(text_page.raw))
    finally:
        text_page.close()


def _read(page: Any, number: int, glyphs: Glyphs) -> Page:
    left, bottom, right, top = page.get_bbox()
    frame = Frame(left, bottom, right, top, page.get_rotation())
    upright = frame.turned(_prevailing_turn(glyphs, frame.turn))
    drawings = read_drawings(page.raw, frame)
    hidden = judge(page, glyphs, frame.boxes(glyphs.corners), drawings, frame)
    drawings_upright = drawings if upright == frame else read_drawings(page.raw, upright)
    found = Page(number, upright.width, upright.height, [], drawings=drawings_upright)
    out: dict[int, list[str]] = defaultdict(list)
    for turn, runs in sorted(_by_turn(glyphs, upright.turn).items(), key=lambda item: item[0] != upright.turn):
        turned = frame.turned(turn)
        boxes = turned.boxes(glyphs.corners)
        words = _kept(words_of(glyphs, runs, boxes, turned, hidden), out)
        if turn == upright.turn:
            found.words = [*words, *_list_marks(words, drawings_upright.dots)]
        elif words:
            found.aside.append(words)
    found.hidden = [(REASONS[why], " ".join(texts)) for why, texts in out.items()]
    if _is_unmapped(glyphs, hidden, found):
        found.picture = replace(found, words=[], aside=[])
    elif _is_picture(found, image_share(drawings, frame)):
        found.picture = replace(found)
    return found


def _list_marks(words: Sequence[Word], dots: Sequence[Box]) -> Iterator[Word]:
    """Dots that stand before a line as a bullet does."""
    for dot in dots[:_MOST_DOTS]:
        for word in words:
            size = word.type.size
            beside = 0 < word.box.x0 - dot.x1 < 2 * size and dot.height < 0.6 * size
            if beside and word.base - 0.65 * size < (dot.top + dot.bottom) / 2 < word.base:
                yield Word(
                    "•", dot._replace(top=word.box.top, bottom=word.box.bottom), word.base, word.type, spaced=True
                )
                break


def _prevailing_turn(glyphs: Glyphs, turn: int) -> int:
    """In which direction most characters run."""
    counts: Counter[int] = Counter()
    for run in glyphs.runs:
        if run.turn is not None:
            counts[run.turn] += run.stop - run.start
    return counts.most_common(1)[0][0] if counts else turn


def _by_turn(glyphs: Glyphs, default: int) -> dict[int, list[Run]]:
    """What runs aslant, as watermarks do, is kept apart from the upright text, as if it ran downwards."""
    runs: dict[int, list[Run]] = defaultdict(list)
    for run in glyphs.runs:
        runs[(default + 90) % 360 if run.turn is None else run.turn].append(run)
    return runs


def _kept(words: Iterator[tuple[Word, int]], out: dict[int, list[str]]) -> list[Word]:
    kept = []
    for word, why in words:
        if why:
            out[why].append(word.text)
        else:
            kept.append(word)
    return kept


def _is_picture(found: Page, share: float) -> bool:
    return _length(found) < _LEAST_CHARACTERS and share >= _PICTURE_SHARE


def _is_unmapped(glyphs: Glyphs, hidden: npt.NDArray[np.uint8], found: Page) -> bool:
    unmapped = 0
    for run in glyphs.runs:
        if not hidden[run.start]:
            characters = glyphs.text[run.start : run.stop]
            unmapped += sum(not run.mapped or _is_unknown(character) for character in characters)
    return unmapped > max(_MOST_UNMAPPED * _length(found), _LEAST_CHARACTERS)


def _length(found: Page) -> int:
    return sum(len(word.text) for words in (found.words, *found.aside) for word in words)


def _is_unknown(character: str) -> bool:
    return character == "\N{REPLACEMENT CHARACTER}" or _PRIVATE_USE[0] <= character <= _PRIVATE_USE[1]
