"""The HTTP service: what is asked where, and what every request passes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

import jargonaut
from jargonaut.serving import chat_completions, documents, embeddings, grant, models, rerank, search
from jargonaut.serving.boundary import RequestBoundary
from jargonaut.serving.errors import add_error_handlers
from jargonaut.serving.service import Service


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
    for part in (chat_completions, search, embeddings, rerank, models, documents, grant):
        app.include_router(part.router)
    add_error_handlers(app)
    app.add_middleware(
        RequestBoundary,
        authenticate=service.authenticator.caller,
        max_body_bytes=service.limits.body_bytes,
        max_upload_bytes=service.limits.upload_bytes,
    )
    return app


@asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    following = asyncio.create_task(service.knowledge_bases.follow())
    yield
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await service.knowledge_bases.close()
