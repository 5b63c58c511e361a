"""Words that a line end has broken, made whole: with their hyphen if they have one of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_BROKEN_WORD = re.compile(r"(?P<first>[^\W\d_]+)[-\u00ad\u2010]\n(?P<second>[a-zà-ÿ][^\W\d_]*)")
_BROKEN_COMPOUND = re.compile(r"(?<=\w)[-\u2010]\n(?=\w)")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_KEEPS = frozenset(
    str.split("well self high low long short real full half cross single double open two three four ill")
)
"""First parts of English compounds that are written with a hyphen."""
_SUFFIXES = re.compile(
    r"(?:ness|less|ish|ing|ed|er|est|ly|age|ton|ling|ment|ful|ship|hood|ity|able|ible|en|ened|ening|lights?|ways?|ty|teen)\Z"
)
_HYPHENS = str.maketrans({"\u2010": "-", "\u00ad": "-"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a document that stand whole in a line, in lower case."""

    words: frozenset[str] = frozenset()

    @staticmethod
    def of(lines: Iterable[str]) -> Vocabulary:
        """Of all lines; what a line begins or ends with may be half a word."""
        words: set[str] = set()
        for line in lines:
            found = _WORD.findall(line.translate(_HYPHENS).lower())
            if line[-1:] in "-\u00ad\u2010":
                found = found[:-1]
            words.update(word for word in found[1:] if len(word) > _LEAST_LENGTH)
        return Vocabulary(frozenset(words))


_LEAST_LENGTH = 3


def joined(lines: Sequence[str], known: Vocabulary = Vocabulary()) -> str:
    """Lines as one text, words that were broken made whole; line feeds are soft."""

    def whole(broken: re.Match[str]) -> str:
        first, second = broken["first"], broken["second"]
        return f"{first}{'-' if _is_compound(first.lower(), second.lower(), known) else ''}{second}"

    text = _BROKEN_WORD.sub(whole, "\n".join(lines))
    return _BROKEN_COMPOUND.sub("-", text).replace("\u00ad", "-")


def _is_compound(first: str, second: str, known: Vocabulary) -> bool:
    if first + second in known.words:
        return False
    if f"{first}-{second}" in known.words:
        return True
    return first in _KEEPS and len(second) > _LEAST_LENGTH and _SUFFIXES.fullmatch(second) is None
