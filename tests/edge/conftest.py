from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from jargonaut.deployment.edge import Edge
from jargonaut.deployment.workerd_binary import find_workerd
from jargonaut.deployment.workerd_config import EdgeSettings
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
    return EdgeSettings(origin.url, SECRET_ID, SECRET, bound_s=0.2)


@pytest.fixture
def edge(settings, workerd) -> Iterator[Edge]:
    with Edge(settings, binary=workerd) as edge:
        yield edge


@pytest.fixture
def client(edge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=edge.url, timeout=20, headers={"authorization": "Bearer alice"}) as client:
        yield client


@pytest.fixture
def ask(client):
    """Ask a question; what is given replaces parts of the body, `key` and `headers` those of the request."""

    def ask(question="what is a frobnicator?", key="alice", headers=None, path="/v1/chat/completions", **body):
        asked = {"query": question} if path == "/v1/search" else {"messages": [{"role": "user", "content": question}]}
        headers = {"authorization": f"Bearer {key}"} | (headers or {})
        return client.post(path, json={"model": "handbook"} | asked | body, headers=headers)

    return ask
