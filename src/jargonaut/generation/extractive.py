"""The built-in generator: verbatim, cited sentences. It needs no model and cannot invent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import DeadlineError
from jargonaut.generation import follow_up
from jargonaut.generation.pieces import Piece, pieces_of
from jargonaut.generation.port import Passage, Statement, Turn
from jargonaut.generation.relevance import EncodeTexts, Relevances, relevance
from jargonaut.index.analysis import index_terms

NAME = "extractive-1"
MAX_STATEMENTS = 4

_NEAR_BEST = 0.8
"""Share of the best score from which a further piece is quoted anyway."""
_WORTH_ADDING = 0.6
"""Share of the best score from which it is quoted if it speaks of what the others do not."""
_ADDS = 0.2
"""Share of the question that it has to speak of for that."""
_SAME = 0.8
"""Share of common terms from which two pieces say the same."""
_WRAPPED_CJK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*\n[ \t]*(?=[\u3000-\u9fff\uff00-\uffef])")


class ExtractiveGenerator:
    """A `Generator` that quotes one to four pieces of the passages.

    Args:
        encode: Makes vectors of the question and of a few dozen sentences; without it, terms alone decide.
        max_statements: Most pieces quoted.
    """

    def __init__(self, encode: EncodeTexts | None = None, max_statements: int = MAX_STATEMENTS) -> None:
        self._encode = encode
        self._max_statements = max_statements

    @property
    def name(self) -> str:
        """See `Generator.name`."""
        return NAME

    async def standalone(self, question: str, earlier: Sequence[Turn], deadline: Deadline) -> str:
        """See `Generator.standalone`: by rule, see `follow_up`."""
        return follow_up.standalone(question, (turn.text for turn in earlier if turn.role == "user"))

    async def generate(
        self, question: str, passages: Sequence[Passage], deadline: Deadline
    ) -> AsyncIterator[Statement]:
        """See `Generator.generate`."""
        try:
            async with asyncio.timeout(max(deadline.left_s, 0)):
                chosen = await asyncio.to_thread(self._chosen, question, passages)
        except TimeoutError:
            raise DeadlineError("Choosing the sentences took longer than allowed.", "Try again.") from None
        for piece in chosen:
            yield Statement(_shown(piece), (piece.passage.number,), (piece.span,))

    def _chosen(self, question: str, passages: Sequence[Passage]) -> list[Piece]:
        pieces = [piece for passage in passages for piece in pieces_of(passage)]
        return _ordered(self._selected(pieces, relevance(question, pieces, self._encode))) if pieces else []

    def _selected(self, pieces: Sequence[Piece], found: Relevances) -> list[Piece]:
        """The best piece, those nearly as good, and those that speak of the rest of the question; best first."""
        ranked = sorted((item for item in found.pieces if item.relates), key=lambda item: -item.score)
        selected: list[Piece] = []
        said: set[str] = set()
        for item in ranked:
            adds = sum(found.rarity[term] for term in item.terms - said)
            least = _WORTH_ADDING if adds >= _ADDS else _NEAR_BEST
            if item.score < least * ranked[0].score:
                continue
            for piece in _with_context(pieces, pieces.index(item.piece)):
                if len(selected) < self._max_statements and not any(_says_the_same(piece, other) for other in selected):
                    selected.append(piece)
            said |= item.terms
        return selected


def _with_context(pieces: Sequence[Piece], at: int) -> list[Piece]:
    """The piece itself first; then what it goes on from, and what it leads to."""
    piece, context = pieces[at], [pieces[at]]
    if piece.leans_back and at > 0 and piece.follows(pieces[at - 1]):
        context.append(pieces[at - 1])
    if piece.leads_on and at + 1 < len(pieces) and pieces[at + 1].passage == piece.passage:
        context.append(pieces[at + 1])
    return context


def _says_the_same(one: Piece, other: Piece) -> bool:
    if one.span == other.span and one.passage.chunk.document_id == other.passage.chunk.document_id:
        return True
    first, second = set(index_terms(one.text)), set(index_terms(other.text))
    return len(first & second) >= _SAME * max(len(first), len(second), 1)


def _ordered(selected: Sequence[Piece]) -> list[Piece]:
    """Passage by passage, the one with the best piece first; within one, in the order of the document."""
    rank = {piece.passage.number: at for at, piece in reversed(list(enumerate(selected)))}
    return sorted(selected, key=lambda piece: (rank[piece.passage.number], piece.order))


def _shown(piece: Piece) -> str:
    """Line breaks within a sentence are the source's, not its author's."""
    return piece.text if piece.kind == "code" else " ".join(_WRAPPED_CJK.sub("", piece.text).split())
