"""The service over all knowledge bases of a workspace, and the generators that recipes name."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from jargonaut.core.errors import SettingsError, UnavailableError
from jargonaut.core.scope import Scope
from jargonaut.settings import Settings
from jargonaut.wiring import KnowledgeBase, Workspace

if TYPE_CHECKING:
    from fastapi import FastAPI

    from jargonaut.answering.loaded_release import LoadedRelease
    from jargonaut.generation.chat_endpoint import ChatEndpoint
    from jargonaut.generation.ledger import TokenLedger
    from jargonaut.generation.openai_compatible import OpenAiCompatibleGenerator
    from jargonaut.generation.port import Generator
    from jargonaut.serving.service import Service
    from jargonaut.settings_generator import EndpointSettings


class Generators:
    """The generators that the recipes of a workspace name, each made once: it holds connections and counts requests."""

    def __init__(self, workspace: Workspace, ledger: TokenLedger | None = None) -> None:
        self._workspace = workspace
        self._made: dict[tuple[Scope, str, str], OpenAiCompatibleGenerator] = {}
        self._ledger = ledger

    def of(self, release: LoadedRelease) -> Generator:
        """The generator of a release.

        Raises:
            UnavailableError: Its recipe names a model that the settings do not, or a key is not set.
        """
        from jargonaut.generation.extractive import NAME, ExtractiveGenerator

        recipe, encoder = release.recipe, release.query_encoder
        quoting = ExtractiveGenerator(None if encoder is None else lambda texts: encoder.encode_queries(texts))
        if recipe.generator == NAME:
            return quoting
        key = (release.scope, recipe.generator, recipe.prompt)
        if key not in self._made:
            self._made[key] = self._of_models(release, quoting)
        return self._made[key]

    async def close(self) -> None:
        """Let go of connections."""
        for generator in self._made.values():
            await generator.close()

    def _of_models(self, release: LoadedRelease, quoting: Generator) -> OpenAiCompatibleGenerator:
        from jargonaut.generation.ledger import TokenLedger
        from jargonaut.generation.openai_compatible import GenerationLimits, OpenAiCompatibleGenerator, models_of

        settings = self._workspace.knowledge_bases[release.scope].settings.generator
        models, falls_back = models_of(release.recipe.generator)
        endpoints = {endpoint.model: endpoint for endpoint in settings.endpoints}
        unknown = [model for model in models if model not in endpoints]
        if unknown or not models:
            missing = ", ".join(f"`{model}`" for model in unknown) or "that"
            raise UnavailableError(
                f"Release {release.release_id[:12]} answers by `{release.recipe.generator}`, and [generator] "
                f"does not say where {missing} is.",
                "Name an endpoint for it there, or promote another release.",
            )
        return OpenAiCompatibleGenerator(
            [_endpoint(endpoints[model]) for model in models],
            GenerationLimits(settings.context_tokens, settings.answer_tokens, settings.attempts, settings.concurrency),
            self._ledger or TokenLedger(),
            instructions=release.recipe.prompt.partition("\n")[2],
            fallback=quoting if falls_back else None,
        )


NO_PROMPT = "none"
"""The extractive generator has no prompt."""


def wanted_generator(base: KnowledgeBase) -> str:
    """How a recipe names the generator of the settings."""
    from jargonaut.generation.extractive import NAME
    from jargonaut.generation.openai_compatible import recipe_name

    settings = base.settings.generator
    if not settings.endpoints:
        return NAME
    return recipe_name([endpoint.model for endpoint in settings.endpoints], settings.fallback == "extractive")


def wanted_prompt(base: KnowledgeBase) -> str:
    """How a recipe names the prompt of the settings."""
    from jargonaut.generation.prompt import recipe_prompt

    settings = base.settings.generator
    return recipe_prompt(settings.instructions) if settings.endpoints else NO_PROMPT


def _endpoint(settings: EndpointSettings) -> ChatEndpoint:
    from jargonaut.generation.chat_endpoint import ChatEndpoint

    variable = settings.api_key_env
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise UnavailableError(
            f"The environment variable {variable}, which [generator] names for `{settings.model}`, is not set.",
            "Set it and start again.",
        )
    return ChatEndpoint(
        settings.url,
        settings.model,
        key,
        settings.authorization,
        first_byte_s=settings.first_byte_s,
        stall_s=settings.stall_s,
    )


def signing_secret(settings: Settings) -> str:
    """What the edge signs with: from the environment if the settings name a variable, else new.

    Raises:
        SettingsError: The variable is not set.
    """
    return _secret_in(settings.edge.secret_env, "secret_env") or secrets.token_hex(32)


def _secret_in(variable: str, key: str) -> str:
    secret = os.environ.get(variable, "") if variable else ""
    if variable and not secret:
        raise SettingsError(
            f"The environment variable {variable}, which [edge] {key} names, is not set.",
            f"Set it to a long random text, the same that the edge has; or leave {key} empty.",
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
    from jargonaut.deployment.edge_settings import secret_id
    from jargonaut.generation.ledger import TokenLedger
    from jargonaut.serving.authentication import Authenticator
    from jargonaut.serving.edge_signature import Verifier
    from jargonaut.serving.knowledge_bases import ServedKnowledgeBases
    from jargonaut.serving.metrics import Metrics
    from jargonaut.serving.service import Limits, Service
    from jargonaut.serving.tokens import TokenVerifier
    from jargonaut.serving.tracing import NoTracing, OpenTelemetryTracing
    from jargonaut.sources import uploads_of

    settings, bases = workspace.settings, workspace.knowledge_bases
    served = ServedKnowledgeBases(
        workspace.journal, bases, lambda scope, release_id: bases[scope].load_release(release_id)
    )
    verifier = None
    if edge_secret is not None:
        # Two count while one replaces the other.
        accepted = filter(None, (edge_secret, _secret_in(settings.edge.previous_secret_env, "previous_secret_env")))
        verifier = Verifier({secret_id(secret): secret.encode() for secret in accepted})
    rules = settings.tokens.rules
    tokens = TokenVerifier(rules, workspace.tenants) if rules else None
    uploads = {scope: uploads_of(base) for scope, base in bases.items()}
    metrics = Metrics()
    generators = Generators(workspace, TokenLedger(metrics.attempt, metrics.tokens))
    return Service(
        served,
        Authenticator(workspace.keys, verifier, tokens, open_tenant=workspace.open_tenant),
        generators.of,
        Limits(
            body_bytes=settings.service.body_limit_kb << 10,
            upload_bytes=settings.service.upload_limit_mb << 20,
            deadline_s=settings.service.deadline_s,
            edge_bound_s=settings.edge.effective_within_s,
        ),
        document_encoder_of=lambda release: bases[release.scope].document_encoder(release),
        uploads_of=lambda scope: uploads[scope],
        copies_of=lambda scope, uris: bases[scope].copies_of(uris),
        metrics=metrics,
        tracing=OpenTelemetryTracing(settings.service.traces_to) if settings.service.traces_to else NoTracing(),
        close_generators=generators.close,
    )
