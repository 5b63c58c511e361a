"""Traces of requests for an OpenTelemetry collector. They hold names, counts and durations; never a question, a text or
the name of a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

import jargonaut
from jargonaut.core.errors import MissingExtraError

Value = str | int | float | bool


class Span(Protocol):
    """A piece of work that is being timed."""

    def set_attribute(self, key: str, value: Value) -> None:
        """Say something of it."""

    def update_name(self, name: str) -> None:
        """Call it otherwise, once it is known what it is."""

    def end(self) -> None:
        """It is done."""


class Tracing(Protocol):
    """Where spans go."""

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Span]:
        """The span of a whole request, as a part of the caller's trace if `traceparent` names one."""

    def part(self, name: str, attributes: Mapping[str, Value]) -> Span:
        """The span of a part of it, to be ended by who asks for it."""

    def close(self) -> None:
        """Send what is left."""


class _NoSpan:
    def set_attribute(self, key: str, value: Value) -> None:
        pass

    def update_name(self, name: str) -> None:
        pass

    def end(self) -> None:
        pass


class NoTracing:
    """Nothing is traced."""

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Span]:
        """See `Tracing.request`."""
        yield _NoSpan()

    def part(self, name: str, attributes: Mapping[str, Value]) -> Span:
        """See `Tracing.part`."""
        return _NoSpan()

    def close(self) -> None:
        """See `Tracing.close`."""


class OpenTelemetryTracing:
    """Sends spans to a collector over OTLP and HTTP.

    Args:
        endpoint: Such as `http://127.0.0.1:4318/v1/traces`.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
            raise MissingExtraError("OpenTelemetry", "otel")
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # Of its own, not the process's: what frameworks trace by themselves names paths, and so documents.
        resource = Resource({"service.name": "jargonaut", "service.version": jargonaut.__version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("jargonaut")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Span]:
        """See `Tracing.request`."""
        from opentelemetry.trace import SpanKind

        around = self._propagator.extract({"traceparent": headers.get("traceparent", "")})
        with self._tracer.start_as_current_span(
            "request", context=around, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    def part(self, name: str, attributes: Mapping[str, Value]) -> Span:
        """See `Tracing.part`."""
        started: Any = self._tracer.start_span(name, attributes=dict(attributes))
        span: Span = started
        return span

    def close(self) -> None:
        """See `Tracing.close`."""
        self._provider.shutdown()
