"""Soft whitening: spread the directions in which all of a corpus's vectors agree, without labels.

Su et al. 2021, "Whitening Sentence Representations"; softened by the exponent and by a floor under the eigenvalues,
since full whitening harms contextual encoders: W = (C + epsilon * mean eigenvalue * I) ** (-exponent / 2).

Hubs are documents that are near to everything, and are found by questions that they do not answer. What is near to many
others of the corpus is taken off a little (CSLS of Lample et al. 2018, one side of it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as tensors

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError

FORMAT = 2
"""Of a whitening with references; without, it is written in format 1 as ever, and keeps its digest."""
SAMPLE_ROWS = 20_000
REFERENCES = 2_000
"""Documents that hubs are told by."""
HUB_SHARE = 0.25
"""What is taken off: this share of the mean similarity to the nearest of the references."""
NEAREST = 10
CONTEXTUAL_EXPONENT = 0.5
"""For transformer encoders; measured best between .25 and .5."""
STATIC_EXPONENT = 1.0
"""For static token tables."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Whitening:
    """A fitted whitening. Documents and queries go through the same one."""

    mean: Vectors
    """Shape (d,)."""
    matrix: Vectors
    """Shape (d, d), symmetric."""
    exponent: float
    epsilon: float
    references: Vectors = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """Shape (n, d), whitened documents; none of them, and hubs are not looked at."""

    def apply(self, vectors: Vectors) -> Vectors:
        """`vectors` of shape (n, d), centred, multiplied and of unit length again; a zero vector stays zero."""
        moved: Vectors = np.matmul(vectors - self.mean, self.matrix, dtype=np.float32)
        length: Vectors = np.linalg.norm(moved, axis=1, keepdims=True).astype(np.float32)
        length[length == 0] = 1
        return moved / length

    def hubness(self, whitened: Vectors) -> Vectors:
        """What to take off each one's cosine, shape (n,): 0 without references.

        Args:
            whitened: Shape (n, d), as `apply` gives it.
        """
        if not self.references.size:
            return np.zeros(len(whitened), np.float32)
        similarity = whitened @ self.references.T
        most = min(NEAREST, similarity.shape[1])
        nearest = np.partition(similarity, similarity.shape[1] - most, axis=1)[:, -most:]
        taken: Vectors = HUB_SHARE * nearest.mean(axis=1)
        return taken

    def to_bytes(self) -> bytes:
        """Safetensors; the same whitening always gives the same bytes."""
        parts = {
            "format": np.array([FORMAT if self.references.size else 1], dtype=np.int64),
            "mean": self.mean,
            "matrix": self.matrix,
            "softness": np.array([self.exponent, self.epsilon], dtype=np.float64),
        }
        if self.references.size:
            parts["references"] = self.references
        data: bytes = tensors.save(parts)
        return data

    @cached_property
    def digest(self) -> str:
        """Digest of the bytes, as it stands in `Fusion.whitening`."""
        return digest_bytes(self.to_bytes())


def fit_whitening(
    batches: Iterable[Vectors], exponent: float = CONTEXTUAL_EXPONENT, epsilon: float = 1.0, seed: int = 0
) -> Whitening:
    """Fit on a uniform sample of at most `SAMPLE_ROWS` document vectors.

    Args:
        batches: Unit vectors, each of shape (some rows, d); read once, one batch at a time.
        exponent: 0 centres only, 1 whitens fully.
        epsilon: Floor under the eigenvalues, in mean eigenvalues; above 0.
        seed: Of the sample, if there are more rows.

    Raises:
        InputError: There are fewer than two different vectors.
    """
    rows = _sampled(batches, seed).astype(np.float64)
    if len(rows) < 2 or np.ptp(rows, axis=0).max() == 0:
        raise InputError(
            "Whitening needs at least two different vectors.", "Build without it: the corpus is too small."
        )
    mean = rows.mean(axis=0)
    centred = rows - mean
    eigenvalues, basis = np.linalg.eigh(centred.T @ centred / len(rows))
    softened = np.maximum(eigenvalues, 0) + epsilon * eigenvalues.mean()
    matrix = (basis * softened ** (-exponent / 2)) @ basis.T
    return Whitening(mean.astype(np.float32), matrix.astype(np.float32), exponent, epsilon)


def with_references(whitening: Whitening, vectors: Vectors) -> Whitening:
    """The same, told which documents are hubs.

    Args:
        whitening: Fitted.
        vectors: Unit vectors of documents, shape (n, d); `REFERENCES` of them, spread evenly, are kept.
    """
    step = max(1, -(-len(vectors) // REFERENCES))
    return replace(whitening, references=whitening.apply(vectors[::step]))


def whitening_from_bytes(data: bytes) -> Whitening:
    """Read what `Whitening.to_bytes` wrote.

    Raises:
        IntegrityError: It is not a whitening, or its numbers are not finite.
        NewerFormatError: It was written by a newer version.
    """
    try:
        read = tensors.load(data)
        written = int(read["format"][0])
        if written > FORMAT:
            raise NewerFormatError(f"This whitening was written in format {written}.", "Upgrade Jargonaut.")
        mean, matrix, softness = read["mean"], read["matrix"], read["softness"]
        references = read.get("references", np.empty((0, 0), np.float32))
    except (SafetensorError, KeyError, IndexError) as error:
        raise IntegrityError(f"The whitening cannot be read: {error}", "Build again to make it anew.") from error
    finite = all(np.isfinite(part).all() for part in (mean, matrix, references))
    if matrix.shape != (mean.size, mean.size) or not finite or (references.size and references.shape[1] != mean.size):
        raise IntegrityError("The whitening's numbers are damaged.", "Build again to make it anew.")
    return Whitening(mean, matrix, float(softness[0]), float(softness[1]), references)


def _sampled(batches: Iterable[Vectors], seed: int) -> Vectors:
    """A uniform sample without knowing the number of rows: keep those with the smallest random keys."""
    rng = np.random.default_rng(seed)
    kept: Vectors | None = None
    keys = np.empty(0)
    for batch in batches:
        kept = batch if kept is None else np.concatenate([kept, batch])
        keys = np.concatenate([keys, rng.random(len(batch))])
        if len(kept) > SAMPLE_ROWS:
            smallest = np.argpartition(keys, SAMPLE_ROWS - 1)[:SAMPLE_ROWS]
            kept, keys = kept[smallest], keys[smallest]
    return np.empty((0, 0), dtype=np.float32) if kept is None else kept
