"""The tokens of a stored encoder, without loading its weights: what a chunker needs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from jargonaut.core.errors import IntegrityError
from jargonaut.encoding.artifact import tokenizer_path
from jargonaut.encoding.port import EncoderCard
from jargonaut.storage.port import Storage

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class StoredTokens:
    """Counts tokens as the encoder does. The tokenizer is read when it is first needed."""

    def __init__(self, storage: Storage, card: EncoderCard) -> None:
        self._storage = storage
        self._card = card

    def spans(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_spans`."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    @property
    def limit(self) -> int:
        """Most tokens of a text with its special tokens, once the document prompt is taken off."""
        if not self._card.document_prompt:
            return self._card.max_tokens
        return self._card.max_tokens - len(self.spans(self._card.document_prompt))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        path = tokenizer_path(self._storage, self._card.id)
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:
            raise IntegrityError(
                f"{path} cannot be read: {error}", "Build again to export the encoder anew."
            ) from error
