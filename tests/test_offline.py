"""No test reaches another machine."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.conftest import OutsideWorldError


def test_another_machine_cannot_be_reached() -> None:
    with socket.socket() as tcp, pytest.raises(OutsideWorldError):
        tcp.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(OutsideWorldError):
        udp.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(OutsideWorldError):
        socket.create_connection(("example.org", 443), timeout=1)


async def test_nor_asynchronously() -> None:
    with pytest.raises(OutsideWorldError):
        await asyncio.open_connection("192.0.2.1", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_can(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection((host, server.getsockname()[1])):
        pass
