"""OpenSearch 2 and 3, through its own client."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import opensearchpy
from opensearchpy import exceptions

from jargonaut.core.errors import UnavailableError
from jargonaut.index.lucene_query import ROW_NUMBERS
from jargonaut.index.lucene_server import (
    Access,
    Body,
    ServerAnswerError,
    VectorOption,
    checked_urls,
    checked_version,
    error_from,
    timeout_error,
    unreachable,
    version_of,
    wrong_product,
)
from jargonaut.index.port import Vector

OLDEST = (2, 17)
"""The first version whose Lucene engine takes `ef_search` and quantised vectors."""
_CONNECTIONS = 32


class OpenSearchServer:
    """A `LuceneServer`."""

    engine = "opensearch"

    def __init__(self, access: Access, vector_option: VectorOption = "float") -> None:
        self._urls = checked_urls(access.urls)
        self._access = access
        self._option: VectorOption = vector_option
        self._version: tuple[int, int] | None = None

    @property
    def where(self) -> str:
        """See `LuceneServer.where`."""
        return f"OpenSearch at {', '.join(self._urls)}"

    @property
    def vector_option(self) -> VectorOption:
        """See `LuceneServer.vector_option`."""
        return self._option

    def send(self, method: str, path: str, body: Body | bytes | None = None, *, timeout_s: float = 60) -> Any:
        """See `LuceneServer.send`."""
        self._check(timeout_s)
        return self._perform(method, path, body, timeout_s)

    @property
    def similarity(self) -> str:
        """See `LuceneServer.similarity`."""
        return "LegacyBM25" if self._check(30) >= (3, 0) else "BM25"

    def index_settings(self) -> Body:
        """See `LuceneServer.index_settings`."""
        return {"knn": True}

    def vector_field(self, dimensions: int) -> Body:
        """See `LuceneServer.vector_field`."""
        return vector_field(dimensions, self._option)

    def nearest(self, vector: Vector, limit: int, candidates: int, where: Body) -> Body:
        """See `LuceneServer.nearest`."""
        return nearest(vector, limit, candidates, where)

    @cached_property
    def _client(self) -> opensearchpy.OpenSearch:
        access = self._access
        hosts = []
        for url in self._urls:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            hosts.append(
                {"host": parts.hostname, "port": port, "use_ssl": parts.scheme == "https", "url_prefix": parts.path}
            )
        return opensearchpy.OpenSearch(
            hosts,
            http_auth=(access.user, access.password) if access.user else None,
            headers={"Authorization": f"ApiKey {access.api_key}"} if access.api_key else None,
            ca_certs=access.ca_file or None,
            pool_maxsize=_CONNECTIONS,
            max_retries=max(len(self._urls) - 1, 0),  # another node, not the same again
            retry_on_status=(),
        )

    def _check(self, timeout_s: float) -> tuple[int, int]:
        """Once: is it what we can speak to; its version."""
        if self._version is None:
            try:
                version = self._perform("GET", "/", None, timeout_s).get("version", {})
            except ServerAnswerError as error:
                if error.status in (404, 405):
                    raise wrong_product(self.where, "OpenSearch", "") from error
                raise
            if version.get("distribution") != "opensearch":
                raise wrong_product(self.where, "OpenSearch", "Elasticsearch" if "lucene_version" in version else "")
            numbers = version_of(version["number"])
            checked_version(self.where, "OpenSearch", numbers, OLDEST)
            self._version = numbers
        return self._version

    def _perform(self, method: str, path: str, body: Body | bytes | None, timeout_s: float) -> Any:
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        data = json.dumps(body, ensure_ascii=False).encode() if isinstance(body, dict) else body
        try:
            return self._client.transport.perform_request(
                method, path, params={"request_timeout": timeout_s}, body=data, headers={"content-type": kind}
            )
        except exceptions.ConnectionTimeout as error:
            raise timeout_error(self.where, timeout_s) from error
        except exceptions.ConnectionError as error:
            raise unreachable(self.where, str(error.info)) from error
        except exceptions.TransportError as error:
            raise error_from(self.where, int(error.status_code), error.info) from error
        except (exceptions.OpenSearchException, ValueError, OSError) as error:
            raise UnavailableError(f"{self.where} cannot be used: {error}", "Check [index].") from error


def vector_field(dimensions: int, option: VectorOption) -> dict[str, Any]:
    """Mapping of `vector`: by the Lucene engine, whose filter is part of the search."""
    method: dict[str, Any] = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    if option == "int8":
        method["parameters"] = {"encoder": {"name": "sq"}}
    return {"type": "knn_vector", "dimension": dimensions, "method": method}


def nearest(vector: Vector, limit: int, candidates: int, where: Body) -> dict[str, Any]:
    """Body of a search for the nearest rows among those that match `where`.

    Lucene looks at `k` vectors here, and compares all if no more than `k` match.
    """
    clause = {"vector": vector.tolist(), "k": candidates, "filter": where}
    return {"size": limit, "query": {"knn": {"vector": clause}}, **ROW_NUMBERS}
