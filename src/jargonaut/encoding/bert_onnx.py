"""BERT-family encoders as ONNX graphs, written from their safetensors with numpy and onnx alone.

The graph takes `input_ids` and `attention_mask`, both int64 of shape (batch, tokens), and gives `embedding`, float32 of
shape (batch, dimensions), of unit length. Architectures: BERT (Devlin et al. 2019), RoBERTa and XLM-RoBERTa (Liu et al.
2019, Conneau et al. 2020), which number positions differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError
from jargonaut.encoding.weights_folder import PREFIXES, WEIGHTS, BaseWeights

ARCHITECTURES = ("bert", "camembert", "roberta", "xlm-roberta")

_ACTIVATIONS = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}
_OPSET = 20
_IR_VERSION = 9
_PROTOBUF_LIMIT_BYTES = 2_000_000_000
_MASKED = -1e4

Tensor = NDArray[Any]


def bert_graph(weights: BaseWeights, *, half: bool | None = None) -> bytes:
    """The encoder as the bytes of an ONNX model; the same weights give the same bytes.

    Args:
        weights: The encoder.
        half: Store the parameters as float16 (they are computed with as float32). None: only where the model would
            pass protobuf's limit of 2 GiB otherwise.

    Raises:
        InputError: The architecture is not supported, or the weights do not fit it.
    """
    _check_architecture(weights)
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(weights.folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"The weights of `{weights.name}` cannot be read: {error}", "Fetch them again.") from error
    if half is None:
        half = 4 * sum(tensor.size for tensor in tensors.values()) > _PROTOBUF_LIMIT_BYTES
    return _Writer(weights, tensors, half).model()


def _check_architecture(weights: BaseWeights) -> None:
    config = weights.config
    if weights.model_type not in ARCHITECTURES:
        raise InputError(
            f"The base encoder `{weights.name}` has the architecture `{weights.model_type}`, which cannot be exported.",
            f"Supported: {', '.join(ARCHITECTURES)}.",
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise InputError(f"The base encoder `{weights.name}` has relative positions.", "Supported are absolute ones.")
    if config.get("hidden_act", "gelu") not in _ACTIVATIONS:
        raise InputError(
            f"The base encoder `{weights.name}` has the activation `{config['hidden_act']}`.",
            f"Supported: {', '.join(_ACTIVATIONS)}.",
        )


class _Writer:
    """Collects the nodes and parameters of one graph. A value is named by the node that makes it."""

    def __init__(self, weights: BaseWeights, tensors: Mapping[str, Tensor], half: bool) -> None:
        self._weights = weights
        self._config = weights.config
        self._tensors = tensors
        self._half = half
        self._nodes: list[Any] = []
        self._parameters: dict[str, Any] = {}
        self._prefix = next((p for p in PREFIXES if f"{p}embeddings.word_embeddings.weight" in tensors), "")

    def model(self) -> bytes:
        from onnx import TensorProto, checker, helper

        mask = self._node("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = self._embeddings()
        bias = self._attention_bias(mask)
        for layer in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}.")
        pooled = self._mean(hidden, mask) if self._weights.pooling == "mean" else self._first(hidden)
        self._nodes.append(helper.make_node("LpNormalization", [pooled], ["embedding"], axis=-1, p=2))
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", self._weights.dimensions])
        graph = helper.make_graph(self._nodes, "encoder", inputs, [output], list(self._parameters.values()))
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="jargonaut"
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _embeddings(self) -> str:
        words = self._node("Gather", self._parameter("embeddings.word_embeddings.weight"), "input_ids")
        counted = self._node("CumSum", "attention_mask", self._constant("axis_tokens", 1))
        if self._weights.model_type == "bert":
            position = self._node("Sub", counted, self._constant("one", 1))
        else:
            padding = int(self._config.get("pad_token_id", 1))
            position = self._node("Add", counted, self._constant("padding_id", padding))
        positions = self._node("Gather", self._parameter("embeddings.position_embeddings.weight"), position)
        summed = self._node("Add", self._node("Add", words, positions), self._token_type())
        return self._layer_norm(summed, "embeddings.LayerNorm")

    def _token_type(self) -> str:
        """All tokens are of the first segment."""
        name = "embeddings.token_type_embeddings.weight"
        return self._stored("token_type", self._tensor(name)[0])

    def _attention_bias(self, mask: str) -> str:
        """0 where there is a token, a large negative number at padding; shape (batch, 1, 1, tokens)."""
        wide = self._node("Unsqueeze", mask, self._constant("axes_heads", [1, 2]))
        absent = self._node("Sub", self._scalar("one_float", 1.0), wide)
        return self._node("Mul", absent, self._scalar("masked", _MASKED))

    def _layer(self, hidden: str, bias: str, name: str) -> str:
        attended = self._attention(hidden, bias, f"{name}attention.self.")
        projected = self._linear(attended, f"{name}attention.output.dense")
        hidden = self._layer_norm(self._node("Add", projected, hidden), f"{name}attention.output.LayerNorm")
        wide = self._linear(hidden, f"{name}intermediate.dense")
        active = self._node("Gelu", wide, approximate=_ACTIVATIONS[self._config.get("hidden_act", "gelu")])
        narrow = self._linear(active, f"{name}output.dense")
        return self._layer_norm(self._node("Add", narrow, hidden), f"{name}output.LayerNorm")

    def _attention(self, hidden: str, bias: str, name: str) -> str:
        heads = int(self._config["num_attention_heads"])
        width = self._weights.dimensions // heads
        split = self._constant("split_heads", [0, 0, heads, width])
        query, key, value = (
            self._node("Reshape", self._linear(hidden, name + part), split) for part in ("query", "key", "value")
        )
        products = self._node(
            "MatMul",
            self._node("Transpose", query, perm=[0, 2, 1, 3]),
            self._node("Transpose", key, perm=[0, 2, 3, 1]),
        )
        scaled = self._node("Mul", products, self._scalar("scale", width**-0.5))
        shares = self._node("Softmax", self._node("Add", scaled, bias), axis=-1)
        mixed = self._node("MatMul", shares, self._node("Transpose", value, perm=[0, 2, 1, 3]))
        joined = self._node("Transpose", mixed, perm=[0, 2, 1, 3])
        return self._node("Reshape", joined, self._constant("join_heads", [0, 0, self._weights.dimensions]))

    def _mean(self, hidden: str, mask: str) -> str:
        present = self._node("Unsqueeze", mask, self._constant("axis_last", [2]))
        axis = self._constant("axis_pooled", [1])
        total = self._node("ReduceSum", self._node("Mul", hidden, present), axis, keepdims=0)
        return self._node("Div", total, self._node("ReduceSum", present, axis, keepdims=0))

    def _first(self, hidden: str) -> str:
        return self._node("Gather", hidden, self._constant("first_token", 0), axis=1)

    def _linear(self, value: str, name: str) -> str:
        matrix = self._stored(f"{name}.weight", self._tensor(f"{name}.weight").T)
        return self._node("Add", self._node("MatMul", value, matrix), self._parameter(f"{name}.bias"))

    def _layer_norm(self, value: str, name: str) -> str:
        epsilon = float(self._config.get("layer_norm_eps", 1e-12))
        scale, shift = self._parameter(f"{name}.weight"), self._parameter(f"{name}.bias")
        return self._node("LayerNormalization", value, scale, shift, axis=-1, epsilon=epsilon)

    def _parameter(self, name: str) -> str:
        return self._stored(name, self._tensor(name))

    def _tensor(self, name: str) -> Tensor:
        try:
            return self._tensors[self._prefix + name]
        except KeyError as error:
            raise InputError(
                f"The weights of `{self._weights.name}` lack the tensor `{name}` of a `{self._weights.model_type}`.",
                "config.json and model.safetensors must be of the same encoder.",
            ) from error

    def _stored(self, name: str, tensor: Tensor) -> str:
        from onnx import TensorProto, numpy_helper

        kind = np.float16 if self._half else np.float32
        self._parameters[name] = numpy_helper.from_array(np.ascontiguousarray(tensor, dtype=kind), name)
        return self._node("Cast", name, to=TensorProto.FLOAT) if self._half else name

    def _constant(self, name: str, value: int | list[int]) -> str:
        return self._plain(name, np.array(value, dtype=np.int64))

    def _scalar(self, name: str, value: float) -> str:
        return self._plain(name, np.array(value, dtype=np.float32))

    def _plain(self, name: str, value: Tensor) -> str:
        from onnx import numpy_helper

        self._parameters[name] = numpy_helper.from_array(value, name)
        return name

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        output = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output
