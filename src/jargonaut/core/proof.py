"""The evaluation record of a recipe, and its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jargonaut.core.canonical import digest_of

Verdict = Literal["better", "cannot tell", "worse", "not inferior", "unproven"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One ranking, judged on queries whose documents training never saw."""

    name: str
    """`bm25`, `base`, `tuned`, `fused base`, `fused tuned`."""
    ndcg_at_10: Interval
    recall_at_10: Interval
    mrr_at_10: Interval


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
    """The gate's one-sided level."""
    resolves: float
    """The smallest true difference in nDCG@10 that these queries would show at that level with 80 % power."""
    rows: tuple[Row, ...]
    comparison: Comparison | None
    verdict: Verdict
    reason: str
    lineage: Mapping[str, str]
    """Digests of what training read and of what was held out, and the size of their intersection."""

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
        return {"kind": "proof", "format": 1, **dataclasses.asdict(self)}


def proof_from_json(value: Mapping[str, Any]) -> Proof:
    """Read a proof written by `Proof.to_json`."""
    fields = {key: item for key, item in value.items() if key not in ("kind", "format")}
    fields["rows"] = tuple(
        Row(row["name"], *(Interval(**row[metric]) for metric in ("ndcg_at_10", "recall_at_10", "mrr_at_10")))
        for row in fields["rows"]
    )
    if fields["comparison"]:
        comparison = dict(fields["comparison"])
        comparison["difference"] = Interval(**comparison["difference"])
        fields["comparison"] = Comparison(**comparison)
    return Proof(**fields)
