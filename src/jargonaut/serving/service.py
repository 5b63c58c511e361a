"""What the routes work with: the parts of the service and its limits, and who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.errors import InputError, PermissionDeniedError
from jargonaut.core.filters import Filter, parse_filter
from jargonaut.core.scope import Scope
from jargonaut.encoding.port import Encoder
from jargonaut.generation.port import Generator
from jargonaut.serving.authentication import Authenticator, Caller
from jargonaut.serving.errors import RequestError
from jargonaut.serving.knowledge_bases import Served, ServedKnowledgeBases
from jargonaut.serving.metrics import Metrics
from jargonaut.serving.tracing import NoTracing, Tracing
from jargonaut.serving.uploads import Uploads
from jargonaut.state.feedback import FeedbackLog

GeneratorOf = Callable[[LoadedRelease], Generator]
"""The generator that a release's recipe names. Given by wiring."""
DocumentEncoderOf = Callable[[LoadedRelease], Encoder | None]
"""What the documents of a release were encoded with; None for a lexical one. Given by wiring; may load it."""
UploadsOf = Callable[[Scope], Uploads | None]
"""The uploaded documents of a knowledge base. Given by wiring."""
CopiesOf = Callable[[Scope, Collection[str]], int]
"""How many documents say the same as these, and are indexed in their place. Given by wiring."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may ask for."""

    body_bytes: int = 256 * 1024
    upload_bytes: int = 10 * 1024 * 1024
    """The same of an upload; 0 refuses all."""
    question_characters: int = 8_000
    top_k: int = 50
    deadline_s: float = 30.0
    edge_bound_s: float = 5.0
    """How long the edge may go on with what it knew before a delete."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of the service."""

    knowledge_bases: ServedKnowledgeBases
    authenticator: Authenticator
    generator_of: GeneratorOf
    limits: Limits = DEFAULT_LIMITS
    document_encoder_of: DocumentEncoderOf = lambda release: release.query_encoder
    uploads_of: UploadsOf = lambda scope: None
    copies_of: CopiesOf = lambda scope, uris: 0
    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing = field(default_factory=NoTracing)
    close_generators: Callable[[], Awaitable[None]] | None = None
    """Lets go of what generators hold, when the service ends."""
    _feedback: dict[Scope, FeedbackLog] = field(default_factory=dict)

    def feedback_of(self, scope: Scope) -> FeedbackLog:
        """The judgements of a knowledge base."""
        return self._feedback.setdefault(scope, FeedbackLog(self.knowledge_bases.journal, scope))

    async def serve(self, caller: Caller, model: str | None) -> Served:
        """The release to answer a caller from; without a model, the caller's only one.

        Raises:
            UnknownNameError: There is no such model.
            PermissionDeniedError: The edge asks for another model than it signed for.
        """
        served = await self.knowledge_bases.serve(caller.tenant, model or self.only_model(caller))
        granted = (caller.knowledge_base, caller.channel)
        asked = (served.release.scope.knowledge_base, served.channel)
        if any(name is not None and name != other for name, other in zip(granted, asked, strict=True)):
            raise PermissionDeniedError("The signed identity was granted for another model.")
        return served

    def only_model(self, caller: Caller) -> str:
        """The name of the caller's knowledge base.

        Raises:
            RequestError: They have several, so that they must say which.
        """
        names = [scope.knowledge_base for scope in self.knowledge_bases.scopes if scope.tenant == caller.tenant]
        if len(names) != 1:
            raise RequestError("Say which knowledge base you mean.", f"One of: {', '.join(names)}.", param="model")
        return names[0]

    def question(self, text: str, param: str) -> str:
        """`text`, if it can be asked.

        Raises:
            RequestError: It is empty, too long, or not text.
        """
        if not text.strip():
            raise RequestError("The question is empty.", param=param, code="empty_question")
        if len(text) > self.limits.question_characters:
            message = f"The question has {len(text)} characters; at most {self.limits.question_characters} are allowed."
            raise RequestError(message, param=param, code="question_too_long")
        return checked_text(text, "question", param)


def checked_text(text: str, what: str, param: str) -> str:
    """`text`, if it is one.

    Raises:
        RequestError: It is empty, or holds half a character.
    """
    if not text.strip():
        raise RequestError(f"The {what} is empty.", param=param)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(f"The {what} holds half a character (a lone surrogate).", param=param) from None
    return text


def where(value: dict[str, object] | None) -> Filter | None:
    """The metadata filter of a request.

    Raises:
        RequestError: It is not one.
    """
    try:
        return parse_filter(value) if value is not None else None
    except InputError as error:
        raise RequestError(error.message, error.hint, param="filter") from error


def echo(served: Served, *, store: bool) -> dict[str, str]:
    """What the edge needs to know of an answer before it keeps it."""
    return {
        # Names may be in any script, headers not.
        "x-jargonaut-knowledge-base": quote(served.release.scope.knowledge_base, safe=""),
        "x-jargonaut-channel": quote(served.channel, safe=""),
        "x-jargonaut-recipe": served.release.recipe.id,
        "x-jargonaut-release": served.release.release_id,
        "x-jargonaut-generation": str(served.state.generation),
        # The answer of a release that is being replaced must not outlive it under the name of the next one.
        "x-jargonaut-store": "yes" if store and served.is_settled else "no",
    }


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _reader(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("read")
    return caller


def _admin(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("admin")
    return caller


def _writer(request: Request) -> Caller:
    caller: Caller = request.state.caller
    caller.require("write")
    return caller


ServiceDependency = Annotated[Service, Depends(_service)]
Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
Admin = Annotated[Caller, Depends(_admin)]
