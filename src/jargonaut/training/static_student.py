"""A table of token vectors that imitates an encoder on the documents: hundreds of times faster, several points worse.

Every token is encoded by itself (as in model2vec, Tulkens & van Dongen 2024), weighted by how rare it is in these
documents (smooth inverse frequency, Arora et al. 2017), and the whole table is turned by ridge regression so that the
means of chunks lie where the encoder puts the chunks. All of it is closed form: no torch, no seed, minutes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import RefusedError
from jargonaut.core.progress import Progress
from jargonaut.encoding.port import Encoder, Vectors
from jargonaut.encoding.static_encoder import ROWS
from jargonaut.encoding.weights_folder import STATIC, WEIGHTS, BaseWeights, Naming, read_weights

MIN_TEXTS = 100
_MOST_TEXTS = 20_000
_SMOOTHING = 1e-3
"""Share of all tokens from which a token counts half."""
_RIDGE = 0.1
"""Penalty, in mean eigenvalues: few texts turn the table little."""
_BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Student:
    """A static encoder, and how well it imitates."""

    weights: BaseWeights
    texts: int
    agreement: float
    """Mean cosine with the teacher on texts that it was not fitted on."""


def distil(
    teacher: Encoder, tokenizer_path: Path, texts: Sequence[str], folder: Path, progress: Progress, seed: int = 7
) -> Student:
    """Make a static student of an encoder, on texts of its domain.

    Args:
        teacher: The encoder.
        tokenizer_path: Its `tokenizer.json`, without truncation and padding.
        texts: Chunks that training may read, each within the teacher's limit.
        folder: Where to; replaced.
        progress: Told of what was encoded.
        seed: Of the sample, where there are more than 20,000 texts, and of the texts set aside.

    Raises:
        RefusedError: There are fewer than `MIN_TEXTS` texts.
    """
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    if len(texts) < MIN_TEXTS:
        raise RefusedError(f"There are {len(texts)} chunks to learn from; a table needs at least {MIN_TEXTS}.")
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    order = np.random.default_rng(seed).permutation(len(texts))[:_MOST_TEXTS]
    ids = [
        np.array(found.ids, dtype=np.int64)
        for found in tokenizer.encode_batch_fast([texts[at] for at in order], add_special_tokens=False)
    ]
    rows = _token_vectors(teacher, tokenizer, progress) * _rarity(ids, tokenizer.get_vocab_size())[:, None]
    wanted = _encoded(teacher, [texts[at] for at in order], progress)
    means = np.stack([rows[item].mean(axis=0) if len(item) else np.zeros(rows.shape[1]) for item in ids])
    apart = max(1, len(order) // 10)
    turn = _ridge(means[apart:].astype(np.float64), wanted[apart:].astype(np.float64))
    table = (rows @ turn).astype(np.float32)
    agreement = float((_unit(means[:apart] @ turn) * wanted[:apart]).sum(axis=1).mean())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file({ROWS: table.astype(np.float16)}, folder / WEIGHTS)
    shutil.copyfile(tokenizer_path, folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps({"model_type": STATIC, "normalize": True}), encoding="utf-8")
    naming = Naming(teacher.card.base, query_prompt="", document_prompt="", languages=teacher.card.languages)
    return Student(read_weights(folder, naming), len(order), agreement)


def _token_vectors(teacher: Encoder, tokenizer: object, progress: Progress) -> Vectors:
    """Every token as the teacher sees it alone; shape (vocabulary, dimensions)."""
    size = tokenizer.get_vocab_size()  # type: ignore[attr-defined]
    words = [tokenizer.decode([number]) or " " for number in range(size)]  # type: ignore[attr-defined]
    return _encoded(teacher, words, progress)


def _encoded(teacher: Encoder, texts: Sequence[str], progress: Progress) -> Vectors:
    parts = []
    for start in range(0, len(texts), _BLOCK):
        parts.append(teacher.encode_documents(texts[start : start + _BLOCK]))
        progress("distil", min(start + _BLOCK, len(texts)), len(texts))
    return np.concatenate(parts)


def _rarity(ids: Sequence[NDArray[np.int64]], vocabulary: int) -> NDArray[np.float32]:
    counts = np.bincount(np.concatenate(ids), minlength=vocabulary).astype(np.float64)
    weights: NDArray[np.float32] = (_SMOOTHING / (_SMOOTHING + counts / counts.sum())).astype(np.float32)
    return weights


def _ridge(given: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The map from means to vectors, drawn towards a multiple of doing nothing."""
    moments = given.T @ given
    penalty = _RIDGE * np.trace(moments) / len(moments)
    scale = float((given * wanted).sum() / max((given * given).sum(), 1e-12))
    identity = np.eye(len(moments))
    found: NDArray[np.float64] = np.linalg.solve(
        moments + penalty * identity, given.T @ wanted + penalty * scale * identity
    )
    return found


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
