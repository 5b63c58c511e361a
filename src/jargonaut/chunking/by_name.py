"""Which chunkers there are, and what each can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jargonaut.chunking.by_heading import HeadingChunker
from jargonaut.chunking.code import CodeChunker
from jargonaut.chunking.cutting import CuttingChunker
from jargonaut.chunking.fixed import FixedChunker
from jargonaut.chunking.parent_child import ParentChildChunker
from jargonaut.chunking.port import Chunker, TokenSpans
from jargonaut.chunking.question_answer import QuestionAnswerChunker
from jargonaut.chunking.rows import RowChunker
from jargonaut.chunking.sentence_window import SentenceWindowChunker
from jargonaut.chunking.statute import StatuteChunker
from jargonaut.core.errors import UnknownNameError

DEFAULT = "heading"


@dataclass(frozen=True, slots=True)
class Tokens:
    """How tokens are counted, and how many an encoder reads."""

    spans: TokenSpans
    limit: int
    name: str
    """Of the tokenizer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A chunker and what it is told; 0 stands for its own default."""

    chunker: str = DEFAULT
    max_tokens: int = 0
    """Most tokens of a chunk; never more than the encoder reads."""
    overlap: int = 0
    """Of `fixed`: tokens that neighbours share."""
    parent_tokens: int = 0
    """Of `parent_child` and `sentence_window`: tokens that are answered from."""


@dataclass(frozen=True, slots=True)
class _Kind:
    made_by: type[CuttingChunker]
    max_tokens: int = 0
    """Its own default; 0: all that the encoder reads."""
    overlap: int = 0
    parent_tokens: int = 0


_KINDS: Mapping[str, _Kind] = {
    "heading": _Kind(HeadingChunker),
    "fixed": _Kind(FixedChunker, overlap=32),
    "sentence_window": _Kind(SentenceWindowChunker, max_tokens=80, parent_tokens=256),
    "parent_child": _Kind(ParentChildChunker, max_tokens=128, parent_tokens=512),
    "rows": _Kind(RowChunker),
    "qa": _Kind(QuestionAnswerChunker),
    "statute": _Kind(StatuteChunker),
    "code": _Kind(CodeChunker),
}
CHUNKERS = tuple(_KINDS)
"""Their names."""


def make_chunker(choice: Choice, tokens: Tokens) -> Chunker:
    """The chunker that `choice` names.

    Raises:
        UnknownNameError: There is none of that name.
        InputError: It is told something that cannot be.
    """
    if choice.chunker not in _KINDS:
        raise UnknownNameError("chunker", choice.chunker, CHUNKERS)
    kind = _KINDS[choice.chunker]
    most = min(choice.max_tokens or kind.max_tokens or tokens.limit, tokens.limit)
    if kind.made_by is FixedChunker:
        return FixedChunker(tokens.spans, most, tokens.name, choice.overlap or kind.overlap)
    parent_tokens = choice.parent_tokens or kind.parent_tokens
    if kind.made_by is SentenceWindowChunker:
        return SentenceWindowChunker(tokens.spans, most, tokens.name, parent_tokens)
    if kind.made_by is ParentChildChunker:
        return ParentChildChunker(tokens.spans, most, tokens.name, parent_tokens)
    return kind.made_by(tokens.spans, most, tokens.name)
