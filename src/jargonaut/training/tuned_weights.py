"""Tuned weights as a folder in the layout of their base."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError
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
    return read_candidate(base, share, folder)


def read_candidate(base: BaseWeights, share: float, folder: Path) -> Candidate:
    """A candidate that was written.

    Raises:
        InputError: It is not there, or not whole.
    """
    naming = Naming(
        base.name, query_prompt=base.query_prompt, document_prompt=base.document_prompt, languages=base.languages
    )
    return Candidate(share, read_weights(folder, naming))


def finished(record: Path, identity: str, budget_s: float | None) -> dict[str, Any] | None:
    """The record of a training that ended, if it was this one: the same input, within the same budget.

    Args:
        record: The file.
        identity: Digest of the input and of the settings that matter.
        budget_s: None where steps, not seconds, were asked for.
    """
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        same = said["input"] == identity and budget_s in (None, said["settings"]["budget_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(said) if same else None


def read_finished(base: BaseWeights, record: Mapping[str, Any], work: Path) -> tuple[Candidate, ...] | None:
    """The candidates of a record, in its order; None if one is gone or damaged."""
    found = []
    for share, digest in record["candidates"].items():
        try:
            candidate = read_candidate(base, float(share), work / f"share-{share}")
        except InputError:
            return None
        if candidate.weights.digest != digest:
            return None
        found.append(candidate)
    return tuple(found)


def blended(before: NDArray[Any], after: NDArray[Any], share: float) -> NDArray[np.float32]:
    """Weights on the way from `before` to `after`."""
    start = before.astype(np.float32)
    moved: NDArray[np.float32] = start + np.float32(share) * (after.astype(np.float32) - start)
    return moved
