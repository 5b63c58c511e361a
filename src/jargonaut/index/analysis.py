"""The one lexical analysis: text to terms, the same for every engine, so that a move between engines changes no answer.

NFKC and casefold; English stemming (Snowball, Porter 2001) of words of ASCII letters; unigrams and bigrams of CJK
characters, since Chinese has no spaces (Nie et al. 2000: bigrams rival word segmentation); identifiers whole and in
parts, so that both `SESSION_COOKIE_AGE` and "cookie age" find `SESSION_COOKIE_AGE`. English stop words are dropped on
both sides, except in capitals (WHO, the organisation). Terms hold no white space: engines index
`" ".join(index_terms(text))` with a white-space tokenizer. Everything here is safe to call from several threads.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import Stemmer

ANALYSIS = "1"
"""Version of the analysis, part of recipes and table keys. Raise it with any change that alters a term."""

MAX_TERM_LENGTH = 128
"""Longest term kept, in characters: SHA-512 in hexadecimal fits, base64 blobs do not."""

_STOP_WORDS = """
a an the this that these those i me my we us our you your he him his she her it its they them their am is are was were
be been being do does did doing done have has had having will would shall should can could may might must and or but if
because as while of at by for with about against between into through during before after above below to from up down
in out on off over under again then once here there when where why how all any both each few more most other some such
no nor not only own same so than too very what which who whom
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say nothing about the subject of a question."""

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD = rf"[^\W_{_CJK}]+"
_TOKEN = re.compile(rf"[{_CJK}]+|{_WORD}(?:[._-]{{1,3}}{_WORD})*(?:\+\+|#(?!\w))?")
_PART = re.compile(_WORD)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FIRST_CJK, _CJK_CHARACTER = "\u2e80", re.compile(f"[{_CJK}]")
_DROPPED = re.compile(r"(?<=\w)(?:n't|'(?:s|t|re|ve|ll|d|m))\b|\bv(?=\d+\.\d)", re.IGNORECASE)
"""Contractions, and the `v` of `v10.2.3`."""
_UNIFIED = str.maketrans({"’": "'", "\u2010": "-", "\u00ad": None, "\u200b": None, "\ufeff": None})

_LOWER_CAMEL = re.compile(r"[a-z]{2,}[0-9]*(?:[A-Z][a-z0-9]+)+")
_WEB_SUFFIXES = frozenset({"com", "org", "net", "edu", "gov", "io", "cn", "html", "htm"})

_local = threading.local()


def index_terms(text: str) -> list[str]:
    """Terms of a chunk, in order, repeated as often as they occur."""
    terms: list[str] = []
    for token in _TOKEN.findall(_normalised(text)):
        if _is_cjk(token):
            terms.extend(token)
            terms.extend(_bigrams(token))
        else:
            terms.extend(_word_terms(token))
    return terms


def query_terms(text: str) -> list[str]:
    """Terms of a question: as `index_terms`, but CJK as bigrams only (a character that stands alone as itself)."""
    terms: list[str] = []
    for token in _TOKEN.findall(_normalised(text)):
        if not _is_cjk(token):
            terms.extend(_word_terms(token))
        else:
            terms.extend(_bigrams(token) if len(token) > 1 else token)
    return terms


def identifiers(text: str) -> set[str]:
    """Tokens that name one thing, casefolded: `err-4031`, `10.2.3`, `session_cookie_age`, `django.db.models.model`.

    By form alone, and strict, since an exact hit lets a question pass below the threshold: brands (`YouTube`), years,
    decimal numbers, hyphenated words and web domains do not count.
    """
    return {token.casefold() for token in _TOKEN.findall(_normalised(text)) if _is_identifier(token)}


def _normalised(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_UNIFIED)
    return _DROPPED.sub("", text)


def _is_cjk(token: str) -> bool:
    return token[0] >= _FIRST_CJK and _CJK_CHARACTER.match(token) is not None


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


@lru_cache(maxsize=1 << 16)
def _word_terms(token: str) -> tuple[str, ...]:
    """Terms of one token that is not CJK, case still as written: the whole, then its parts if it has several."""
    parts = [part for piece in _PART.findall(token) for part in _HUMP.split(piece)]
    if len(parts) == 1 and len(parts[0]) < len(token):  # c++, c#: the part is another thing
        parts = [token]
    words = parts if len(parts) == 1 else [token, *parts]
    return tuple(_term(word.casefold()) for word in words if len(word) <= MAX_TERM_LENGTH and not _is_stop_word(word))


def _is_stop_word(word: str) -> bool:
    return word.casefold() in STOP_WORDS and not (len(word) > 1 and word.isupper())


def _term(word: str) -> str:
    """Stemmed if it is a word of ASCII letters. A stemmer holds state, so each thread has its own."""
    if not (word.isascii() and word.isalpha()):
        return word
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    stem: str = _local.stemmer.stemWord(word)
    return stem


def _is_identifier(token: str) -> bool:
    if len(token) < 5:
        return False
    parts = _PART.findall(token)
    if all(part.isdecimal() for part in parts):
        return len(parts) >= 3 and "." in token
    if "_" in token or _LOWER_CAMEL.fullmatch(token):
        return True
    if token[0].isalpha() and sum(map(str.isdecimal, token)) >= 3:
        return True
    dotted = len(parts) >= 3 and token.count(".") == len(parts) - 1
    return dotted and parts[-1].casefold() not in _WEB_SUFFIXES and all(len(part) >= 2 for part in parts)
