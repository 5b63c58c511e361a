"""`POST /dify/retrieval`: Dify's external knowledge API. In Dify, give `<service>/dify` as the endpoint.

`knowledge_id` is a model. Errors hold Dify's `error_code` and `error_msg` besides OpenAI's shape.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from jargonaut.answering.retrieve import Question, Retrieval
from jargonaut.core.filters import FIELDS, AllOf, AnyOf, Between, Filter, Not, OneOf, StartsWith
from jargonaut.ranking.threshold import coverage
from jargonaut.serving.asking import Asking
from jargonaut.serving.boundary import while_connected
from jargonaut.serving.errors import RequestError
from jargonaut.serving.search import metadata_of
from jargonaut.serving.service import Reader, ServiceDependency

router = APIRouter()


class RetrievalSetting(BaseModel):
    """How much is wanted."""

    model_config = ConfigDict(extra="ignore")

    top_k: int = Field(5, ge=1)
    score_threshold: float = 0.0


class Condition(BaseModel):
    """One condition on metadata."""

    model_config = ConfigDict(extra="ignore")

    name: str | list[str] = Field(description=f"One of: {', '.join(FIELDS)}")
    comparison_operator: str
    value: str | int | float | list[str] | None = None


class MetadataCondition(BaseModel):
    """Conditions on metadata."""

    model_config = ConfigDict(extra="ignore")

    logical_operator: Literal["and", "or"] = "and"
    conditions: list[Condition] = []


class RetrievalRequest(BaseModel):
    """What Dify asks."""

    model_config = ConfigDict(extra="ignore")

    knowledge_id: str = Field(min_length=1, max_length=200)
    query: str
    retrieval_setting: RetrievalSetting = RetrievalSetting()
    metadata_condition: MetadataCondition | None = None


class Record(BaseModel):
    """A passage."""

    content: str
    score: float = Field(description="Cosine of question and passage, not below 0; lexical: share of terms found")
    title: str
    metadata: dict[str, Any]


class Records(BaseModel):
    """Passages, best first."""

    records: list[Record]


@router.post("/dify/retrieval", response_model=Records)
async def dify_retrieval(
    body: RetrievalRequest, request: Request, service: ServiceDependency, caller: Reader
) -> Response:
    """Passages among those that the caller may read, in the order of the ranking."""
    text = service.question(body.query, "query")
    setting = body.retrieval_setting
    question = Question(text, _filter(body.metadata_condition), min(setting.top_k, service.limits.top_k))
    asking = await Asking.of(service, caller, body.knowledge_id)
    found = await while_connected(request, asking.found(question))
    records = [record for record in _records(text, found) if record.score >= setting.score_threshold]
    return JSONResponse(Records(records=records).model_dump())


def _records(question: str, found: Retrieval) -> list[Record]:
    records = []
    for item in found.passages:
        chunk, cosine = item.chunk, item.scores.cosine
        score = coverage(question, chunk.text) if cosine is None else min(max(cosine, 0.0), 1.0)
        about = {
            **metadata_of(chunk),
            "path": chunk.uri,
            "description": " › ".join(chunk.heading_path),
            "chunk": chunk.chunk_id,
        }
        records.append(Record(content=chunk.text, score=score, title=chunk.title, metadata=about))
    return records


def _filter(wanted: MetadataCondition | None) -> Filter | None:
    if wanted is None or not wanted.conditions:
        return None
    parts = tuple(_condition(condition) for condition in wanted.conditions)
    return AllOf(parts) if wanted.logical_operator == "and" else AnyOf(parts)


def _condition(condition: Condition) -> Filter:
    names = [condition.name] if isinstance(condition.name, str) else condition.name
    for name in names:
        if name not in FIELDS:
            hint = f"Fields: {', '.join(FIELDS)}."
            raise RequestError(f"Cannot filter on `{name}`.", hint, param="metadata_condition")
    parts = tuple(_compared(name, condition) for name in names)
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _compared(name: str, condition: Condition) -> Filter:
    value = condition.value
    values = tuple(value) if isinstance(value, list) else (f"{value}",)
    operator, one = condition.comparison_operator.strip().lower(), values[0] if values else ""
    made: dict[str, Filter] = {
        "is": OneOf(name, values),
        "=": OneOf(name, values),
        "in": OneOf(name, values),
        "is not": Not(OneOf(name, values)),
        "≠": Not(OneOf(name, values)),
        "not in": Not(OneOf(name, values)),
    }
    if name == "tags":
        made |= {"contains": OneOf(name, values), "not contains": Not(OneOf(name, values))}
    else:
        # Bounds are compared as texts: a date that begins like its bound lies on it.
        before, on, after = Between(name, "", one), StartsWith(name, one), Between(name, one, "")
        made |= {
            "start with": on,
            "before": AllOf((before, Not(on))),
            "<": AllOf((before, Not(on))),
            "≤": AnyOf((before, on)),
            "after": AllOf((after, Not(on))),
            ">": AllOf((after, Not(on))),
            "≥": after,
        }
    if operator not in made or value is None or not one:
        message = f"`{condition.comparison_operator}` does not compare `{name}` here."
        raise RequestError(message, f"Operators: {', '.join(made)}.", param="metadata_condition")
    return made[operator]
