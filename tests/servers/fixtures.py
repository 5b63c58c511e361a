"""One server of each kind for a whole test session, shared by the processes of pytest-xdist."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from tests.servers.artifacts import CACHE, NotHereError
from tests.servers.running import Running, Server, start_elasticsearch, start_opensearch

STARTERS: Mapping[str, Callable[[], Running]] = {
    "elasticsearch": start_elasticsearch,
    "elasticsearch-secured": partial(start_elasticsearch, secured=True),
    "opensearch": start_opensearch,
}


@pytest.fixture(scope="session")
def elasticsearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without security."""
    with shared_server("elasticsearch", tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def secured_elasticsearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With TLS by a private authority, and a password."""
    with shared_server("elasticsearch-secured", tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With k-NN."""
    with shared_server("opensearch", tmp_path_factory) as server:
        yield server


@contextmanager
def shared_server(name: str, factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server `name`: that of `make servers` if it runs; else whoever is first starts one, and stops it last."""
    lasting = CACHE / f"{name}.json"
    if lasting.is_file() and (server := Server(**json.loads(lasting.read_text()))).is_there:
        yield server
        return
    folder = factory.getbasetemp()
    folder = folder.parent if folder.name.startswith("popen-") else folder
    state = folder / f"{name}.json"
    with _locked(folder / f"{name}.start") as start, _locked(folder / f"{name}.users", None) as users:
        running = None
        if not state.is_file():
            try:
                running = STARTERS[name]()
            except NotHereError as error:
                pytest.skip(str(error))
            state.write_text(running.server.to_json())
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_UN)
        try:
            yield Server(**json.loads(state.read_text()))
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if running is not None:
                fcntl.flock(start, fcntl.LOCK_EX)
                fcntl.flock(users, fcntl.LOCK_EX)
                state.unlink()
                running.stop()


@contextmanager
def _locked(path: Path, how: int | None = fcntl.LOCK_EX) -> Iterator[IO[str]]:
    with path.open("w") as file:
        if how is not None:
            fcntl.flock(file, how)
        yield file
