"""From a log of clicks to labels. People click what stands on top: how much so is estimated, and taken out.

The position-based model (Richardson et al. 2007; Craswell et al. 2008): a result is clicked if it is looked at, which
depends on its position alone, and if it attracts, which depends on question and result alone. Looking falls off as
1 / position ** eta (Joachims et al. 2017, who propose eta = 1). Eta is estimated from results that the same question
showed at several positions, as happens by itself whenever a ranking changes (Agarwal et al. 2019): given how often such
a pair was clicked in all, where the clicks fell says nothing of how much it attracts, so that these cancel out.
Attraction is then clicks over expected looks (Zhang & Jones 2007).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.labels.label import Label

USUAL = 1.0
"""Eta where the log cannot tell."""
ENOUGH_CLICKS = 50
"""Clicks on pairs seen at several positions, from which on eta is estimated."""
FEWEST_CLICKS = 2
"""On a result before it counts as an answer: one click is curiosity."""
LEAST_LOOKED_AT = 0.1
"""A click far down counts as at most ten (clipped propensities, Joachims et al. 2017)."""
_GOOD, _FAIR = 0.5, 0.2
"""Attraction, as a share of that of the question's most attractive result, from which on it is of grade 2 and 1."""
_DRAWN = 2.0
"""Looks of average attraction that each pair is given beside its own (Gamma prior)."""
_EXPONENTS = np.arange(0.0, 3.001, 0.01)


@dataclass(frozen=True, slots=True)
class Impression:
    """A result that was shown, and whether it was clicked."""

    question: str
    target: tuple[str, str, str]
    """Document, heading, chunk."""
    position: int
    """1 is the top."""
    clicked: bool
    file: str
    line: int


Pair = tuple[str, tuple[str, str, str]]


def debiased(impressions: Sequence[Impression], exponent: float | None = None) -> tuple[list[Label], list[str]]:
    """Labels of grade 1 and 2, and what was assumed.

    Args:
        impressions: The log.
        exponent: Eta, if it is known; else it is estimated.
    """
    if not impressions:
        return [], []
    of_pair: dict[Pair, list[Impression]] = defaultdict(list)
    for impression in impressions:
        of_pair[impression.question.casefold(), impression.target].append(impression)
    only_clicks = all(impression.clicked for impression in impressions)
    if exponent is not None:
        eta, how = exponent, "as stated"
    else:
        found = None if only_clicks else estimated_exponent(of_pair)
        eta, how = (USUAL, "the usual one: the log cannot tell") if found is None else (found, "estimated from the log")
    attraction = _attraction(of_pair, eta, only_clicks)
    best: dict[str, float] = defaultdict(float)
    for (question, _), value in attraction.items():
        best[question] = max(best[question], value)
    labels = []
    for pair, shown in of_pair.items():
        share = attraction[pair] / best[pair[0]] if best[pair[0]] else 0.0
        if share >= _FAIR and sum(item.clicked for item in shown) >= FEWEST_CLICKS:
            first = shown[0]
            document, heading, chunk = first.target
            grade = 2.0 if share >= _GOOD else 1.0
            labels.append(
                Label(first.question, document, heading, chunk, grade=grade, file=first.file, line=first.line)
            )
    clicks = sum(impression.clicked for impression in impressions)
    notes = [
        f"{clicks:,} clicks on {len(impressions):,} results; looking falls off as 1 / position^{eta:.2f} ({how}).",
        f"{len(labels):,} pairs with at least {FEWEST_CLICKS} clicks became labels, of {len(of_pair):,}.",
    ]
    if only_clicks:
        notes.append("The log holds clicks alone: rows for what was shown and not clicked would tell more.")
    return labels, notes


def estimated_exponent(of_pair: Mapping[Pair, Sequence[Impression]]) -> float | None:
    """Eta of the highest conditional likelihood; None if too few clicks fell on pairs seen at several positions.

    Given a pair's clicks in all, they fall on its positions in proportion to (times shown there) / position ** eta.
    """
    likelihood, clicks = np.zeros_like(_EXPONENTS), 0
    for shown in of_pair.values():
        positions, at = np.unique([item.position for item in shown], return_inverse=True)
        clicked = np.bincount(at, weights=[item.clicked for item in shown])
        if len(positions) < 2 or not clicked.any():
            continue
        looks = np.log(np.bincount(at)) - _EXPONENTS[:, None] * np.log(positions)
        likelihood += looks @ clicked - clicked.sum() * np.log(np.exp(looks).sum(axis=1))
        clicks += int(clicked.sum())
    return float(_EXPONENTS[likelihood.argmax()]) if clicks >= ENOUGH_CLICKS else None


def _attraction(of_pair: Mapping[Pair, Sequence[Impression]], eta: float, only_clicks: bool) -> dict[Pair, float]:
    """Clicks over expected looks, drawn to the average where there are few; of clicks alone, their weight."""
    clicks, looks = {}, {}
    for pair, shown in of_pair.items():
        chances = np.maximum(np.array([item.position for item in shown], np.float64) ** -eta, LEAST_LOOKED_AT)
        clicked = np.array([item.clicked for item in shown], np.float64)
        clicks[pair] = float((clicked / chances).sum() if only_clicks else clicked.sum())
        looks[pair] = float(chances.sum())
    if only_clicks:
        return clicks
    average = sum(clicks.values()) / sum(looks.values())
    return {pair: (clicks[pair] + _DRAWN * average) / (looks[pair] + _DRAWN) for pair in of_pair}
