"""What Prometheus reads: counts, times, and what is live. Names of knowledge bases stand in it, never a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from jargonaut.answering.answer import Account
from jargonaut.core.scope import Scope
from jargonaut.state.knowledge_base import ChannelPointer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
"""Route of what is at no route: paths that strangers make up must not become names of series."""

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The figures of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "jargonaut_requests", "Requests answered", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "jargonaut_request_seconds",
            "Time until the last byte of an answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_progress = Gauge("jargonaut_requests_in_progress", "Requests being answered", registry=self.registry)
        self._stages = Histogram(
            "jargonaut_retrieval_seconds",
            "Time of one stage of retrieval",
            ["stage"],
            buckets=(0.001, *_BUCKETS[:-2]),
            registry=self.registry,
        )
        self._answers = Counter(
            "jargonaut_answers",
            "Answers by how they ended",
            ["tenant", "knowledge_base", "outcome"],
            registry=self.registry,
        )
        self._unsupported = Counter(
            "jargonaut_unsupported_statements", "Statements that no citation supported", registry=self.registry
        )
        self._dropped = Counter(
            "jargonaut_dropped_citations", "Citations that did not support their statement", registry=self.registry
        )
        self._tokens = Counter(
            "jargonaut_generator_tokens", "Tokens of generators", ["model", "kind"], registry=self.registry
        )
        self._attempts = Counter(
            "jargonaut_generator_attempts", "Requests to generators", ["model", "outcome"], registry=self.registry
        )
        self._live = Gauge(
            "jargonaut_channel",
            "1 for the release that a channel points at",
            ["tenant", "model", "release", "recipe", "verdict"],
            registry=self.registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request is done."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def retrieved(self, seconds: Mapping[str, float]) -> None:
        """One retrieval is done, in so many seconds by stage."""
        for stage, took in seconds.items():
            self._stages.labels(stage).observe(took)

    def account(self, scope: Scope, account: Account, outcome: str) -> None:
        """One answer is done: `answered`, `abstained` or `failed`."""
        if account.retrieval is not None:
            self.retrieved(account.retrieval.seconds)
        self._answers.labels(scope.tenant, scope.knowledge_base, outcome).inc()
        self._unsupported.inc(account.unsupported)
        self._dropped.inc(account.dropped)

    def attempt(self, model: str, outcome: str) -> None:
        """One request to a generator is done."""
        self._attempts.labels(model, outcome).inc()

    def tokens(self, model: str, prompt: int, completion: int) -> None:
        """A generator has read and written so much."""
        self._tokens.labels(model, "prompt").inc(prompt)
        self._tokens.labels(model, "completion").inc(completion)

    def text(self, live: Iterable[tuple[str, str, ChannelPointer]]) -> bytes:
        """All of it, for Prometheus; `live`: tenant, model and where it points."""
        self._live.clear()
        for tenant, model, pointer in live:
            self._live.labels(tenant, model, pointer.release, pointer.recipe, pointer.verdict).set(1)
        return generate_latest(self.registry)
