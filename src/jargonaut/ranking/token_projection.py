"""Token vectors made small: the directions in which they differ most, one byte a number.

The leading eigenvectors of the uncentred second moment keep inner products best for a width (Eckart & Young 1936), and
a cosine of tokens is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as tensors

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError

FORMAT = 1
WIDTH = 128
_WHOLE = 127
_QUANTILE = 0.9995

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TokenProjection:
    """A fitted projection. Documents' and questions' tokens go through the same one."""

    matrix: Vectors
    """Shape (d, width)."""
    step: float
    """What one unit of a byte stands for."""

    def apply(self, vectors: Vectors) -> Vectors:
        """Shape (tokens, width), of unit length again; a zero vector stays zero."""
        moved: Vectors = vectors @ self.matrix
        length: Vectors = np.linalg.norm(moved, axis=1, keepdims=True).astype(np.float32)
        length[length == 0] = 1
        return moved / length

    def quantised(self, vectors: Vectors) -> NDArray[np.int8]:
        """As they are stored: `apply` in units of `step`."""
        small: NDArray[np.int8] = np.clip(np.rint(self.apply(vectors) / self.step), -_WHOLE, _WHOLE).astype(np.int8)
        return small

    def to_bytes(self) -> bytes:
        """Safetensors; the same projection always gives the same bytes."""
        data: bytes = tensors.save(
            {
                "format": np.array([FORMAT], dtype=np.int64),
                "matrix": self.matrix,
                "step": np.array([self.step], dtype=np.float64),
            }
        )
        return data

    @cached_property
    def digest(self) -> str:
        """Digest of the bytes, as it stands in `Fusion.tokens`."""
        return digest_bytes(self.to_bytes())


def fit_projection(batches: Iterable[Vectors], width: int = WIDTH) -> TokenProjection:
    """Fit on token vectors of some hundred chunks.

    Args:
        batches: Unit vectors, each of shape (some tokens, d); read once, only their second moment is kept.
        width: Numbers kept of each; never more than there are.

    Raises:
        InputError: There is no token.
    """
    moment: NDArray[np.float64] | None = None
    some: list[Vectors] = []
    for batch in batches:
        exact = batch.astype(np.float64)
        moment = exact.T @ exact if moment is None else moment + exact.T @ exact
        some.append(batch[::16])
    if moment is None or not np.any(moment):
        raise InputError("There is no token to fit a projection on.", "Rank without late interaction.")
    _, basis = np.linalg.eigh(moment)
    matrix = np.ascontiguousarray(basis[:, ::-1][:, :width], dtype=np.float32)
    plain = TokenProjection(matrix, 1.0)
    largest = float(np.quantile(np.abs(plain.apply(np.concatenate(some))), _QUANTILE))
    return TokenProjection(matrix, max(largest, 1e-3) / _WHOLE)


def projection_from_bytes(data: bytes) -> TokenProjection:
    """Read what `TokenProjection.to_bytes` wrote.

    Raises:
        IntegrityError: It is not a projection, or its numbers are not finite.
        NewerFormatError: It was written by a newer version.
    """
    try:
        read = tensors.load(data)
        if int(read["format"][0]) > FORMAT:
            raise NewerFormatError("This token projection was written in a newer format.", "Upgrade Jargonaut.")
        matrix, step = read["matrix"], float(read["step"][0])
    except (SafetensorError, KeyError, IndexError) as error:
        raise IntegrityError(f"The token projection cannot be read: {error}", "Prove again to make it anew.") from error
    if matrix.ndim != 2 or not np.isfinite(matrix).all() or not step > 0:
        raise IntegrityError("The token projection's numbers are damaged.", "Prove again to make it anew.")
    return TokenProjection(matrix, step)
