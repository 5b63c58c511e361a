"""What is sent to a server, to the letter. No server is needed: these are pure functions."""

import json

import numpy as np
import pytest

from jargonaut.core.errors import SettingsError, SpaceMismatchError, UnavailableError
from jargonaut.core.filters import parse_filter
from jargonaut.index import elasticsearch, opensearch
from jargonaut.index.lucene_query import (
    MOST_TERMS,
    MOST_VALUES,
    candidates_for,
    filter_clause,
    filter_of,
    lexical_body,
    values_clause,
    visible_clauses,
)
from jargonaut.index.lucene_rows import index_lines, row_number
from jargonaut.index.lucene_server import checked_urls, error_from, version_of
from jargonaut.index.port import Visibility
from tests.contracts.index import KEY, LEXICAL, document, unit

ROWS = {"_source": False, "stored_fields": "_none_", "docvalue_fields": ["row"], "track_total_hits": False}
WHERE = {"terms": {"allow": ["public"]}}


@pytest.mark.parametrize(
    ("visibility", "clauses"),
    [
        (Visibility(everything=True), []),
        (Visibility(frozenset({"public", "group:b"})), [{"terms": {"allow": ["group:b", "public"]}}]),
        (
            Visibility(deleted=frozenset({"d2", "d1"}), everything=True),
            [{"bool": {"must_not": [{"terms": {"document_id": ["d1", "d2"]}}]}}],
        ),
        (
            Visibility(changed=frozenset({"d1"})),
            [{"bool": {"filter": [WHERE], "must_not": [{"terms": {"document_id": ["d1"]}}]}}],
        ),
        (
            Visibility(changed=frozenset({"d1", "d2"}), readable=frozenset({"d2"}), deleted=frozenset({"d3"})),
            [
                {
                    "bool": {
                        "should": [
                            {"bool": {"filter": [WHERE], "must_not": [{"terms": {"document_id": ["d1", "d2"]}}]}},
                            {"terms": {"document_id": ["d2"]}},
                        ],
                        "minimum_should_match": 1,
                    }
                },
                {"bool": {"must_not": [{"terms": {"document_id": ["d3"]}}]}},
            ],
        ),
    ],
)
def test_who_may_see_it(visibility, clauses):
    assert visible_clauses(visibility) == clauses


@pytest.mark.parametrize(
    ("where", "clause"),
    [
        ({"language": "zh"}, {"term": {"language": "zh"}}),
        ({"tags": ["b", "a"]}, {"terms": {"tags": ["a", "b"]}}),
        ({"tags": []}, {"match_none": {}}),
        ({"uri": {"starts_with": "ref/"}}, {"prefix": {"uri": "ref/"}}),
        ({"date": {"from": "2024", "to": "2025"}}, {"range": {"date": {"gte": "2024", "lte": "2025"}}}),
        ({"date": {"to": "2025"}}, {"range": {"date": {"gt": "", "lte": "2025"}}}),
        ({"not": {"kind": "code"}}, {"bool": {"must_not": [{"term": {"kind": "code"}}]}}),
        ({"all": []}, {"match_all": {}}),
        ({"any": []}, {"match_none": {}}),
        (
            {"any": [{"kind": "code"}, {"kind": "table"}]},
            {"bool": {"should": [{"term": {"kind": "code"}}, {"term": {"kind": "table"}}], "minimum_should_match": 1}},
        ),
        (
            {"kind": "code", "language": "en"},
            {"bool": {"filter": [{"term": {"kind": "code"}}, {"term": {"language": "en"}}]}},
        ),
    ],
)
def test_metadata_filters(where, clause):
    assert filter_of(parse_filter(where)) == clause


def test_the_filter_is_inside_of_the_vector_search():
    vector = unit(1, 0.5)
    assert elasticsearch.nearest(vector, 100, 200, WHERE) == {
        "size": 100,
        "knn": {"field": "vector", "query_vector": vector.tolist(), "k": 100, "num_candidates": 200, "filter": WHERE},
        **ROWS,
    }
    assert opensearch.nearest(vector, 100, 200, WHERE) == {
        "size": 100,
        "query": {"knn": {"vector": {"vector": vector.tolist(), "k": 200, "filter": WHERE}}},
        **ROWS,
    }


def test_the_lexical_search():
    assert lexical_body(("cooki", "age", "cooki"), 50, WHERE) == {
        "size": 50,
        "query": {"bool": {"must": [{"match": {"terms": "cooki age cooki"}}], "filter": [WHERE]}},
        **ROWS,
    }
    long = lexical_body(["t"] * 5_000, 50, WHERE)["query"]["bool"]["must"][0]["match"]["terms"]
    assert len(long.split()) == MOST_TERMS


def test_many_values_are_cut_into_clauses_that_servers_take():
    many = values_clause("document_id", [f"{n:06}" for n in range(2 * MOST_VALUES + 1)])
    sizes = [len(clause["terms"]["document_id"]) for clause in many["bool"]["should"]]
    assert sizes == [MOST_VALUES, MOST_VALUES, 1]


def test_both_filters_must_hold():
    seen = filter_clause(Visibility(), parse_filter({"kind": "code"}))
    assert seen == {"bool": {"filter": [WHERE, {"term": {"kind": "code"}}]}}
    assert filter_clause(Visibility(everything=True), None) == {"match_all": {}}


def test_few_chunks_are_all_looked_at():
    assert candidates_for(10, 4_999) == 4_999
    assert candidates_for(100, 1_000_000) == 200
    assert candidates_for(300, 1_000_000) == 600
    assert candidates_for(1, 0) == 1


def test_the_mapping_of_the_vector():
    assert elasticsearch.vector_field(384, "bbq") == {
        "type": "dense_vector",
        "dims": 384,
        "index": True,
        "similarity": "cosine",
        "index_options": {"type": "bbq_hnsw"},
    }
    assert opensearch.vector_field(384, "int8") == {
        "type": "knn_vector",
        "dimension": 384,
        "method": {
            "name": "hnsw",
            "engine": "lucene",
            "space_type": "cosinesimil",
            "parameters": {"encoder": {"name": "sq"}},
        },
    }


def test_lines_of_a_bulk_request():
    rows = document("a.md", ["Session cookie", "more"], vectors=[unit(1), unit(1, 3)], metadata={"tags": ("t",)})
    first, second = (line.data.decode().splitlines() for line in index_lines(rows, KEY))
    chunk = rows.chunks[0]
    assert json.loads(first[0]) == {"index": {"_id": chunk.id}}
    source = json.loads(first[1])
    assert (source["chunks"], source["row"], source["allow"]) == (2, row_number(chunk.id), ["public"])
    assert source["terms"] == "t h0 session cooki"
    assert np.allclose(json.loads(second[1])["vector"], rows.vectors[1], atol=1e-9)
    assert "chunks" not in json.loads(second[1])
    assert "vector" not in json.loads(next(index_lines(rows, LEXICAL)).data.splitlines()[1])


@pytest.mark.parametrize("chunk_id", ["0" * 24, "f" * 24, "8000000000000000" + "0" * 8])
def test_a_row_number_fits_into_a_long(chunk_id):
    assert 0 <= row_number(chunk_id) < 2**63


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://host:9200", "not the address"),
        ("host:9200", "not the address"),
        ("", "not the address"),
        ("https://elastic:secret@host:9200", "password_env"),
        ("https://ha-cn-abc123.public.ha.aliyuncs.com", "has the name and nothing else"),
        ("https://opensearch-cn.opensearch.aliyuncs.com", "has the name and nothing else"),
    ],
)
def test_addresses_that_are_none_of_ours(url, says):
    with pytest.raises(SettingsError) as caught:
        checked_urls((url,))
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "reason",
    [
        "[1:9] failed to parse: The [dense_vector] field [vector] in doc [document with id 'x'] has a different number "
        "of dimensions [2] than defined in the mapping [384]",
        "Vector dimension mismatch. Expected: 384, Given: 2",
        "Query vector has invalid dimension: 2. Dimension should be: 384",
        "the query vector has a different number of dimensions [2] than the index vectors [384]",
    ],
)
def test_another_width_as_servers_say_it(reason):
    body = {"error": {"type": "mapper_parsing_exception", "reason": "failed to parse", "caused_by": {"reason": reason}}}
    error = error_from("Index i", 400, body)
    assert isinstance(error, SpaceMismatchError)
    assert "384" in error.message
    assert "2" in error.message
    assert "encoder" in error.hint


@pytest.mark.parametrize(
    ("status", "kind", "reason", "says"),
    [
        (429, "cluster_block_exception", "index [i] blocked by: [disk usage exceeded flood-stage watermark]", "full"),
        (429, "es_rejected_execution_exception", "rejected execution of bulk", "too much to do"),
        (503, "search_phase_execution_exception", "all shards failed", "cluster health"),
        (401, "security_exception", "unable to authenticate user [elastic]", "password_env"),
        (403, "security_exception", "action is unauthorized", "role"),
    ],
)
def test_what_servers_refuse(status, kind, reason, says):
    error = error_from("Elasticsearch at https://h", status, {"error": {"type": kind, "reason": reason}})
    assert isinstance(error, UnavailableError)
    assert says in str(error)


def test_versions():
    assert version_of("8.19.4") == (8, 19)
    assert version_of("3.0.0-beta1") == (3, 0)
    assert version_of("9") == (9, 0)
