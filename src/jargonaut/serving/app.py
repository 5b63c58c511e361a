"""The HTTP service: what is asked where, and what every request passes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.routing import Route

import jargonaut
from jargonaut.core.errors import MissingExtraError
from jargonaut.serving import chat_completions, dify, documents, embeddings, feedback, grant, models, rerank, search
from jargonaut.serving.boundary import RequestBoundary
from jargonaut.serving.errors import add_error_handlers
from jargonaut.serving.service import Service

if TYPE_CHECKING:
    from jargonaut.serving.mcp_server import McpEndpoint


def create_app(service: Service) -> FastAPI:
    """The service of these parts. It begins to load its knowledge bases when it starts, and is not ready before."""
    app = FastAPI(
        title="Jargonaut",
        version=jargonaut.__version__,
        summary="Answers from documents, with citations.",
        lifespan=_following,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    for part in (chat_completions, search, embeddings, rerank, models, documents, feedback, dify, grant):
        app.include_router(part.router)
    mcp = _mcp_endpoint(service)
    app.state.mcp = mcp
    app.router.routes.append(Route("/mcp", mcp or _without_mcp, methods=None if mcp else ["GET", "POST", "DELETE"]))
    add_error_handlers(app)
    app.add_middleware(
        RequestBoundary,
        authenticate=service.authenticator.caller,
        max_body_bytes=service.limits.body_bytes,
        max_upload_bytes=service.limits.upload_bytes,
        metrics=service.metrics,
    )
    return app


@asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    following = asyncio.create_task(service.knowledge_bases.follow())
    async with app.state.mcp.running() if app.state.mcp else nullcontext():
        yield
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await service.knowledge_bases.close()


def _mcp_endpoint(service: Service) -> McpEndpoint | None:
    """None if the SDK is not installed."""
    if find_spec("mcp") is None:
        return None
    from jargonaut.serving.mcp_server import mcp_endpoint

    return mcp_endpoint(service)


async def _without_mcp(request: Request) -> Response:
    raise MissingExtraError("The MCP server", "mcp")
