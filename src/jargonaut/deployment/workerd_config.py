"""The configuration of the local workerd: the Worker as on Cloudflare, with a bounded cache in memory behind it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from jargonaut.core.errors import SettingsError

COMPATIBILITY_DATE = "2026-10-01"
COMPATIBILITY_FLAGS = ("enable_request_signal",)
"""A client that leaves is told to the Worker, which then gives up its request to the origin."""
SOCKET = "http"

BUNDLES = Path(__file__).parent / "worker"


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What the Worker has to know."""

    origin_url: str
    """Scheme, host and port of the service: `http://127.0.0.1:8000`."""
    secret_id: str
    secret: str = field(repr=False)
    """Key of the signatures; its UTF-8 bytes are what a `Verifier` takes."""
    bound_s: float = 5.0
    """How long the edge may believe who sees what: the longest time until a delete is in force there."""
    ttl_s: float = 3600.0
    """How long an answer may be served from the cache."""
    body_limit_kb: int = 256
    """Largest body of a request, in units of 1024 bytes: as the origin's."""
    header_deadline_s: float = 60.0
    idle_gap_s: float = 30.0
    cache_bytes: int = 64 << 20
    """Size of the cache in memory."""


def bindings(settings: EdgeSettings) -> dict[str, str]:
    """What the Worker finds in its environment, here and on Cloudflare."""
    return {
        "ORIGIN_URL": settings.origin_url,
        "EDGE_SECRET_ID": settings.secret_id,
        "EDGE_SECRET": settings.secret,
        "BOUND_S": f"{settings.bound_s:g}",
        "TTL_S": f"{settings.ttl_s:g}",
        "BODY_LIMIT_KB": str(settings.body_limit_kb),
        "HEADER_DEADLINE_S": f"{settings.header_deadline_s:g}",
        "IDLE_GAP_S": f"{settings.idle_gap_s:g}",
    }


def write_config(settings: EdgeSettings, folder: Path) -> Path:
    """Write the configuration and the bundles into `folder`, readable by this user only: it holds the secret.

    Raises:
        SettingsError: The URL of the origin cannot be used.
    """
    origin = _external(settings.origin_url)
    for name in ("index.js", "cache.js"):
        shutil.copyfile(BUNDLES / name, folder / name)
    path = folder / "config.capnp"
    path.touch(mode=0o600)
    path.write_text(
        _CONFIG.format(
            edge_bindings=_bindings(bindings(settings)),
            cache_bindings=_bindings({"CACHE_BYTES": str(settings.cache_bytes)}),
            date=_quoted(COMPATIBILITY_DATE),
            flags=", ".join(_quoted(flag) for flag in COMPATIBILITY_FLAGS),
            origin=origin,
            socket=_quoted(SOCKET),
        )
    )
    return path


# The Worker can reach the origin and nothing else; the cache can reach nothing at all.
_CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = {date},
      compatibilityFlags = [{flags}],
      bindings = [{edge_bindings}],
      globalOutbound = "origin",
      cacheApiOutbound = "cache",
    )),
    (name = "cache", worker = (
      modules = [(name = "cache.js", esModule = embed "cache.js")],
      compatibilityDate = {date},
      bindings = [{cache_bindings}],
      globalOutbound = "internet",
    )),
    (name = "origin", external = {origin}),
    (name = "internet", network = (allow = [])),
  ],
  sockets = [(name = {socket}, http = (), service = "edge")],
);
"""


def _external(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"`{url}` has no usable port.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError(f"`{url}` cannot be the origin.", "Give scheme, host and port: http://127.0.0.1:8000")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    address = _quoted(f"{host}:{port or (443 if parts.scheme == 'https' else 80)}")
    if parts.scheme == "http":
        return f"(address = {address}, http = ())"
    tls = f"(tlsOptions = (trustBrowserCas = true), certificateHost = {_quoted(parts.hostname)})"
    return f"(address = {address}, https = {tls})"


def _bindings(values: dict[str, str]) -> str:
    return ", ".join(f"(name = {_quoted(name)}, text = {_quoted(value)})" for name, value in values.items())


def _quoted(text: str) -> str:
    """`text` as a Cap'n Proto string."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in text.encode())
    return '"' + "".join(plain) + '"'
