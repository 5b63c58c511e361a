"""Tokens without a tokenizer, for indexes that have no encoder."""

from __future__ import annotations

import re

WORD_TOKENS = "words-1"
"""Name and version, for the id of a chunker that counts like this."""

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]{{1,6}}|\S")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Character offsets of words in pieces of at most six characters, CJK characters and punctuation marks.

    Meant to count rather more tokens than a WordPiece vocabulary does, so that chunks cut by it also suit an encoder.
    """
    return [match.span() for match in _TOKEN.finditer(text)]
