"""JSON Web Tokens of an identity provider, instead of API keys: checked by its published keys (JWKS)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jargonaut.core.errors import AuthenticationError, MissingExtraError, RuleError, UnavailableError
from jargonaut.core.scope import PUBLIC, checked_principals

if TYPE_CHECKING:
    from jwt import PyJWK, PyJWKClient

LONGEST_TOKEN = 8192

_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""What a published key can check. Never `none`, and never one whose key would be a secret."""
_LEEWAY_S = 30
_KEYS_FOR_S = 300
_LOOK_AGAIN_S = 10
"""Between two look-ups because of a key that is not known: a token's sender chooses its name."""


def is_token(credential: str) -> bool:
    """Whether it has the form of a token; an API key has not."""
    return len(credential) <= LONGEST_TOKEN and _FORM.fullmatch(credential) is not None


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Whose tokens count, and what their claims mean."""

    issuer: str
    audience: str
    jwks_url: str
    tenant: str
    """Whose all bearers are, unless `tenant_claim` says."""
    tenant_claim: str = ""
    groups_claim: str = "groups"
    """A list of names, or one: each is the principal `group:NAME`."""
    scopes: tuple[str, ...] = ("read",)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who sent a token."""

    subject: str
    tenant: str
    principals: frozenset[str]
    """`public`, `user:SUBJECT`, and the groups. A name that cannot be a principal is none."""


class TokenVerifier:
    """Checks tokens. Safe to call from several threads.

    Args:
        rules: Whose tokens count.
        tenants: Those that there are.

    Raises:
        MissingExtraError: The package that checks them is not installed.
    """

    def __init__(self, rules: TokenRules, tenants: Iterable[str]) -> None:
        try:
            from jwt import PyJWKClient
        except ImportError as error:
            raise MissingExtraError("PyJWT, which checks tokens,", "jwt") from error
        self.rules = rules
        self._tenants = frozenset(tenants)
        self._client: PyJWKClient = PyJWKClient(rules.jwks_url, lifespan=_KEYS_FOR_S, timeout=5)
        self._looked_at = -float("inf")
        self._lock = threading.Lock()

    def bearer(self, token: str) -> Bearer:
        """Who sent a token.

        Raises:
            AuthenticationError: It is not valid, or says nothing that counts here.
            UnavailableError: The provider's keys cannot be fetched.
        """
        import jwt

        if not is_token(token):
            raise AuthenticationError("This is not a token.")
        try:
            name = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(
                token,
                self._key(str(name)),
                algorithms=_ALGORITHMS,
                issuer=self.rules.issuer,
                audience=self.rules.audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise UnavailableError(f"The keys at {self.rules.jwks_url} cannot be fetched: {error}.") from error
        except (jwt.InvalidTokenError, jwt.PyJWKError, jwt.PyJWKClientError) as error:
            raise AuthenticationError(f"The token is not valid: {error}.", "Sign in again.") from error
        return self._bearer_of(claims)

    def _key(self, name: str) -> PyJWK:
        found = {key.key_id: key for key in self._client.get_signing_keys()}
        if name not in found and self._may_look_again():
            found = {key.key_id: key for key in self._client.get_signing_keys(refresh=True)}
        if name not in found:
            raise AuthenticationError("The token is signed with a key that its issuer does not publish.")
        return found[name]

    def _may_look_again(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < _LOOK_AGAIN_S:
                return False
            self._looked_at = now
            return True

    def _bearer_of(self, claims: Mapping[str, Any]) -> Bearer:
        rules, subject = self.rules, str(claims["sub"])
        tenant = claims.get(rules.tenant_claim) if rules.tenant_claim else rules.tenant
        if not isinstance(tenant, str) or tenant not in self._tenants:
            raise AuthenticationError("The token belongs to no tenant of this service.")
        named = claims.get(rules.groups_claim) or ()
        groups = [named] if isinstance(named, str) else named if isinstance(named, list) else ()
        wanted = [f"user:{subject}", *(f"group:{group}" for group in groups if isinstance(group, str))]
        return Bearer(subject, tenant, frozenset({PUBLIC, *filter(_is_principal, wanted)}))


def _is_principal(text: str) -> bool:
    try:
        checked_principals([text], "")
    except RuleError:
        return False
    return True
