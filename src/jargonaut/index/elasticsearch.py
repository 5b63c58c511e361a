"""Elasticsearch 8, through its own client."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import elasticsearch

from jargonaut.core.errors import UnavailableError
from jargonaut.index.lucene_query import ROW_NUMBERS
from jargonaut.index.lucene_server import (
    Access,
    Body,
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

OLDEST = (8, 12)
"""The first version with quantised vectors."""
_JSON = "application/vnd.elasticsearch+json;compatible-with=8"
_LINES = "application/vnd.elasticsearch+x-ndjson;compatible-with=8"
_INDEX_TYPES = {"float": "hnsw", "int8": "int8_hnsw", "bbq": "bbq_hnsw"}
_CONNECTIONS = 32


class ElasticsearchServer:
    """A `LuceneServer`."""

    engine = "elasticsearch"

    def __init__(self, access: Access, vector_option: VectorOption = "float") -> None:
        self._urls = checked_urls(access.urls)
        self._access = access
        self._option: VectorOption = vector_option
        self._is_checked = False

    @property
    def where(self) -> str:
        """See `LuceneServer.where`."""
        return f"Elasticsearch at {', '.join(self._urls)}"

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
        return "BM25"

    def index_settings(self) -> Body:
        """See `LuceneServer.index_settings`."""
        return {}

    def vector_field(self, dimensions: int) -> Body:
        """See `LuceneServer.vector_field`."""
        return vector_field(dimensions, self._option)

    def nearest(self, vector: Vector, limit: int, candidates: int, where: Body) -> Body:
        """See `LuceneServer.nearest`."""
        return nearest(vector, limit, candidates, where)

    @cached_property
    def _client(self) -> elasticsearch.Elasticsearch:
        access = self._access
        login: dict[str, Any] = {}
        if access.api_key:
            login["api_key"] = access.api_key
        elif access.user:
            login["basic_auth"] = (access.user, access.password)
        return elasticsearch.Elasticsearch(
            list(self._urls),
            ca_certs=access.ca_file or None,
            connections_per_node=_CONNECTIONS,
            max_retries=max(len(self._urls) - 1, 0),  # another node, not the same again
            retry_on_timeout=False,
            **login,
        )

    def _check(self, timeout_s: float) -> None:
        """Once: is it what we can speak to. Not by `GET /`: that needs a privilege, and not every server has it."""
        if not self._is_checked:
            found = self._perform("GET", "/_nodes/_all/none?filter_path=nodes.*.version", None, timeout_s)
            for node in found.get("nodes", {}).values():
                checked_version(self.where, "Elasticsearch", version_of(node["version"]), OLDEST)
            self._is_checked = True

    def _perform(self, method: str, path: str, body: Body | bytes | None, timeout_s: float) -> Any:
        lines = isinstance(body, bytes)
        headers = {"accept": _JSON} | ({"content-type": _LINES if lines else _JSON} if body is not None else {})
        try:
            answer = self._client.options(request_timeout=timeout_s).perform_request(
                method, path, headers=headers, body=[body] if lines else body
            )
        except elasticsearch.UnsupportedProductError as error:
            raise wrong_product(self.where, "Elasticsearch", "") from error
        except elasticsearch.ApiError as error:
            raise error_from(self.where, error.status_code, error.body) from error
        except elasticsearch.ConnectionTimeout as error:
            raise timeout_error(self.where, timeout_s) from error
        except elasticsearch.TransportError as error:
            raise unreachable(self.where, _reason(error)) from error
        except (ValueError, OSError) as error:
            raise UnavailableError(f"{self.where} cannot be used: {error}", "Check [index].") from error
        return answer.body


def vector_field(dimensions: int, option: VectorOption) -> dict[str, Any]:
    """Mapping of `vector`."""
    return {
        "type": "dense_vector",
        "dims": dimensions,
        "index": True,
        "similarity": "cosine",
        "index_options": {"type": _INDEX_TYPES[option]},
    }


def nearest(vector: Vector, limit: int, candidates: int, where: Body) -> dict[str, Any]:
    """Body of a search for the nearest rows among those that match `where`."""
    clause = {
        "field": "vector",
        "query_vector": vector.tolist(),
        "k": min(limit, candidates),
        "num_candidates": candidates,
        "filter": where,
    }
    return {"size": limit, "knn": clause, **ROW_NUMBERS}


def _reason(error: elasticsearch.TransportError) -> str:
    causes = [str(error.message), *(str(cause) for cause in error.errors)]
    return next((cause for cause in causes if "certificate" in cause.lower()), causes[0])
