"""What Elasticsearch and OpenSearch have in common, as the writer and the reader see it, and what they answer in error.

Both are Lucene behind HTTP and JSON. A `LuceneServer` sends requests; the few bodies in which the two differ are its
own too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from jargonaut.core.errors import (
    DeadlineError,
    IntegrityError,
    JargonautError,
    SettingsError,
    SpaceMismatchError,
    UnavailableError,
)
from jargonaut.index.port import Vector

Body = Mapping[str, Any]
VectorOption = Literal["float", "int8", "bbq"]

MOST_CANDIDATES = 10_000
"""Of one vector search; a limit of both servers."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server is and who we are there. Secrets come from the environment, and are never shown."""

    urls: tuple[str, ...]
    user: str = ""
    password: str = ""
    api_key: str = ""
    ca_file: str = ""

    def __repr__(self) -> str:
        """Without secrets."""
        return f"Access({', '.join(self.urls)})"


class LuceneServer(Protocol):
    """A server, or a cluster of them. Safe to use from several threads."""

    engine: str
    """`elasticsearch` or `opensearch`."""

    @property
    def where(self) -> str:
        """Product and address, for messages."""

    @property
    def vector_option(self) -> VectorOption:
        """How new indices keep vectors for the search."""

    def send(self, method: str, path: str, body: Body | bytes | None = None, *, timeout_s: float = 60) -> Any:
        """Send a request; the JSON of the answer. `bytes` is newline-delimited JSON.

        Raises:
            ServerAnswerError: The server refuses the request.
            UnavailableError: It cannot be reached, is not the product it should be, or does not know us.
            DeadlineError: It took longer than `timeout_s`.
        """

    @property
    def similarity(self) -> str:
        """What it calls BM25 with its factor k1 + 1."""

    def index_settings(self) -> Body:
        """Settings of a new index that only this product has."""

    def vector_field(self, dimensions: int) -> Body:
        """Mapping of the field `vector`: cosine."""

    def nearest(self, vector: Vector, limit: int, candidates: int, where: Body) -> Body:
        """Body of a search for the `limit` nearest chunks among those that match `where`, looking at `candidates`."""


class ServerAnswerError(UnavailableError):
    """A server answered that it cannot, or will not."""

    def __init__(self, where: str, status: int, kind: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{where}: {reason or kind} (HTTP {status}, {kind}).", hint)
        self.status = status
        self.kind = kind
        self.reason = reason


class UnreachableError(UnavailableError):
    """There is no connection to a server: it may be starting."""


_ALIBABA_PRODUCT = re.compile(r"\.(ha|opensearch)\.aliyuncs\.com$")
_FULL = re.compile(r"disk usage exceeded|flood-stage|read-only-allow-delete|No space left", re.IGNORECASE)
_WIDTH = re.compile(
    r"(?:more|different number of) dimensions(?: \[(?P<got>\d+)\])? than (?:defined in the mapping|the index vectors|"
    r"the document vectors) \[(?P<expected>\d+)\]"
    r"|dimension mismatch\. Expected: (?P<expected2>\d+), Given: (?P<got2>\d+)"
    r"|invalid dimension: (?P<got3>\d+)\. Dimension should be: (?P<expected3>\d+)",
    re.IGNORECASE,
)


def checked_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses of one cluster, without the `/` at their end.

    Raises:
        SettingsError: One is no address of a server that we can use.
    """
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"`{url}` in [index] urls is not the address of a server.", "For example https://host:9200."
            )
        if parts.username or parts.password:
            raise SettingsError(
                f"The address of {parts.hostname} in [index] urls holds a name or password.",
                "Use `user` and `password_env`.",
            )
        if _ALIBABA_PRODUCT.search(parts.hostname):
            raise SettingsError(
                f"`{parts.hostname}` is Alibaba Cloud's own OpenSearch, which has the name and nothing else in common "
                "with the OpenSearch that Jargonaut speaks to.",
                "Use Alibaba Cloud Elasticsearch (vector-enhanced edition), or OpenSearch on your own machines.",
            )
    return tuple(url.rstrip("/") for url in urls)


def error_from(where: str, status: int, answer: Any) -> JargonautError:
    """What an answer that is not a success means."""
    kind, reason = _cause(answer)
    if status in (401, 403) and "cluster_block" not in kind and "license" not in reason:
        denied = "does not know the user or key" if status == 401 else "does not let this user do that"
        return UnavailableError(
            f"{where} {denied}: {reason or kind}",
            "Check `user`, `password_env` and `api_key_env` in [index], and the role of that user.",
        )
    if (mismatch := width_mismatch(where, reason)) is not None:
        return mismatch
    return ServerAnswerError(where, status, kind, reason, _hint(status, kind, reason))


def width_mismatch(where: str, reason: str) -> SpaceMismatchError | None:
    """The error for vectors of another width, if that is what the server says."""
    match = _WIDTH.search(reason)
    if match is None:
        return None
    got = match["got"] or match["got2"] or match["got3"] or "more"
    expected = match["expected"] or match["expected2"] or match["expected3"]
    return SpaceMismatchError(
        f"{where} holds vectors of {expected} dimensions, and was sent {got}.",
        "Use the encoder that the index was built with, or build again with the new one: it gets an index of its own.",
    )


def timeout_error(where: str, timeout_s: float) -> DeadlineError:
    """The server did not answer in time."""
    return DeadlineError(f"{where} did not answer within {timeout_s:.3g} s.", "Try again, or look at its load.")


def unreachable(where: str, reason: str) -> UnavailableError:
    """There is no connection."""
    message = f"{where} cannot be reached: {reason}"
    if "certificate" in reason.lower():
        return UnavailableError(
            message, "If its certificate is by a private authority, name that authority's in [index] ca_file."
        )
    return UnreachableError(message, "Check [index] urls, and that the server is running.")


def wrong_product(where: str, wanted: str, found: str) -> SettingsError:
    """The server is something else than the settings say."""
    other = {"Elasticsearch": "elasticsearch", "OpenSearch": "opensearch"}.get(found)
    hint = f'Set engine = "{other}" in [index].' if other else "Check [index] urls."
    return SettingsError(f"{where} is {found or 'another product'}, not {wanted}.", hint)


def version_of(text: str) -> tuple[int, int]:
    """The first two numbers of a version: `8.19.4` -> (8, 19)."""
    major, minor = (int(part) for part in [*re.findall(r"\d+", text), "0", "0"][:2])
    return major, minor


def checked_version(where: str, product: str, version: tuple[int, int], oldest: tuple[int, int]) -> None:
    """Refuse a server that is too old to search as we need it.

    Raises:
        SettingsError: It is.
    """
    if version < oldest:
        raise SettingsError(
            f"{where} is {product} {version[0]}.{version[1]}; Jargonaut needs {oldest[0]}.{oldest[1]} or newer.",
            "Upgrade the server.",
        )


def _hint(status: int, kind: str, reason: str) -> str:
    if _FULL.search(reason):
        return "Its disk is full: free some space there; it takes writes again by itself."
    if status == 429 or "rejected_execution" in kind:
        return "It has too much to do: try again later, or give it more resources."
    if status == 503 or kind in ("no_shard_available_action_exception", "search_phase_execution_exception"):
        return "Some of its shards are not there: look at its cluster health, then try again."
    return ""


def _cause(answer: Any) -> tuple[str, str]:
    """Type and reason of an error, of the innermost cause where the outer one only says that something failed."""
    error = answer.get("error", answer) if isinstance(answer, Mapping) else answer
    if not isinstance(error, Mapping):
        return "error", str(error)[:300]
    kind = str(error.get("type", "error"))
    reasons = [str(error.get("reason", ""))]
    roots = error.get("root_cause") or [shard.get("reason", {}) for shard in error.get("failed_shards", [])]
    inner: Any = roots[0] if roots else error.get("caused_by")
    while isinstance(inner, Mapping) and len(reasons) < 6:
        kind = str(inner.get("type", kind)) if kind == "search_phase_execution_exception" else kind
        reasons.append(str(inner.get("reason", "")))
        inner = inner.get("caused_by")
    inner = error.get("caused_by")
    while isinstance(inner, Mapping) and len(reasons) < 9:
        reasons.append(str(inner.get("reason", "")))
        inner = inner.get("caused_by")
    return kind, ": ".join(dict.fromkeys(reason for reason in reasons if reason))[:600]


def bulk_item_error(where: str, item: Mapping[str, Any]) -> JargonautError:
    """What the error of one item of a `_bulk` means."""
    return error_from(where, int(item["status"]), item)


def is_gone(error: JargonautError) -> bool:
    """Whether the server says that there is no such index."""
    return isinstance(error, ServerAnswerError) and error.status == 404


def gone(table: str, version: int, where: str) -> IntegrityError:
    """A revision is not in this engine."""
    return IntegrityError(
        f"Version {version} of table {table} is not in {where}.",
        "If it is in another engine, copy it: `jargonaut index copy`. Otherwise `jargonaut build --anew`.",
    )
