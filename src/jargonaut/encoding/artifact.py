"""Encoders as artifacts: `encoders/<id>/` with `model.onnx`, `tokenizer.json` and, written last, `encoder.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jargonaut.core.canonical import canonical_json, digest_of
from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError, UnknownNameError
from jargonaut.encoding.bert_onnx import bert_graph
from jargonaut.encoding.port import Encoder, EncoderCard
from jargonaut.encoding.static_encoder import ROWS, TABLE
from jargonaut.encoding.static_encoder import WEIGHTS as ROW_WEIGHTS
from jargonaut.encoding.weights_folder import STATIC, WEIGHTS, BaseWeights
from jargonaut.storage.port import Storage

FORMAT = 1
ROOT = "encoders/"

_CARD, _MODEL, _TOKENIZER = "encoder.json", "model.onnx", "tokenizer.json"


@dataclass(frozen=True, slots=True)
class StoredEncoder:
    """The files of an encoder, checked against their digests."""

    card: EncoderCard
    model_path: Path
    tokenizer_path: Path

    @property
    def is_table(self) -> bool:
        """Whether it is a table of token vectors, not a graph."""
        return self.model_path.name == TABLE


def save_encoder(storage: Storage, weights: BaseWeights, aims_at: str = "") -> EncoderCard:
    """Export an encoder and store it; nothing happens if it is there already.

    Args:
        storage: Where to.
        weights: The encoder.
        aims_at: The space whose documents its questions are for; empty for an encoder of documents, which has its own.

    Raises:
        InputError: It cannot be exported.
    """
    static = weights.model_type == STATIC
    model = _table(weights) if static else bert_graph(weights)
    files = {TABLE if static else _MODEL: model, _TOKENIZER: _plain_tokenizer(weights)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    card = _card(weights, aims_at or weights.space, digests)
    for name, data in files.items():
        _put(storage, _key(card.id, name), data)
    document = {"kind": "encoder", "format": FORMAT, "files": digests, **dataclasses.asdict(card)}
    _put(storage, _key(card.id, _CARD), canonical_json(document))
    return card


def load_card(storage: Storage, encoder_id: str) -> EncoderCard:
    """What an encoder is, without reading its weights.

    Raises:
        UnknownNameError: There is no such encoder, or it was never finished.
        IntegrityError: Its record is damaged.
        NewerFormatError: It was written by a newer version.
    """
    return _read_card(_record(storage, encoder_id), encoder_id)


def load_encoder(storage: Storage, encoder_id: str) -> StoredEncoder:
    """The files of an encoder, after reading them once to check them.

    Raises:
        UnknownNameError: There is no such encoder, or it was never finished.
        IntegrityError: A file is not what its digest says, or missing.
        NewerFormatError: It was written by a newer version.
    """
    record = _record(storage, encoder_id)
    card = _read_card(record, encoder_id)
    for name, expected in record["files"].items():
        try:
            with storage.local_path(_key(encoder_id, name)).open("rb") as file:
                got = hashlib.file_digest(file, "sha256").hexdigest()
        except (UnknownNameError, OSError) as error:
            raise _damaged(encoder_id, f"{name} is missing or unreadable") from error
        if got != expected:
            raise _damaged(encoder_id, f"{name} has SHA-256 {got}, expected {expected}")
    model = TABLE if TABLE in record["files"] else _MODEL
    return StoredEncoder(
        card, storage.local_path(_key(encoder_id, model)), storage.local_path(_key(encoder_id, _TOKENIZER))
    )


def open_encoder(storage: Storage, encoder_id: str) -> Encoder:
    """An encoder, ready: what runs it follows from its files.

    Raises:
        UnknownNameError: There is no such encoder, or it was never finished.
        IntegrityError: A file is not what its digest says, or missing.
        NewerFormatError: It was written by a newer version.
    """
    stored = load_encoder(storage, encoder_id)
    if stored.is_table:
        from jargonaut.encoding.static_encoder import StaticEncoder

        return StaticEncoder(stored.card, stored.model_path, stored.tokenizer_path)
    from jargonaut.encoding.openvino_encoder import OpenVinoEncoder

    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


def is_table(storage: Storage, encoder_id: str) -> bool:
    """Whether a stored encoder is a table of token vectors; nothing but its record is read.

    Raises:
        UnknownNameError: There is no such encoder.
    """
    return TABLE in _record(storage, encoder_id)["files"]


def tokenizer_path(storage: Storage, encoder_id: str) -> Path:
    """The tokenizer of a stored encoder.

    Raises:
        UnknownNameError: There is no such encoder.
    """
    return storage.local_path(_key(encoder_id, _TOKENIZER))


def encoder_ids(storage: Storage) -> Iterator[str]:
    """Ids of the finished encoders, sorted."""
    for key in storage.keys(ROOT):
        _, encoder_id, name = key.split("/", 2)
        if name == _CARD:
            yield encoder_id


def _card(weights: BaseWeights, space: str, digests: dict[str, str]) -> EncoderCard:
    card = EncoderCard(
        id="",
        space=space,
        base=weights.name,
        dimensions=weights.dimensions,
        max_tokens=weights.max_tokens,
        query_prompt=weights.query_prompt,
        document_prompt=weights.document_prompt,
        languages=weights.languages,
    )
    return dataclasses.replace(card, id=_id(card, digests))


def _id(card: EncoderCard, digests: dict[str, str]) -> str:
    return digest_of([digests, dataclasses.asdict(dataclasses.replace(card, id=""))])


def _plain_tokenizer(weights: BaseWeights) -> bytes:
    """The tokenizer without truncation and padding, which are the encoder's business."""
    from tokenizers import Tokenizer, normalizers

    path = weights.folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} cannot be read: {error}", "Fetch the base encoder again.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if weights.lowercase:
        present = [tokenizer.normalizer] if tokenizer.normalizer else []
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *present])
    return str(tokenizer.to_str()).encode()


def _table(weights: BaseWeights) -> bytes:
    """The table alone, as the weights hold it."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save

    try:
        tensors = load_file(weights.folder / WEIGHTS)
        return bytes(save({name: tensors[name] for name in (ROWS, ROW_WEIGHTS) if name in tensors}))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"The weights of `{weights.name}` cannot be read: {error}", "Fetch them again.") from error


def _put(storage: Storage, key: str, data: bytes) -> None:
    """Store, and put right what a disk has damaged since: the key is the digest of the contents."""
    if not storage.put_if_absent(key, data) and storage.get(key) != data:
        storage.delete(key)
        storage.put_if_absent(key, data)


def _record(storage: Storage, encoder_id: str) -> dict[str, Any]:
    try:
        data = storage.get(_key(encoder_id, _CARD))
    except UnknownNameError as error:
        raise UnknownNameError("encoder", encoder_id, encoder_ids(storage)) from error
    try:
        record = json.loads(data)
        written = int(record["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(encoder_id, f"{_CARD} cannot be read") from error
    if written > FORMAT:
        raise NewerFormatError(
            f"Encoder {encoder_id} was written in format {written}; this version of Jargonaut reads up to {FORMAT}.",
            "Upgrade Jargonaut.",
        )
    return dict(record)


def _read_card(record: dict[str, Any], encoder_id: str) -> EncoderCard:
    try:
        fields = {field.name: record[field.name] for field in dataclasses.fields(EncoderCard)}
        card = EncoderCard(**{**fields, "languages": tuple(fields["languages"])})
        expected = _id(card, record["files"])
    except (KeyError, TypeError) as error:
        raise _damaged(encoder_id, f"{_CARD} is incomplete") from error
    if not expected == card.id == encoder_id:
        raise _damaged(encoder_id, f"{_CARD} describes another encoder, {expected}")
    return card


def _key(encoder_id: str, name: str) -> str:
    return f"{ROOT}{encoder_id}/{name}"


def _damaged(encoder_id: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"Encoder {encoder_id} is damaged: {what}.",
        "Build again: a base encoder is exported anew. If it is a tuned one, roll back and prove again.",
    )
