"""Who asks: an API key, or the edge in the name of someone, by signature. Anything unclear is refused."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from jargonaut.core.errors import AuthenticationError, PermissionDeniedError
from jargonaut.core.scope import PUBLIC
from jargonaut.serving.edge_signature import (
    EDGE_ITSELF,
    IDENTITY_HEADER,
    SIGNATURE_HEADER,
    InvalidSignatureError,
    Verifier,
)
from jargonaut.serving.tokens import TokenVerifier, is_token
from jargonaut.state.keys import SCOPES, Key, KeyRing, key_digest

INTERNAL = "/internal/"
"""Paths that only the edge may ask, for itself."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do."""

    tenant: str
    key_id: str | None
    principals: frozenset[str]
    scopes: frozenset[str]
    knowledge_base: str | None = None
    """Set if the edge asks: the one that it was granted."""
    channel: str | None = None
    """Set if the edge asks: the channel, or the release, that it was granted."""

    def require(self, scope: str) -> None:
        """Check that the caller has `scope`.

        Raises:
            PermissionDeniedError: They have not.
        """
        if scope not in self.scopes:
            raise PermissionDeniedError(f"This needs a key with the scope `{scope}`.")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request by which its sender is known."""

    method: str
    target: str
    """Path and query, as sent."""
    body: bytes
    headers: Mapping[str, str]
    """Names in lower case."""
    path: str
    """Decoded, without the query."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Finds the caller of a request."""

    keys: KeyRing
    verifier: Verifier | None = None
    """None: no edge is set up, and every signature is refused."""
    tokens: TokenVerifier | None = None
    """None: only API keys are taken."""
    open_tenant: str | None = None
    """Of this tenant is, until the first key is issued, everyone on this machine, and may do everything. Only for a
    service that listens on loopback alone."""

    async def caller(self, request: SignedRequest) -> Caller:
        """Who asks.

        Raises:
            AuthenticationError: Nobody known.
            UnavailableError: The state cannot be read.
        """
        if (
            request.path.startswith(INTERNAL)
            or SIGNATURE_HEADER in request.headers
            or IDENTITY_HEADER in request.headers
        ):
            return self._edge(request)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip() if scheme.lower() == "bearer" else ""
        if is_token(secret):
            return await self.holder(None, secret)
        caller = await self.holder(key_digest(secret) if secret else None)
        if caller.key_id is None and not _is_loopback(request.headers.get("host", "")):
            # A name that was made to point at this machine (DNS rebinding) would let a web page in.
            raise AuthenticationError("Without API keys this service answers to localhost only.")
        return caller

    async def holder(self, digest: str | None, token: str | None = None) -> Caller:
        """Who holds the key with this SHA-256, or the token; with neither, or while no key is asked for, whoever is on
        this machine.

        Raises:
            AuthenticationError: Nobody known.
            UnavailableError: The state, or the keys of tokens, cannot be read.
        """
        # In a thread, because a journal may be on a disk or a network.
        if token is not None:
            return await asyncio.to_thread(self._bearer, token)
        return await asyncio.to_thread(self._key_holder, digest)

    def _bearer(self, token: str) -> Caller:
        if self.tokens is None:
            raise AuthenticationError("This service takes no tokens.", "Send an API key.")
        bearer = self.tokens.bearer(token)
        scopes = frozenset(self.tokens.rules.scopes)
        return Caller(bearer.tenant, f"token:{bearer.subject}", bearer.principals, scopes)

    def _key_holder(self, digest: str | None) -> Caller:
        key = self.keys.authenticate(digest) if digest else None
        if key is not None:
            return _caller_of(key)
        if self.open_tenant is not None and self.keys.is_empty():
            return Caller(self.open_tenant, None, frozenset({PUBLIC}), frozenset(SCOPES))
        if digest is None:
            raise AuthenticationError("An API key is needed.", "Send it as `Authorization: Bearer <key>`.")
        raise AuthenticationError("The API key is not valid.", "It may be mistyped, revoked or expired.")

    def _edge(self, request: SignedRequest) -> Caller:
        if self.verifier is None:
            raise InvalidSignatureError("This service knows no edge.", "Start service and edge with the same secret.")
        identity = self.verifier.verify(request.method, request.target, request.body, request.headers)
        if identity is None or (request.path.startswith(INTERNAL) and identity != EDGE_ITSELF):
            raise InvalidSignatureError("Only the edge may ask this, for itself.")
        return Caller(
            tenant=identity.tenant,
            key_id=identity.key_id,
            principals=frozenset(identity.principals),
            scopes=frozenset(identity.scopes),
            knowledge_base=identity.knowledge_base or None,
            channel=identity.channel or None,
        )


def _caller_of(key: Key) -> Caller:
    return Caller(key.tenant, key.id, key.principals, key.scopes)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
