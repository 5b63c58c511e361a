"""What every encoder promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """The tokens of one text as an encoder sees them, without special tokens and prompt."""

    ids: NDArray[np.int32]
    """Shape (tokens,): their numbers in the vocabulary."""
    vectors: Vectors
    """Shape (tokens, dimensions), unit length."""


TokenSink = Callable[[int, TokenVectors], None]
"""Is given the number of a text and its tokens; texts come in any order."""


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What an encoder is. Stored beside its weights as `encoder.json`."""

    id: str
    """Digest of the graph, tokenizer and the fields below."""
    space: str
    """Of a document encoder: digest of weights, pooling, document prompt, dimensions. Of a query encoder: the space
    that it aims at."""
    base: str
    """Where the weights came from: hub id, folder name, package."""
    dimensions: int
    max_tokens: int
    """Most tokens of a text, special tokens included; more is an error of ours, never silently cut."""
    query_prompt: str
    document_prompt: str
    languages: tuple[str, ...]


class Encoder(Protocol):
    """Turns texts into unit vectors. Safe to call from several threads."""

    @property
    def card(self) -> EncoderCard:
        """What it is."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimensions), float32, unit length. Over-long questions are cut at the end."""

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """The same for chunks.

        Raises:
            InputError: A text has more than `max_tokens` tokens: the chunker should have prevented that.
        """

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of the tokens of `text`, without special tokens and prompts, not truncated."""


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also gives the vectors of single tokens, from the same pass: what late interaction compares."""

    @property
    def gives_tokens(self) -> bool:
        """Whether its graph does: one that was exported otherwise may not."""

    def encode_with_tokens(self, texts: Sequence[str], sink: TokenSink, *, as_queries: bool = False) -> Vectors:
        """As `encode_documents`, or `encode_queries`, and every text's tokens into `sink`.

        Raises:
            InputError: A document has more than `max_tokens` tokens.
        """

    def token_ids(self, text: str) -> NDArray[np.int32]:
        """The ids that `encode_with_tokens` gives for a text, without computing its vectors."""


def giving_tokens(encoder: object) -> TokenEncoder | None:
    """The encoder, if it gives the vectors of single tokens."""
    return encoder if isinstance(encoder, TokenEncoder) and encoder.gives_tokens else None
