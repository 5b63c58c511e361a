"""`jargonaut mcp`: the MCP server over standard input and output, for a desktop's agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import Config, Folder, FolderOption

if TYPE_CHECKING:
    from jargonaut.wiring import Workspace


def mcp(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    reader: Annotated[
        list[str], typer.Option("--as", help="Read as this principal, e.g. group:hr; may be given several times.")
    ] = [],  # noqa: B006 typer wants a plain default
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose documents, if there are several.")] = None,
) -> None:
    """Serve the tools search, fetch and ask to the program that starts this, over its standard input and output."""
    import asyncio
    from importlib.util import find_spec

    from jargonaut.cli.workspace import one_folder, open_workspace
    from jargonaut.core.errors import InputError, MissingExtraError, UnknownNameError

    if find_spec("mcp") is None:
        raise MissingExtraError("The MCP server", "mcp")
    workspace = open_workspace(one_folder(folder, directory), config)
    if tenant is not None and tenant not in workspace.tenants:
        raise UnknownNameError("tenant", tenant, workspace.tenants)
    if tenant is None and len(workspace.tenants) > 1:
        raise InputError(
            "There are several tenants.", f"Say whose: --tenant {' or --tenant '.join(workspace.tenants)}."
        )
    asyncio.run(_serve(workspace, tenant or workspace.tenants[0], reader))


async def _serve(workspace: Workspace, tenant: str, reader: list[str]) -> None:
    import asyncio
    from contextlib import suppress

    from mcp.server.stdio import stdio_server

    from jargonaut.core.scope import PUBLIC, checked_principals
    from jargonaut.services import service_of
    from jargonaut.serving.authentication import Caller
    from jargonaut.serving.mcp_server import mcp_server

    service = service_of(workspace, None)
    caller = Caller(tenant, None, checked_principals(reader, "--as") | {PUBLIC}, frozenset({"read"}))
    server = mcp_server(service, lambda context: caller)
    following = asyncio.create_task(service.knowledge_bases.follow())
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await service.knowledge_bases.close()
