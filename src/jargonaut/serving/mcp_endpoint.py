"""`/mcp`: the MCP server, made when it is first asked for, since its SDK takes as long to import as all the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from typing import Any

from starlette.types import Receive, Scope, Send

from jargonaut.core.errors import MissingExtraError
from jargonaut.serving.service import Service


class McpEndpoint:
    """The ASGI application at `/mcp`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wanted = asyncio.Event()
        self._manager: asyncio.Future[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, whose caller the boundary knows.

        Raises:
            MissingExtraError: The SDK is not installed.
        """
        if find_spec("mcp") is None:
            raise MissingExtraError("The MCP server", "mcp")
        assert self._manager is not None, "not running"
        self._wanted.set()
        manager = await asyncio.shield(self._manager)
        await manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the service runs."""
        self._manager = asyncio.get_running_loop().create_future()
        # Its tasks have to begin and end in one task, which is not that of a request.
        task = asyncio.create_task(self._run(self._manager))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, made: asyncio.Future[Any]) -> None:
        await self._wanted.wait()
        try:
            manager = await asyncio.to_thread(self._made)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to be told
            made.set_exception(error)
            return
        async with manager.run():
            made.set_result(manager)
            await asyncio.Event().wait()

    def _made(self) -> Any:
        from jargonaut.serving.mcp_server import session_manager

        return session_manager(self._service)
