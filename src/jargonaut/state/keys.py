"""API keys: issued, revoked and checked over a journal. Only their SHA-256 is stored; a key is shown once."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from jargonaut.core.errors import ConflictError, InputError, NewerFormatError, UnknownNameError
from jargonaut.core.scope import PUBLIC, checked_name, checked_principals
from jargonaut.state.port import Event, Journal

KEY_PREFIX = "jg_"
SCOPES = ("read", "write", "admin")
"""What a key may do, each including those before it."""

_RETRIES = 20
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is known after it was issued: without the secret."""

    id: str
    tenant: str
    name: str
    """For people: whose, what for."""
    principals: frozenset[str]
    """`public` included."""
    scopes: frozenset[str]
    """As implied: a key that may write may read."""
    issued_at: str
    expires_at: str | None
    """UTC, ISO 8601; None: never."""
    revoked_at: str | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < datetime.fromisoformat(self.expires_at))


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and, for the only time, its secret."""

    key: Key
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new key shall be."""

    name: str
    principals: Iterable[str] = ()
    """`public` is always added."""
    scopes: Iterable[str] = ("read",)
    lifetime: timedelta | None = None
    """None: it does not expire."""


class KeyRing:
    """The API keys of some tenants. Safe to use from several threads.

    Every look-up sees what any process appended before it, so that a revoked key is refused at once.
    Each method raises `UnavailableError` if the journal cannot be read; then nobody is let in.
    """

    def __init__(self, journal: Journal, tenants: Iterable[str]) -> None:
        self._journal = journal
        self._tenants = {checked_name("tenant", tenant): _TenantKeys() for tenant in tenants}
        self._lock = threading.Lock()

    def issue(self, tenant: str, request: KeyRequest) -> IssuedKey:
        """Make a key.

        Raises:
            InputError: The name, a scope or the lifetime cannot be.
            RuleError: A principal is not one.
            UnknownNameError: There is no such tenant.
        """
        keys = self._of(tenant)
        body = _checked_body(request)
        for _ in range(_RETRIES):
            secret = KEY_PREFIX + secrets.token_urlsafe(32)
            digest = key_digest(secret)
            sequence = self._follow(keys, tenant)
            try:
                event = self._journal.append(
                    _stream(tenant), sequence, "issued", {**body, "id": f"k_{digest[:12]}", "sha256": digest}
                )
            except ConflictError:
                continue
            return IssuedKey(_issued(tenant, event), secret)
        raise ConflictError(f"The keys of `{tenant}` are being changed by many at once.", "Try again.")

    def revoke(self, tenant: str, key_id: str) -> Key:
        """Take a key back; it opens nothing from the moment this returns. Silent if it was revoked before.

        Raises:
            UnknownNameError: There is no such key.
        """
        keys = self._of(tenant)
        for _ in range(_RETRIES):
            sequence = self._follow(keys, tenant)
            key = keys.by_id.get(key_id)
            if key is None:
                raise UnknownNameError("key", key_id, keys.by_id)
            if key.revoked_at is not None:
                return key
            try:
                event = self._journal.append(_stream(tenant), sequence, "revoked", {"id": key_id})
            except ConflictError:
                continue
            return replace(key, revoked_at=event.at)
        raise ConflictError(f"The keys of `{tenant}` are being changed by many at once.", "Try again.")

    def issued(self, tenant: str) -> list[Key]:
        """All keys of a tenant, revoked and expired ones too, oldest first."""
        keys = self._of(tenant)
        self._follow(keys, tenant)
        return list(keys.by_id.values())

    def authenticate(self, digest: str) -> Key | None:
        """The valid key whose SHA-256 (64 hexadecimal characters) is `digest`.

        Secrets are never compared: how long the look-up of a digest takes depends on the digest alone, which tells
        nothing about 256 random bits.
        """
        now = datetime.now(UTC)
        for tenant, keys in self._tenants.items():
            self._follow(keys, tenant)
            if digest in keys.by_digest:
                key = keys.by_id[keys.by_digest[digest]]
                return key if key.is_valid(now) else None
        return None

    def is_empty(self) -> bool:
        """Whether no key was ever issued, for any tenant: revoking the last one does not open the doors."""
        return not any([self._follow(keys, tenant) for tenant, keys in self._tenants.items()])

    def _of(self, tenant: str) -> _TenantKeys:
        if tenant not in self._tenants:
            raise UnknownNameError("tenant", tenant, self._tenants)
        return self._tenants[tenant]

    def _follow(self, keys: _TenantKeys, tenant: str) -> int:
        with self._lock:
            for event in self._journal.read(_stream(tenant), keys.sequence):
                keys.add(tenant, event)
            return keys.sequence


@dataclass(slots=True)
class _TenantKeys:
    """The fold of one tenant's stream."""

    sequence: int = 0
    by_id: dict[str, Key] = field(default_factory=dict)
    by_digest: dict[str, str] = field(default_factory=dict)

    def add(self, tenant: str, event: Event) -> None:
        if event.kind == "issued":
            key = _issued(tenant, event)
            self.by_id[key.id] = key
            self.by_digest[event.body["sha256"]] = key.id
        elif event.kind == "revoked":
            key = self.by_id[event.body["id"]]
            self.by_id[key.id] = replace(key, revoked_at=event.at)
        else:
            raise NewerFormatError(
                f"The keys of `{tenant}` hold an event `{event.kind}` of a newer version.", "Upgrade Jargonaut."
            )
        self.sequence = event.sequence


def key_digest(secret: str) -> str:
    """What is stored of a key: SHA-256, 64 hexadecimal characters."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def implied_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """`scopes` and those that they include.

    Raises:
        InputError: One of them is not a scope.
    """
    given = set(scopes)
    unknown = sorted(given - set(SCOPES))
    if unknown or not given:
        raise InputError(
            f"`{unknown[0]}` is not a scope." if unknown else "A key needs a scope.", f"Scopes: {', '.join(SCOPES)}."
        )
    return frozenset(SCOPES[: max(SCOPES.index(scope) for scope in given) + 1])


def _checked_body(request: KeyRequest) -> dict[str, object]:
    name = request.name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise InputError("A key needs a name, so that one knows later whose it is.", f"1 to {_MAX_NAME} characters.")
    if request.lifetime is not None and request.lifetime <= timedelta(0):
        raise InputError("A key cannot expire before it is issued.", "Give a positive lifetime.")
    try:
        expires = datetime.now(UTC) + request.lifetime if request.lifetime is not None else None
    except OverflowError:
        raise InputError("That lifetime is too long.", "Leave it out for a key that does not expire.") from None
    return {
        "name": name,
        "principals": sorted(checked_principals({*request.principals, PUBLIC}, f"key `{name}`")),
        "scopes": sorted(implied_scopes(request.scopes), key=SCOPES.index),
        "expires_at": expires.isoformat(timespec="seconds") if expires else None,
    }


def _issued(tenant: str, event: Event) -> Key:
    body = event.body
    return Key(
        id=body["id"],
        tenant=tenant,
        name=body["name"],
        principals=frozenset(body["principals"]),
        scopes=implied_scopes(body["scopes"]),
        issued_at=event.at,
        expires_at=body["expires_at"],
    )


def _stream(tenant: str) -> str:
    return f"keys/{tenant}"
