"""`POST /v1/rerank`: texts of the caller's own, by how well they answer a question; in the shape of Jina and Cohere."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from jargonaut.answering.texts import Relevance, rerank
from jargonaut.core.deadline import Deadline
from jargonaut.serving.boundary import while_connected
from jargonaut.serving.embeddings import encoder_of
from jargonaut.serving.errors import RequestError
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.service import Reader, Service, ServiceDependency, checked_text, echo
from jargonaut.serving.usage import tokens_of

router = APIRouter()

MOST_TEXTS = 200


class RerankText(BaseModel):
    """A text, as an object."""

    text: str


class RerankRequest(BaseModel):
    """A question and texts."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="As in a chat completion")
    query: str
    documents: list[str | RerankText] = Field(description="Texts, not names of documents")
    top_n: int | None = Field(None, ge=1)
    return_documents: bool | None = False


class RerankScores(BaseModel):
    """What the score is made of."""

    cosine: float | None = Field(description="Of question and text, or the text's best part; null without an encoder")
    coverage: float = Field(description="Share of the question's terms that the text holds")


class RerankResult(BaseModel):
    """One text."""

    index: int = Field(description="Its place in `documents`")
    relevance_score: float = Field(
        description="0 to 1: (1 - w) cosine + w coverage, w being the recipe's weight of words; "
        "comparable between requests"
    )
    scores: RerankScores
    document: RerankText | None = None


class RerankUsage(BaseModel):
    """Tokens of the question and the texts."""

    total_tokens: int


class RerankResults(BaseModel):
    """Texts, best first."""

    id: str
    object: Literal["list"] = "list"
    model: str
    results: list[RerankResult]
    usage: RerankUsage


@router.post("/v1/rerank", response_model=RerankResults)
@router.post("/v2/rerank", response_model=RerankResults, include_in_schema=False)  # Cohere's clients ask here
async def rerank_texts(body: RerankRequest, request: Request, service: ServiceDependency, caller: Reader) -> Response:
    """Rank the caller's texts. No document is looked at."""
    query = service.question(body.query, "query")
    texts = _texts(body)
    served = await service.serve(caller, body.model)
    found = await while_connected(request, _ranked(service, served, query, texts))
    order = sorted(range(len(texts)), key=lambda at: (-found[at].score, at))[: body.top_n]
    result = RerankResults(
        id=f"rerank-{secrets.token_hex(12)}",
        model=served.model,
        results=[_result(at, found[at], texts[at] if body.return_documents else None) for at in order],
        usage=RerankUsage(total_tokens=tokens_of(served.release, query, *texts)),
    )
    unwanted: Any = None if body.return_documents else {"results": {"__all__": {"document"}}}
    return JSONResponse(result.model_dump(exclude=unwanted), headers=echo(served, store=True))


async def _ranked(service: Service, served: Served, query: str, texts: list[str]) -> list[Relevance]:
    encoder = await encoder_of(service, served, "document")
    return await rerank(served.release, encoder, query, texts, Deadline.after(service.limits.deadline_s))


def _result(index: int, found: Relevance, text: str | None) -> RerankResult:
    shown: dict[str, Any] = {} if text is None else {"document": RerankText(text=text)}
    scores = RerankScores(cosine=found.cosine, coverage=found.coverage)
    return RerankResult(index=index, relevance_score=found.score, scores=scores, **shown)


def _texts(body: RerankRequest) -> list[str]:
    if not body.documents:
        raise RequestError("There is nothing to rank.", param="documents")
    if len(body.documents) > MOST_TEXTS:
        raise RequestError(f"At most {MOST_TEXTS} texts can be ranked at once.", param="documents")
    return [
        checked_text(item if isinstance(item, str) else item.text, "text", f"documents.{index}")
        for index, item in enumerate(body.documents)
    ]
