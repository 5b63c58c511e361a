"""Where training is, on disk, so that a killed run goes on."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jargonaut.training.query_model import QueryModel

_STATE, _POSITION = "state.safetensors", "position"


@dataclass(frozen=True, slots=True)
class Position:
    """How far training is."""

    planned: int
    """Steps in all."""
    losses: tuple[float, ...] = ()
    """One for each step that is done."""
    seconds: float = 0.0
    stopped: str = ""

    @property
    def done(self) -> int:
        """Steps."""
        return len(self.losses)

    def after(self, loss: float, seconds: float) -> Position:
        """One step later."""
        return replace(self, losses=(*self.losses, loss), seconds=self.seconds + seconds)

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

    def save(self, model: QueryModel, position: Position) -> None:
        """Replace what was there."""
        from safetensors.numpy import save_file

        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        metadata = {"identity": self._identity, _POSITION: json.dumps(asdict(position))}
        save_file(model.state(), partial, metadata)
        partial.replace(self._path)

    def load(self, model: QueryModel) -> Position | None:
        """Put the model where it was; None if there is nothing of this run."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("identity") != self._identity:
                    return None
                model.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 not a mapping
        except (FileNotFoundError, SafetensorError):
            return None
        position = json.loads(metadata[_POSITION])
        return Position(**{**position, "losses": tuple(position["losses"])})

    def remove(self) -> None:
        """Training is over."""
        shutil.rmtree(self._path.parent, ignore_errors=True)
