"""What the tests of Elasticsearch and OpenSearch have in common."""

import asyncio
import itertools
import secrets

import pytest

from jargonaut.index.elasticsearch import ElasticsearchServer
from jargonaut.index.lucene import LuceneIndex, LuceneIndexWriter
from jargonaut.index.lucene_reader import open_lucene_reader
from jargonaut.index.lucene_server import Access
from jargonaut.index.lucene_table import IndexOptions
from jargonaut.index.opensearch import OpenSearchServer
from jargonaut.storage.local import LocalStorage
from tests.contracts.index import IndexContract

CLIENTS = {"elasticsearch": ElasticsearchServer, "opensearch": OpenSearchServer}
_numbers = itertools.count()


def connect(server, option="float", **changed):
    access = {"user": server.user, "password": server.password, "ca_file": server.ca_file} | changed
    return CLIENTS[server.engine](Access((server.url,), **access), option)


class Place:
    """Room of its own on a server that others use too."""

    def __init__(self, server, folder, client=None, **options):
        self.server = server
        self.client = client or connect(server)
        self.storage = LocalStorage(folder / "artifacts")
        self.options = IndexOptions(f"t{secrets.token_hex(4)}-{next(_numbers)}", **{"replicas": 0, **options})

    def new_writer(self, key):
        return LuceneIndexWriter(self.client, self.storage, self.options, key)

    def open_reader(self, snapshot):
        return asyncio.run(open_lucene_reader(self.client, self.storage, self.options, snapshot))

    def indices(self):
        found = self.server.request("GET", f"/{self.options.prefix}-*?expand_wildcards=all")
        return {name: set(about["aliases"]) for name, about in found.items()}

    def clear(self):
        for name in self.indices():
            self.server.request("DELETE", f"/{name}")


class LuceneContract(IndexContract):
    """The contract, on a server. Subclasses give a fixture `server`."""

    EXAMPLES = 25

    @pytest.fixture
    def place(self, server, tmp_path):
        place = Place(server, tmp_path)
        yield place
        place.clear()

    @pytest.fixture
    def index(self, place):
        return LuceneIndex(place.client, place.storage, place.options)

    @pytest.fixture
    def new_writer(self, place):
        return place.new_writer

    @pytest.fixture
    def open_reader(self, place):
        return place.open_reader
