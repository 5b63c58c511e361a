import json
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.index.analysis import MAX_TERM_LENGTH, identifiers, index_terms, query_terms

SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Sessions were expiring", ["session", "expir"]),
        ("The user's cookies don't expire", ["user", "cooki", "expir"]),
        ("café naïve", ["café", "naïve"]),
        ("ＡＢＣ ①", ["abc", "1"]),
        ("ERR-4031", ["err-4031", "err", "4031"]),
        ("gn6v-c8g1.2xlarge", ["gn6v-c8g1.2xlarge", "gn6v", "c8g1", "2xlarge"]),
        ("v10.2.3", ["10.2.3", "10", "2", "3"]),
        ("SESSION_COOKIE_AGE", ["session_cookie_age", "session", "cooki", "age"]),
        ("django.db.models.Model", ["django.db.models.model", "django", "db", "model", "model"]),
        ("snake_case", ["snake_case", "snake", "case"]),
        ("getHTTPResponse", ["gethttprespons", "get", "http", "respons"]),
        ("C++, C# and C", ["c++", "c#", "c"]),
        ("see models.py.", ["see", "models.py", "model", "py"]),
        ("non\u2011blocking", ["non-blocking", "non", "block"]),
        ("", []),
        (" \n\t—…", []),
    ],
)
def test_words_and_identifiers_become_the_same_terms_on_both_sides(text, terms):
    assert index_terms(text) == terms
    assert query_terms(text) == terms


def test_cjk_is_indexed_as_unigrams_and_bigrams_and_asked_as_bigrams():
    assert index_terms("数据库") == ["数", "据", "库", "数据", "据库"]
    assert query_terms("数据库") == ["数据", "据库"]


def test_one_cjk_character_alone_is_asked_as_itself_and_found():
    assert query_terms("税 rate") == ["税", "rate"]
    assert "税" in index_terms("增值税")


def test_latin_inside_chinese_is_a_word_of_its_own():
    assert query_terms("TiDB数据库的max_connections") == [
        *("tidb", "ti", "db", "数据", "据库", "库的"),
        *("max_connections", "max", "connect"),
    ]


def test_stop_words_are_dropped_unless_written_in_capitals():
    assert query_terms("who advises on it") == ["advis"]
    assert query_terms("WHO advice") == ["who", "advic"]
    assert "where" in index_terms("add a WHERE clause")


def test_hex_digests_are_kept_and_blobs_are_not():
    digest = "0123456789abcdef" * 4
    assert index_terms(digest) == [digest]
    assert index_terms("x" * (MAX_TERM_LENGTH + 1)) == []


@pytest.mark.parametrize(
    "text",
    ["ERR-4031", "gn6v-c8g1.2xlarge", "10.2.3", "SESSION_COOKIE_AGE", "django.db.models.Model", "maxConnections"],
)
def test_identifiers_are_recognised_whole(text):
    assert identifiers(f"What does {text} mean?") == {text.casefold()}


@pytest.mark.parametrize(
    "text",
    ["YouTube", "iPhone", "COVID-19", "2024", "3.14", "www.example.com", "well-known", "HTTP", "U.S.A.", "500ml"],
)
def test_everyday_tokens_are_not_identifiers(text):
    assert identifiers(f"What about {text} then?") == set()


@given(st.text())
def test_terms_hold_no_white_space_and_are_deterministic(text):
    for analyse in (index_terms, query_terms):
        terms = analyse(text)
        assert " ".join(terms).split() == terms
        assert analyse(text) == terms


@given(st.text())
def test_every_query_term_is_among_the_index_terms(text):
    assert set(query_terms(text)) <= set(index_terms(text))


def test_threads_agree():
    texts = [f"Running {i} migrations quickly on node-{i}.example of the clusters {i}" for i in range(2000)]
    alone = [index_terms(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(index_terms, texts)) == alone


def test_six_megabytes_take_less_than_ten_seconds():
    words = [f"word{i % 5003}ing config_{i % 701} 数据库连接" for i in range(200_000)]
    text = " ".join(words).encode()[:6_000_000].decode(errors="ignore")
    start = time.process_time()
    index_terms(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(("dataset", "least"), [("stackunix", 0.485), ("stard_law_zh", 0.510)])
def test_bm25_over_these_terms_reaches_the_reference_ranking(dataset, least):
    folder = SHARED / "datasets" / dataset
    if not folder.exists():
        pytest.skip("the shared retrieval sets are not on this machine")
    documents = read_lines(folder / "corpus.jsonl")
    queries = {query["_id"]: query["text"] for query in read_lines(folder / "queries.jsonl")}
    judged = defaultdict(set)
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, _ = line.split("\t")
        judged[query].add(document)
    scores = Bm25([index_terms(f"{d.get('title', '')}\n{d['text']}") for d in documents])
    gains = []
    for query, relevant in judged.items():
        best = np.argsort(-scores(query_terms(queries[query])), kind="stable")[:10]
        gain = sum(1 / np.log2(i + 2) for i, row in enumerate(best) if documents[row]["_id"] in relevant)
        gains.append(gain / sum(1 / np.log2(i + 2) for i in range(min(10, len(relevant)))))
    assert np.mean(gains) >= least


class Bm25:
    """BM25 (k1 1.5, b .75) over an inverted file, to measure the analysis apart from any engine."""

    def __init__(self, documents):
        length = np.array([len(terms) for terms in documents])
        postings = defaultdict(list)
        for row, terms in enumerate(documents):
            for term, count in Counter(terms).items():
                postings[term].append((row, count))
        self.size = len(documents)
        norm = 1.5 * (0.25 + 0.75 * length / length.mean())
        self.postings = {}
        for term, pairs in postings.items():
            rows, counts = np.array(pairs).T
            idf = np.log(1 + (self.size - len(rows) + 0.5) / (len(rows) + 0.5))
            self.postings[term] = rows, idf * counts * 2.5 / (counts + norm[rows])

    def __call__(self, query):
        scores = np.zeros(self.size)
        for term in query:
            if term in self.postings:
                rows, weights = self.postings[term]
                scores[rows] += weights
        return scores


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
