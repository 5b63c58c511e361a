import pytest

from tests.index.lucene import LuceneContract


class TestOpenSearch(LuceneContract):
    @pytest.fixture
    def server(self, opensearch_server):
        return opensearch_server
