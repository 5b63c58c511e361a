"""A table of token vectors as an encoder: a text is the weighted mean of its tokens' rows (as in model2vec).

Nothing attends to anything, so a text costs a look-up a token: hundreds of times less than a transformer, for several
points less of what it finds. It reads any language that its tokenizer splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError, IntegrityError
from jargonaut.encoding.port import EncoderCard, TokenSink, TokenVectors, Vectors

TABLE = "table.safetensors"
ROWS, WEIGHTS = "embeddings", "weights"
"""Names of the tensors: shape (vocabulary, dimensions), and, if tokens do not weigh alike, (vocabulary,)."""


class StaticEncoder:
    """An `Encoder` and `TokenEncoder` over a table.

    Args:
        card: What it is.
        table_path: Safetensors file with `ROWS` and, if need be, `WEIGHTS`.
        tokenizer_path: A `tokenizer.json` without truncation and padding.

    Raises:
        IntegrityError: The files cannot be read, or do not fit each other.
    """

    def __init__(self, card: EncoderCard, table_path: Path, tokenizer_path: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            tensors = load_file(table_path)
            table: NDArray[np.float32] = tensors[ROWS].astype(np.float32)
            self._tokenizer: Any = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # the libraries raise nothing narrower
            raise IntegrityError(
                f"Encoder {card.id} cannot be loaded: {error}", "Build again to export it anew."
            ) from error
        if table.shape[1] != card.dimensions or self._tokenizer.get_vocab_size() > len(table):
            raise IntegrityError(f"The table of encoder {card.id} does not fit its tokenizer.", "Fetch it again.")
        weights = tensors.get(WEIGHTS)
        self._rows = table if weights is None else table * weights.astype(np.float32)[:, None]
        self._unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
        self._card = card

    @property
    def card(self) -> EncoderCard:
        """See `Encoder.card`."""
        return self._card

    @property
    def text_tokens(self) -> int:
        """Most tokens of a chunk."""
        return self._card.max_tokens

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        return self._encode([self._card.query_prompt + text for text in texts], self._card.max_tokens, None)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode_documents`."""
        return self._encode([self._card.document_prompt + text for text in texts], None, None)

    def encode_with_tokens(self, texts: Sequence[str], sink: TokenSink, *, as_queries: bool = False) -> Vectors:
        """See `TokenEncoder.encode_with_tokens`: every token is its own row, whatever stands around it."""
        prompt = self._card.query_prompt if as_queries else self._card.document_prompt
        return self._encode([prompt + text for text in texts], self._card.max_tokens if as_queries else None, sink)

    def token_ids(self, text: str) -> NDArray[np.int32]:
        """See `TokenEncoder.token_ids`."""
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int32)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_spans`."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def _encode(self, texts: list[str], cut_at: int | None, sink: TokenSink | None) -> Vectors:
        vectors = np.empty((len(texts), self._card.dimensions), dtype=np.float32)
        for number, encoding in enumerate(self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)):
            ids = np.array(encoding.ids[:cut_at], dtype=np.int32)
            if len(ids) > self._card.max_tokens:
                raise InputError(
                    f"A text of {len(ids)} tokens was given to an encoder of {self._card.max_tokens}.",
                    "This is a fault of the chunker: please report it. A smaller limit in [chunking] avoids it.",
                )
            # A text without a known token lies nowhere; a fixed direction is at least no error.
            vector = self._rows[ids].mean(axis=0) if ids.size else np.ones(self._card.dimensions, dtype=np.float32)
            length = float(np.linalg.norm(vector))
            vectors[number] = vector / length if length > 1e-9 else self._card.dimensions**-0.5
            if sink is not None:
                sink(number, TokenVectors(ids, self._unit[ids]))
        return vectors
