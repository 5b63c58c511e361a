"""`POST /v1/embeddings`: the vectors that the release's encoder gives to texts of the caller's own."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from jargonaut.answering.texts import TextKind, TooLongError, embed
from jargonaut.core.deadline import Deadline
from jargonaut.encoding.port import Encoder, Vectors
from jargonaut.serving.boundary import while_connected
from jargonaut.serving.errors import RequestError
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.service import Reader, Service, ServiceDependency, checked_text, echo

router = APIRouter()

MOST_TEXTS = 256

_KINDS: dict[str, TextKind] = {
    "query": "query",
    "search_query": "query",
    "document": "document",
    "search_document": "document",
}


class EmbeddingsRequest(BaseModel):
    """Texts, and how their vectors are wanted."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="As in a chat completion")
    input: str | list[str] | list[int] | list[list[int]] = Field(
        description="One text or several. Tokens are refused: they are those of another encoder."
    )
    encoding_format: Literal["float", "base64"] | None = Field(
        "float", description="`base64`: 32-bit floats, least significant byte first"
    )
    dimensions: int | None = Field(None, ge=1, description="The encoder's own; it knows no other")
    input_type: Literal["query", "document", "search_query", "search_document"] | None = Field(
        "document", description="Whether they are questions or passages: the encoder may treat them differently"
    )
    truncate: Literal["none", "end"] | None = Field("none", description="What becomes of texts that are too long")
    user: str | None = None


class Embedding(BaseModel):
    """The vector of one text."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Unit length")


class EmbeddingsUsage(BaseModel):
    """Tokens, as the encoder counts them."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """Vectors, in the order of the texts."""

    object: Literal["list"] = "list"
    model: str
    data: list[Embedding]
    usage: EmbeddingsUsage


@router.post("/v1/embeddings", response_model=EmbeddingList)
async def embeddings(body: EmbeddingsRequest, request: Request, service: ServiceDependency, caller: Reader) -> Response:
    """Vectors of the caller's texts, comparable with those of the documents. No document is looked at."""
    texts = _texts(body, service)
    served = await service.serve(caller, body.model)
    kind = _KINDS[body.input_type or "document"]
    deadline = Deadline.after(service.limits.deadline_s)
    work = _embed(service, served, kind, texts, body, deadline)
    vectors, tokens = await while_connected(request, work)
    data = [
        {"object": "embedding", "index": index, "embedding": value}
        for index, value in enumerate(_written(vectors, body.encoding_format or "float"))
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse(
        {"object": "list", "model": served.model, "data": data, "usage": usage}, headers=echo(served, store=True)
    )


async def _embed(
    service: Service, served: Served, kind: TextKind, texts: list[str], body: EmbeddingsRequest, deadline: Deadline
) -> tuple[Vectors, int]:
    encoder = await encoder_of(service, served, kind)
    if encoder is None:
        message = f"`{served.model}` is a lexical release: it has no encoder."
        raise RequestError(message, "Build one with an encoder: `jargonaut doctor` says how.", param="model")
    wide = encoder.card.dimensions
    if body.dimensions is not None and body.dimensions != wide:
        message = f"The encoder of `{served.model}` gives {wide} dimensions, and was not trained to give fewer."
        raise RequestError(message, "Leave `dimensions` out.", param="dimensions", code="unsupported_dimensions")
    try:
        embedded = await embed(encoder, kind, texts, deadline, truncate=body.truncate == "end")
    except TooLongError as error:
        raise RequestError(error.message, error.hint, param=f"input.{error.position}", code=error.code) from error
    return embedded.vectors, embedded.tokens


async def encoder_of(service: Service, served: Served, kind: TextKind) -> Encoder | None:
    """What a release encodes questions, or documents, with; None for a lexical one."""
    if kind == "query":
        return served.release.query_encoder
    return await asyncio.to_thread(service.document_encoder_of, served.release)  # it may have to be loaded


def _texts(body: EmbeddingsRequest, service: Service) -> list[str]:
    given = [body.input] if isinstance(body.input, str) else list(body.input)
    if not given:
        raise RequestError("There is nothing to embed.", param="input")
    if len(given) > MOST_TEXTS:
        raise RequestError(f"At most {MOST_TEXTS} texts can be embedded at once.", param="input")
    texts: list[str] = []
    for index, text in enumerate(given):
        if not isinstance(text, str):
            hint = "Send the text itself. LangChain: `check_embedding_ctx_length=False`."
            raise RequestError("Tokens of another encoder cannot be embedded.", hint, param="input")
        texts.append(checked_text(text, "text", f"input.{index}"))
    return texts


def _written(vectors: Vectors, form: Literal["float", "base64"]) -> list[list[float]] | list[str]:
    little = np.ascontiguousarray(vectors, dtype="<f4")
    if form == "base64":
        return [base64.b64encode(vector.tobytes()).decode() for vector in little]
    values: list[list[float]] = little.astype(np.float64).tolist()
    return values
