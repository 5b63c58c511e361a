"""The encoder of questions as it is trained. Imports torch: only `query_side` imports this, when it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

from jargonaut.core.errors import InputError
from jargonaut.encoding.weights_folder import PREFIXES, WEIGHTS, BaseWeights

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
        self._network: Any = _network(base)
        # Dropout is off: questions are short and the targets are frozen, so its noise outweighs what it regularises.
        self._network.eval()
        self._freeze(settings.frozen_layers)
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
        with _autocast():
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

    def _freeze(self, layers: int) -> None:
        for parameter in self._network.embeddings.parameters():
            parameter.requires_grad_(False)
        for layer in self._network.encoder.layer[:layers]:
            for parameter in layer.parameters():
                parameter.requires_grad_(False)


def _network(base: BaseWeights) -> Any:
    config = transformers.AutoConfig.from_pretrained(base.folder, local_files_only=True)
    # At the length of questions, eager attention is faster on a CPU than the fused one.
    any_model: Any = transformers.AutoModel
    network = any_model.from_config(config, attn_implementation="eager", add_pooling_layer=False)
    stored = load_file(base.folder / WEIGHTS)
    tensors = {_without_prefix(name): tensor for name, tensor in stored.items()}
    missing, _ = network.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if missing:
        raise InputError(f"The weights of `{base.name}` lack {missing[0]} and {len(missing) - 1} more.")
    return network.float()


def _without_prefix(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in PREFIXES if prefix and name.startswith(prefix)), name)


def _autocast() -> AbstractContextManager[Any]:
    """bfloat16 where the CPU multiplies it itself; parameters and loss stay in float32."""
    if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
        context: AbstractContextManager[Any] = torch.autocast("cpu", dtype=torch.bfloat16)
        return context
    return nullcontext()
