"""The evaluation record of a recipe, and its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import IntegrityError, NewerFormatError

FORMAT = 2
"""Version of the records written here. Format 1 lacks the fields that have defaults below."""

Verdict = Literal["better", "cannot tell", "worse", "uneven", "not inferior", "unproven"]
"""`uneven` is better, or not inferior, on average, but worse beyond chance for some."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One ranking, judged on the same questions as all others."""

    name: str
    """`bm25`, `base`, `tuned`, `plain rrf`, `fused base`, `fused tuned`, `reranked`."""
    ndcg_at_10: Interval
    recall_at_10: Interval
    mrr_at_10: Interval
    recall_at_5: Interval | None = None
    """None in records of format 1."""
    recall_at_100: Interval | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate against baseline on the same queries."""

    baseline: str
    candidate: str
    difference: Interval
    p_value: float
    """One-sided, paired randomisation test: how often chance alone gives a difference this large."""
    wins: int
    losses: int
    ties: int
    measure: str = "nDCG@10"
    """What the difference is of."""
    p_bounded: float = 1.0
    """The same chance without taking gains and losses to be alike: what rare disasters could hide is allowed for. 1 in
    records of format 1."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the judging questions that the average must not hide: one language, one source."""

    kind: str
    """`language`, `documents` (the source they are from) or `questions` (where these come from)."""
    name: str
    queries: int
    difference: Interval
    p_value: float
    """How often chance alone gives a loss this large, corrected for the number of parts (Holm 1979)."""
    resolves: float
    """The smallest true loss that would have been seen here."""
    harmed: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """What other questions would have said, which decide nothing."""

    source: str
    """Where the questions come from, in words."""
    queries: int
    comparison: Comparison
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured, on what, and what follows."""

    candidate: str
    """Recipe id."""
    baseline: str
    """Recipe id of the live recipe, or empty."""
    revision: str
    query_source: str
    """Where the judging queries came from, in words."""
    queries_chosen_on: int
    queries_judged_on: int
    documents_held_out: int
    level: float
    """The one-sided level of this look."""
    resolves: float
    """The smallest true difference that these queries show at that level 19 times out of 20 (in format 1: 4 out of
    5)."""
    rows: tuple[Row, ...]
    comparison: Comparison | None
    verdict: Verdict
    reason: str
    lineage: Mapping[str, str]
    """Digests of what training read and of what was held out, the size of their intersection, and of each encoder what
    is known of its training."""
    family_level: float = 0.0
    """The level of all proofs on these questions together; 0 in records of format 1."""
    look: int = 1
    """How many proofs these questions have decided, with this one."""
    parts: tuple[Part, ...] = ()
    seen_rows: tuple[Row, ...] = ()
    """The same rows on questions about documents that training saw."""
    queries_seen: int = 0
    opinions: tuple[Opinion, ...] = ()

    @property
    def id(self) -> str:
        """Digest of the record."""
        return digest_of(self.to_json())

    @property
    def promotes(self) -> bool:
        """Whether the gate lets the candidate replace the live recipe."""
        return self.verdict in ("better", "not inferior")

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return {"kind": "proof", "format": FORMAT, **dataclasses.asdict(self)}


def proof_from_json(value: Mapping[str, Any]) -> Proof:
    """Read a proof of any format up to `FORMAT`.

    Raises:
        NewerFormatError: It was written by a newer version.
        IntegrityError: It is not a proof.
    """
    fields = {key: item for key, item in value.items() if key not in ("kind", "format")}
    if value.get("format", 1) > FORMAT:
        raise NewerFormatError(
            f"This proof was written in format {value['format']}; this version of Jargonaut reads up to {FORMAT}.",
            "Upgrade Jargonaut.",
        )
    try:
        for rows in ("rows", "seen_rows"):
            fields[rows] = tuple(_row(row) for row in fields.get(rows, ()))
        fields["comparison"] = _comparison(fields["comparison"]) if fields["comparison"] else None
        fields["parts"] = tuple(
            Part(**{**part, "difference": Interval(**part["difference"])}) for part in fields.get("parts", ())
        )
        fields["opinions"] = tuple(
            Opinion(**{**opinion, "comparison": _comparison(opinion["comparison"])})
            for opinion in fields.get("opinions", ())
        )
        return Proof(**fields)
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"The record of a proof is incomplete: {error}") from error


def _row(value: Mapping[str, Any]) -> Row:
    measures = {name: Interval(**item) for name, item in value.items() if name != "name" and item}
    return Row(name=value["name"], **measures)


def _comparison(value: Mapping[str, Any]) -> Comparison:
    return Comparison(**{**value, "difference": Interval(**value["difference"])})
