"""`[edge]` and `[cloudflare]` of `jargonaut.toml`: how the edge behaves, which services it asks, where it runs."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, ValidationInfo, field_validator, model_validator

from jargonaut.core.errors import SettingsError
from jargonaut.deployment.edge_settings import Budget, Origin, secret_id
from jargonaut.deployment.edge_settings import EdgeSettings as WorkerSettings
from jargonaut.settings_file import Table, Texts
from jargonaut.settings_index import Variable

ALL_OTHERS = "*"

_PLACE = re.compile(r"[A-Z]{2}")
_HOSTNAME = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_SCRIPT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_WEB_ORIGIN = re.compile(r"https?://[^/\s]+|\*")


class EdgeOriginSettings(Table):
    """A service that a deployed edge asks. Beside `jargonaut up` it is the service itself."""

    name: str = Field(min_length=1, examples=["hangzhou"])
    """Names it in `tenants` and in logs."""
    url: str = Field(examples=["https://rag.example.com"])
    """Where it is. On PAI-EAS with the path of the service: "https://...pai-eas.aliyuncs.com/api/predict/NAME"."""
    weight: float = Field(1, ge=0)
    """Its share among those that are near. 0: only when the others fail."""
    regions: Texts = ()
    """Two-letter countries ("CN") and continents ("EU") whose requests go there first."""
    token_env: Variable = ""
    """Environment variable with the token that its gateway asks for; of PAI-EAS, the service's token."""
    grants: bool = True
    """Whether it may be asked whose a key is, before it is known where that tenant's requests may go."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        try:
            Origin(self.url)
        except SettingsError as error:
            raise ValueError(f"`url`: {error.message} {error.hint}") from None
        return self

    @field_validator("regions")
    @classmethod
    def _are_places(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not _PLACE.fullmatch(value):
                raise ValueError(f'`{value}` is no place: two capital letters, as in "CN" and "EU".')
        return values


class EdgeTenantSettings(Table):
    """What a tenant may ask for, and where its requests may go."""

    tenant: str = Field(min_length=1, examples=["acme"])
    """Whose; "*" for all that have no table of their own."""
    requests_per_minute: int = Field(0, ge=0)
    """Answers a minute, stored ones included; 0 is unlimited."""
    tokens_per_minute: int = Field(0, ge=0)
    """Tokens a minute, of answers that were not stored; 0 is unlimited."""
    origins: Texts = ()
    """Names of the origins that may serve it (residency). Empty: all."""

    @model_validator(mode="after")
    def _resides_by_name(self) -> Self:
        if self.tenant == ALL_OTHERS and self.origins:
            raise ValueError("`origins` is for a tenant that is named: a residency nobody wrote down is none.")
        return self


class EdgeSettings(Table):
    """The edge before the service: it caches answers, and forgets them in time."""

    enabled: bool = True
    """Whether `jargonaut up` starts it."""
    port: int = Field(8788, ge=0, le=65535)
    """Port to listen on, at the service's host; 0 takes a free one."""
    bound_s: float = Field(5, ge=0, le=60)
    """Most seconds until a delete, a revoked key or a narrowed permission holds at the edge. 0: hits are confirmed."""
    ttl_s: int = Field(3600, ge=0, le=604800)
    """Seconds that a cached answer is fresh; 0 caches nothing."""
    stale_if_error_s: int = Field(0, ge=0, le=86400)
    """Seconds that stored answers serve longer, marked STALE, while no origin answers. Receipts of deletes say so."""
    secret_env: Variable = ""
    """Environment variable with the secret that signs what the edge asks. Empty: a new secret at every start."""
    previous_secret_env: Variable = ""
    """Environment variable with the secret before it, which the service takes too until every edge has the new one."""
    cors_origins: Texts = ()
    """Web origins whose pages may ask, like "https://app.example.com"; "*" for all. They still need a key."""
    rate_limit: int = Field(6000, ge=0)
    """About how many requests a key may send in `rate_period_s`; 0: any number. A brake on abuse, not a budget."""
    rate_period_s: Literal[10, 60] = 60
    """What `rate_limit` counts over."""
    report_hits: Literal["no", "batched", "each"] = "no"
    """Whether the service's journal hears of cached answers. "each": before each one is served, or it is not served."""
    store: Literal["cache-api", "workers-cache"] = "cache-api"
    """Which of Cloudflare's caches keeps answers. "workers-cache" is tiered; no emulator has it, so try it first."""
    deadline_s: float = Field(120, gt=0, le=3600)
    """Most seconds for a request at the edge: all tries and the whole answer."""
    header_deadline_s: float = Field(60, gt=0, le=600)
    """Most seconds until an origin begins to answer."""
    idle_gap_s: float = Field(30, gt=0, le=600)
    """Most seconds of silence within an answer."""
    origins: Annotated[tuple[EdgeOriginSettings, ...], Strict(False)] = ()
    """The services that a deployed edge asks."""
    tenants: Annotated[tuple[EdgeTenantSettings, ...], Strict(False)] = ()
    """Budgets, and where requests may go."""

    @field_validator("cors_origins")
    @classmethod
    def _are_web_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not _WEB_ORIGIN.fullmatch(value):
                raise ValueError(f'`{value}` is no web origin: scheme and host, like "https://app.example.com".')
        return values

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.bound_s == 0 and self.stale_if_error_s:
            raise ValueError("`bound_s` = 0 confirms every hit, so `stale_if_error_s` can serve none: set one of them.")
        names = [origin.name for origin in self.origins]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"has two origins named `{twice[0]}`.")
        tenants = [tenant.tenant for tenant in self.tenants]
        if twice := sorted({name for name in tenants if tenants.count(name) > 1}):
            raise ValueError(f"has two tables for the tenant `{twice[0]}`.")
        for tenant in self.tenants:
            if unknown := sorted(set(tenant.origins) - set(names)):
                raise ValueError(f"`origins` of `{tenant.tenant}` names `{unknown[0]}`, which is no [[edge.origins]].")
        if self.origins and not any(origin.grants for origin in self.origins):
            raise ValueError("`grants` is false for every origin, so nobody could be told who asks.")
        return self

    @property
    def effective_within_s(self) -> float:
        """After that, no edge answers from what it knew before a delete."""
        return self.bound_s + self.stale_if_error_s

    def worker(self, origins: tuple[Origin, ...], secret: str, limits_kb: tuple[int, int]) -> WorkerSettings:
        """What the Worker has to know, before `origins`; limits are those of a body and of a document (0: no other)."""
        names = {origin.name for origin in origins}
        return WorkerSettings(
            origins,
            secret_id(secret),
            secret,
            bound_s=self.bound_s,
            ttl_s=self.ttl_s,
            stale_if_error_s=self.stale_if_error_s,
            body_limit_kb=limits_kb[0],
            upload_limit_kb=limits_kb[1],
            deadline_s=self.deadline_s,
            header_deadline_s=self.header_deadline_s,
            idle_gap_s=self.idle_gap_s,
            # Beside the service there is one origin, and nowhere else to go.
            residency={t.tenant: t.origins for t in self.tenants if t.origins and names.issuperset(t.origins)},
            cors_origins=self.cors_origins,
            budgets={t.tenant: Budget(t.requests_per_minute, t.tokens_per_minute) for t in self.tenants},
            rate_limit=self.rate_limit,
            rate_period_s=self.rate_period_s,
            report_hits=self.report_hits,
            store=self.store,
        )

    def deployed_origins(self, *, known: bool = False) -> tuple[Origin, ...]:
        """`origins`, with their tokens from the environment.

        Args:
            known: Whether the deployed edge has tokens that may be kept; then none of them need be set here.

        Raises:
            SettingsError: There are no origins, or a token is not set.
        """
        if not self.origins:
            raise SettingsError(
                "The edge does not know which service to ask.",
                "Add [[edge.origins]] with a `name` and the `url` under which Cloudflare reaches the service.",
            )
        kept = known and not any(os.environ.get(origin.token_env) for origin in self.origins if origin.token_env)
        return tuple(
            Origin(
                origin.url,
                origin.name,
                origin.weight,
                origin.regions,
                grants=origin.grants,
                token="" if kept else _from_environment(origin.token_env, "[[edge.origins]] token_env"),
            )
            for origin in self.origins
        )


class CloudflareSettings(Table):
    """Where `jargonaut edge deploy` puts the edge."""

    account: str = ""
    """Id of the account: 32 hexadecimal digits, on the dashboard's overview."""
    name: str = "jargonaut-edge"
    """Name of the Worker."""
    domain: str = ""
    """Host name of its own, like "rag.example.com", whose zone is in the account; Cloudflare makes its certificate."""
    routes: Texts = ()
    """Instead of `domain`, patterns of a zone's URLs, like "example.com/rag/*". They need `zone`."""
    zone: str = ""
    """Name of the zone, if it is not what follows the first dot of `domain`."""
    api_token_env: Variable = "CLOUDFLARE_API_TOKEN"
    """Environment variable with an API token that may edit Workers scripts, and routes of the zone."""
    rate_namespace: int = Field(7401, ge=1)
    """Number that Workers of the account share their rate limit's counters by."""

    @field_validator("account")
    @classmethod
    def _is_account(cls, value: str) -> str:
        if value and not re.fullmatch(r"[0-9a-f]{32}", value):
            raise ValueError("must be 32 hexadecimal digits in lower case.")
        return value

    @field_validator("name")
    @classmethod
    def _is_script(cls, value: str) -> str:
        if not _SCRIPT.fullmatch(value):
            raise ValueError("must be lower-case letters, digits and `-`.")
        return value

    @field_validator("domain", "zone")
    @classmethod
    def _is_hostname(cls, value: str, info: ValidationInfo) -> str:
        if value and not _HOSTNAME.fullmatch(value):
            raise ValueError('must be a host name, like "rag.example.com", without scheme and path.')
        return value

    @model_validator(mode="after")
    def _has_a_zone(self) -> Self:
        if self.routes and not (self.zone or self.domain):
            raise ValueError("`routes` need the `zone` that they belong to.")
        return self

    @property
    def zone_name(self) -> str:
        """The zone of `domain` and `routes`; empty without them."""
        if self.zone or not self.domain:
            return self.zone
        return self.domain if self.domain.count(".") == 1 else self.domain.partition(".")[2]

    def api_token(self) -> str:
        """The API token.

        Raises:
            SettingsError: It is not set.
        """
        if not self.api_token_env:
            raise SettingsError("[cloudflare] api_token_env is empty.", "Name the variable that holds the API token.")
        return _from_environment(self.api_token_env, "[cloudflare] api_token_env")


def _from_environment(variable: str, named_by: str) -> str:
    value = os.environ.get(variable, "") if variable else ""
    if variable and not value:
        raise SettingsError(
            f"The environment variable {variable}, which {named_by} names, is not set.",
            f"Set it: export {variable}=...",
        )
    return value
