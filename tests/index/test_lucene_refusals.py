"""What servers refuse, and what we refuse of servers: each a clear error, and nothing half-visible."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import (
    DeadlineError,
    InputError,
    IntegrityError,
    JargonautError,
    SettingsError,
    SpaceMismatchError,
    UnavailableError,
)
from jargonaut.index.lucene_bulk import send_lines
from jargonaut.index.lucene_rows import Line, index_lines
from jargonaut.index.port import SearchQuery, TableKey, Visibility
from jargonaut.index.rows import table_name
from tests.contracts.index import DIMENSIONS, KEY, document, search, unit
from tests.index.lucene import CLIENTS, Place, connect
from tests.index.vendor_server import VendorServer
from tests.servers.running import Server


@pytest.fixture(params=["elasticsearch_server", "opensearch_server"])
def place(request, tmp_path):
    place = Place(request.getfixturevalue(request.param), tmp_path)
    yield place
    place.clear()


def head_of(place):
    (head,) = (name for name, aliases in place.indices().items() if not aliases)
    return head


def test_an_index_where_our_alias_goes(place):
    name = f"{place.options.prefix}-{table_name(KEY)}"
    place.server.request("PUT", f"/{name}", {})
    with pytest.raises(UnavailableError, match="where the alias of the newest revision goes"):
        place.new_writer(KEY)
    assert set(place.indices()) == {name}


def test_an_index_that_is_not_ours(place):
    place.server.request("PUT", f"/{place.options.prefix}-{table_name(KEY)}-1", {})
    with pytest.raises(IntegrityError, match="was not written by Jargonaut"):
        place.new_writer(KEY)


def test_an_index_of_another_space_with_the_same_width(place):
    other = TableKey(KEY.tenant, KEY.knowledge_base, "space-b", DIMENSIONS, KEY.chunker, KEY.analysis)
    place.new_writer(other).snapshot()
    (name,) = place.indices()
    stamp = place.server.request("GET", f"/{name}/_mapping")[name]["mappings"]["_meta"]
    foreign = f"{place.options.prefix}-{table_name(KEY)}-1"
    mappings = {"_meta": stamp, "properties": {"vector": dict(place.client.vector_field(DIMENSIONS))}}
    body = {"mappings": mappings, "settings": dict(place.client.index_settings())}
    place.server.request("PUT", f"/{foreign}", body)
    with pytest.raises(SpaceMismatchError, match="something else than its name says"):
        place.new_writer(KEY)


def test_a_mapping_that_somebody_made_with_another_width(place):
    place.new_writer(KEY).snapshot()
    (name,) = place.indices()
    stamp = place.server.request("GET", f"/{name}/_mapping")[name]["mappings"]["_meta"]
    place.clear()
    body = {"mappings": {"_meta": stamp, "properties": {"vector": dict(place.client.vector_field(4))}}}
    place.server.request("PUT", f"/{name}", {**body, "settings": dict(place.client.index_settings())})
    with pytest.raises(SpaceMismatchError, match="8 dimensions, and its mapping has 4"):
        place.new_writer(KEY)


def test_the_servers_own_refusal_of_another_width(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    wider = TableKey("t", "k", "s", DIMENSIONS + 1, "chunker-1", "1")
    vectors = np.eye(2, DIMENSIONS + 1, dtype=np.float32)
    lines = list(index_lines(document("b.md", ["x", "y"], vectors=vectors), wider))
    with pytest.raises(SpaceMismatchError, match=rf"{head_of(place)}.*vectors of 8 dimensions"):
        send_lines(place.client, head_of(place), lines)


def test_what_is_refused_is_told_by_document(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    good = list(index_lines(document("good.md", ["x", "y"]), KEY))
    bad = [
        Line("index", f"{n:024x}", f"bad{n % 2}.md", b'{"index":{"_id":"%024x"}}\n{"nobody":"knows"}\n' % n)
        for n in range(3)
    ]
    with pytest.raises(InputError, match=r"refused 3 chunks.*`bad0\.md` \(2\), `bad1\.md` \(1\)"):
        send_lines(place.client, head_of(place), [*good, *bad])


def test_a_full_disk_is_not_waited_for_and_nothing_becomes_visible(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    first = writer.snapshot()
    writer.replace([document("b.md", ["y"])])
    settings = {"index.blocks.read_only_allow_delete": True}
    place.server.request("PUT", f"/{head_of(place)}/_settings", settings)  # what a server does when its disk is full
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="disk is full"):
        writer.replace([document("c.md", ["z"])])
    assert time.monotonic() - started < 10
    assert len(search(place.open_reader(first), unit(1)).chunk_ids) == 1
    place.server.request("PUT", f"/{head_of(place)}/_settings", {"index.blocks.read_only_allow_delete": None})
    again = place.new_writer(KEY)
    again.replace([document("c.md", ["z"])])
    assert set(again.documents()) == {"a.md", "b.md", "c.md"}
    again.snapshot()


def test_what_a_killed_build_left_is_swept(place):
    writer = place.new_writer(KEY)
    writer.replace([document("kept.md", ["x", "y"])])
    writer.snapshot()
    whole, no_first, no_last = (document(f"{name}.md", ["one", "two", "three"]) for name in ("whole", "first", "last"))
    writer.replace([whole])
    send_lines(place.client, head_of(place), list(index_lines(no_first, KEY))[1:])
    lines = list(index_lines(no_last, KEY))
    send_lines(place.client, head_of(place), [lines[0], lines[1]])
    again = place.new_writer(KEY)
    assert set(again.documents()) == {"kept.md", "whole.md"}
    found = search(place.open_reader(again.snapshot()), unit(1))
    assert len(found.chunk_ids) == again.chunk_count() == 5


def test_somebody_who_writes_into_the_head_stops_the_publication(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    first = writer.snapshot()
    writer.replace([document("b.md", ["x"])])
    send_lines(place.client, head_of(place), index_lines(document("intruder.md", ["x"]), KEY))
    with pytest.raises(IntegrityError):
        writer.snapshot()
    newest = [
        name for name, aliases in place.indices().items() if f"{place.options.prefix}-{table_name(KEY)}" in aliases
    ]
    assert len(newest) == 1
    assert newest[0] != head_of(place)
    assert len(search(place.open_reader(first), unit(1)).chunk_ids) == 1


def test_ranking_files_that_are_lost_are_written_again(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x", "y"], vectors=[unit(1), unit(1, 1)])])
    snapshot = writer.snapshot()
    for key in list(place.storage.keys("ranking/")):
        place.storage.delete(key)
    found = search(place.open_reader(snapshot), unit(1))
    assert sorted(found.cosine.tolist()) == pytest.approx([0.5**0.5, 1], abs=1e-6)
    for key in place.storage.keys("ranking/"):
        place.storage.local_path(key).write_bytes(b"cut off")
    assert len(search(place.open_reader(snapshot), unit(1)).chunk_ids) == 2


def test_the_other_product(elasticsearch_server, opensearch_server):
    wrong = [("opensearch", elasticsearch_server), ("elasticsearch", opensearch_server)]
    for engine, server in wrong:
        client = connect(Server(engine, server.url))
        with pytest.raises(SettingsError, match=r"not (OpenSearch|Elasticsearch)"):
            client.send("GET", "/_cluster/health")


@pytest.mark.parametrize(
    ("engine", "distribution", "version", "says"),
    [
        ("elasticsearch", "", "7.10.2", "is Elasticsearch 7.10; Jargonaut needs 8.12 or newer"),
        ("elasticsearch", "", "8.5.1", "is Elasticsearch 8.5"),
        ("opensearch", "opensearch", "2.11.0", "is OpenSearch 2.11; Jargonaut needs 2.17 or newer"),
        ("opensearch", "", "8.19.4", 'is Elasticsearch, not OpenSearch.\nSet engine = "elasticsearch"'),
    ],
)
def test_a_version_that_is_too_old_or_the_other_product(engine, distribution, version, says):
    vendor = VendorServer(engine)
    vendor.distribution, vendor.version = distribution, version
    try:
        with pytest.raises(SettingsError) as caught:
            vendor.client.send("PUT", "/index", {})
        assert says in str(caught.value)
        assert {method for method, *_ in vendor.seen} == {"GET"}
    finally:
        vendor.close()


def test_who_the_server_does_not_know(secured_elasticsearch_server):
    for changed in ({"password": "wrong"}, {"user": "", "password": ""}, {"api_key": "bm9ib2R5OndybyA="}):
        client = connect(secured_elasticsearch_server, **changed)
        with pytest.raises(UnavailableError, match="does not know the user or key") as caught:
            client.send("GET", "/_cluster/health")
        assert "password_env" in caught.value.hint


def test_an_authority_that_is_not_known(secured_elasticsearch_server):
    client = connect(secured_elasticsearch_server, ca_file="")
    with pytest.raises(UnavailableError, match="certificate") as caught:
        client.send("GET", "/_cluster/health")
    assert "ca_file" in caught.value.hint


@contextmanager
def silent_server():
    """Takes connections and says nothing, as a node does that hangs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        held, ends = [], threading.Event()

        def accept():
            while not ends.is_set():
                try:
                    held.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ends.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


@pytest.mark.parametrize("engine", CLIENTS)
def test_a_server_that_hangs_or_is_not_there(engine):
    with silent_server() as url:
        started = time.monotonic()
        with pytest.raises(DeadlineError, match="did not answer"):
            connect(Server(engine, url)).send("GET", "/_cluster/health", timeout_s=0.5)
        assert time.monotonic() - started < 5
    with pytest.raises(UnavailableError, match="cannot be reached"):
        connect(Server(engine, url)).send("GET", "/_cluster/health")


def test_a_deadline_during_a_search(place):
    writer = place.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    reader = place.open_reader(writer.snapshot())
    with silent_server() as url:
        reader._server = connect(Server(place.server.engine, url))
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            asyncio.run(reader.search(SearchQuery(unit(1), (), Visibility()), Deadline.after(0.3)))
        assert time.monotonic() - started < 5


def test_errors_are_ours(place):
    with pytest.raises(JargonautError):
        place.client.send("POST", "/_search", {"query": {"nonsense": {}}})
