"""Tuned weights as a folder in the layout of their base."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.encoding.weights_folder import FILES, PREFIXES, WEIGHTS, BaseWeights, Naming, read_weights


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoder that may serve, if held-out questions say so."""

    share: float
    """Of the way from the base to the tuned weights."""
    weights: BaseWeights


def write_candidate(base: BaseWeights, trained: Mapping[str, NDArray[Any]], share: float, folder: Path) -> Candidate:
    """Write `base + share * (trained - base)` as an encoder with the tokenizer, pooling and prompts of the base."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(base.folder / WEIGHTS)
    for name, value in trained.items():
        stored = next(prefix + name for prefix in PREFIXES if prefix + name in tensors)
        tensors[stored] = blended(tensors[stored], value, share)
    shutil.rmtree(folder, ignore_errors=True)
    for pattern in FILES:
        for source in base.folder.glob(pattern):
            if source.name != WEIGHTS:
                target = folder / source.relative_to(base.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    save_file(tensors, folder / WEIGHTS)
    naming = Naming(
        base.name, query_prompt=base.query_prompt, document_prompt=base.document_prompt, languages=base.languages
    )
    return Candidate(share, read_weights(folder, naming))


def blended(before: NDArray[Any], after: NDArray[Any], share: float) -> NDArray[np.float32]:
    """Weights on the way from `before` to `after`."""
    start = before.astype(np.float32)
    moved: NDArray[np.float32] = start + np.float32(share) * (after.astype(np.float32) - start)
    return moved
