"""How well each piece of the passages answers a question."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jargonaut.generation.pieces import Piece
from jargonaut.index.analysis import index_terms, query_terms

EncodeTexts = Callable[[list[str]], NDArray[np.float32]]
"""Texts to unit vectors, shape (texts, dimensions): question and sentences alike."""

ENCODED_PIECES = 12
"""Most pieces whose vectors are computed: those with the best terms."""
_BATCH = 4
"""Texts encoded at once: of similar length, and always as many, since an encoder prepares itself for each shape."""
LEAST_COSINE = 0.3
"""A piece that shares no term with the question relates to it from here on."""

_HEADING_WEIGHT = 0.85
"""What a term counts that stands not in the piece, but in its nearest heading: the text under it need not repeat it."""
_CONTEXT_WEIGHT = 0.5
"""What it counts in a farther heading, the title, or the sentence that the piece goes on from."""
_FULL_LENGTH = 5
"""Pieces of fewer terms rarely say something by themselves."""
_LEAD = 0.1
_POINTER_LENGTH = 120
_SIGNATURE = re.compile(r"[\w.*]+(?:\(.*\))?(?:, [\w.*]+(?:\(.*\))?)*")
_POINTER = re.compile(
    r"(?:see|refer to|read|for (?:more|further|details))\b|参见|参阅|参考|详见|请参|更多", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """What a piece has to do with the question."""

    piece: Piece
    terms: frozenset[str]
    """Terms of the question in the piece itself."""
    coverage: float
    """Share of the question's terms, weighted by rarity, that the piece and its context hold."""
    cosine: float | None
    """With the question; None if it was not computed."""

    @property
    def relates(self) -> bool:
        """Whether the piece is about the question at all."""
        return self.coverage > 0 or (self.cosine or 0.0) >= LEAST_COSINE

    @property
    def score(self) -> float:
        """Comparable between the pieces of one question."""
        prior = 1 / (1 + 0.5 * (self.piece.passage.number - 1))
        if self.cosine is None:
            mixed = 0.8 * self.coverage + 0.2 * prior
        else:
            mixed = 0.35 * self.coverage + 0.5 * self.cosine + 0.15 * prior
        # What a passage begins with is more often the definition than the detail.
        return mixed * _self_sufficiency(self.piece) * (1 + _LEAD / (1 + self.piece.order))


@dataclass(frozen=True, slots=True)
class Relevances:
    """The relevance of all pieces."""

    pieces: tuple[Relevance, ...]
    rarity: Mapping[str, float]
    """Share of the question's weight that each of its terms has, if it occurs at all; together 1, or 0 if none does."""


def relevance(question: str, pieces: Sequence[Piece], encode: EncodeTexts | None) -> Relevances:
    """The relevance of each piece, in their order."""
    wanted = frozenset(query_terms(question))
    texts = [wanted.intersection(index_terms(piece.text)) for piece in pieces]
    headings = [wanted.intersection(index_terms(_heading(piece))) for piece in pieces]
    contexts = [wanted.intersection(index_terms(_farther_headings(piece))) for piece in pieces]
    for at, piece in enumerate(pieces):
        if piece.leans_back and at > 0 and piece.follows(pieces[at - 1]):
            contexts[at] |= texts[at - 1]
    rarity = _rarity(texts, (*headings, *contexts))
    coverages = [
        sum(
            rarity[term] * (1 if term in text else _HEADING_WEIGHT if term in heading else _CONTEXT_WEIGHT)
            for term in text | heading | context
        )
        for text, heading, context in zip(texts, headings, contexts, strict=True)
    ]
    cosines = _cosines(question, pieces, coverages, encode) if encode else {}
    # What was not worth a vector is not worth a quotation either.
    missing = 0.0 if encode else None
    found = (Relevance(piece, texts[at], coverages[at], cosines.get(at, missing)) for at, piece in enumerate(pieces))
    return Relevances(tuple(found), rarity)


def _rarity(texts: Sequence[frozenset[str]], around: Sequence[frozenset[str]]) -> dict[str, float]:
    """Rarity among the pieces stands for rarity in the corpus: what every piece says tells none apart."""
    frequency = Counter(term for terms in texts for term in terms)
    known = set(frequency).union(*around)
    weights = {term: math.log(1 + len(texts) / (0.5 + frequency[term])) for term in known}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()}


def _cosines(
    question: str, pieces: Sequence[Piece], coverages: Sequence[float], encode: EncodeTexts
) -> dict[int, float]:
    """Cosines of the pieces with the best terms and passages."""
    promise = [
        coverage * (1 + _LEAD / (1 + piece.order)) + 0.3 / piece.passage.number
        for coverage, piece in zip(coverages, pieces, strict=True)
    ]
    picked = sorted(range(len(pieces)), key=lambda at: (-promise[at], at))[:ENCODED_PIECES]
    vectors = _encoded([question, *(_in_context(pieces[at]) for at in picked)], encode)
    return dict(zip(picked, (vectors[1:] @ vectors[0]).tolist(), strict=True))


def _encoded(texts: Sequence[str], encode: EncodeTexts) -> NDArray[np.float32]:
    by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    batches = [by_length[first : first + _BATCH] for first in range(0, len(texts), _BATCH)]
    vectors: dict[int, NDArray[np.float32]] = {}
    for batch in batches:
        filled = batch + batch[-1:] * (_BATCH - len(batch))
        vectors.update(zip(batch, encode([texts[at] for at in filled]), strict=False))
    return np.stack([vectors[at] for at in range(len(texts))])


def _self_sufficiency(piece: Piece) -> float:
    """Less than 1 for pieces that say little by themselves: fragments, names, questions, pointers to elsewhere."""
    text = piece.text
    factor = min(1.0, 0.6 + 0.4 * len(query_terms(text)) / _FULL_LENGTH)
    if text.endswith(("?", "?")):
        factor *= 0.6
    if len(text) <= _POINTER_LENGTH and _POINTER.match(text):
        factor *= 0.6
    if piece.kind == "code":
        factor *= 0.8
    elif piece.kind == "header" or _SIGNATURE.fullmatch(text):
        factor *= 0.5
    return factor


def _heading(piece: Piece) -> str:
    path = piece.passage.chunk.heading_path
    return path[-1] if path else piece.passage.chunk.title


def _farther_headings(piece: Piece) -> str:
    chunk = piece.passage.chunk
    return " ".join((chunk.title, *chunk.heading_path[:-1]))


def _in_context(piece: Piece) -> str:
    """The piece behind its nearest heading, which often holds what it is about."""
    path = piece.passage.chunk.heading_path
    return f"{path[-1]}: {piece.text}" if path else piece.text
