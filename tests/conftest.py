"""What every test stands on: no socket but loopback, no user's home, and the data that lies beside the project."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.fixtures import elasticsearch_server, opensearch_server, secured_elasticsearch_server

__all__ = ["elasticsearch_server", "opensearch_server", "secured_elasticsearch_server"]

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Documents and data sets for measuring; not part of the project."""


class OutsideWorldError(AssertionError):
    """A test reached for another machine."""


def _hold_to_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # a text is a Unix socket; None, a connected one
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0] or ""
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name and name != "localhost" and not _is_here(name):
        raise OutsideWorldError(f"{event} to {name}: tests use no socket but loopback")


def _is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_hold_to_loopback)


@pytest.fixture(autouse=True, scope="session")
def _no_home_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Commands under test keep their data apart from what the user has."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    for name in ("JARGONAUT_HOME", "JARGONAUT_DEBUG"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of documents and data sets beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED.name}/ folder beside the project: this test measures on its data")
    return SHARED
