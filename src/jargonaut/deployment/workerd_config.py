"""The configuration of the local workerd: the Worker as on Cloudflare, with stand-ins for what the platform gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jargonaut.deployment.edge_settings import EdgeSettings, bindings

COMPATIBILITY_DATE = "2026-10-01"
COMPATIBILITY_FLAGS = ("enable_request_signal",)
"""A client that leaves is told to the Worker, which then gives up its request to the origin."""
SOCKET = "http"

BUNDLES = Path(__file__).parent / "worker"


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A Worker as the local workerd runs it."""

    texts: Mapping[str, str]
    """Its environment."""
    rate_limit: tuple[int, int] | None = None
    """How many requests in how many seconds, for the rate limit binding."""
    cache_bytes: int = 64 << 20
    bundle: Path = BUNDLES / "index.js"


def local_worker(settings: EdgeSettings) -> LocalWorker:
    """The Worker that ships with this package.

    Raises:
        SettingsError: See `bindings`.
    """
    limited = (settings.rate_limit, settings.rate_period_s) if settings.rate_limit else None
    return LocalWorker(bindings(settings), limited, settings.cache_bytes)


def write_config(worker: LocalWorker, folder: Path) -> Path:
    """Write the configuration and the bundles into `folder`, readable by this user only: it holds the secret."""
    shutil.copyfile(worker.bundle, folder / "index.js")
    for name in ("cache.js", "rate_limit.js"):
        shutil.copyfile(BUNDLES / name, folder / name)
    urls = [origin["url"] for origin in json.loads(worker.texts["ORIGINS"])]
    path = folder / "config.capnp"
    path.touch(mode=0o600)
    path.write_text(
        _CONFIG.format(
            edge_bindings=", ".join(_bindings(worker, len(urls))),
            cache_bindings=_text("CACHE_BYTES", str(worker.cache_bytes)),
            date=_quoted(COMPATIBILITY_DATE),
            flags=", ".join(_quoted(flag) for flag in COMPATIBILITY_FLAGS),
            origins="\n    ".join(f'(name = "origin-{n}", external = {_external(url)}),' for n, url in enumerate(urls)),
            socket=_quoted(SOCKET),
        )
    )
    return path


# The Worker can reach the origins and nothing else; the cache can reach nothing at all.
_CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = {date},
      compatibilityFlags = [{flags}],
      bindings = [{edge_bindings}],
      globalOutbound = "nowhere",
      cacheApiOutbound = "cache",
      durableObjectNamespaces = [(className = "Budget", uniqueKey = "jargonaut-budget", preventEviction = true)],
      durableObjectStorage = (inMemory = void),
    )),
    (name = "cache", worker = (
      modules = [(name = "cache.js", esModule = embed "cache.js")],
      compatibilityDate = {date},
      bindings = [{cache_bindings}],
      globalOutbound = "nowhere",
    )),
    {origins}
    (name = "nowhere", network = (allow = [])),
  ],
  sockets = [(name = {socket}, http = (), service = "edge")],
  extensions = [(modules = [
    (name = "jargonaut:rate-limit", internal = true, esModule = embed "rate_limit.js"),
  ])],
);
"""


def _bindings(worker: LocalWorker, origins: int) -> list[str]:
    written = [_text(name, value) for name, value in worker.texts.items()]
    written += [f'(name = "ORIGIN_{n}", service = "origin-{n}")' for n in range(origins)]
    written.append('(name = "BUDGET", durableObjectNamespace = "Budget")')
    if worker.rate_limit is not None:
        limit, period_s = worker.rate_limit
        inner = f"{_text('limit', str(limit))}, {_text('period', str(period_s))}"
        written.append(
            f'(name = "RATE_LIMIT", wrapped = (moduleName = "jargonaut:rate-limit", innerBindings = [{inner}]))'
        )
    return written


def _external(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    address = _quoted(f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}")
    if parts.scheme == "http":
        return f"(address = {address}, http = ())"
    tls = f"(tlsOptions = (trustBrowserCas = true), certificateHost = {_quoted(parts.hostname or '')})"
    return f"(address = {address}, https = {tls})"


def _text(name: str, value: str) -> str:
    return f"(name = {_quoted(name)}, text = {_quoted(value)})"


def _quoted(text: str) -> str:
    """`text` as a Cap'n Proto string."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in text.encode())
    return '"' + "".join(plain) + '"'
