"""Tiny encoders with random weights, in the folder layout of real ones: made in milliseconds, wrong in every answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = (
    "the",
    "of",
    "a",
    "session",
    "cookie",
    "age",
    "model",
    "field",
    "query",
    "index",
    "cache",
    "how",
    "do",
    "i",
    "set",
)
HEADS, LAYERS, WIDTH, INNER, POSITIONS = 4, 3, 32, 64, 64


def write_tiny_encoder(folder: Path, model_type: str = "bert", pooling: str = "mean", seed: int = 0) -> Path:
    """A sentence-transformers folder of 3 layers, 32 wide, 30 tokens long; `model_type` is `bert` or `xlm-roberta`."""
    folder.mkdir(parents=True, exist_ok=True)
    roberta = model_type != "bert"
    tokenizer = _roberta_tokenizer() if roberta else _bert_tokenizer()
    vocabulary = tokenizer.get_vocab_size()
    tokenizer.save(str(folder / "tokenizer.json"))
    positions = POSITIONS + 2 if roberta else POSITIONS
    config = {
        "model_type": model_type,
        "architectures": ["XLMRobertaModel" if roberta else "BertModel"],
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5 if roberta else 1e-12,
        "max_position_embeddings": positions,
        "pad_token_id": 1 if roberta else 0,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "type_vocab_size": 1 if roberta else 2,
        "vocab_size": vocabulary,
    }
    _write(folder / "config.json", config)
    save_file(_tensors(vocabulary, positions, config["type_vocab_size"], seed), folder / "model.safetensors")
    modules = "Transformer", "Pooling", "Normalize"
    paths = "", "1_Pooling", "2_Normalize"
    _write(
        folder / "modules.json",
        [{"idx": i, "path": paths[i], "type": f"sentence_transformers.models.{m}"} for i, m in enumerate(modules)],
    )
    (folder / "1_Pooling").mkdir(exist_ok=True)
    _write(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": WIDTH,
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
        },
    )
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 30, "do_lower_case": False})
    return folder


def _tensors(vocabulary: int, positions: int, types: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": normal(vocabulary, WIDTH),
        "embeddings.position_embeddings.weight": normal(positions, WIDTH),
        "embeddings.token_type_embeddings.weight": normal(types, WIDTH),
    }

    def add_norm(name: str) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = 1 + normal(WIDTH), normal(WIDTH)

    add_norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        shapes = {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }
        for part, shape in shapes.items():
            tensors[f"{name}{part}.weight"], tensors[f"{name}{part}.bias"] = normal(*shape), normal(shape[0])
        add_norm(f"{name}attention.output.LayerNorm")
        add_norm(f"{name}output.LayerNorm")
    return tensors


def _bert_tokenizer() -> Tokenizer:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=specials)
    # As published ones do, and as an export must undo.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    return tokenizer


def _roberta_tokenizer() -> Tokenizer:
    letters = ["▁", *(chr(code) for code in range(ord("a"), ord("z") + 1))]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *(f"▁{word}" for word in WORDS if word != "a"), "▁a", *letters]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(number)) for number, piece in enumerate(pieces)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
