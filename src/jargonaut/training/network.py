"""A base encoder as it is trained: token ids to unit vectors, with gradients. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer

from jargonaut.core.errors import InputError
from jargonaut.encoding.weights_folder import PREFIXES, WEIGHTS, BaseWeights
from jargonaut.training.precision import Precision

Tokens = NDArray[np.int64]
"""Token ids of one text, special ones included."""

_FULL_PASS = 256
"""Tokens of a pass from which a matrix product is fast; fewer are not split further to save padding."""
_LEAST_FILLED = 0.85
"""Length of the shortest text of a pass, as a share of the longest."""


class TextNetwork:
    """A copy of the base of which some parameters can be trained.

    Texts are computed in passes of like length, whatever their order, so that next to nothing is padding; the vectors
    are those of one padded pass. Dropout is off, so that they depend on nothing else.

    Args:
        base: Where it starts.
        precision: Where and how it computes.
        frozen_layers: Lowest transformer layers that stay as they are.
        frozen_embeddings: Whether the embeddings do.
    """

    def __init__(self, base: BaseWeights, precision: Precision, frozen_layers: int, frozen_embeddings: bool) -> None:
        self.precision = precision
        self._base = base
        self.network: Any = load_network(base).to(precision.device)
        self.network.eval()
        freeze(self.network, frozen_layers, frozen_embeddings)
        self.trained: dict[str, Any] = {
            name: value for name, value in self.network.named_parameters() if value.requires_grad
        }
        self._padding = int(self.network.config.pad_token_id or 0)
        self._tokenizer = _tokenizer(base)

    def questions(self, texts: Sequence[str], limit: int) -> list[Tokens]:
        """Token ids of questions, at most `limit` each."""
        return self._ids(self._base.query_prompt, texts, limit)

    def passages(self, texts: Sequence[str], limit: int) -> list[Tokens]:
        """Token ids of passages, at most `limit` each."""
        return self._ids(self._base.document_prompt, texts, limit)

    def encode(self, tokens: Sequence[Tokens], pass_tokens: int) -> torch.Tensor:
        """Unit vectors of shape (texts, dimensions), float32, with gradients.

        Args:
            tokens: Of each text.
            pass_tokens: Most tokens of one pass, padding included.
        """
        parts = list(passes([len(ids) for ids in tokens], pass_tokens))
        vectors = torch.cat([self.encode_padded([tokens[row] for row in rows]) for rows in parts])
        order = np.concatenate(parts)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return vectors[torch.from_numpy(back).to(vectors.device)]

    def encode_padded(self, tokens: Sequence[Tokens]) -> torch.Tensor:
        """The same in a single pass."""
        width = max(len(ids) for ids in tokens)
        ids = np.full((len(tokens), width), self._padding, dtype=np.int64)
        present = np.zeros((len(tokens), width), dtype=np.int64)
        for row, values in enumerate(tokens):
            ids[row, : len(values)] = values
            present[row, : len(values)] = 1
        device = self.precision.device
        mask = torch.from_numpy(present).to(device)
        # Without padding there is nothing to mask, and attention is faster for not being told.
        masked = {} if present.all() and self.network.config.model_type == "bert" else {"attention_mask": mask}
        with self.precision.autocast():
            hidden = self.network(input_ids=torch.from_numpy(ids).to(device), **masked).last_hidden_state
        hidden = hidden.float()
        if self._base.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weight = mask.unsqueeze(-1).float()
            pooled = (hidden * weight).sum(1) / weight.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1)

    def values(self) -> dict[str, NDArray[Any]]:
        """Copies of the trained parameters by their name in the network."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.trained.items()}

    def put(self, values: Mapping[str, NDArray[Any]]) -> None:
        """Set the trained parameters."""
        with torch.no_grad():
            for name, value in self.trained.items():
                value.copy_(torch.from_numpy(values[name].copy()))

    def _ids(self, prompt: str, texts: Sequence[str], limit: int) -> list[Tokens]:
        texts = [prompt + text for text in texts]
        texts = [text.lower() for text in texts] if self._base.lowercase else texts
        self._tokenizer.enable_truncation(min(limit, self._base.max_tokens))
        return [np.array(encoding.ids, dtype=np.int64) for encoding in self._tokenizer.encode_batch(texts)]


def load_network(base: BaseWeights) -> Any:
    """The transformer of a base, in float32; a pickle is never read, `BaseWeights` has none.

    Raises:
        InputError: The weights do not fit the architecture.
    """
    config = transformers.AutoConfig.from_pretrained(base.folder, local_files_only=True)
    # At the length of questions and chunks, eager attention is faster on a CPU than the fused one.
    any_model: Any = transformers.AutoModel
    network = any_model.from_config(config, attn_implementation="eager", add_pooling_layer=False)
    stored = load_file(base.folder / WEIGHTS)
    tensors = {_without_prefix(name): tensor for name, tensor in stored.items()}
    missing, _ = network.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if missing:
        raise InputError(f"The weights of `{base.name}` lack {missing[0]} and {len(missing) - 1} more.")
    return network.float()


def freeze(network: Any, layers: int, embeddings: bool) -> None:
    """Take the lowest layers, and the embeddings, out of training."""
    frozen = [*network.encoder.layer[:layers], *([network.embeddings] if embeddings else [])]
    for part in frozen:
        for parameter in part.parameters():
            parameter.requires_grad_(False)


def _tokenizer(base: BaseWeights) -> Tokenizer:
    path = base.folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} cannot be read: {error}", "Fetch the base encoder again.") from error
    tokenizer.no_padding()
    return tokenizer


def passes(lengths: Sequence[int], pass_tokens: int) -> Iterator[NDArray[np.intp]]:
    """Rows of similar length, longest first, so that memory peaks at once."""
    order = np.argsort(-np.array(lengths), kind="stable")
    start = 0
    while start < len(order):
        width = lengths[order[start]]
        most = max(1, pass_tokens // width)
        end = start + 1
        while end < len(order) and end - start < most:
            is_full = (end - start) * width >= _FULL_PASS
            if is_full and lengths[order[end]] < _LEAST_FILLED * width:
                break
            end += 1
        yield order[start:end]
        start = end


def _without_prefix(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in PREFIXES if prefix and name.startswith(prefix)), name)
