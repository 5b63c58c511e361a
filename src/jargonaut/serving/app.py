"""The HTTP service: what is asked where, and what every request passes first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

import jargonaut
from jargonaut.serving import chat_completions, documents, edge_hits, grant, models, search
from jargonaut.serving.authentication import Authenticator
from jargonaut.serving.boundary import RequestBoundary
from jargonaut.serving.errors import add_error_handlers
from jargonaut.serving.knowledge_bases import ServedKnowledgeBases
from jargonaut.serving.service import DEFAULT_LIMITS, GeneratorOf, Limits, Service


def create_app(
    knowledge_bases: ServedKnowledgeBases,
    authenticator: Authenticator,
    generator_of: GeneratorOf,
    limits: Limits = DEFAULT_LIMITS,
) -> FastAPI:
    """The service over these knowledge bases. It begins to load them when it starts, and is not ready before."""
    app = FastAPI(
        title="Jargonaut",
        version=jargonaut.__version__,
        summary="Answers from documents, with citations.",
        lifespan=_following,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = Service(knowledge_bases, authenticator, generator_of, limits)
    for part in (chat_completions, search, models, documents, grant, edge_hits):
        app.include_router(part.router)
    add_error_handlers(app)
    app.add_middleware(RequestBoundary, authenticate=authenticator.caller, max_body_bytes=limits.body_bytes)
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
