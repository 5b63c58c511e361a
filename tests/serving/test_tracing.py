"""Traces, as a collector receives them."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from jargonaut.serving.tracing import OpenTelemetryTracing
from tests.answering.handbook import Handbook
from tests.serving.conftest import serving


@pytest.fixture
def collector():
    received = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            received.append(ExportTraceServiceRequest.FromString(plain))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_trace_says_what_took_how_long_and_not_what_was_asked(tmp_path, collector):
    url, received = collector
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with serving(handbook, tracing=OpenTelemetryTracing(url)) as service, service.http() as client:
        body = {"model": "handbook", "messages": [{"role": "user", "content": "What is SESSION_COOKIE_AGE?"}]}
        assert client.post("/v1/chat/completions", json=body, headers={"traceparent": parent}).status_code == 200
        assert client.get("/v1/documents/hr/salaries.md").status_code == 404
    # The service has ended, and so sent all.
    spans = [
        span for batch in received for of in batch.resource_spans for scope in of.scope_spans for span in scope.spans
    ]
    named = {span.name: span for span in spans}
    assert set(named) == {"POST /v1/chat/completions", "answer", "GET /v1/documents/{uri:any}"}
    request, answer = named["POST /v1/chat/completions"], named["answer"]
    assert request.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert answer.parent_span_id == request.span_id
    attributes = {item.key for item in answer.attributes}
    assert {"jargonaut.outcome", "jargonaut.passages", "jargonaut.lexical_ms", "jargonaut.release"} <= attributes
    assert "SESSION" not in str(received)
    assert "salaries" not in str(received), "not even the name of a document"
