"""Whether a statement says what the passage that it cites says."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
"""Most sentences in a row that one sentence may put together."""


def is_supported(statement: str, source: str) -> bool:
    """Whether `source` says `statement`: verbatim but for white space, or nearly, sentence by sentence.

    Nearly means: as few sentences in a row as possible hold most of its terms and all of its numbers, and they deny if
    and only if it denies. That keeps a paraphrase honest where mistakes cost most; it is no proof of entailment.
    """
    if not query_terms(statement):
        return False
    if _flat(statement) in _flat(source):
        return True
    sentences = split_sentences(source)
    return all(_is_paraphrase(statement[start:end], source, sentences) for start, end in split_sentences(statement))


def _is_paraphrase(sentence: str, source: str, sentences: Sequence[tuple[int, int]]) -> bool:
    terms, numbers = set(query_terms(sentence)), set(_NUMBER.findall(sentence))
    if not terms:
        return True
    for width in range(1, _WINDOW + 1):
        windows = (
            source[sentences[first][0] : sentences[first + width - 1][1]] for first in range(len(sentences) - width + 1)
        )
        close = [window for window in windows if _holds(window, terms, numbers)]
        if close:
            # A wider window would find a denial that belongs to something else.
            return any(_denies(window) == _denies(sentence) for window in close)
    return False


def _holds(window: str, terms: set[str], numbers: set[str]) -> bool:
    held = terms.intersection(index_terms(window))
    return len(held) >= LEAST_OVERLAP * len(terms) and numbers.issubset(_NUMBER.findall(window))


def _denies(text: str) -> bool:
    return _NEGATION.search(text) is not None


def _flat(text: str) -> str:
    return "".join(text.split())
