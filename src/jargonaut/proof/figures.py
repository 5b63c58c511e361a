"""Plots as inline SVG. Positions are percentages and sizes are pixels, so that text stays readable at every width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from jargonaut.core.proof import Comparison, Interval, Row
from jargonaut.proof.gate import points

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_SHARE_SHOWN = 0.06


def rows_figure(rows: Sequence[Row], roles: dict[str, str], notes: dict[str, str]) -> str:
    """A dot with its interval for every row, on one axis.

    Args:
        rows: In the order to show.
        roles: For some rows `candidate` or `baseline`.
        notes: For some rows, what they are.
    """
    bounds = [bound for row in rows for bound in (row.ndcg_at_10.low, row.ndcg_at_10.high)]
    ticks = axis_ticks(max(0.0, min(bounds)), min(1.0, max(bounds)))
    lines = []
    for row in rows:
        role = roles.get(row.name, "other")
        interval = row.ndcg_at_10
        note = f"<small>{escape(notes[row.name])}</small>" if row.name in notes else ""
        label = f"{interval.mean:.3f}, interval {interval.low:.3f} to {interval.high:.3f}"
        lines.append(
            f'<div class="dot-row {role}"><div class="dot-name">{escape(row.name)}{_tag(role)}{note}</div>'
            f'<svg class="track" role="img" aria-label="{escape(row.name)}: {label}">'
            f"{_grid(ticks)}{_interval(interval, ticks)}</svg>"
            f'<div class="dot-value">{interval.mean:.3f}</div></div>'
        )
    axis = "".join(f'<text x="{_at(t, ticks)}" y="12">{t:.2f}</text>' for t in ticks)
    lines.append(
        f'<div class="dot-row axis"><div></div><svg class="ticks" aria-hidden="true">{axis}</svg><div></div></div>'
    )
    return f'<div class="dots">{"".join(lines)}</div>'


def difference_figure(comparison: Comparison, resolves: float) -> str:
    """The mean difference with its interval against zero, and the smallest difference that could have been seen."""
    interval = comparison.difference
    ticks = axis_ticks(min(interval.low, 0.0), max(interval.high, resolves, 0.0))
    axis = "".join(f'<text x="{_at(t, ticks)}" y="78">{points(t) if t else "0"}</text>' for t in ticks)
    seen = f'<line class="resolves" x1="{_at(resolves, ticks)}" x2="{_at(resolves, ticks)}" y1="18" y2="62"/>'
    side = "end" if _position(resolves, ticks) > 50 else "start"
    word = f'<text class="resolves-text" x="{_at(resolves, ticks)}" y="11" style="text-anchor:{side}">resolvable</text>'
    label = f"Difference {points(interval.mean)} points, interval {points(interval.low)} to {points(interval.high)}"
    return (
        f'<svg class="difference" role="img" aria-label="{label}">{_grid(ticks, 18, 62)}'
        f'<line class="zero" x1="{_at(0, ticks)}" x2="{_at(0, ticks)}" y1="18" y2="62"/>{seen}{word}'
        f'<g class="candidate">{_interval(interval, ticks, "40")}</g>{axis}</svg>'
    )


def shares_figure(comparison: Comparison) -> str:
    """Wins, ties and losses as parts of one bar."""
    counts = (("wins", comparison.wins), ("ties", comparison.ties), ("losses", comparison.losses))
    total = max(sum(count for _, count in counts), 1)
    parts, left = [], 0.0
    for name, count in counts:
        width = 100 * count / total
        parts.append(f'<rect class="{name}" x="{left:.2f}%" width="{width:.2f}%" height="26"/>')
        if count / total >= _SHARE_SHOWN:
            parts.append(f'<text class="on-{name}" x="{left + width / 2:.2f}%" y="18">{count}</text>')
        left += width
    label = ", ".join(f"{name} {count}" for name, count in counts)
    key = "".join(f'<li><i class="{name}"></i>{name.capitalize()} {count}</li>' for name, count in counts)
    return f'<svg class="shares" role="img" aria-label="{label}">{"".join(parts)}</svg><ul class="key">{key}</ul>'


def sorted_figure(differences: Sequence[float]) -> str:
    """Every question's difference, the greatest gain first, as a filled outline around zero."""
    ordered = sorted(differences, reverse=True)
    above = "".join(f"V{1 - max(d, 0):.3f}H{i + 1}" for i, d in enumerate(ordered))
    below = "".join(f"V{1 - min(d, 0):.3f}H{i + 1}" for i, d in enumerate(ordered))
    lines = "".join(f'<line class="grid" x1="0" x2="100%" y1="{y}%" y2="{y}%"/>' for y in (0, 25, 75, 100))
    label = (
        f"Differences of {len(ordered)} questions, sorted, from {points(ordered[0])} to {points(ordered[-1])} points"
    )
    return (
        '<div class="sorted"><div class="scale" aria-hidden="true"><span>+100</span><span>0</span><span>−100</span>'
        "</div>"
        f'<svg role="img" aria-label="{label}">{lines}'
        f'<svg viewBox="0 0 {len(ordered)} 2" preserveAspectRatio="none" width="100%" height="100%">'
        f'<path class="wins" d="M0 1{above}V1Z"/><path class="losses" d="M0 1{below}V1Z"/></svg>'
        '<line class="zero" x1="0" x2="100%" y1="50%" y2="50%"/></svg></div>'
    )


def axis_ticks(low: float, high: float) -> list[float]:
    """Round numbers around `low` to `high`, at most eight."""
    step = next((s for s in _STEPS if (high - low) / s <= 6), _STEPS[-1])
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 6) for i in range(first, max(last, first + 1) + 1)]


def _position(value: float, ticks: Sequence[float]) -> float:
    return 2 + 96 * (value - ticks[0]) / (ticks[-1] - ticks[0])


def _at(value: float, ticks: Sequence[float]) -> str:
    return f"{_position(value, ticks):.2f}%"


def _grid(ticks: Sequence[float], top: int = 0, bottom: int = 100) -> str:
    unit = "%" if (top, bottom) == (0, 100) else ""
    return "".join(
        f'<line class="grid" x1="{_at(t, ticks)}" x2="{_at(t, ticks)}" y1="{top}" y2="{bottom}{unit}"/>' for t in ticks
    )


def _interval(interval: Interval, ticks: Sequence[float], y: str = "50%") -> str:
    low, mean, high = (_at(value, ticks) for value in (interval.low, interval.mean, interval.high))
    return (
        f'<line class="whisker" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        f'<circle class="dot" cx="{mean}" cy="{y}" r="6"/>'
    )


def _tag(role: str) -> str:
    return f' <em class="tag">{role}</em>' if role != "other" else ""
