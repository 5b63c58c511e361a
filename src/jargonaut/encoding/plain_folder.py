"""A stored encoder back as the folder that it came from: what sentence-transformers and transformers load.

Nobody is locked in, and what was tuned can be tuned on: the graph of `bert_onnx` holds every parameter under its own
name, and says in its nodes what `config.json` says in words.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError, UnavailableError
from jargonaut.encoding.artifact import StoredEncoder
from jargonaut.encoding.port import EncoderCard
from jargonaut.encoding.static_encoder import ROWS
from jargonaut.encoding.static_encoder import WEIGHTS as ROW_WEIGHTS
from jargonaut.encoding.weights_folder import STATIC, WEIGHTS

_LAYER = "encoder.layer."
_FIRST_WORD = "embeddings.word_embeddings.weight"
_MODULES = ("Transformer", "Pooling", "Normalize")


def write_plain_folder(stored: StoredEncoder, folder: Path) -> None:
    """Write an encoder as a folder for `SentenceTransformer(folder)`, which gives the same vectors.

    Args:
        stored: The encoder.
        folder: Where to; it must not exist, or be empty.

    Raises:
        InputError: There is something in the folder, or the graph is of another make.
        UnavailableError: It cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty.", "Name a folder that does not exist: nothing is overwritten.")
    read = None if stored.is_table else _read(stored)
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if read is None:
            _write_table(partial, stored)
        else:
            _write(partial, stored, *read)
        if folder.is_dir():
            folder.rmdir()
        partial.replace(folder)
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(
    folder: Path,
    stored: StoredEncoder,
    tensors: Mapping[str, NDArray[Any]],
    config: Mapping[str, Any],
    pooling: str,
) -> None:
    from safetensors.numpy import save_file

    card = stored.card
    save_file(dict(tensors), folder / WEIGHTS, {"format": "pt"})
    _json(folder / "config.json", config)
    shutil.copyfile(stored.tokenizer_path, folder / "tokenizer.json")
    _json(folder / "tokenizer_config.json", _tokenizer_config(stored, config))
    paths = ("", "1_Pooling", "2_Normalize")
    kinds = [f"sentence_transformers.models.{name}" for name in _MODULES]
    modules = [{"idx": at, "name": str(at), "path": paths[at], "type": kind} for at, kind in enumerate(kinds)]
    _json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    modes = {f"pooling_mode_{name}": key == pooling for name, key in (("cls_token", "cls"), ("mean_tokens", "mean"))}
    _json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": card.dimensions, **modes})
    _json(folder / "sentence_bert_config.json", {"max_seq_length": card.max_tokens, "do_lower_case": False})
    prompts = {"query": card.query_prompt, "document": card.document_prompt}
    _json(folder / "config_sentence_transformers.json", {"prompts": prompts, "similarity_fn_name": "cosine"})
    (folder / "README.md").write_text(_readme(card), encoding="utf-8")


def _write_table(folder: Path, stored: StoredEncoder) -> None:
    """With the weights of tokens in their rows, as sentence-transformers keeps a table."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(stored.model_path)
    rows, weights = tensors[ROWS].astype(np.float32), tensors.get(ROW_WEIGHTS)
    save_file({ROWS: rows if weights is None else rows * weights.astype(np.float32)[:, None]}, folder / WEIGHTS)
    shutil.copyfile(stored.tokenizer_path, folder / "tokenizer.json")
    _json(folder / "config.json", {"model_type": STATIC, "normalize": True, "hidden_dim": rows.shape[1]})
    kinds = [f"sentence_transformers.models.{name}" for name in ("StaticEmbedding", "Normalize")]
    paths = ("", "1_Normalize")
    _json(
        folder / "modules.json",
        [{"idx": at, "name": str(at), "path": paths[at], "type": kind} for at, kind in enumerate(kinds)],
    )
    (folder / "1_Normalize").mkdir()
    (folder / "README.md").write_text(_readme(stored.card), encoding="utf-8")


def _read(stored: StoredEncoder) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
    """Tensors under their names, the architecture, and the pooling."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(stored.model_path)).graph
    except Exception as error:  # protobuf's own errors
        raise InputError(f"{stored.model_path} cannot be read: {error}") from error
    held = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    if _FIRST_WORD not in held or "split_heads" not in held:
        raise InputError(f"Encoder {stored.card.id} was not exported by Jargonaut, so its graph cannot be read back.")
    tensors: dict[str, NDArray[Any]] = {}
    for name, value in held.items():
        if name.endswith(".weight") and name.startswith(_LAYER) and value.ndim == 2:
            tensors[name] = np.ascontiguousarray(value.T, dtype=np.float32)
        elif name.startswith(("embeddings.", _LAYER)):
            tensors[name] = np.ascontiguousarray(value, dtype=np.float32)
    is_bert = "padding_id" not in held
    types = 2 if is_bert else 1
    tensors["embeddings.token_type_embeddings.weight"] = np.tile(held["token_type"].astype(np.float32), (types, 1))
    width = tensors[_FIRST_WORD].shape[1]
    # Nobody reads the pooler; without one, loading warns of weights that were made up.
    tensors["pooler.dense.weight"], tensors["pooler.dense.bias"] = np.zeros((width, width), np.float32), _zeros(width)
    return tensors, _config(graph, held, tensors, is_bert), "cls" if "first_token" in held else "mean"


def _zeros(width: int) -> NDArray[Any]:
    return np.zeros(width, dtype=np.float32)


def _config(
    graph: Any, held: Mapping[str, NDArray[Any]], tensors: Mapping[str, NDArray[Any]], is_bert: bool
) -> dict[str, Any]:
    layers = {int(name.removeprefix(_LAYER).split(".")[0]) for name in tensors if name.startswith(_LAYER)}
    words, positions = tensors[_FIRST_WORD], tensors["embeddings.position_embeddings.weight"]
    return {
        "model_type": "bert" if is_bert else "xlm-roberta",
        "architectures": ["BertModel" if is_bert else "XLMRobertaModel"],
        "hidden_size": words.shape[1],
        "vocab_size": words.shape[0],
        "max_position_embeddings": positions.shape[0],
        "type_vocab_size": tensors["embeddings.token_type_embeddings.weight"].shape[0],
        "num_hidden_layers": len(layers),
        "num_attention_heads": int(held["split_heads"][2]),
        "intermediate_size": tensors[f"{_LAYER}0.intermediate.dense.bias"].shape[0],
        "hidden_act": "gelu_new" if _attribute(graph, "Gelu", "approximate") == b"tanh" else "gelu",
        "layer_norm_eps": float(np.float32(_attribute(graph, "LayerNormalization", "epsilon"))),
        "pad_token_id": 0 if is_bert else int(held["padding_id"]),
        "torch_dtype": "float32",
    }


def _attribute(graph: Any, kind: str, name: str) -> Any:
    from onnx import helper

    node = next(node for node in graph.node if node.op_type == kind)
    return next((helper.get_attribute_value(item) for item in node.attribute if item.name == name), None)


def _tokenizer_config(stored: StoredEncoder, config: Mapping[str, Any]) -> dict[str, Any]:
    """Which tokens are special: without it, a loader does not know what to pad with."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(stored.tokenizer_path))
    padding = tokenizer.id_to_token(int(config["pad_token_id"]))
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": stored.card.max_tokens,
        "pad_token": padding,
    }


def _readme(card: EncoderCard) -> str:
    return (
        f"# Encoder {card.id}\n\nFrom `{card.base}`, {card.dimensions} dimensions, {card.max_tokens} tokens. "
        f"Exported by Jargonaut.\n\n```python\nfrom sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer("this folder")\nquestions = model.encode_query(["..."])\n'
        f'documents = model.encode_document(["..."])\n```\n'
    )


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
