"""`POST /v1/search`: passages with all their scores explained."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from jargonaut.answering.retrieve import Question, Retrieved
from jargonaut.index.port import StoredChunk
from jargonaut.serving.asking import Asking
from jargonaut.serving.boundary import while_connected
from jargonaut.serving.errors import RequestError
from jargonaut.serving.service import Reader, ServiceDependency, echo, where
from jargonaut.serving.wire import SearchHit, SearchReason, SearchRequest, SearchResult, SearchScores, place_of

router = APIRouter()


@router.post("/v1/search", response_model=SearchResult)
async def search(body: SearchRequest, request: Request, service: ServiceDependency, caller: Reader) -> Response:
    """Find passages among those that the caller may read."""
    text = service.question(body.query, "query")
    if body.top_k is not None and body.top_k > service.limits.top_k:
        raise RequestError(f"`top_k` is at most {service.limits.top_k}.", param="top_k")
    question = Question(text, where(body.filter), body.top_k)
    asking = await Asking.of(service, caller, body.model)
    served, release = asking.served, asking.served.release
    found = await while_connected(request, asking.found(question))
    result = SearchResult(
        model=served.model,
        release=release.release_id,
        recipe=release.recipe.id,
        label=release.recipe.label,
        answerable=found.answers,
        evidence=found.evidence.score,
        threshold=found.threshold,
        data=[_hit(passage, text, release.recipe.fusion.lexical_weight) for passage in found.passages],
        timings_ms={name: round(seconds * 1e3, 2) for name, seconds in found.seconds.items()},
    )
    return JSONResponse(result.model_dump(), headers=echo(served, store=bool(found.passages)))


def _hit(found: Retrieved, query: str, lexical_weight: float) -> SearchHit:
    chunk = found.chunk
    return SearchHit(
        chunk=chunk.chunk_id,
        document=chunk.uri,
        title=chunk.title,
        heading_path=list(chunk.heading_path),
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        parent=list(chunk.parent) if chunk.parent else None,
        **place_of(chunk.place),
        kind=chunk.kind,
        language=chunk.language,
        metadata=metadata_of(chunk),
        scores=SearchScores(**dataclasses.asdict(found.scores)),
        why=_why(found, query, lexical_weight),
    )


def metadata_of(chunk: StoredChunk) -> dict[str, Any]:
    """What is known of the passage's document, as JSON."""
    return {name: item if isinstance(item, str) else list(item) for name, item in chunk.metadata.items()}


def _why(found: Retrieved, query: str, lexical_weight: float) -> SearchReason:
    scores, terms = found.scores, found.matched(query)
    reasons = []
    if scores.dense_rank is not None:
        reasons.append(f"number {scores.dense_rank} by meaning (cosine {scores.cosine:.2f})")
    if scores.lexical_rank is not None:
        words = f": {', '.join(terms)}" if terms else ""
        bm25 = "" if scores.bm25 is None else f" (BM25 {scores.bm25:.2f})"
        reasons.append(f"number {scores.lexical_rank} by words{bm25}{words}")
    summary = " and ".join(reasons)
    return SearchReason(terms=terms, lexical_weight=lexical_weight, summary=f"{summary[:1].upper()}{summary[1:]}.")
