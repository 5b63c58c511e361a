"""Servers that die while they are needed. Each test has servers of its own."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from jargonaut.core.errors import UnavailableError
from jargonaut.index import lucene_bulk
from jargonaut.index.lucene_server import Access
from jargonaut.index.opensearch import OpenSearchServer
from tests.contracts.index import KEY, document, search, unit
from tests.index.lucene import Place
from tests.servers.artifacts import NotHereError
from tests.servers.running import Server, start_elasticsearch, start_opensearch_cluster


def test_a_restart_during_a_build_and_a_server_that_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(lucene_bulk, "PATIENCE_S", 240)  # a loaded machine starts Java slowly
    try:
        running = start_elasticsearch()
    except NotHereError as error:
        pytest.skip(str(error))
    try:
        place = Place(running.server, tmp_path)
        writer = place.new_writer(KEY)
        writer.replace([document("first.md", ["x"])])
        first = writer.snapshot()
        reader = place.open_reader(first)
        written, restarted = [], threading.Event()

        def build():
            while not restarted.is_set() or len(written) < 60:
                writer.replace([document(f"{len(written)}.md", ["x", "y", "z"])])
                written.append(len(written))

        # The server is tied to the thread that starts it, so it is this one that does.
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(build)
            while len(written) < 10 and not building.done():
                time.sleep(0.01)
            running.kill(signal.SIGKILL)
            try:
                running = running.again()
            finally:
                restarted.set()
            building.result()
        assert len(search(reader, unit(1)).chunk_ids) == 1
        second = writer.snapshot()
        assert writer.chunk_count() == 3 * len(written) + 1
        served = place.open_reader(second)
        assert len(search(served, unit(1), limit=10).chunk_ids) == 10

        running.kill(signal.SIGKILL)
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="cannot be reached"):
            search(served, unit(1), "x")
        assert time.monotonic() - started < 2
    finally:
        running.stop()


def test_one_of_three_nodes_is_lost_and_then_a_shard(tmp_path):
    try:
        nodes = start_opensearch_cluster(3)
    except NotHereError as error:
        pytest.skip(str(error))
    try:
        client = OpenSearchServer(Access(tuple(node.server.url for node in nodes)))
        safe = Place(nodes[0].server, tmp_path / "safe", client, shards=2, replicas=1)
        bare = Place(nodes[0].server, tmp_path / "bare", client, shards=3, replicas=0)
        readers = {}
        for place in (safe, bare):
            writer = place.new_writer(KEY)
            writer.replace([document(f"{n}.md", [f"word{n}"]) for n in range(30)])
            readers[place] = place.open_reader(writer.snapshot())
        nodes[0].server.request("GET", f"/_cluster/health/{safe.options.prefix}-*?wait_for_status=green&timeout=60s")
        before = search(readers[safe], unit(1, 2), "word7")

        nodes[2].kill(signal.SIGKILL)
        for _ in range(6):  # whichever node is asked
            after = search(readers[safe], unit(1, 2), "word7")
            assert set(after.chunk_ids) == set(before.chunk_ids)
            assert np.allclose(np.sort(after.cosine), np.sort(before.cosine), atol=1e-6)
        nodes[0].server.request("GET", "/_cluster/health?wait_for_nodes=2&timeout=60s")
        with pytest.raises(UnavailableError):  # red: never what the shards say that happen to be there
            search(readers[bare], unit(1, 2), "word7")
        writer = safe.new_writer(KEY)
        writer.replace([document("more.md", ["new"])])
        assert len(search(safe.open_reader(writer.snapshot()), text="new").chunk_ids) == 1
    finally:
        for node in nodes:
            node.stop()


def test_a_server_that_was_never_there():
    client = OpenSearchServer(Access((Server("opensearch", "http://localhost:1").url,)))
    with pytest.raises(UnavailableError, match=r"Check \[index\] urls"):
        client.send("GET", "/_cluster/health")
