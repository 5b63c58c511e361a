"""Whether a statement says what the passage that it cites says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from jargonaut.answering.polarity import same_polarity
from jargonaut.answering.quantities import Quantity, quantities
from jargonaut.core.sentences import split_sentences
from jargonaut.index.analysis import STOP_WORDS, index_terms, query_terms

LEAST_OVERLAP = 0.7
"""Share of a statement's terms that the sentences it rests on must hold, if it is not verbatim."""

_WINDOW = 3
"""Most sentences in a row that one sentence may put together."""
_CLOSE = 0.85
"""Overlap, both ways, from which two sentences are so alike that each denial counts."""
_NAME = re.compile(r"[A-Za-z][\w.+#/-]*[\w+#]|[A-Z]")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_PLAIN_HAN = frozenset(
    "的了在是和与或将会可以需要应该当必须因此所如果那么通过使用进行及并且就都也还被把对为从到等时后前中内外其这个有于由而则若用给让得能够"
    "零一二三四五六七八九十百千万亿两来去做按照根据关相各每些它们我你他要已经正即便仍再又只仅但却才比较更最很非常同样不无没未法现目例某种样之间期作成指称叫表示"
)
"""Characters that say little about the subject, and numerals, which are compared as such."""


def is_supported(statement: str, source: str) -> bool:
    """Whether `source` says `statement`: verbatim but for white space, or nearly, sentence by sentence.

    Nearly means: as few sentences in a row as possible hold most of its terms, and all of its quantities with their
    units, its names and, in Chinese, its words; and they deny and limit as it does. That catches the mistakes that cost
    most; it is no proof of entailment.
    """
    if not query_terms(statement):
        return False
    if _flat(statement) in _flat(source):
        return True
    sentences = split_sentences(source)
    return all(_is_paraphrase(statement[start:end], source, sentences) for start, end in split_sentences(statement))


def _is_paraphrase(sentence: str, source: str, sentences: Sequence[tuple[int, int]]) -> bool:
    terms = set(query_terms(sentence))
    if not terms:
        return True
    for width in range(1, min(_WINDOW, len(sentences)) + 1):
        windows = (
            source[sentences[first][0] : sentences[first + width - 1][1]] for first in range(len(sentences) - width + 1)
        )
        overlaps = ((window, len(terms.intersection(index_terms(window))) / len(terms)) for window in windows)
        close = [(window, overlap) for window, overlap in overlaps if overlap >= LEAST_OVERLAP]
        if close:
            # A wider window would find the wrong number, name or denial where it belongs to something else.
            return any(_says(sentence, window, overlap) for window, overlap in close)
    return False


def _says(sentence: str, window: str, overlap: float) -> bool:
    # Seen from the source, too: a longer sentence may deny something else.
    wanted, back = set(query_terms(window)), set(index_terms(sentence))
    closely = overlap >= _CLOSE and len(wanted & back) >= _CLOSE * max(len(wanted), 1)
    return (
        _holds_quantities(sentence, window)
        and _holds_names(sentence, window)
        and same_polarity(sentence, window, closely=closely)
    )


def _holds_quantities(sentence: str, window: str) -> bool:
    there = quantities(window)
    return all(any(_is_same(said, stood) for stood in there) for said in quantities(sentence))


def _is_same(said: Quantity, stood: Quantity) -> bool:
    return said.value == stood.value and (said.unit == stood.unit or not said.unit or not stood.unit)


def _holds_names(sentence: str, window: str) -> bool:
    """Whether every name of the sentence stands in the window: of what has capitals, digits or signs, and of Chinese
    words whatever is not there at all.
    """
    plain, there = (unicodedata.normalize("NFKC", text) for text in (sentence, window))
    terms, chinese = set(index_terms(there)), _HAN_RUN.search(plain) is not None
    for match in _NAME.finditer(plain):
        begins = not plain[: match.start()].strip(" \t\"'“‘(`*-")
        if _is_name(match[0], begins, chinese) and not set(index_terms(match[0])) <= terms:
            return False
    return all(_is_known_han(run, there) for run in _HAN_RUN.findall(plain))


def _is_name(word: str, begins: bool, chinese: bool) -> bool:
    if chinese:
        return True  # whatever is not Chinese there has not been translated
    if word.casefold() in STOP_WORDS:
        return False
    if any(not character.isalpha() for character in word) or any(character.isupper() for character in word[1:]):
        return True
    return word[0].isupper() and not begins


def _is_known_han(run: str, window: str) -> bool:
    """Whether every character stands in the window or says little, and hardly a pair of them is new to it."""
    if any(character not in window and character not in _PLAIN_HAN for character in run):
        return False
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    novel = [pair for pair in pairs if pair not in window and not set(pair) & _PLAIN_HAN]
    return len(novel) <= max(1, len(pairs) // 6)


def _flat(text: str) -> str:
    return "".join(text.split())
