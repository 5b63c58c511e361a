"""Canonical JSON and content digests: the same value has the same bytes, everywhere and for ever."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGEST_LENGTH = 32
"""Hexadecimal characters kept of a SHA-256: 128 bits, beyond accident and beyond a birthday attack of 2**64 tries."""


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, the first `DIGEST_LENGTH` hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]


def digest_of(value: Any) -> str:
    """Digest of a JSON value."""
    return digest_bytes(canonical_json(value))
