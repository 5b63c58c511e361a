"""`/v1/documents`: what the live release holds, and uploads; delete and restore, in force when they return."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from jargonaut.core.document import document_id
from jargonaut.core.errors import PermissionDeniedError, RefusedError, UnknownNameError
from jargonaut.documents.opening import with_members
from jargonaut.serving.authentication import Caller
from jargonaut.serving.errors import RequestError
from jargonaut.serving.knowledge_bases import Served
from jargonaut.serving.service import Reader, Service, ServiceDependency, Writer
from jargonaut.serving.uploads import Uploaded, Uploads, checked_allow
from jargonaut.serving.wire import (
    ChangeReceipt,
    DocumentList,
    DocumentStatus,
    ListedDocument,
    RestoreRequest,
    UploadReceipt,
    UploadRequest,
)
from jargonaut.state.knowledge_base import Receipt, delete_documents, restore_documents


class _AnyText(Convertor[str]):
    """Of a URI, every character is taken as it is: a file's name may hold a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", _AnyText())
router = APIRouter()

_FILE = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/v1/documents")
async def list_documents(
    service: ServiceDependency,
    caller: Reader,
    model: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: str = "",
) -> DocumentList:
    """The documents that the caller may read, by URI; `after` is the last URI of the page before.

    Whoever may write sees uploads that are not live yet, too.
    """
    known = await _Known.of(service, caller, model)
    uris = sorted(known.live.keys() | set(await asyncio.to_thread(known.waiting)))
    rest = [uri for uri in uris if uri > after]
    listed = await asyncio.to_thread(lambda: [known.listed(uri) for uri in rest[:limit]])
    return DocumentList(data=[item for item in listed if item], has_more=len(rest) > limit, total=len(uris))


@router.get("/v1/documents/{uri:any}")
async def get_document(
    uri: str, service: ServiceDependency, caller: Reader, model: str | None = None
) -> ListedDocument:
    """One of them: whether it is live, waits for a build, or could not be read."""
    known = await _Known.of(service, caller, model)
    listed = await asyncio.to_thread(known.listed, uri)
    if listed is None:
        raise UnknownNameError("document", uri, known.live)
    return listed


@router.post("/v1/documents", status_code=202)
async def upload_document(body: UploadRequest, service: ServiceDependency, caller: Writer) -> UploadReceipt:
    """Upload a document, in place of one with the same name. It is found once the next build has read it."""
    if (body.text is None) == (body.content_base64 is None):
        raise RequestError("Give either `text` or `content_base64`.", param="text")
    try:
        data = (body.text or "").encode() if body.content_base64 is None else _decoded(body.content_base64)
    except UnicodeEncodeError:
        raise RequestError("The text holds half a character (a lone surrogate).", param="text") from None
    return await _upload(service, caller, body, data)


@router.put("/v1/documents/{uri:any}", status_code=202, openapi_extra={"requestBody": _FILE})
async def put_document(
    uri: str,
    request: Request,
    service: ServiceDependency,
    caller: Writer,
    model: str | None = None,
    allow: Annotated[list[str] | None, Query()] = None,
) -> UploadReceipt:
    """The same with the file itself as the body, up to `[service] upload_limit_mb`."""
    return await _upload(service, caller, UploadRequest(uri=uri or "/", model=model, allow=allow), await request.body())


@router.delete("/v1/documents/{uri:any}")
async def delete_document(
    uri: str, service: ServiceDependency, caller: Writer, model: str | None = None
) -> ChangeReceipt:
    """Delete a document, for every release, past and future, although its file may stay in the source.

    If it was uploaded, its file is removed.
    """
    return await _change(service, caller, model, uri, "deleted")


@router.post("/v1/documents/restore")
async def restore_document(body: RestoreRequest, service: ServiceDependency, caller: Writer) -> ChangeReceipt:
    """Undo a delete. Of an upload, releases that hold it show it again; its file is gone."""
    return await _change(service, caller, body.model, body.uri, "restored")


class _Known:
    """What a caller may know of the documents of a knowledge base."""

    def __init__(self, served: Served, caller: Caller, uploads: Uploads | None) -> None:
        self.served = served
        self.uploads = uploads
        self.live = {document.uri: document for document in served.documents(caller.principals)}
        self._principals = caller.principals
        self._writes = "write" in caller.scopes

    @classmethod
    async def of(cls, service: Service, caller: Caller, model: str | None) -> _Known:
        served = await service.serve(caller, model)
        return cls(served, caller, service.uploads_of(served.release.scope))

    @property
    def deleted(self) -> set[str]:
        """What was deleted, and was there for the caller to read then: releases may not hold it any more."""
        state = self.served.state
        return {uri for uri in state.deleted if self._principals.intersection(state.permitted.get(uri, ()))}

    def waiting(self) -> list[str]:
        """Uploads that the release does not hold, and that the caller, who may write, would be let read."""
        if self.uploads is None or not self._writes:
            return []
        held = self.served.release.documents
        return [
            uri
            for uri in self.uploads.uris()
            if uri not in held and len(with_members(uri, held)) == 1 and self.uploads.may_read(uri, self._principals)
        ]

    def upload(self, uri: str) -> Uploaded | None:
        """The upload of a document that the caller may know of."""
        if self.uploads is None or not self._writes:
            return None
        uploaded = self.uploads.find(uri)
        return uploaded if uploaded and self.uploads.may_read(uri, self._principals) else None

    def listed(self, uri: str) -> ListedDocument | None:
        """The document at `uri`; None if there is none that the caller may know of."""
        live, uploaded = self.live.get(uri), self.upload(uri)
        if live is None and (uploaded is None or uri in self.served.release.documents):
            return None
        reason = self.uploads.unreadable(uploaded) if self.uploads and uploaded else ""
        digest = live.content_digest if live else uploaded.digest if uploaded else ""
        status: DocumentStatus = "live" if live else "pending"
        if uri in self.served.state.deleted:
            status = "deleted"
        elif reason:
            status = "unreadable"
        elif live and uploaded and uploaded.digest != live.content_digest:
            status = "changed"
        elif live is None and len(with_members(uri, self.live)) > 1:
            status = "live"  # an archive, whose contents are
        allow = live.allow if live else self.uploads.readers(uri) if self.uploads else ()
        if not self._writes:
            # Who else may read it is for those to know who decide.
            allow = tuple(name for name in allow if name in self._principals)
        return ListedDocument(
            id=document_id(uri), uri=uri, content_digest=digest, allow=list(allow), status=status, reason=reason or None
        )


async def _upload(service: Service, caller: Caller, body: UploadRequest, data: bytes) -> UploadReceipt:
    known = await _Known.of(service, caller, body.model)
    uploads = known.uploads
    if uploads is None or uploads.largest_bytes == 0:
        raise PermissionDeniedError("This service takes no uploads: [service] upload_limit_mb is 0.")
    uri = uploads.uri(body.uri)
    if uri in known.served.state.deleted:
        message = "A document of this name was deleted, and a delete holds for every release."
        raise RefusedError(message, "Restore it first (POST /v1/documents/restore), or choose another name.")
    said: dict[str, object] = dict(body.metadata)
    if body.allow is not None:
        said["allow"] = checked_allow(body.allow)

    def store() -> Uploaded:
        held = uploads.find(uri)
        taken = uri in known.served.release.documents if held is None else known.listed(uri) is None
        if taken:
            # Either the operator's own, or one that the caller may not read, and so may not replace.
            raise RefusedError("This name cannot be uploaded to with this key.", "Choose another name.")
        return uploads.put(uri, data, said)

    # Done even if the caller hangs up.
    stored = await asyncio.shield(asyncio.to_thread(store))
    live = known.live.get(uri)
    status: Literal["pending", "live"] = "live" if live and live.content_digest == stored.digest else "pending"
    return UploadReceipt(
        id=document_id(uri), uri=uri, size_bytes=stored.size_bytes, content_digest=stored.digest, status=status
    )


async def _change(
    service: Service, caller: Caller, model: str | None, uri: str, what: Literal["deleted", "restored"]
) -> ChangeReceipt:
    known = await _Known.of(service, caller, model)
    served, uploads = known.served, known.uploads
    names = set(known.live)
    if what == "restored":
        names |= known.deleted
    if await asyncio.to_thread(known.upload, uri) or _is_deleted_upload(known, uri, caller):
        names.add(uri)
    # Of an archive, what is in it and the caller may read.
    uris = [name for name in with_members(uri, names) if name in names]
    if not uris:
        raise UnknownNameError("document", uri, names)
    journal, scope = service.knowledge_bases.journal, served.release.scope

    def make() -> tuple[Receipt, int]:
        if what == "restored":
            return restore_documents(journal, scope, uris), 0
        readers = {name: known.live[name].allow for name in uris if name in known.live}
        receipt = delete_documents(journal, scope, uris, readers)
        if uploads is not None:
            uploads.remove(uri)
        return receipt, service.copies_of(scope, uris)

    # Done even if the caller hangs up: a change is made once it has begun.
    receipt, copies = await asyncio.shield(asyncio.to_thread(make))
    return ChangeReceipt(
        object="document.deleted" if what == "deleted" else "document.restored",
        id=document_id(uri),
        uri=uri,
        deleted=what == "deleted",
        copies_left=copies,
        sequence=receipt.sequence,
        generation=receipt.generation,
        effective_at=receipt.effective_at,
        edge_effective_within_s=service.limits.edge_bound_s,
    )


def _is_deleted_upload(known: _Known, uri: str, caller: Caller) -> bool:
    """Whether it is a deleted document that no release may hold, and that the caller would be let read."""
    uploads = known.uploads
    gone = uri in known.served.state.deleted and uri not in known.served.release.documents
    return gone and uploads is not None and uploads.owns(uri) and uploads.may_read(uri, caller.principals)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("That is not base64.", param="content_base64") from None
