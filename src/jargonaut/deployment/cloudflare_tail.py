"""What a Worker at Cloudflare does, as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from jargonaut.core.errors import MissingExtraError, UnavailableError
from jargonaut.deployment.cloudflare import Cloudflare

_PROTOCOL = "trace-v1"


def events(api: Cloudflare, script: str) -> Iterator[str]:
    """Events as JSON, a line each, until Cloudflare ends the tail; closing the iterator ends it.

    Raises:
        MissingExtraError: The package that speaks WebSocket is not installed.
        UnavailableError: The connection broke.
    """
    try:
        from websockets.exceptions import ConnectionClosedOK, WebSocketException
        from websockets.sync.client import connect
    except ImportError as error:
        raise MissingExtraError("websockets, by which Cloudflare sends events,", "cloudflare") from error
    tail, url = api.begin_tail(script)
    try:
        with connect(url, subprotocols=[_PROTOCOL], proxy=None) as socket:
            for message in socket:
                text = message if isinstance(message, str) else message.decode()
                yield json.dumps(json.loads(text), ensure_ascii=False)
    except ConnectionClosedOK:
        pass
    except (WebSocketException, OSError) as error:
        raise UnavailableError(f"The tail of {script} broke off: {error}.", "Run it again.") from error
    finally:
        api.end_tail(script, tail)


def shown(event: str) -> str:
    """A line for people, and one more for every log and exception. Neither headers nor keys are in it."""
    value: dict[str, Any] = json.loads(event)
    request = (value.get("event") or {}).get("request") or {}
    status = ((value.get("event") or {}).get("response") or {}).get("status", "")
    at = datetime.fromtimestamp(value.get("eventTimestamp", 0) / 1000, UTC).strftime("%H:%M:%S")
    path = urlsplit(request.get("url", "")).path
    lines = [f"{at} {value.get('outcome', '')} {request.get('method', '')} {path} {status}".rstrip()]
    for log in value.get("logs") or ():
        lines.append(f"         {log.get('level', '')}: {' '.join(map(str, log.get('message') or ()))}")
    for exception in value.get("exceptions") or ():
        lines.append(f"         {exception.get('name', '')}: {exception.get('message', '')}")
    return "\n".join(lines)
