"""`/v1/documents`: what the live release holds; delete and restore, in force when they return."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.convertors import Convertor, register_url_convertor

from jargonaut.core.document import document_id
from jargonaut.core.errors import UnknownNameError
from jargonaut.core.scope import Scope
from jargonaut.documents.opening import with_members
from jargonaut.serving.authentication import Caller
from jargonaut.serving.service import Reader, Service, ServiceDependency, Writer
from jargonaut.serving.wire import ChangeReceipt, DocumentList, ListedDocument, RestoreRequest
from jargonaut.state.knowledge_base import Receipt, delete_documents, restore_documents
from jargonaut.state.port import Journal


class _AnyText(Convertor[str]):
    """Of a URI, every character is taken as it is: a file's name may hold a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", _AnyText())
router = APIRouter()

Change = Callable[[Journal, Scope, Iterable[str]], Receipt]


@router.get("/v1/documents")
async def list_documents(
    service: ServiceDependency,
    caller: Reader,
    model: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: str = "",
) -> DocumentList:
    """The documents that the caller may read, by URI; `after` is the last URI of the page before."""
    served = await service.serve(caller, model)
    readable = served.documents(caller.principals)
    rest = [document for document in readable if document.uri > after]
    listed = [
        ListedDocument(
            id=document_id(document.uri),
            uri=document.uri,
            content_digest=document.content_digest,
            allow=list(document.allow),
            status="deleted" if document.uri in served.state.deleted else "live",
        )
        for document in rest[:limit]
    ]
    return DocumentList(data=listed, has_more=len(rest) > limit, total=len(readable))


@router.delete("/v1/documents/{uri:any}")
async def delete_document(
    uri: str, service: ServiceDependency, caller: Writer, model: str | None = None
) -> ChangeReceipt:
    """Delete a document, for every release, past and future, although its file may stay in the source."""
    return await _change(service, caller, model, uri, "deleted")


@router.post("/v1/documents/restore")
async def restore_document(body: RestoreRequest, service: ServiceDependency, caller: Writer) -> ChangeReceipt:
    """Undo a delete."""
    return await _change(service, caller, body.model, body.uri, "restored")


async def _change(
    service: Service, caller: Caller, model: str | None, uri: str, what: Literal["deleted", "restored"]
) -> ChangeReceipt:
    served = await service.serve(caller, model)
    known = {document.uri for document in served.documents(caller.principals)}
    # Of an archive, what is in it and the caller may read.
    uris = [name for name in with_members(uri, known) if name in known]
    if not uris:
        raise UnknownNameError("document", uri, known)
    change: Change = delete_documents if what == "deleted" else restore_documents
    # Done even if the caller hangs up: a change is made once it has begun.
    receipt = await asyncio.shield(
        asyncio.to_thread(change, service.knowledge_bases.journal, served.release.scope, uris)
    )
    return ChangeReceipt(
        object="document.deleted" if what == "deleted" else "document.restored",
        id=document_id(uri),
        uri=uri,
        deleted=what == "deleted",
        sequence=receipt.sequence,
        generation=receipt.generation,
        effective_at=receipt.effective_at,
        edge_effective_within_s=service.limits.edge_bound_s,
    )
