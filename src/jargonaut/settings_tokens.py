"""`[tokens]` of `jargonaut.toml`: who may ask with a token of an identity provider."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from jargonaut.core.scope import DEFAULT_TENANT
from jargonaut.serving.tokens import TokenRules
from jargonaut.settings_file import Table
from jargonaut.state.keys import SCOPES


class TokenSettings(Table):
    """JSON Web Tokens beside API keys: an identity provider (OpenID Connect) says who asks. Needs the extra `jwt`."""

    issuer: str = ""
    """`iss` of its tokens, like "https://login.example.com/". Empty: no tokens are taken."""
    audience: str = ""
    """`aud` that a token must be for."""
    jwks_url: str = ""
    """Where it publishes its keys, like "https://login.example.com/.well-known/jwks.json"."""
    tenant: str = DEFAULT_TENANT
    """Whose all bearers are."""
    tenant_claim: str = ""
    """Claim that names the tenant, instead of `tenant`."""
    groups_claim: str = "groups"
    """Claim with the names of groups: "hr" is the principal `group:hr`. The subject is `user:SUBJECT`."""
    scope: Literal["read", "write"] = "read"
    """What bearers may do."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.issuer and not (self.audience and self.jwks_url):
            raise ValueError("`issuer` needs `audience` and `jwks_url`: a token for somebody else must not open this.")
        if self.jwks_url and not self.jwks_url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("`jwks_url` must begin with https://: who can change the keys can be anybody.")
        return self

    @property
    def rules(self) -> TokenRules | None:
        """Whose tokens count; None if none do."""
        if not self.issuer:
            return None
        scopes = SCOPES[: SCOPES.index(self.scope) + 1]
        return TokenRules(
            self.issuer, self.audience, self.jwks_url, self.tenant, self.tenant_claim, self.groups_claim, scopes
        )
