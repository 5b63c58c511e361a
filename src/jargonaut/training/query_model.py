"""The encoder of questions as it is trained. Imports torch: only `query_side` imports this, when it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer

from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.training.network import freeze, load_network
from jargonaut.training.precision import cpu_precision

if TYPE_CHECKING:
    from jargonaut.training.query_side import TuningSettings

_CLIP = 1.0


class QueryModel:
    """A copy of the base whose upper layers can be trained.

    Args:
        base: Where it starts.
        settings: Seed and frozen layers.
    """

    def __init__(self, base: BaseWeights, settings: TuningSettings) -> None:
        torch.manual_seed(settings.seed)
        self._base = base
        self._precision = cpu_precision()
        self._network: Any = load_network(base)
        # Dropout is off: questions are short and the targets are frozen, so its noise outweighs what it regularises.
        self._network.eval()
        freeze(self._network, settings.frozen_layers, embeddings=True)
        self._trained = {name: value for name, value in self._network.named_parameters() if value.requires_grad}
        self._optimizer = torch.optim.AdamW(self._trained.values(), lr=settings.learning_rate, weight_decay=0.0)
        self._tokenizer = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(settings.question_tokens, base.max_tokens))
        self._lowercase = base.lowercase

    def encode(self, questions: Sequence[str]) -> torch.Tensor:
        """Unit vectors of shape (questions, dimensions), float32, with gradients."""
        texts = [self._base.query_prompt + question for question in questions]
        texts = [text.lower() for text in texts] if self._lowercase else texts
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        width = max(len(ids) for ids in tokens)
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in tokens])
        padding = int(self._network.config.pad_token_id or 0)
        ids = torch.tensor([ids + [padding] * (width - len(ids)) for ids in tokens])
        with self._precision.autocast():
            hidden = self._network(input_ids=ids, attention_mask=mask).last_hidden_state
        hidden = hidden.float()
        if self._base.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weight = mask.unsqueeze(-1).float()
            pooled = (hidden * weight).sum(1) / weight.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1)

    def step(self, learning_rate: float) -> None:
        """Move the parameters along the gradients, and forget these."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        torch.nn.utils.clip_grad_norm_(self._trained.values(), _CLIP)
        self._optimizer.step()
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Drop what was accumulated."""
        self._optimizer.zero_grad(set_to_none=True)

    def parameters_as_stored(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """The trained parameters by their name in the network."""
        return {name: value.detach().numpy() for name, value in self._trained.items()}

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Parameters and the optimiser's moments, to go on from later."""
        state = {}
        for name, value in self._trained.items():
            moments = self._optimizer.state.get(value, {})
            state[f"value/{name}"] = value.detach().numpy()
            for moment in ("exp_avg", "exp_avg_sq", "step"):
                if moment in moments:
                    state[f"{moment}/{name}"] = moments[moment].numpy()
        return state

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Go back to a `state`."""
        self.forget_gradients()
        with torch.no_grad():
            for name, value in self._trained.items():
                value.copy_(torch.from_numpy(state[f"value/{name}"].copy()))
                self._optimizer.state[value] = {
                    moment: torch.from_numpy(state[f"{moment}/{name}"].copy())
                    for moment in ("exp_avg", "exp_avg_sq", "step")
                    if f"{moment}/{name}" in state
                }
