"""The gate: from per-query scores of two recipes to a verdict and its reason in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.proof import Comparison, Part, Verdict
from jargonaut.proof.intervals import (
    BOUNDED_LEVEL,
    Groups,
    bootstrap_interval,
    bounded_p,
    randomisation_p,
    smallest_certain,
)
from jargonaut.proof.parts import compare_parts

FEWEST_QUERIES = 30
HARM_LEVEL = 0.05
"""Family-wise level at which a loss in some part of the questions counts as harm: not so strict as for a gain, since
here the error that matters is to overlook it."""
_TIE = 1e-9
_RAREST = 1e-6

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked of a candidate."""

    level: float = 0.001
    """One-sided level of the test for a gain."""
    margin: float | None = None
    """None asks for a gain. Otherwise the candidate may be at most this much worse (non-inferiority): for a changed
    prompt, threshold or generator, where nothing is to be gained but nothing may be lost."""
    seed: int = 0


NON_INFERIORITY_MARGIN = 0.01
"""One point of nDCG@10, or of the share of right answers."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, and on what evidence."""

    verdict: Verdict
    reason: str
    comparison: Comparison
    resolves: float
    """Smallest true difference that these queries show at the gate's level 19 times out of 20."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """Two rankings (or answerers) scored on the same queries, in the same order."""

    baseline: str
    candidate: str
    baseline_scores: Values
    """Shape (queries,), between 0 and 1."""
    candidate_scores: Values
    groups: Groups | None = None
    """For each query, the document it is about."""
    measure: str = "nDCG@10"
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By kind (`language`, ...) for each query the part it belongs to; empty where that is not known."""


def decide(contest: Contest, gate: Gate) -> Decision:
    """Compare in pairs and say `better`, `not inferior`, `uneven`, `worse` or `cannot tell`."""
    differences = contest.candidate_scores - contest.baseline_scores
    interval = bootstrap_interval(differences, contest.groups, seed=gate.seed)
    comparison = Comparison(
        baseline=contest.baseline,
        candidate=contest.candidate,
        difference=interval,
        p_value=randomisation_p(differences, contest.groups),
        wins=int(np.count_nonzero(differences > _TIE)),
        losses=int(np.count_nonzero(differences < -_TIE)),
        ties=int(np.count_nonzero(np.abs(differences) <= _TIE)),
        measure=contest.measure,
        p_bounded=bounded_p(differences, contest.groups),
    )
    resolves = smallest_certain(differences, gate.level, contest.groups)
    parts = compare_parts(differences, contest.parts, contest.groups, HARM_LEVEL, gate.seed)
    verdict = _verdict(comparison, parts, len(differences), gate)
    said = [
        _finding(contest.measure, comparison, verdict, gate),
        _harm(parts) if verdict == "uneven" else "",
        _power(len(differences), contest.groups, resolves, gate.level),
    ]
    return Decision(verdict, " ".join(filter(None, said)), comparison, resolves, parts)


def _verdict(comparison: Comparison, parts: Sequence[Part], queries: int, gate: Gate) -> Verdict:
    difference = comparison.difference
    if queries < FEWEST_QUERIES:
        return "cannot tell"
    passes: Verdict | None = None
    if gate.margin is not None and difference.low > -gate.margin:
        passes = "not inferior"
    elif gate.margin is None and is_gain(comparison, gate.level):
        passes = "better"
    if passes:
        return "uneven" if any(part.harmed for part in parts) else passes
    return "worse" if difference.high < 0 else "cannot tell"


def is_gain(comparison: Comparison, level: float) -> bool:
    """Whether it is beyond chance by both tests, and by the bootstrap."""
    beyond_chance = comparison.p_value <= level and comparison.p_bounded <= BOUNDED_LEVEL
    return beyond_chance and comparison.difference.low > 0


def _finding(measure: str, comparison: Comparison, verdict: Verdict, gate: Gate) -> str:
    difference = comparison.difference
    measured = (
        f"{points(difference.mean)} points of {measure} against {comparison.baseline} "
        f"(95 % interval {points(difference.low)} to {points(difference.high)})"
    )
    asked = f"chance alone does as well {odds(comparison.p_value)}, and the gate asks for at most {odds(gate.level)}"
    queries = comparison.wins + comparison.losses + comparison.ties
    if verdict == "worse":
        return f"{measured}: the whole interval lies below zero."
    if queries < FEWEST_QUERIES:
        return f"{measured}, on {queries} judging questions; fewer than {FEWEST_QUERIES} decide nothing."
    if gate.margin is None and comparison.p_value <= gate.level and comparison.p_bounded > BOUNDED_LEVEL:
        return (
            f"{measured}; {asked}. But gains so small could be paid for by rare losses that so few questions miss: "
            f"allowing for these, chance does as well {odds(comparison.p_bounded)}, and the gate "
            f"asks for at most {odds(BOUNDED_LEVEL)}."
        )
    if gate.margin is None:
        return f"{measured}; {asked}."
    if verdict == "cannot tell":
        return f"{measured}: a loss of more than {points(gate.margin, signed=False)} cannot be ruled out."
    return f"{measured}: whatever is lost is less than the {points(gate.margin, signed=False)} allowed."


def _harm(parts: Sequence[Part]) -> str:
    """Which parts are harmed, worst first."""
    harmed = sorted((part for part in parts if part.harmed), key=lambda part: part.difference.mean)
    said = "; ".join(
        f"{part.kind} {part.name}: {points(part.difference.mean)} points on {part.queries} questions, "
        f"which chance alone does {odds(part.p_value)}"
        for part in harmed
    )
    return f"But some are harmed, beyond what chance explains: {said}."


def _power(queries: int, groups: Groups | None, resolves: float, level: float) -> str:
    about = f" about {len(set(groups))} documents" if groups is not None else ""
    if resolves >= 1:
        return (
            f"{queries} judging questions{about} are too few to show any difference at the gate's level ({level:.2g})."
        )
    return (
        f"{queries} judging questions{about} resolve about {points(resolves, signed=False)} points at the gate's level "
        f"({level:.2g}): a true difference of that size is seen 19 times out of 20, a smaller one less often."
    )


def points(difference: float, signed: bool = True) -> str:
    """A difference between 0 and 1 in points (hundredths), to one decimal."""
    hundredths = round(100 * difference, 1) + 0.0
    text = f"{abs(hundredths):.1f}"
    return ("+" if hundredths > 0 else "−" if hundredths < 0 else "") + text if signed else text


def odds(p_value: float) -> str:
    """A p-value as a frequency: `once in 1,000 tries`."""
    if p_value < _RAREST:
        return "less than once in a million tries"
    if p_value > 0.1:
        return f"in {100 * p_value:.0f} of 100 tries"
    tries = 1 / p_value
    digits = max(0, len(str(int(tries))) - 2)
    return f"once in {round(tries, -digits):,.0f} tries"
