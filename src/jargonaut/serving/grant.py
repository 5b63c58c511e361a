"""`POST /internal/grant`: who a key is and what is live, for the edge. See `contract/README.md`."""

from __future__ import annotations

from fastapi import APIRouter

from jargonaut.serving.service import ServiceDependency
from jargonaut.serving.wire import Grant, GrantRequest
from jargonaut.state.keys import SCOPES

router = APIRouter()


@router.post("/internal/grant", include_in_schema=False)
async def grant(body: GrantRequest, service: ServiceDependency) -> Grant:
    """Resolve a key and a model. `boundary` has checked that the edge asks."""
    holder = await service.authenticator.holder(body.key_sha256, body.token)
    granted = Grant(
        tenant=holder.tenant,
        key_id=holder.key_id,
        scopes=[scope for scope in SCOPES if scope in holder.scopes],
        knowledge_base="",
        channel="",
        recipe="",
        release="",
        generation=0,
        principals=sorted(holder.principals),
    )
    if body.model is None:
        return granted
    served = await service.serve(holder, body.model)
    return granted.model_copy(
        update={
            "knowledge_base": served.release.scope.knowledge_base,
            "channel": served.channel,
            "recipe": served.recipe_id,
            "release": served.release_id,
            "generation": served.state.generation,
            "principals": sorted(served.audience(holder.principals)),
        }
    )
