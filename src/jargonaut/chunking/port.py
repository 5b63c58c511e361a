"""What every chunker promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jargonaut.core.document import Chunk, Document

TokenSpans = Callable[[str], list[tuple[int, int]]]
"""Character offsets of a text's tokens: the encoder's own, so that limits are kept exactly."""
LEAST_TOKENS = 16
"""A chunk that may hold fewer is of no use."""


class Chunker(Protocol):
    """Cuts documents. The same document gives the same chunks, everywhere."""

    @property
    def id(self) -> str:
        """Name, version, limits and tokenizer: part of every chunk's id and of the recipe."""

    def split(self, document: Document) -> list[Chunk]:
        """Chunks in order.

        Every chunk's `indexed_text` fits the encoder; every character of the text that is not blank is in one.
        """
