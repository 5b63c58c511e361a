"""A folder with the weights of an encoder, as sentence-transformers or plain Hugging Face lays it out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import InputError, IntegrityError

Pooling = Literal["mean", "cls"]

WEIGHTS = "model.safetensors"
PREFIXES = ("", "bert.", "roberta.")
"""What may stand before the names of tensors, by which class of model they were saved."""
FILES = (
    "config.json",
    WEIGHTS,
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "*/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)
"""What may be read of such a folder; `*` stands for a module's folder such as `1_Pooling`."""

STATIC = "model2vec"
"""`model_type` of a table of token vectors: `model.safetensors` holds `embeddings` alone, and perhaps `weights`."""
_DEFAULT_MAX_TOKENS = 512
_HARMLESS_MODULES = ("Transformer", "Pooling", "Normalize", "Dropout", "StaticModel", "StaticEmbedding")


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """A pretrained encoder in a folder of this machine."""

    name: str
    """Where it came from, in words that mean the same on another machine: hub id, package, folder name."""
    folder: Path
    digest: str
    """SHA-256 of the safetensors file, all 64 digits."""
    model_type: str
    """As in `config.json`: `bert`, `xlm-roberta`, ..."""
    dimensions: int
    max_tokens: int
    """Special tokens included."""
    pooling: Pooling
    lowercase: bool
    """Whether texts are lowered before the tokenizer sees them."""
    query_prompt: str
    document_prompt: str
    languages: tuple[str, ...]

    @property
    def space(self) -> str:
        """The space of its document vectors."""
        return digest_of([self.digest, self.pooling, self.document_prompt, self.dimensions])

    @property
    def config(self) -> dict[str, Any]:
        """The architecture, as `config.json` says it."""
        return dict(_json(self.folder / "config.json"))


@dataclass(frozen=True, slots=True)
class Naming:
    """What a folder may not say about itself."""

    name: str
    sha256: str = ""
    """The digest that the weights must have, or empty."""
    query_prompt: str | None = None
    """None: as the folder says."""
    document_prompt: str | None = None
    languages: tuple[str, ...] = ()


def read_weights(folder: Path, naming: Naming) -> BaseWeights:
    """Read what a folder says of its encoder, and check the digest of its weights.

    Raises:
        InputError: Something needed is missing or unreadable, or the weights are a pickle.
        IntegrityError: The weights are not those that were asked for.
    """
    _check_files(folder, naming.name)
    config = _json(folder / "config.json")
    digest = _sha256(folder / WEIGHTS)
    if naming.sha256 and digest != naming.sha256.lower():
        raise IntegrityError(
            f"The weights of `{naming.name}` in {folder} have SHA-256 {digest}, expected {naming.sha256}.",
            "Fetch them again; if you changed them on purpose, change the digest in the settings.",
        )
    prompts = _optional_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    transformer = _optional_json(folder / "sentence_bert_config.json")
    try:
        return BaseWeights(
            name=naming.name,
            folder=folder,
            digest=digest,
            model_type=str(config["model_type"]),
            dimensions=_table_width(folder) if config["model_type"] == STATIC else int(config["hidden_size"]),
            max_tokens=_max_tokens(folder, config, transformer),
            pooling=_pooling(folder, naming.name),
            lowercase=bool(transformer.get("do_lower_case")),
            query_prompt=_first(naming.query_prompt, prompts.get("query"), ""),
            document_prompt=_first(naming.document_prompt, prompts.get("document"), prompts.get("passage"), ""),
            languages=naming.languages,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / 'config.json'} does not describe a text encoder: {error!r}.") from error


def _check_files(folder: Path, name: str) -> None:
    if not folder.is_dir():
        raise InputError(
            f"The base encoder `{name}` is not a folder: {folder}.", "Check [encoder] base in jargonaut.toml."
        )
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(path.name for path in folder.glob("pytorch_model*.bin"))
        shards = sorted(folder.glob("model-*.safetensors"))
        if shards:
            raise InputError(
                f"The weights of `{name}` are split into {len(shards)} files.", f"Save them as one {WEIGHTS}."
            )
        if pickles:
            raise InputError(
                f"The weights of `{name}` are a pickle ({pickles[0]}), which can run code; it was not read.",
                f"Use a copy or a hub revision (NAME@REVISION) that has {WEIGHTS}.",
            )
        raise InputError(
            f"The base encoder `{name}` has no {WEIGHTS} in {folder}.", "Name a folder or hub id that has one."
        )
    for needed in ("config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise InputError(
                f"The base encoder `{name}` has no {needed} in {folder}.",
                "Copy it from where the weights came from; a fast tokenizer is saved by `tokenizer.save_pretrained`.",
            )


def _pooling(folder: Path, name: str) -> Pooling:
    modules: Any = _json(folder / "modules.json") if (folder / "modules.json").is_file() else []
    pooling: Pooling = "mean"
    for module in modules:
        kind = str(module["type"]).rpartition(".")[2]
        if kind not in _HARMLESS_MODULES:
            raise InputError(
                f"The base encoder `{name}` has a module `{kind}`, which cannot be exported.",
                "Use an encoder made of a transformer, mean or CLS pooling, and normalisation.",
            )
        if kind == "Pooling":
            pooling = _pooling_mode(_json(folder / module["path"] / "config.json"), name)
    return pooling


def _pooling_mode(config: dict[str, Any], name: str) -> Pooling:
    """Both forms that sentence-transformers has written: one name, or one flag for each mode."""
    flags = {
        key.removeprefix("pooling_mode_")
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on is True
    }
    named = config.get("pooling_mode")
    modes = {named} if isinstance(named, str) else set(named) if isinstance(named, list) else flags
    if modes in ({"mean"}, {"mean_tokens"}):
        return "mean"
    if modes in ({"cls"}, {"cls_token"}):
        return "cls"
    raise InputError(f"The base encoder `{name}` pools by {sorted(modes)}.", "Supported are mean and CLS pooling.")


def _table_width(folder: Path) -> int:
    """Of the table in the weights: its own `hidden_dim` has been seen to be wrong."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            return int(file.get_slice("embeddings").get_shape()[1])
    except (SafetensorError, OSError, IndexError) as error:
        raise InputError(f"{folder / WEIGHTS} holds no table `embeddings`: {error}") from error


def _max_tokens(folder: Path, config: dict[str, Any], transformer: dict[str, Any]) -> int:
    if config["model_type"] == STATIC:
        return _DEFAULT_MAX_TOKENS  # of a longer text, the mean says ever less
    positions = int(config["max_position_embeddings"])
    if str(config["model_type"]) != "bert":
        # The RoBERTa family numbers positions from the padding id + 1.
        positions -= int(config.get("pad_token_id", 1)) + 1
    stated = transformer.get("max_seq_length")
    if stated is None and (folder / "modules.json").is_file():
        stated = _optional_json(folder / "tokenizer_config.json").get("model_max_length")
    return min(int(stated) if stated else _DEFAULT_MAX_TOKENS, positions)


def _first(*values: str | None) -> str:
    return next(value for value in values if value is not None)


def _optional_json(path: Path) -> dict[str, Any]:
    return _json(path) if path.is_file() else {}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Fetch the base encoder again.") from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
