"""`POST /internal/hits`: what the edge answered from its store, for the record. See `contract/README.md`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from jargonaut.core.errors import ConflictError
from jargonaut.serving.service import ServiceDependency
from jargonaut.state.port import Journal

router = APIRouter()

_RETRIES = 20


class EdgeHit(BaseModel):
    """A stored answer that was served."""

    model_config = ConfigDict(extra="forbid")

    at: str = Field(max_length=40)
    request: str = Field(max_length=64, description="Id of the request")
    answer: str = Field(max_length=64, description="Id of the request that the answer was made for")
    status: Literal["hit", "stale", "coalesced"]
    path: str = Field(max_length=200)
    tenant: str = Field(max_length=200)
    key_id: str | None = Field(max_length=200)
    knowledge_base: str = Field(max_length=200)
    channel: str = Field(max_length=200)
    recipe: str = Field(max_length=64)
    release: str = Field(max_length=64)
    generation: int


class EdgeHits(BaseModel):
    """Hits that are reported together."""

    model_config = ConfigDict(extra="forbid")

    hits: list[EdgeHit] = Field(min_length=1, max_length=500)


@router.post("/internal/hits", status_code=204, include_in_schema=False)
async def record(body: EdgeHits, service: ServiceDependency) -> Response:
    """Record hits; they are durable when this returns. `boundary` has checked that the edge reports them."""
    by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for hit in body.hits:
        by_stream[hits_stream(hit.tenant, hit.knowledge_base)].append(
            hit.model_dump(exclude={"tenant", "knowledge_base"})
        )
    for stream, hits in by_stream.items():
        await asyncio.to_thread(_append, service.knowledge_bases.journal, stream, hits)
    return Response(status_code=204)


def hits_stream(tenant: str, knowledge_base: str) -> str:
    """The journal's stream with the hits of a knowledge base."""
    return f"edge-hits/{tenant}/{knowledge_base}"


def _append(journal: Journal, stream: str, hits: Sequence[dict[str, Any]]) -> None:
    last = 0
    for _ in range(_RETRIES):
        last += len(journal.read(stream, last))
        try:
            journal.append(stream, last, "hits", {"hits": list(hits)})
        except ConflictError:
            continue
        return
    raise ConflictError(f"`{stream}` is being written by many at once.", "Report these hits again.")
