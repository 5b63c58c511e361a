"""The HTTP service: what is asked where, and what every request passes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.routing import Route

import jargonaut
from jargonaut.serving import (
    chat_completions,
    dify,
    documents,
    edge_hits,
    embeddings,
    feedback,
    grant,
    models,
    rerank,
    search,
)
from jargonaut.serving.boundary import RequestBoundary
from jargonaut.serving.errors import add_error_handlers
from jargonaut.serving.mcp_endpoint import McpEndpoint
from jargonaut.serving.openapi import openapi_document
from jargonaut.serving.service import Service


def create_app(service: Service) -> FastAPI:
    """The service of these parts. It begins to load its knowledge bases when it starts, and is not ready before."""
    app = routes_alone()
    app.state.service = service
    app.state.mcp = McpEndpoint(service)
    app.router.routes.append(Route("/mcp", app.state.mcp))
    add_error_handlers(app)
    app.add_middleware(
        RequestBoundary,
        authenticate=service.authenticator.caller,
        max_body_bytes=service.limits.body_bytes,
        max_upload_bytes=service.limits.upload_bytes,
        metrics=service.metrics,
        tracing=service.tracing,
    )
    return app


def routes_alone() -> FastAPI:
    """The routes and their OpenAPI document, without anything that answers."""
    app = FastAPI(
        title="Jargonaut",
        version=jargonaut.__version__,
        summary="Answers from documents, with citations.",
        lifespan=_following,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # agents call the operation by it
    )
    for part in (chat_completions, search, embeddings, rerank, models, documents, feedback, dify, grant, edge_hits):
        app.include_router(part.router)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    following = asyncio.create_task(service.knowledge_bases.follow())
    async with app.state.mcp.running():
        yield
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await service.knowledge_bases.close()
    if service.close_generators is not None:
        await service.close_generators()
    await asyncio.to_thread(service.tracing.close)
