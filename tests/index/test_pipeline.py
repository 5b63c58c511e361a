"""The engines' own inference path.

The modules that do it are on no registry, so the server here is ours: it answers and refuses as the vendors document,
over HTTP, to the real clients. It proves what we send and what we make of answers, not that a vendor's server agrees.
"""

import pytest

from jargonaut.core.errors import RefusedError, SpaceMismatchError
from jargonaut.index.pipeline import ServedEncoder, write_pipeline
from tests.index.lucene import connect
from tests.index.vendor_server import VECTOR, VendorServer

ENCODER = ServedEncoder("https://encoder.example/v1/embeddings", "handbook", 3, "s3cret")


@pytest.fixture(params=["elasticsearch", "opensearch"])
def vendor(request):
    server = VendorServer(request.param)
    yield server
    server.close()


def test_it_is_written_and_checked(vendor):
    made = write_pipeline(vendor.client, "ours", ENCODER, VECTOR)
    assert "ingest pipeline ours" in made
    (pipeline,) = vendor.sent("/_ingest/pipeline/ours")
    if vendor.engine == "elasticsearch":
        (endpoint,) = vendor.sent("/_inference/text_embedding/ours")[:1]
        assert endpoint["service"] == "openai"
        assert endpoint["service_settings"] == {
            "api_key": "s3cret", "model_id": "handbook", "url": ENCODER.url, "dimensions": 3, "similarity": "cosine",
        }  # fmt: skip
        mapped = [{"input_field": "text", "output_field": "vector"}]
        assert pipeline == {"processors": [{"inference": {"model_id": "ours", "input_output": mapped}}]}
    else:
        (connector,) = vendor.sent("/_plugins/_ml/connectors/_create")
        assert connector["credential"] == {"token": "s3cret"}
        assert connector["actions"][0]["url"] == ENCODER.url
        assert vendor.sent("/_plugins/_ml/models/_register")[0]["connector_id"] == "c1"
        assert pipeline == {"processors": [{"text_embedding": {"model_id": "m1", "field_map": {"text": "vector"}}}]}
    assert "s3cret" not in repr(ENCODER)


@pytest.mark.parametrize(
    ("vector", "says"), [([0.6, 0.8], "2 dimensions"), ([0.0, 0.0, 1.0], "another direction")], ids=["width", "space"]
)
def test_another_encoder_is_refused_and_the_pipeline_removed(vendor, vector, says):
    vendor.vector = vector
    with pytest.raises(SpaceMismatchError, match=says):
        write_pipeline(vendor.client, "ours", ENCODER, VECTOR)
    assert vendor.seen[-1][:2] == ("DELETE", "/_ingest/pipeline/ours")


@pytest.mark.parametrize("licence", ["basic", "platinum"])
def test_a_licence_that_does_not_include_it_is_recognised_before_anything_is_written(licence):
    vendor = VendorServer("elasticsearch")
    try:
        vendor.licence = licence
        with pytest.raises(RefusedError, match=f"has a {licence} licence"):
            write_pipeline(vendor.client, "ours", ENCODER, VECTOR)
        assert {method for method, *_ in vendor.seen} == {"GET"}
    finally:
        vendor.close()


@pytest.mark.parametrize(
    ("engine", "path", "refusal", "says"),
    [
        ("elasticsearch", "/_inference", (403, "security_exception",
            "current license is non-compliant for [inference]"), "licence"),
        ("opensearch", "/_plugins/_ml/connectors", (400, "illegal_argument_exception",
            "Connector URL is not matching the trusted connector endpoint regex"), "trusted_connector_endpoints_regex"),
        ("opensearch", "/_plugins/_ml/models", (400, "illegal_argument_exception",
            "No eligible node found to execute this request. It's best practice to provision ML nodes"), "only_run"),
        ("opensearch", "/_plugins", (400, "illegal_argument_exception",
            "no handler found for uri [/_plugins/_ml/connectors/_create] and method [POST]"), "is without the module"),
        ("opensearch", "/_ingest", (400, "parse_exception",
            "No processor type exists with name [text_embedding]"), "is without the module"),
    ],
)  # fmt: skip
def test_refusals_are_explained(engine, path, refusal, says):
    vendor = VendorServer(engine)
    try:
        vendor.refusals[path] = refusal
        with pytest.raises(RefusedError, match=says) as caught:
            write_pipeline(vendor.client, "ours", ENCODER, VECTOR)
        assert refusal[2] in caught.value.message
    finally:
        vendor.close()


def test_servers_without_the_modules_are_told_apart(opensearch_server):
    with pytest.raises(RefusedError, match="is without the module"):
        write_pipeline(connect(opensearch_server), "ours", ENCODER, VECTOR)


def test_a_real_basic_licence_is_recognised(elasticsearch_server):
    with pytest.raises(RefusedError, match="basic licence"):
        write_pipeline(connect(elasticsearch_server), "ours", ENCODER, VECTOR)
