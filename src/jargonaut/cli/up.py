"""`jargonaut up`: service and edge in the foreground, kept up to date with the documents, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import Config, Folder, FolderOption
from jargonaut.core.errors import InputError, MissingExtraError
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from jargonaut.cli.rebuilding import Rebuilding
    from jargonaut.deployment.edge import Edge
    from jargonaut.wiring import Workspace


_MOST_WAIT_S = 15.0
_LOOK_S = 0.05


def up(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the service.", show_default=False)] = None,
    edge_port: Annotated[int | None, typer.Option("--edge-port", help="Port of the edge.", show_default=False)] = None,
    edge: Annotated[bool, typer.Option("--edge/--no-edge", help="Whether to start the edge.")] = True,
    tune: Annotated[
        bool, typer.Option("--tune/--no-tune", help="Whether to tune the encoder once, and prove it.")
    ] = True,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Whether to follow changes of the documents.")
    ] = True,
) -> None:
    """Serve a folder of documents: build, answer, tune, follow changes; until Ctrl-C."""
    from concurrent.futures import ThreadPoolExecutor

    from jargonaut.cli.output import note
    from jargonaut.cli.rebuilding import Rebuilding, run_build
    from jargonaut.cli.workspace import one_folder, open_workspace
    from jargonaut.settings import listening_on
    from jargonaut.wiring import Workspace, create_service, signing_secret

    folder = one_folder(folder, directory)
    opened = open_workspace(folder, config)
    settings = listening_on(opened.settings, host, port)
    workspace = Workspace(settings, opened.home)
    secret = signing_secret(settings)
    arguments = _options(folder, config)
    with _listen(settings.service.host, settings.service.port) as listener, ThreadPoolExecutor(1) as beside:
        for base in workspace.knowledge_bases.values():
            if LIVE not in base.follower.current().channels:
                follows = "" if base.settings.encoder.base == "none" else "; the encoder follows"
                note(f"{base.scope.path}: building a lexical release, which answers at once{follows}.")
                run_build([*arguments, "--kb", base.scope.path, "--lexical"])
        rebuilding = Rebuilding(workspace, arguments, tune=tune and settings.tuning.enabled, watch=watch)
        service_port = listener.getsockname()[1]
        origin = f"http://{_reachable(settings.service.host)}:{service_port}"
        # While the edge starts, the service's parts are imported: that takes about as long.
        starting = beside.submit(
            lambda: _start_edge(workspace, origin, secret, edge_port) if edge and settings.edge.enabled else None
        )
        app = create_service(workspace, secret)
        running_edge = starting.result()
        try:
            _say_where(workspace, origin, running_edge)
            _serve(app, listener, rebuilding)
        finally:
            rebuilding.stop()
            if running_edge is not None:
                running_edge.stop()


def _options(folder: Path | None, config: Path | None) -> list[str]:
    """By which another command finds the workspace that `up` was called with."""
    if folder is not None:
        return ["--dir", str(folder.resolve())]
    return ["--config", str(config.resolve())] if config is not None else []


def _listen(host: str, port: int) -> socket.socket:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # asyncio sets this only on sockets that it makes itself; without it answers wait for delayed acknowledgements.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            "Stop what uses the port, or choose another with --port.",
        ) from error
    listener.listen(512)
    return listener


def _start_edge(workspace: Workspace, origin: str, secret: str, port: int | None) -> Edge | None:
    from jargonaut.cli.output import note
    from jargonaut.deployment.edge import Edge
    from jargonaut.deployment.edge_settings import Origin

    chosen = workspace.settings.edge
    edge = Edge(
        chosen.worker((Origin(origin),), secret, workspace.settings.service.limits_kb),
        host=workspace.settings.service.host,
        port=chosen.port if port is None else port,
    )
    try:
        edge.start()
    except MissingExtraError as error:
        note(f"Without the edge: {error}")
        return None
    return edge


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _say_where(workspace: Workspace, origin: str, edge: Edge | None) -> None:
    front = edge.url if edge is not None else origin
    model = next(iter(workspace.knowledge_bases)).knowledge_base
    keyed = "" if workspace.is_open else " -H 'authorization: Bearer YOUR_KEY'"
    print(f"service  {origin}")
    if edge is not None:
        print(f"edge     {edge.url}")
    for line in _who_may_ask(workspace):
        print(line)
    print(
        f"\ntry      curl -s {front}/v1/chat/completions{keyed} -H 'content-type: application/json' \\\n"
        f'           -d \'{{"model": "{model}", "messages": [{{"role": "user", "content": "YOUR QUESTION"}}]}}\'\n',
        flush=True,
    )


def _who_may_ask(workspace: Workspace) -> Iterator[str]:
    if workspace.is_open:
        yield "open     no API key is needed from this machine; `jargonaut keys issue NAME` changes that"
        return
    keys = workspace.keys
    without = [tenant for tenant in workspace.tenants if not keys.issued(tenant)]
    if without:
        why = "; there are several tenants, and a key says whose knowledge bases are asked"
        yield f"keys     an API key is needed{why if len(workspace.tenants) > 1 else ''}"
    for tenant in without:
        yield f"         none was issued for {tenant} yet: `jargonaut keys issue NAME --tenant {tenant}`"


def _serve(app: FastAPI, listener: socket.socket, rebuilding: Rebuilding) -> None:
    import asyncio

    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, server_header=False)
    )

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        # What is live is loaded first: a build beside it would take the processor away.
        deadline = asyncio.get_running_loop().time() + _MOST_WAIT_S
        knowledge_bases = app.state.service.knowledge_bases
        while not serving.done() and asyncio.get_running_loop().time() < deadline and await knowledge_bases.loading():
            await asyncio.sleep(_LOOK_S)
        rebuilding.start()
        await serving

    asyncio.run(serve())
