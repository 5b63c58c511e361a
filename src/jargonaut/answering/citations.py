"""Whether a statement says what the passage that it cites says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jargonaut.core.sentences import split_sentences
from jargonaut.index.analysis import index_terms, query_terms

LEAST_OVERLAP = 0.7
"""Share of a statement's terms that the sentences it rests on must hold, if it is not verbatim."""

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|unless|except)\b|n['’]t\b|[不没無无未非勿莫別别]|除了|以外",
    re.IGNORECASE,
)
_WINDOW = 3
"""Sentences in a row that a statement may put together."""


def is_supported(statement: str, source: str) -> bool:
    """Whether `source` says `statement`: verbatim but for white space, or nearly.

    Nearly means: some sentences in a row hold most of the statement's terms and all of its numbers, and both deny, or
    neither does. That keeps a paraphrase honest where mistakes cost most; it is no proof of entailment.
    """
    said = _flat(statement)
    if not said:
        return False
    if said in _flat(source):
        return True
    return any(_overlaps(statement, window) for window in _windows(source))


def _overlaps(statement: str, window: str) -> bool:
    terms = set(query_terms(statement))
    if not terms or len(terms & set(index_terms(window))) < LEAST_OVERLAP * len(terms):
        return False
    numbers = set(_NUMBER.findall(statement))
    return numbers <= set(_NUMBER.findall(window)) and _denies(statement) == _denies(window)


def _windows(source: str) -> Iterable[str]:
    spans = split_sentences(source)
    for width in range(1, _WINDOW + 1):
        for first in range(len(spans) - width + 1):
            yield source[spans[first][0] : spans[first + width - 1][1]]


def _denies(text: str) -> bool:
    return _NEGATION.search(text) is not None


def _flat(text: str) -> str:
    return "".join(text.split())
