from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import httpx
import pytest

from jargonaut.deployment import edge_settings
from jargonaut.deployment.edge import Edge
from jargonaut.deployment.edge_settings import EdgeSettings
from jargonaut.deployment.workerd_binary import find_workerd
from tests.edge.origin import SECRET, SECRET_ID, Origin, digest, running

LIVE = {"channel": "live", "recipe": "r1", "release": "rel1", "generation": 7}


@pytest.fixture(scope="session")
def workerd():
    return find_workerd()


@pytest.fixture(scope="session")
def served_origin() -> Iterator[Origin]:
    origin = Origin()
    with running(origin) as origin.url:
        yield origin


@pytest.fixture
def origin(served_origin) -> Origin:
    reader = {"scopes": ["read"], "tenant": "acme"}
    served_origin.reset(
        Origin(
            keys={
                digest("alice"): {**reader, "principals": ["public"]},
                digest("ann"): {**reader, "principals": ["public"]},
                digest("hr"): {**reader, "principals": ["group:hr", "public"]},
                digest("other"): {**reader, "tenant": "globex", "principals": ["public"]},
                digest("writer"): {**reader, "scopes": ["write"], "principals": ["public"]},
            },
            models={"handbook": dict(LIVE), "手册": dict(LIVE)},
        )
    )
    return served_origin


@pytest.fixture
def settings(origin) -> EdgeSettings:
    return EdgeSettings((edge_settings.Origin(origin.url),), SECRET_ID, SECRET, bound_s=0.2)


@pytest.fixture
def edge(settings, workerd) -> Iterator[Edge]:
    with Edge(settings, binary=workerd) as edge:
        yield edge


@pytest.fixture
def client(edge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=edge.url, timeout=20, headers={"authorization": "Bearer alice"}) as client:
        yield client


def asked_by(path, question):
    """The part of a body that holds the question."""
    return {
        "/v1/search": {"query": question},
        "/v1/rerank": {"query": question, "documents": ["a", "b"]},
        "/v1/embeddings": {"input": question},
    }.get(path, {"messages": [{"role": "user", "content": question}]})


@pytest.fixture
def edge_with(settings, workerd):
    """Run an edge with other settings; a client that asks it."""

    @contextlib.contextmanager
    def run(**changes):
        with (
            Edge(dataclasses.replace(settings, **changes), binary=workerd) as edge,
            httpx.Client(base_url=edge.url, timeout=20, headers={"authorization": "Bearer alice"}) as client,
        ):
            yield client

    return run


@pytest.fixture
def question():
    """A request with a question, as `client.post(**question(...))` takes it."""

    def question(text="what is a frobnicator?", key="alice", path="/v1/chat/completions", headers=None, **body):
        headers = {"authorization": f"Bearer {key}"} | (headers or {})
        return {"url": path, "json": {"model": "handbook"} | asked_by(path, text) | body, "headers": headers}

    return question


@pytest.fixture
def ask(client):
    """Ask a question; what is given replaces parts of the body, `key` and `headers` those of the request."""

    def ask(question="what is a frobnicator?", key="alice", headers=None, path="/v1/chat/completions", **body):
        asked = asked_by(path, question)
        headers = {"authorization": f"Bearer {key}"} | (headers or {})
        return client.post(path, json={"model": "handbook"} | asked | body, headers=headers)

    return ask
