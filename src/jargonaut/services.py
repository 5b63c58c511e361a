"""The service over all knowledge bases of a workspace, and the generators that recipes name."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from jargonaut.core.errors import SettingsError, UnknownNameError
from jargonaut.settings import Settings
from jargonaut.wiring import Workspace

if TYPE_CHECKING:
    from fastapi import FastAPI

    from jargonaut.answering.loaded_release import LoadedRelease
    from jargonaut.generation.port import Generator
    from jargonaut.serving.service import Service

EDGE_SECRET_ID = "edge-1"
"""Names the secret that service and edge share."""


def generator_of(release: LoadedRelease) -> Generator:
    """The generator that a release's recipe names."""
    from jargonaut.generation.extractive import NAME, ExtractiveGenerator

    if release.recipe.generator != NAME:
        raise UnknownNameError("generator", release.recipe.generator, [NAME])
    encoder = release.query_encoder
    return ExtractiveGenerator(None if encoder is None else lambda texts: encoder.encode_queries(texts))


def signing_secret(settings: Settings) -> str:
    """What the edge signs with: from the environment if the settings name a variable, else new.

    Raises:
        SettingsError: The variable is not set.
    """
    variable = settings.edge.secret_env
    if not variable:
        return secrets.token_hex(32)
    secret = os.environ.get(variable, "")
    if not secret:
        raise SettingsError(
            f"The environment variable {variable}, which [edge] secret_env names, is not set.",
            "Set it to a long random text, the same that the edge has; or leave secret_env empty.",
        )
    return secret


def create_service(workspace: Workspace, edge_secret: str) -> FastAPI:
    """The HTTP service over all knowledge bases of a workspace."""
    from jargonaut.serving.app import create_app

    if workspace.settings.service.upload_limit_mb:
        for base in workspace.knowledge_bases.values():
            base.uploads_folder.mkdir(parents=True, exist_ok=True)  # there, so that it is watched
    return create_app(service_of(workspace, edge_secret))


def service_of(workspace: Workspace, edge_secret: str | None) -> Service:
    """What serves all knowledge bases of a workspace; without a secret, to no edge."""
    from jargonaut.serving.authentication import Authenticator
    from jargonaut.serving.edge_signature import Verifier
    from jargonaut.serving.knowledge_bases import ServedKnowledgeBases
    from jargonaut.serving.service import Limits, Service

    settings, bases = workspace.settings, workspace.knowledge_bases
    served = ServedKnowledgeBases(
        workspace.journal, bases, lambda scope, release_id: bases[scope].load_release(release_id)
    )
    verifier = Verifier({EDGE_SECRET_ID: edge_secret.encode()}) if edge_secret is not None else None
    return Service(
        served,
        Authenticator(workspace.keys, verifier, open_tenant=workspace.open_tenant),
        generator_of,
        Limits(
            body_bytes=settings.service.body_limit_kb << 10,
            upload_bytes=settings.service.upload_limit_mb << 20,
            deadline_s=settings.service.deadline_s,
            edge_bound_s=settings.edge.bound_s,
        ),
        policy_of=lambda scope: bases[scope].answer_policy,
        document_encoder_of=lambda release: bases[release.scope].document_encoder(release),
        uploads_of=lambda scope: bases[scope].uploads,
    )
