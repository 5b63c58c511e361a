"""Texts that a program brings along: to vectors, and ranked for a question. No document is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import InputError
from jargonaut.encoding.port import Encoder, Vectors
from jargonaut.ranking.threshold import coverage

TextKind = Literal["query", "document"]

_BATCH = 32
"""Texts encoded at once: after each batch it is looked whether time is up."""


class TooLongError(InputError):
    """A text has more tokens than the encoder reads; `position` says which."""

    code = "input_too_long"

    def __init__(self, position: int, tokens: int, most: int) -> None:
        super().__init__(
            f"Text {position} has {tokens} tokens; the encoder reads {most}.",
            'Cut it, or set `truncate` to "end".',
        )
        self.position = position


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts."""

    vectors: Vectors
    """Shape (texts, dimensions), unit length."""
    tokens: int
    """Of all texts, as the encoder counts them, without special tokens and prompts."""


@dataclass(frozen=True, slots=True)
class Relevance:
    """What a text has to do with a question."""

    score: float
    """(1 - w) cosine + w coverage, w being the recipe's weight of words; 0 to 1. Comparable between requests."""
    cosine: float | None
    """Of the best part of the text, not below 0; None for a lexical recipe."""
    coverage: float
    """Share of the question's terms that the text holds."""


async def embed(
    encoder: Encoder, kind: TextKind, texts: Sequence[str], deadline: Deadline, *, truncate: bool = False
) -> Embedded:
    """Vectors of `texts`; those too long are refused, or cut at the end.

    Raises:
        TooLongError: A text is too long, and is not to be cut.
        DeadlineError: It took too long.
    """
    spans = await asyncio.to_thread(lambda: [encoder.token_spans(text) for text in texts])
    most = _room(encoder, kind)
    cut = []
    for position, (text, tokens) in enumerate(zip(texts, spans, strict=True)):
        if len(tokens) > most and not truncate:
            raise TooLongError(position, len(tokens), most)
        cut.append(next(_parts(encoder, text, most)))
    return Embedded(
        await _encoded(encoder, kind, cut, deadline),
        sum(min(len(tokens), most) for tokens in spans),
    )


async def rerank(
    release: LoadedRelease, document_encoder: Encoder | None, question: str, texts: Sequence[str], deadline: Deadline
) -> list[Relevance]:
    """The relevance of each text, in their order. A text longer than the encoder reads counts as its best part.

    Args:
        release: Its recipe says how words and meaning weigh.
        document_encoder: Of the recipe's space; None for a lexical recipe.
        question: What is asked.
        texts: What is ranked.
        deadline: When to give up.

    Raises:
        DeadlineError: It took too long.
    """
    covered = [coverage(question, text) for text in texts]
    query_encoder = release.query_encoder
    if query_encoder is None or document_encoder is None:
        return [Relevance(share, None, share) for share in covered]
    asked = (await embed(query_encoder, "query", [question], deadline, truncate=True)).vectors[0]
    owners, parts = [], []
    most = _room(document_encoder, "document")
    for owner, text in enumerate(texts):
        for part in _parts(document_encoder, text, most):
            owners.append(owner)
            parts.append(part)
    vectors = await _encoded(document_encoder, "document", parts, deadline)
    best = np.zeros(len(texts))
    np.maximum.at(best, owners, vectors @ asked)
    weight = release.recipe.fusion.lexical_weight
    best = best.clip(0, 1)
    return [
        Relevance(float((1 - weight) * cosine + weight * share), float(cosine), share)
        for cosine, share in zip(best, covered, strict=True)
    ]


def _parts(encoder: Encoder, text: str, most: int) -> Iterator[str]:
    """`text` in parts of at most `most` tokens each; itself if it is short enough."""
    while True:
        tokens = encoder.token_spans(text)
        if len(tokens) <= most:
            yield text
            return
        part = text[: tokens[most - 1][1]]
        # Cut within a word, the rest of a text may become other tokens, and more.
        while len(again := encoder.token_spans(part)) > most:
            part = part[: again[most - 1][1]]
        yield part
        text = text[len(part) :]


def _room(encoder: Encoder, kind: TextKind) -> int:
    """Most tokens of a text, with room for special tokens and for the prompt."""
    card = encoder.card
    prompt = card.query_prompt if kind == "query" else card.document_prompt
    return max(card.max_tokens - _SPECIAL - len(encoder.token_spans(prompt)), 1)


_SPECIAL = 2
"""Tokens that mark beginning and end."""


async def _encoded(encoder: Encoder, kind: TextKind, texts: Sequence[str], deadline: Deadline) -> Vectors:
    encode = encoder.encode_queries if kind == "query" else encoder.encode_documents
    batches = []
    for first in range(0, len(texts), _BATCH):
        deadline.check("Encoding the texts")
        batches.append(await asyncio.to_thread(encode, list(texts[first : first + _BATCH])))
    return np.concatenate(batches)
