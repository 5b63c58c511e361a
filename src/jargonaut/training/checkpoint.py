"""Where training is, on disk, so that a killed run goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_STATE, _POSITION = "state.safetensors", "position"
_BEST = "best/"

Arrays = Mapping[str, NDArray[Any]]


class Trained(Protocol):
    """What can be put back to where it was."""

    def state(self) -> dict[str, NDArray[Any]]:
        """All that decides what comes next."""

    def restore(self, state: Arrays) -> None:
        """Go back to a `state`."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far training is."""

    planned: int
    """Steps in all."""
    losses: tuple[float, ...] = ()
    """One for each step that is done."""
    seconds: float = 0.0
    stopped: str = ""
    judged: tuple[tuple[int, float], ...] = ()
    """Steps after which the development slice was judged, and how well it did."""

    @property
    def done(self) -> int:
        """Steps."""
        return len(self.losses)

    def after(self, loss: float, seconds: float) -> Position:
        """One step later."""
        return replace(self, losses=(*self.losses, loss), seconds=self.seconds + seconds)

    def with_score(self, score: float) -> Position:
        """Here, once the development slice was judged."""
        return replace(self, judged=(*self.judged, (self.done, score)))

    def stopped_by(self, reason: str) -> Position:
        """Here, for good."""
        return replace(self, stopped=reason)


class Checkpoint:
    """One file, replaced whole: parameters, moments and position, no pickle.

    Args:
        folder: Where it is.
        identity: Digest of all that decides the outcome; a checkpoint with another one is another run's.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._path = folder / _STATE
        self._identity = identity
        self.best: dict[str, NDArray[Any]] = {}
        """Parameters of the best judged step, kept beside the state; empty where nothing is judged."""

    def save(self, model: Trained, position: Position) -> None:
        """Replace what was there."""
        from safetensors.numpy import save_file

        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        metadata = {"identity": self._identity, _POSITION: json.dumps(asdict(position))}
        best = {f"{_BEST}{name}": value for name, value in self.best.items()}
        save_file(
            {name: np.ascontiguousarray(value) for name, value in (model.state() | best).items()}, partial, metadata
        )
        partial.replace(self._path)

    def load(self, model: Trained) -> Position | None:
        """Put the model where it was; None if there is nothing of this run, or only what a full disk left of it."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("identity") != self._identity:
                    return None
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a mapping
                known = json.loads(metadata[_POSITION])
        except (OSError, SafetensorError, ValueError, KeyError):
            return None
        self.best = {name.removeprefix(_BEST): state.pop(name) for name in list(state) if name.startswith(_BEST)}
        model.restore(state)
        judged = tuple((int(step), float(score)) for step, score in known.pop("judged", ()))
        return Position(**{**known, "losses": tuple(known["losses"]), "judged": judged})

    def remove(self) -> None:
        """Training is over."""
        shutil.rmtree(self._path.parent, ignore_errors=True)
