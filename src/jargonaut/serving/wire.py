"""Requests and responses as they stand on the wire."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from jargonaut.answering.answer import Citation
from jargonaut.core.document import Place
from jargonaut.serving.tokens import LONGEST_TOKEN

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class TextPart(BaseModel):
    """A text part of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a conversation."""

    role: Role
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """All its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A question. Fields of OpenAI's API that steer sampling are accepted and have no effect."""

    model: str = Field(min_length=1, max_length=200, description="`handbook`, `handbook@canary`, or a release of it")
    messages: list[Message] = Field(min_length=1, description="The last message of the user is the question.")
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = 1
    filter: dict[str, Any] | None = Field(None, description="Metadata filter; see the documentation of `search`.")


class Usage(BaseModel):
    """Tokens of the question and of the answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class DocumentCitation(BaseModel):
    """Where a statement comes from."""

    number: int = Field(description="The `[n]` in the text")
    document: str = Field(description="URI of the document")
    title: str
    heading_path: list[str]
    start: int = Field(description="Character offset into the document's text")
    end: int
    line: int | None = Field(description="Where the passage begins in the source, for text formats")
    page: int | None = Field(description="The same, for paged formats and slides")
    sheet: str = Field("", description="Sheet of a workbook")
    cell: str = Field("", description="Cell of a sheet, as `C17`")
    quote: str
    score: float


class Annotation(BaseModel):
    """A citation, beside the text."""

    type: Literal["document_citation"] = "document_citation"
    document_citation: DocumentCitation


class AssistantMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class ChatCompletion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str = Field(description="The id of the release that answered")
    choices: list[Choice]
    usage: Usage
    standalone_question: str = Field(description="What was looked for: the question, made to stand alone")


class SearchRequest(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")

    query: str
    model: str | None = Field(
        None, max_length=200, description="As in a chat completion; may be left out if there is one"
    )
    top_k: int | None = Field(None, ge=1)
    filter: dict[str, Any] | None = Field(
        None,
        description='`{"language": "zh"}`, `{"tags": ["a", "b"]}`, `{"uri": {"starts_with": "ref/"}}`, '
        '`{"date": {"from": "2024"}}`, `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`',
    )


class SearchScores(BaseModel):
    """How a passage came to its place."""

    fused: float = Field(description="What the order is by; comparable within one result only")
    bm25: float | None = Field(
        description="0 if it was not found lexically; null for whoever may not read everything: it depends on how many "
        "documents hold a word, those too that they may not know of"
    )
    cosine: float | None = Field(description="What the threshold reads; null in a lexical release")
    whitened: float | None = Field(description="Cosine after whitening, if the recipe has one")
    lexical_rank: int | None = Field(None, description="Its place by `bm25` alone; null if it was not found lexically")
    dense_rank: int | None = Field(None, description="Its place by `cosine` alone, among all candidates")


class SearchReason(BaseModel):
    """Why a passage was found."""

    terms: list[str] = Field(description="Terms of the query, as analysed, that its headings and text hold")
    lexical_weight: float = Field(description="Share of words in `fused`; the rest is meaning")
    summary: str = Field(description="The same in a sentence")


class SearchHit(BaseModel):
    """A passage."""

    chunk: str
    document: str
    title: str
    heading_path: list[str]
    text: str
    start: int
    end: int
    parent: list[int] | None = Field(
        None, description="Start and end of the passage that an answer is made from instead"
    )
    line: int | None
    page: int | None
    sheet: str = ""
    cell: str = ""
    kind: str
    language: str
    metadata: dict[str, str | list[str]]
    scores: SearchScores
    why: SearchReason


class SearchResult(BaseModel):
    """Passages, best first."""

    object: Literal["search.result"] = "search.result"
    model: str
    release: str
    recipe: str
    label: str = Field(description="`lexical`, `base` or `tuned`")
    answerable: bool = Field(
        description="Whether a chat completion would answer: evidence reaches the threshold, or names an identifier"
    )
    evidence: float
    threshold: float
    data: list[SearchHit]
    timings_ms: dict[str, float] = Field(description="`encode`, `dense`, `lexical` (both at once), `fuse`, `fetch`")


DocumentStatus = Literal["live", "changed", "pending", "unreadable", "deleted"]


class ListedDocument(BaseModel):
    """A document of the live release, or one that was uploaded and is not in it yet."""

    id: str
    object: Literal["document"] = "document"
    uri: str
    content_digest: str
    allow: list[str]
    status: DocumentStatus = Field(
        description="`pending`: uploaded, goes live with the next build; `changed`: an upload is to take its place; "
        "`unreadable`: an upload that could not be read"
    )
    reason: str | None = Field(None, description="Why it is unreadable")


class UploadRequest(BaseModel):
    """A document, in JSON."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(min_length=1, description="Name with extension, which says the format: `manual/leave.md`")
    text: str | None = None
    content_base64: str | None = Field(None, description="Instead of `text`, for formats that are not text")
    model: str | None = None
    allow: list[str] | None = Field(None, description="Principals; can only narrow what the rules grant")
    metadata: dict[str, str | list[str]] = Field(
        {}, description="`title`, `author`, `date`, `language`, `tags`, or names of your own"
    )


class UploadReceipt(BaseModel):
    """Proof that a document is stored. It is found once a build has read it."""

    object: Literal["document.upload"] = "document.upload"
    id: str
    uri: str
    size_bytes: int
    content_digest: str
    status: Literal["pending", "live"]


class DocumentList(BaseModel):
    """Documents, by URI."""

    object: Literal["list"] = "list"
    data: list[ListedDocument]
    has_more: bool
    total: int


class RestoreRequest(BaseModel):
    """Undo a delete."""

    model_config = ConfigDict(extra="forbid")

    uri: str
    model: str | None = None


class ChangeReceipt(BaseModel):
    """Proof that a change is in force."""

    object: Literal["document.deleted", "document.restored"]
    id: str
    uri: str
    deleted: bool
    copies_left: int = Field(0, description="Documents that say the same, of which one is indexed with the next build")
    sequence: int
    generation: int
    effective_at: str = Field(description="When it came into force here, UTC")
    edge_effective_within_s: float = Field(description="After that, no edge answers from what it knew before")


class GrantRequest(BaseModel):
    """Who asks for what, as the edge sees it."""

    model_config = ConfigDict(extra="forbid")

    key_sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    token: str | None = Field(None, max_length=LONGEST_TOKEN)
    model: str | None = Field(max_length=200)


class Grant(BaseModel):
    """Who asks, and what is live."""

    tenant: str
    key_id: str | None
    scopes: list[str]
    knowledge_base: str
    channel: str
    recipe: str
    release: str
    generation: int
    principals: list[str]


class Model(BaseModel):
    """A knowledge base, as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    release: str
    recipe: str
    verdict: str = Field(description="Of the proof that let the release pass; `unproven` for the first")


class ModelList(BaseModel):
    """What can be asked."""

    object: Literal["list"] = "list"
    data: list[Model]


def annotation_of(citation: Citation) -> Annotation:
    """A citation on the wire."""
    chunk = citation.chunk
    return Annotation(
        document_citation=DocumentCitation(
            number=citation.number,
            document=chunk.uri,
            title=chunk.title,
            heading_path=list(chunk.heading_path),
            start=citation.start,
            end=citation.end,
            **place_of(chunk.place),
            quote=citation.quote,
            score=citation.score,
        )
    )


def place_of(place: Place) -> dict[str, Any]:
    """Line, page, sheet and cell."""
    return dataclasses.asdict(place)
