"""`POST /v1/feedback`: whether an answer, or a passage, was right. `jargonaut feedback export` makes labels of it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from jargonaut.core.errors import UnknownNameError
from jargonaut.serving.service import Reader, ServiceDependency, checked_text
from jargonaut.state.feedback import FeedbackLog, Judgement

router = APIRouter()


class FeedbackRequest(BaseModel):
    """A judgement."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(max_length=200)] | None = Field(None, description="As in a chat completion")
    query: str = Field(description="What was asked")
    rating: Literal["good", "bad"]
    document: Annotated[str, Field(max_length=2000)] | None = Field(
        None, description="URI of the document that is judged; without one, the answer as a whole"
    )
    heading_path: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=20)] | None = Field(
        None, description="Its section, as citations and search give it"
    )
    completion: Annotated[str, Field(max_length=100)] | None = Field(None, description="`id` of the answer")
    comment: Annotated[str, Field(max_length=4000)] | None = None


class FeedbackReceipt(BaseModel):
    """The judgement is kept."""

    object: Literal["feedback"] = "feedback"
    sequence: int
    at: str


@router.post("/v1/feedback", status_code=201)
async def give_feedback(body: FeedbackRequest, service: ServiceDependency, caller: Reader) -> FeedbackReceipt:
    """Keep a judgement. On a document that the caller may not read there is none to give."""
    query = service.question(body.query, "query")
    for name, text in (("comment", body.comment), ("document", body.document), ("completion", body.completion)):
        if text:
            checked_text(text, name, name)
    for at, heading in enumerate(body.heading_path or ()):
        checked_text(heading, "heading", f"heading_path.{at}")
    served = await service.serve(caller, body.model)
    if body.document:
        readable = {document.uri for document in served.documents(caller.principals)} - served.state.deleted.keys()
        if body.document not in readable:
            raise UnknownNameError("document", body.document, readable)
    judgement = Judgement(
        query=query,
        rating=body.rating,
        document=body.document or "",
        heading=" › ".join(body.heading_path or ()) if body.document else "",
        comment=body.comment or "",
        release=served.release.release_id,
        completion=body.completion or "",
        by=caller.key_id or "",
    )
    log: FeedbackLog = service.feedback_of(served.release.scope)
    event = await asyncio.shield(asyncio.to_thread(log.append, judgement))
    return FeedbackReceipt(sequence=event.sequence, at=event.at)
