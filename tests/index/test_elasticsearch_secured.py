import pytest

from tests.index.lucene import LuceneContract


class TestSecuredElasticsearch(LuceneContract):
    """With TLS by a private authority, and a password."""

    EXAMPLES = 10

    @pytest.fixture
    def server(self, secured_elasticsearch_server):
        return secured_elasticsearch_server
