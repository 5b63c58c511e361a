"""What the Worker has to know, wherever it runs: as frozen types, and as the texts of its environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from jargonaut.core.errors import SettingsError

SECRETS = frozenset({"EDGE_SECRET", "ORIGIN_TOKENS"})
"""Of the environment, what nobody may see."""
EAS_BODY_LIMIT = 1_000_000
"""Bytes that the gateway of PAI-EAS takes."""
RATE_PERIODS_S = (10, 60)
"""What the rate limit binding can count over."""

_EAS = ".pai-eas.aliyuncs.com"


@dataclass(frozen=True, slots=True)
class Origin:
    """A service that the edge asks.

    Raises:
        SettingsError: The URL cannot be used.
    """

    url: str
    """Scheme, host, port, and the path that a gateway takes off: `http://127.0.0.1:8000`."""
    name: str = "service"
    weight: float = 1
    regions: tuple[str, ...] = ()
    """Two-letter countries and continents (`CN`, `EU`) whose requests go there first."""
    body_limit: int = 0
    """Largest body that its gateway takes, in bytes; 0: none, but of PAI-EAS what that takes."""
    grants: bool = True
    """Whether it may be asked who somebody is, before it is known where their requests may go."""
    token: str = field(default="", repr=False)
    """Sent raw in `Authorization`: the token of a PAI-EAS service."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            parts.port  # noqa: B018
        except ValueError as error:
            raise SettingsError(f"`{self.url}` has no usable port.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(
                f"`{self.url}` cannot be the origin.", "Give scheme, host and port: http://127.0.0.1:8000"
            )
        if self.is_eas and not parts.path.startswith("/api/predict/"):
            shown = "/predict is a path of a service's own, behind that" if "predict" in parts.path else "it is missing"
            raise SettingsError(
                f"`{self.url}` is a gateway of PAI-EAS, where a service's path is /api/predict/NAME; {shown}.",
                "Take the URL from the service's page, or from `DescribeService`; end it with /api/predict/NAME.",
            )

    @property
    def is_eas(self) -> bool:
        """Whether PAI-EAS's gateway stands before it."""
        return (urlsplit(self.url).hostname or "").endswith(_EAS)

    def wire(self) -> dict[str, object]:
        """As the Worker reads it."""
        return {
            "name": self.name,
            "url": self.url.rstrip("/"),
            "weight": self.weight,
            "regions": list(self.regions),
            "body_limit": self.body_limit or (EAS_BODY_LIMIT if self.is_eas else 0),
            "grants": self.grants,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """What a tenant may ask for a minute; 0 is unlimited."""

    requests: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What the Worker has to know."""

    origins: tuple[Origin, ...]
    secret_id: str
    secret: str = field(repr=False)
    """Key of the signatures; its UTF-8 bytes are what a `Verifier` takes."""
    channel: str = "live"
    """What a knowledge base without a channel means."""
    recipe: str = ""
    """For people: what was live there."""
    tag: str = ""
    """Names this version of Worker and settings, in a header of every answer."""
    bound_s: float = 5.0
    """How long the edge may believe who sees what: the longest time until a delete is in force there. 0: every hit is
    confirmed."""
    ttl_s: float = 3600.0
    """How long a stored answer is fresh."""
    stale_if_error_s: float = 0.0
    """How much longer it, and what was last known, may serve while no origin answers."""
    body_limit_kb: int = 256
    """Largest body of a request, in units of 1024 bytes: as the origin's."""
    upload_limit_kb: int = 0
    """The same for a document; 0: no other."""
    deadline_s: float = 120.0
    """How long a request may take, with all tries and the whole answer."""
    header_deadline_s: float = 60.0
    idle_gap_s: float = 30.0
    residency: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of origins by tenant; who is not named may be served by all."""
    cors_origins: tuple[str, ...] = ()
    """Web origins whose pages may ask; `*` for all."""
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By tenant; `*` for all others."""
    rate_limit: int = 0
    """Requests that a key may send in `rate_period_s`, about; 0: any number."""
    rate_period_s: int = 60
    report_hits: Literal["no", "batched", "each"] = "no"
    """Whether the origin's audit hears of hits, and whether before each."""
    store: Literal["cache-api", "workers-cache"] = "cache-api"
    cache_bytes: int = 64 << 20
    """Size of the local workerd's cache, in memory."""


def secret_id(secret: str) -> str:
    """The name of a secret: both sides find it without being told, so that two may count during a rotation."""
    return f"k-{hashlib.sha256(b'jargonaut edge secret ' + secret.encode()).hexdigest()[:12]}"


def bindings(settings: EdgeSettings) -> dict[str, str]:
    """The texts that the Worker finds in its environment, here and on Cloudflare; `SECRETS` among them.

    Raises:
        SettingsError: Origins that cannot be told apart, or a residency that names none of them.
    """
    names = [origin.name for origin in settings.origins]
    if not names or len(set(names)) < len(names):
        raise SettingsError("The edge needs origins with names of their own.", "Give each [[edge.origins]] a `name`.")
    for tenant, allowed in settings.residency.items():
        for name in set(allowed) - set(names):
            known = f"Known: {', '.join(names)}."
            raise SettingsError(f"The residency of `{tenant}` names `{name}`, which is no origin.", known)
    budgets = {
        tenant: {"requests": budget.requests, "tokens": budget.tokens} for tenant, budget in settings.budgets.items()
    }
    tokens = {origin.name: origin.token for origin in settings.origins if origin.token}
    return {
        "ORIGINS": _json([origin.wire() for origin in settings.origins]),
        "ORIGIN_TOKENS": _json(tokens),
        "RESIDENCY": _json({tenant: list(names) for tenant, names in settings.residency.items()}),
        "EDGE_SECRET_ID": settings.secret_id,
        "EDGE_SECRET": settings.secret,
        "CHANNEL": settings.channel,
        "RECIPE": settings.recipe,
        "TAG": settings.tag,
        "BOUND_S": f"{settings.bound_s:g}",
        "TTL_S": f"{settings.ttl_s:g}",
        "STALE_IF_ERROR_S": f"{settings.stale_if_error_s:g}",
        "BODY_LIMIT_KB": str(settings.body_limit_kb),
        "UPLOAD_LIMIT_KB": str(settings.upload_limit_kb),
        "DEADLINE_S": f"{settings.deadline_s:g}",
        "HEADER_DEADLINE_S": f"{settings.header_deadline_s:g}",
        "IDLE_GAP_S": f"{settings.idle_gap_s:g}",
        "CORS_ORIGINS": " ".join(settings.cors_origins),
        "BUDGETS": _json(budgets),
        "RATE_PERIOD_S": str(settings.rate_period_s),
        "REPORT_HITS": settings.report_hits,
        "STORE": settings.store,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
