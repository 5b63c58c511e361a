"""`/v1/models`, `/healthz`, `/readyz`, `/metrics`: what can be asked, whether, and how it goes."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from jargonaut.core.errors import UnknownNameError
from jargonaut.serving.errors import error_body
from jargonaut.serving.metrics import CONTENT_TYPE
from jargonaut.serving.service import Admin, Reader, ServiceDependency
from jargonaut.serving.wire import Model, ModelList
from jargonaut.state.knowledge_base import ChannelPointer

router = APIRouter()


@router.get("/v1/models")
async def list_models(service: ServiceDependency, caller: Reader) -> ModelList:
    """The knowledge bases of the caller's tenant, and their canaries."""
    channels = await service.knowledge_bases.channels(caller.tenant)
    return ModelList(data=[_model(name, pointer, caller.tenant) for name, pointer in channels.items()])


@router.get("/v1/models/{name}")
async def get_model(name: str, service: ServiceDependency, caller: Reader) -> Model:
    """One of them."""
    channels = await service.knowledge_bases.channels(caller.tenant)
    if name not in channels:
        raise UnknownNameError("model", name, channels)
    return _model(name, channels[name], caller.tenant)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz", response_model=dict[str, str])
async def readyz(service: ServiceDependency) -> Response:
    """Whether every knowledge base has its live release loaded; if not, which have not, and why."""
    missing = await service.knowledge_bases.missing()
    if not missing:
        return JSONResponse({"status": "ready"})
    message = "; ".join(f"{path}: {reason}" for path, reason in missing.items())
    body = error_body(503, f"Not ready: {message}.", "not_ready")
    return JSONResponse({**body, "missing": missing}, 503, {"retry-after": "1"})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(service: ServiceDependency, caller: Admin) -> Response:
    """Figures of this process, for Prometheus."""
    bases = service.knowledge_bases
    live = [
        (tenant, model, pointer)
        for tenant in sorted({scope.tenant for scope in bases.scopes})
        for model, pointer in (await bases.channels(tenant)).items()
    ]
    return Response(service.metrics.text(live), media_type=CONTENT_TYPE)


def _model(name: str, pointer: ChannelPointer, owner: str) -> Model:
    return Model(
        id=name,
        created=int(datetime.fromisoformat(pointer.at).timestamp()),
        owned_by=owner,
        release=pointer.release,
        recipe=pointer.recipe,
        verdict=pointer.verdict,
    )
