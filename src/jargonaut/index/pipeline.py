"""An engine's own inference path: the server asks a served encoder itself, when others write to it or ask it.

Jargonaut does not need this: it encodes before it writes. What is set up here is for other programs that use the same
cluster, and is checked against our own encoder, since vectors of another space are worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jargonaut.core.errors import RefusedError, SpaceMismatchError
from jargonaut.index.lucene_server import Body, LuceneServer, ServerAnswerError, is_gone
from jargonaut.index.port import Vector

PROBE = "How long is a session cookie valid?"
_LEAST_COSINE = 0.99
_LICENCES = ("enterprise", "trial")


@dataclass(frozen=True, slots=True)
class ServedEncoder:
    """An encoder behind an address that speaks OpenAI's `/v1/embeddings`."""

    url: str
    model: str
    dimensions: int
    api_key: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"ServedEncoder({self.url}, {self.model}, {self.dimensions})"


@dataclass(frozen=True, slots=True)
class Step:
    """A request that sets something up."""

    method: str
    path: str
    body: Body


def elasticsearch_steps(name: str, encoder: ServedEncoder) -> list[Step]:
    """An inference endpoint, and an ingest pipeline that fills `vector` from `text`."""
    endpoint = {
        "service": "openai",
        "service_settings": {
            "api_key": encoder.api_key or "none",
            "model_id": encoder.model,
            "url": encoder.url,
            "dimensions": encoder.dimensions,
            "similarity": "cosine",
        },
    }
    fields = [{"input_field": "text", "output_field": "vector"}]
    processor = {"inference": {"model_id": name, "input_output": fields}}
    return [
        Step("PUT", f"/_inference/text_embedding/{name}", endpoint),
        Step("PUT", f"/_ingest/pipeline/{name}", {"processors": [processor]}),
    ]


def opensearch_connector(name: str, encoder: ServedEncoder) -> Step:
    """A connector of ML Commons to the encoder."""
    action = {
        "action_type": "predict",
        "method": "POST",
        "url": encoder.url,
        "headers": {"Authorization": "Bearer ${credential.token}"},
        "request_body": '{ "input": ${parameters.input}, "model": "${parameters.model}" }',
        "pre_process_function": "connector.pre_process.openai.embedding",
        "post_process_function": "connector.post_process.openai.embedding",
    }
    body = {
        "name": name,
        "description": "Written by Jargonaut.",
        "version": "1",
        "protocol": "http",
        "parameters": {"model": encoder.model},
        "credential": {"token": encoder.api_key or "none"},
        "actions": [action],
    }
    return Step("POST", "/_plugins/_ml/connectors/_create", body)


def opensearch_model(name: str, connector: str) -> Step:
    """A remote model over a connector, deployed."""
    body = {"name": name, "function_name": "remote", "connector_id": connector}
    return Step("POST", "/_plugins/_ml/models/_register?deploy=true", body)


def opensearch_pipeline(name: str, model: str) -> Step:
    """An ingest pipeline that fills `vector` from `text`."""
    processor = {"text_embedding": {"model_id": model, "field_map": {"text": "vector"}}}
    return Step("PUT", f"/_ingest/pipeline/{name}", {"processors": [processor]})


def write_pipeline(server: LuceneServer, name: str, encoder: ServedEncoder, expected: Vector) -> list[str]:
    """Set up the inference path on a server, and check that it gives our vectors.

    Args:
        server: Where.
        name: Of endpoint and pipeline.
        encoder: Called by the server.
        expected: Vector of `PROBE` by our own encoder, shape (dimensions,).

    Returns:
        What was made, a line each.

    Raises:
        RefusedError: Licence, settings or modules of the server do not allow it; the error says which.
        SpaceMismatchError: The encoder gives other vectors than ours; the pipeline is removed again.
        UnavailableError: The server cannot be reached.
    """
    made = _on_elasticsearch if server.engine == "elasticsearch" else _on_opensearch
    said, vector = made(server, name, encoder)
    if len(vector) != encoder.dimensions or float(np.dot(vector, expected) / np.linalg.norm(vector)) < _LEAST_COSINE:
        server.send("DELETE", f"/_ingest/pipeline/{name}")
        got = f"{len(vector)} dimensions" if len(vector) != encoder.dimensions else "another direction"
        raise SpaceMismatchError(
            f"{encoder.url} answers for `{encoder.model}` with vectors of {got}: not the encoder of the live release.",
            "Serve that encoder there (`jargonaut status` names it), or name another address. The pipeline is removed.",
        )
    return said


def _on_elasticsearch(server: LuceneServer, name: str, encoder: ServedEncoder) -> tuple[list[str], Sequence[float]]:
    licence = _licence(server)
    if licence not in _LICENCES:
        raise RefusedError(
            f"{server.where} has a {licence or 'basic'} licence; inference endpoints need an enterprise one.",
            "Let Jargonaut encode, as it does by default: that needs no licence.",
        )
    for step in elasticsearch_steps(name, encoder):
        _done(server, step)
    answer = _done(server, Step("POST", f"/_inference/text_embedding/{name}", {"input": PROBE}))
    vector = answer["text_embedding"][0]["embedding"]
    _simulate(server, name)
    return [f"inference endpoint {name}", f"ingest pipeline {name}"], vector


def _on_opensearch(server: LuceneServer, name: str, encoder: ServedEncoder) -> tuple[list[str], Sequence[float]]:
    connector = _done(server, opensearch_connector(name, encoder))["connector_id"]
    model = _done(server, opensearch_model(name, connector))["model_id"]
    _done(server, opensearch_pipeline(name, model))
    predict = Step("POST", f"/_plugins/_ml/models/{model}/_predict", {"parameters": {"input": [PROBE]}})
    vector = _done(server, predict)["inference_results"][0]["output"][0]["data"]
    _simulate(server, name)
    return [f"connector {connector}", f"model {model}", f"ingest pipeline {name}"], vector


def _licence(server: LuceneServer) -> str:
    try:
        return str(server.send("GET", "/_license")["license"]["type"])
    except ServerAnswerError as error:
        if is_gone(error):
            return ""
        raise


def _simulate(server: LuceneServer, name: str) -> None:
    """Let the server run the pipeline on a document."""
    step = Step("POST", f"/_ingest/pipeline/{name}/_simulate", {"docs": [{"_source": {"text": PROBE}}]})
    answer: Any = _done(server, step)["docs"][0]
    if "error" in answer or "vector" not in answer["doc"]["_source"]:
        reason = answer.get("error", {}).get("reason", "it does not fill `vector`")
        raise RefusedError(f"Pipeline {name} of {server.where} does not work: {reason}", "Look at the server's log.")


def _done(server: LuceneServer, step: Step) -> Any:
    """Carry out a step, or explain why the server does not."""
    try:
        return server.send(step.method, step.path, step.body)
    except ServerAnswerError as error:
        raise _explained(server, error) from error


def _explained(server: LuceneServer, error: ServerAnswerError) -> RefusedError:
    said = f"{error.kind} {error.reason}".lower()
    if "non-compliant" in said or "license" in said:
        hint = "Its licence does not include inference; Elastic's Enterprise does. Jargonaut's own encoding needs none."
    elif "trusted_connector_endpoints_regex" in said or "not matching the trusted" in said:
        hint = "Add the encoder's address to plugins.ml_commons.trusted_connector_endpoints_regex of the cluster."
    elif "private ip" in said:
        hint = "Set plugins.ml_commons.connector.private_ip_enabled of the cluster to true."
    elif "ml node" in said:
        hint = "Set plugins.ml_commons.only_run_on_ml_node of the cluster to false, or add a node with the role ml."
    elif "no handler found" in said or "no processor type" in said or "incorrect http method" in said:
        hint = "This server is without the module for it: install ML (Elasticsearch) or ML Commons and neural-search."
    elif "already exists" in said:
        hint = "Choose another name, or remove the one that is there."
    else:
        hint = "Look at the server's log."
    return RefusedError(f"{server.where} refuses: {error.reason or error.kind}", hint)
