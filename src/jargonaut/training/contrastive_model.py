"""An encoder whose questions and passages are trained together, in bounded memory. Imports torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from jargonaut.core.errors import InputError, RefusedError
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.training.batches import Batch
from jargonaut.training.losses import batch_loss
from jargonaut.training.network import TextNetwork, Tokens, passes
from jargonaut.training.precision import Precision

if TYPE_CHECKING:
    from jargonaut.training.contrastive import FullTuningSettings

_CLIP = 1.0
_FLOATS_KEPT = 40
"""Floats of a token and layer that a backward pass needs, in widths of the network: from MiniLM, rounded up."""
_LOG = logging.getLogger(__name__)
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class ContrastiveModel:
    """A copy of the base, and its optimiser.

    A batch of which the whole graph would not fit is computed twice: for its vectors, and then pass by pass for the
    gradients (GradCache, Gao et al. 2021). The gradients are the same. If memory runs out nevertheless, the passes are
    halved.

    Args:
        base: Where it starts.
        settings: How it learns.
        precision: Where and how it computes.
    """

    def __init__(self, base: BaseWeights, settings: FullTuningSettings, precision: Precision) -> None:
        torch.manual_seed(settings.seed)
        self.text = TextNetwork(base, precision, settings.frozen_layers, settings.frozen_embeddings)
        if not self.text.trained:
            raise InputError("Nothing is left to train: every layer is frozen.", "Freeze fewer layers.")
        self._settings = settings
        self._optimizer = torch.optim.AdamW(
            self.text.trained.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self._scaler = torch.amp.GradScaler(precision.device, enabled=precision.is_scaled)
        layers, width = int(base.config["num_hidden_layers"]), base.dimensions
        self.graph_tokens = max(base.max_tokens, (settings.memory_mb << 20) // (4 * _FLOATS_KEPT * layers * width))
        """Most tokens of which the graph is held at once."""
        self._least_tokens = min(base.max_tokens, max(settings.question_tokens, settings.passage_tokens))

    def gradient(self, questions: Sequence[Tokens], passages: Sequence[Tokens], batch: Batch) -> float:
        """Add the gradient of a batch to the parameters' and return its loss.

        Raises:
            RefusedError: Memory is not enough for a single passage.
        """
        while True:
            try:
                return self._gradient(questions, passages, batch)
            except (MemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
            self.forget_gradients()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if self.graph_tokens <= self._least_tokens:
                raise RefusedError(
                    f"Memory is not enough to train on passages of {self._least_tokens} tokens, one at a time.",
                    "Free memory, take a smaller base encoder, or tune the side of the questions only "
                    '([tuning] method = "query-side").',
                )
            self.graph_tokens = max(self._least_tokens, self.graph_tokens // 2)
            _LOG.warning("Out of memory: training goes on with passes of at most %d tokens.", self.graph_tokens)

    def _gradient(self, questions: Sequence[Tokens], passages: Sequence[Tokens], batch: Batch) -> float:
        tokens = [*questions, *passages]
        if sum(len(ids) for ids in tokens) <= self.graph_tokens:
            vectors = self.text.encode(tokens, self.graph_tokens)
            loss = self._loss(vectors, len(questions), batch)
            self._scaler.scale(loss).backward()
            return float(loss.detach())
        with torch.no_grad():
            vectors = self.text.encode(tokens, self.graph_tokens)
        vectors.requires_grad_(True)
        loss = self._loss(vectors, len(questions), batch)
        value = float(loss.detach())
        if not np.isfinite(value):
            return value
        self._scaler.scale(loss).backward()
        assert vectors.grad is not None
        for rows in passes([len(ids) for ids in tokens], self.graph_tokens):
            part = self.text.encode_padded([tokens[row] for row in rows])
            (part * vectors.grad[torch.from_numpy(rows).to(part.device)]).sum().backward()
        return value

    def _loss(self, vectors: torch.Tensor, questions: int, batch: Batch) -> torch.Tensor:
        settings = self._settings
        return batch_loss(
            vectors[:questions],
            vectors[questions:],
            batch,
            settings.temperature,
            symmetric=settings.symmetric,
            matryoshka=settings.matryoshka,
            distillation=settings.distillation,
        )

    def step(self, learning_rate: float) -> None:
        """Move the parameters along the gradients, and forget these."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.text.trained.values(), _CLIP)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Drop what was accumulated."""
        self._optimizer.zero_grad(set_to_none=True)

    def vectors(self, tokens: Sequence[Tokens]) -> NDArray[np.float32]:
        """Unit vectors of shape (texts, dimensions), without gradients."""
        with torch.no_grad():
            found: NDArray[np.float32] = self.text.encode(tokens, self.graph_tokens).cpu().numpy()
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters, moments and the scale of the gradients, to go on from later."""
        state = {f"value/{name}": value for name, value in self.text.values().items()}
        for name, value in self.text.trained.items():
            moments = self._optimizer.state.get(value, {})
            state |= {f"{m}/{name}": moments[m].cpu().numpy().copy() for m in _MOMENTS if m in moments}
        if self._scaler.is_enabled():
            state["scale/"] = np.array([self._scaler.get_scale(), self._scaler._growth_tracker], dtype=np.float64)
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a `state`."""
        self.forget_gradients()
        self.text.put({name: state[f"value/{name}"] for name in self.text.trained})
        for name, value in self.text.trained.items():
            self._optimizer.state[value] = {
                moment: torch.from_numpy(state[f"{moment}/{name}"].copy()).to(value.device)
                for moment in _MOMENTS
                if f"{moment}/{name}" in state
            }
        if "scale/" in state:
            scale, growth = state["scale/"].tolist()
            self._scaler.load_state_dict({**self._scaler.state_dict(), "scale": scale, "_growth_tracker": int(growth)})


def _is_out_of_memory(error: BaseException) -> bool:
    """Also where a CPU's allocator says so in words only."""
    said = str(error).lower()
    known = "can't allocate memory" in said or "not enough memory" in said or "out of memory" in said
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or known
