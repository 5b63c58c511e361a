"""`[generator]`: which models write answers, and how they are asked."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, Strict, field_validator

from jargonaut.settings_file import Table
from jargonaut.settings_values import Variable

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


class EndpointSettings(Table):
    """An OpenAI-compatible endpoint: PAI-EAS, vLLM, DashScope, Ollama, llama.cpp and the like."""

    url: str = Field(examples=["http://127.0.0.1:8000/v1"])
    """Up to and with `/v1`, or what stands in its place. Questions and passages of documents are sent there."""
    model: str = Field(min_length=1, max_length=200, examples=["qwen3-8b"])
    """As the endpoint calls it. The names of the models, in order, are part of a recipe."""
    api_key_env: Variable = ""
    """Environment variable with the key. Empty: no key is sent."""
    authorization: Literal["bearer", "token"] = "bearer"
    """How the key is sent: "bearer", or as the whole header, as PAI-EAS wants its token."""
    first_byte_s: float = Field(20, gt=0, le=600)
    """Most seconds until an answer begins."""
    stall_s: float = Field(20, gt=0, le=600)
    """Most seconds between two parts of an answer."""

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not _URL.fullmatch(value):
            raise ValueError("must be a URL like https://host/v1, without user, query and fragment.")
        return value


class GeneratorSettings(Table):
    """What writes answers. Without endpoints, the built-in generator quotes."""

    fallback: Literal["extractive", "none"] = "extractive"
    """What happens if none does: the answer is quoted, or the request fails."""
    instructions: str = Field("", max_length=4000)
    """Put behind our own instructions to the model: tone, length, terms. Part of the recipe."""
    context_tokens: int = Field(6000, ge=500, le=200_000)
    """Most tokens of a prompt, documents included."""
    answer_tokens: int = Field(700, ge=50, le=8000)
    """Most tokens of an answer."""
    attempts: int = Field(3, ge=1, le=10)
    """At one endpoint, before the next is asked."""
    concurrency: int = Field(8, ge=1, le=1000)
    """Requests to models at once, of one process; further ones wait."""
    endpoints: Annotated[tuple[EndpointSettings, ...], Strict(False)] = ()
    """Models in the order in which they are asked, until one begins to answer."""
