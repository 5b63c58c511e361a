"""`[index]` of `jargonaut.toml`: which engine keeps the chunks, where it is, and who we are there."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jargonaut.core.errors import SettingsError
from jargonaut.index.lucene_server import Access, checked_urls
from jargonaut.index.lucene_table import IndexOptions
from jargonaut.settings_file import LocalFile, Table, Texts

EngineName = Literal["lance", "elasticsearch", "opensearch"]
_VARIABLE_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}", re.ASCII)


def _variable(value: str) -> str:
    if not _VARIABLE_NAME.fullmatch(value):
        raise ValueError("must be the name of an environment variable, not the secret itself.")
    return value


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValueError("must be lower-case letters, digits, `_` and `-`, as in the name of an index.")
    return value


def _addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return checked_urls(values)
    except SettingsError as error:
        raise ValueError(f"{error.message} {error.hint}") from None


Variable = Annotated[str, AfterValidator(_variable)]


class IndexSettings(Table):
    """Where the index lies. Nothing of it changes an answer, and nothing of it enters a release."""

    engine: EngineName = "lance"
    """"lance": in a folder of this machine. "elasticsearch" (8.12 or newer), "opensearch" (2.17 or newer): a server."""
    urls: Annotated[Texts, AfterValidator(_addresses)] = ()
    """Addresses of a server, or of several nodes of one cluster, like "https://search.example:9200"."""
    user: str = ""
    """Name at the server; empty if it asks for none."""
    password_env: Variable = ""
    """Environment variable with the password of `user`."""
    api_key_env: Variable = ""
    """Environment variable with an API key, instead of `user`."""
    ca_file: LocalFile = ""
    """Certificate of the authority that signed the server's, if it is a private one (PEM)."""
    vectors: Literal["float", "int8", "bbq"] = "float"
    """How a new table keeps vectors for the search; cosine is exact with each. "bbq" needs Elasticsearch 8.18."""
    prefix: Annotated[str, AfterValidator(_prefix)] = "jargonaut"
    """Begins the name of every index and alias on the server."""
    shards: int = Field(1, ge=1, le=1024)
    """Shards of a new table. A million chunks fit into one."""
    replicas: int = Field(1, ge=0, le=16)
    """Copies of every shard, besides the first."""

    @model_validator(mode="after")
    def _fits_the_engine(self) -> Self:
        if self.engine != "lance" and not self.urls:
            raise ValueError(f'engine = "{self.engine}" needs `urls`, like ["https://search.example:9200"].')
        if self.engine == "opensearch" and self.vectors == "bbq":
            raise ValueError('OpenSearch has vectors = "float" and "int8".')
        if bool(self.user) != bool(self.password_env):
            raise ValueError("`user` and `password_env` belong together.")
        return self

    @property
    def access(self) -> Access:
        """Where the server is and who we are there, secrets read from the environment.

        Raises:
            SettingsError: A variable that should hold a secret is not set.
        """
        return Access(self.urls, self.user, _secret(self.password_env), _secret(self.api_key_env), self.ca_file)

    @property
    def options(self) -> IndexOptions:
        """How tables lie on the server."""
        return IndexOptions(self.prefix, self.shards, self.replicas)


def _secret(variable: str) -> str:
    if variable and not os.environ.get(variable):
        raise SettingsError(
            f"The environment variable {variable}, named in [index], is not set.", f"Set it: export {variable}=..."
        )
    return os.environ[variable] if variable else ""
