"""Requests that the edge has signed: who asks, as the edge found out, proven by a shared secret.

The form is in contract/README.md, and its golden file in contract/signatures.json.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jargonaut.core.errors import AuthenticationError, UnavailableError

IDENTITY_HEADER = "x-jargonaut-identity"
SIGNATURE_HEADER = "x-jargonaut-signature"
WINDOW_S = 60
"""How far the edge's clock and ours may differ."""

_SIGNATURE = re.compile(r"k=([\w.\-]{1,64}),t=(\d{1,12}),n=([0-9a-f]{32}),v1=([0-9a-f]{64})", re.ASCII)
_HINT = "Start service and edge with the same secret, and set both clocks."


class InvalidSignatureError(AuthenticationError):
    """A request says that it comes from the edge, and does not prove it."""

    code = "invalid_signature"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and what for."""

    tenant: str
    key_id: str | None
    scopes: tuple[str, ...]
    knowledge_base: str
    """Empty, with `channel`, where a route is not about one."""
    channel: str
    principals: tuple[str, ...]


EDGE_ITSELF = Identity("", None, (), "", "", ())
"""The edge asks for itself: for a grant, or for what everyone may see. It may read no document."""


def encode_identity(identity: Identity) -> str:
    """The value of the identity header; empty for `EDGE_ITSELF`."""
    if identity == EDGE_ITSELF:
        return ""
    fields = {
        "tenant": identity.tenant,
        "key_id": identity.key_id,
        "scopes": identity.scopes,
        "knowledge_base": identity.knowledge_base,
        "channel": identity.channel,
        "principals": identity.principals,
    }
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Signable:
    """What a signature covers."""

    method: str
    target: str
    """Path with query, as it stands in the request line."""
    body: bytes
    identity: str
    """Value of the identity header."""


def sign(request: Signable, secret_id: str, secret: bytes, time_s: int, nonce: str) -> str:
    """The value of the signature header.

    Args:
        request: What is signed.
        secret_id: Name of the secret.
        secret: Key of the HMAC-SHA256.
        time_s: Seconds since 1970.
        nonce: 32 hexadecimal digits, never used before.
    """
    body = hashlib.sha256(request.body).hexdigest()
    message = "\n".join(["v1", str(time_s), nonce, request.method, request.target, body, request.identity])
    mac = hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()
    return f"k={secret_id},t={time_s},n={nonce},v1={mac}"


class Verifier:
    """Checks signatures, each only once. Safe to call from several threads; its memory is that of one process.

    Args:
        secrets: Every secret that counts now, by name: two while one replaces the other.
        clock: Seconds since 1970.
        memory: How many nonces are remembered; when that many came within two minutes, further requests are refused,
            since a replay could not be told from a new one.
    """

    def __init__(
        self, secrets: Mapping[str, bytes], clock: Callable[[], float] = time.time, memory: int = 200_000
    ) -> None:
        self._secrets = dict(secrets)
        self._clock = clock
        self._memory = memory
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Identity | None:
        """Who asks, as the edge says; None if the request is not signed.

        Args:
            method: In upper case.
            target: Path with query, as it stands in the request line.
            body: As received.
            headers: By lower-case name.

        Raises:
            InvalidSignatureError: The signature is wrong, too old or too new, or was seen before.
            UnavailableError: Too many signed requests to tell a replay from a new one.
        """
        identity, signature = headers.get(IDENTITY_HEADER), headers.get(SIGNATURE_HEADER)
        if signature is None and not identity:
            return None
        parts = _SIGNATURE.fullmatch(signature or "")
        if parts is None:
            raise InvalidSignatureError("The edge's signature is missing or malformed.", _HINT)
        secret_id, time_text, nonce, _ = parts.groups()
        secret = self._secrets.get(secret_id)
        request = Signable(method, target, body, identity or "")
        expected = sign(request, secret_id, secret or b"\0", int(time_text), nonce)
        if not hmac.compare_digest(expected, parts[0]) or secret is None:
            raise InvalidSignatureError("The edge's signature is wrong.", _HINT)
        now = self._clock()
        if abs(now - int(time_text)) > WINDOW_S:
            raise InvalidSignatureError(f"The edge's signature is more than {WINDOW_S} s off our clock.", _HINT)
        self._remember(bytes.fromhex(nonce), now)
        return _decode_identity(identity) if identity else EDGE_ITSELF

    def _remember(self, nonce: bytes, now: float) -> None:
        with self._lock:
            while self._seen and next(iter(self._seen.values())) < now:
                self._seen.popitem(last=False)
            if nonce in self._seen:
                raise InvalidSignatureError("The edge's signature was used before.", "Sign each request anew.")
            if len(self._seen) >= self._memory:
                raise UnavailableError("More signed requests than can be told from replays.", "Try again in a minute.")
            # A signature may be from the future by the window, and is valid for the window after that.
            self._seen[nonce] = now + 2 * WINDOW_S


def _decode_identity(header: str) -> Identity:
    try:
        value: Any = json.loads(base64.b64decode(header + "=" * (-len(header) % 4), altchars=b"-_", validate=True))
        identity = Identity(
            value["tenant"],
            value["key_id"],
            tuple(value["scopes"]),
            value["knowledge_base"],
            value["channel"],
            tuple(value["principals"]),
        )
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise InvalidSignatureError("The signed identity cannot be read.", _HINT) from error
    texts = (identity.tenant, identity.knowledge_base, identity.channel, *identity.scopes, *identity.principals)
    if not all(isinstance(text, str) for text in (*texts, identity.key_id or "")) or not identity.tenant:
        raise InvalidSignatureError("The signed identity cannot be read.", _HINT)
    return identity
