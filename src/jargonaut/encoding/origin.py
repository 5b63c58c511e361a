"""Where a tuned encoder came from, beside its artifact: `tuned/<id>.json`. A base encoder has none."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from jargonaut.core.canonical import canonical_json
from jargonaut.core.errors import UnknownNameError
from jargonaut.encoding.port import EncoderCard
from jargonaut.storage.port import Storage

_ROOT = "tuned/"
_FORMAT = 1


def put_origin(
    storage: Storage, encoder_id: str, *, base: tuple[str, str], tokens: str, record: dict[str, Any]
) -> None:
    """Write it down, once.

    Args:
        storage: Where the encoder is.
        encoder_id: The encoder.
        base: Name and digest of the base, as the settings have them.
        tokens: Name by which chunkers know its tokens: that of what it was tuned from, for it counts as that does.
        record: How it was trained.
    """
    value = {"format": _FORMAT, "base": base[0], "sha256": base[1], "tokens": tokens, "record": record}
    storage.put_if_absent(f"{_ROOT}{encoder_id}.json", canonical_json(value))


def origin_of(storage: Storage, encoder_id: str) -> dict[str, Any] | None:
    """What was written; None for a base, and for encoders of versions that wrote nothing."""
    with suppress(UnknownNameError):
        return dict(json.loads(storage.get(f"{_ROOT}{encoder_id}.json")))
    return None


def tokens_name(storage: Storage, card: EncoderCard) -> str:
    """By which name chunkers know the tokens of an encoder: tuned ones cut as their base does."""
    origin = origin_of(storage, card.id)
    return str(origin["tokens"]) if origin else card.space
