"""Parts of the judging questions, each asked for harm by itself: no language pays for a gain on average.

Parts are tested together: Holm's step-down correction (1979) keeps the chance of any false alarm at the level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.proof import Part
from jargonaut.proof.intervals import Groups, bootstrap_interval, randomisation_p, smallest_resolvable

FEWEST_GROUPS = 8
"""Documents from which on a part is looked at by itself. Smaller ones are looked at together."""
REST = "all others"

Values = NDArray[np.float64]


def compare_parts(
    differences: Values, parts: Mapping[str, Sequence[str]], groups: Groups | None, level: float, seed: int
) -> tuple[Part, ...]:
    """Every part of every kind that has more than one, in the order of kind and name.

    Args:
        differences: Shape (queries,): candidate minus baseline.
        parts: By kind, for each query the name of its part, or empty.
        groups: As everywhere: what is resampled together.
        level: Chance of any false alarm of harm, over all parts.
        seed: Of the intervals.
    """
    names = [str(number) for number in range(len(differences))] if groups is None else list(groups)
    members = [(kind, part, rows) for kind, of_query in parts.items() for part, rows in _members(of_query, names)]
    losses = [randomisation_p(-differences[rows], [names[row] for row in rows]) for _, _, rows in members]
    corrected = holm(losses)
    found = []
    for (kind, part, rows), p_value in zip(members, corrected, strict=True):
        own = [names[row] for row in rows]
        found.append(
            Part(
                kind=kind,
                name=part,
                queries=len(rows),
                difference=bootstrap_interval(differences[rows], own, seed=seed),
                p_value=p_value,
                resolves=smallest_resolvable(differences[rows], level / len(members), own),
                harmed=p_value <= level,
            )
        )
    return tuple(found)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _members(of_query: Sequence[str], groups: Groups) -> list[tuple[str, list[int]]]:
    """Rows of each part; small parts together; nothing if there is only one."""
    documents = {part: len({g for p, g in zip(of_query, groups, strict=True) if p == part}) for part in set(of_query)}
    large = {part for part, count in documents.items() if part and count >= FEWEST_GROUPS}
    names = [part if part in large else REST for part in of_query]
    if len(Counter(names)) < 2:
        return []
    return [(part, [row for row, name in enumerate(names) if name == part]) for part in sorted(set(names))]
