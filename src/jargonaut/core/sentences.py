"""Where sentences end: English and other Latin scripts, Chinese and Japanese, list items, table rows.

Rules rather than a model: they are the same everywhere, need no download, and read 20 MB a second. A line feed ends a
sentence, because the text of documents has its soft line breaks removed.
"""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    str.split(
        """
        mr mrs ms dr prof rev gen sen rep st sr jr vs etc eg ie e.g i.e cf al ca approx fig figs eq eqs sec secs
        chap ch vol vols no nos pp ed eds est resp incl excl dept univ assn ext tel jan feb mar apr jun jul aug sep
        sept oct nov dec inc ltd co corp a.k.a p.s u.s u.k u.n d.c b.c a.d ph.d viz seq ibid op cit bzw z.b usw nr
        art abs max min
        """
    )
)
_MAY_END_A_SENTENCE = frozenset(str.split("etc inc ltd co corp al jr sr u.s u.k ph.d usw seq ibid no"))
"""Abbreviations that often are the last word; a capital after them decides."""

_CLOSING = "\"'”’»)\\]）】》〉」』*_`"
_BOUNDARY = re.compile(
    rf"\n+|[。！？；｡]+[{_CLOSING}]*|…{{2,}}(?=[^\s.,，。])|(?P<latin>[.!?…]+[{_CLOSING}]*)(?=[^\S\n])",
)
_NEXT = re.compile(r"[^\S\n]*(?P<first>.)")
_LAST_WORD = re.compile(r"[\w.]*\Z")
_ITEM_NUMBER = re.compile(r"\s*(?:[-*•]\s+)?[(\[]?(?:\d{1,3}|[A-Za-z]|[ivxlc]{1,5})\Z")
_LOOK_BACK = 40


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`, in order, without the white space around them.

    Every character that is not white space is in exactly one span.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if match["latin"] and not _ends_sentence(text, start, match):
            continue
        _add(spans, text, start, match.end())
        start = match.end()
    _add(spans, text, start, len(text))
    return spans


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    following = _NEXT.match(text, match.end())
    if following is None or following["first"].islower():
        return False
    mark = match["latin"]
    if mark[0] != "." or len(mark.rstrip(_CLOSING.replace("\\", ""))) > 1:
        return True
    before = text[max(start, match.start() - _LOOK_BACK) : match.start()]
    if _ITEM_NUMBER.fullmatch(before) and match.start() - start < _LOOK_BACK:
        return False
    found = _LAST_WORD.search(before)
    word = found[0] if found else ""
    if len(word) == 1 and word.isupper():
        return False
    lowered = word.lower()
    if lowered in _ABBREVIATIONS:
        return lowered in _MAY_END_A_SENTENCE and following["first"].isupper()
    return True
