import pytest

from tests.index.lucene import LuceneContract


class TestElasticsearch(LuceneContract):
    @pytest.fixture
    def server(self, elasticsearch_server):
        return elasticsearch_server
