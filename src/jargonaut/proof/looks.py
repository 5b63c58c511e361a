"""How often the same questions may decide: who proves again and again until it passes is not fooled by chance.

All proofs that share judging questions share one level. The k-th is held to `level / (k (k + 1))`, and since these add
up to `level` for ever (alpha spending, Lan & DeMets 1983), the chance that any useless recipe ever passes on these
questions stays below it, however many are tried. That holds for candidates that do not depend on what the earlier
proofs showed, beyond whether they passed: training and choosing never read the judging questions (compare the ladder of
Blum & Hardt 2015). Where enough questions are new, only they decide, at the full first share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from jargonaut.core.canonical import digest_of
from jargonaut.proof.gate import FEWEST_QUERIES
from jargonaut.proof.intervals import POWER
from jargonaut.proof.judge import JudgingQuery


@dataclass(frozen=True, slots=True)
class EarlierLook:
    """A proof that has decided something, automatically."""

    candidate: str
    """Recipe id."""
    baseline: str
    revision: str
    questions: frozenset[str] | None
    """Marks of its judging questions; None if they are not known: then they may have been any."""
    number: int = 1


@dataclass(frozen=True, slots=True)
class Look:
    """One proof among those that share its questions."""

    number: int
    """1 for the first."""
    level: float
    """What it is held to."""
    family_level: float
    questions: tuple[JudgingQuery, ...]
    marks: tuple[str, ...]
    """One a question, sorted."""
    set_aside: int = 0
    """Questions that have decided before, and do not now."""


def share(number: int) -> float:
    """Of the level, what the `number`-th look may spend: 1/2, 1/6, 1/12, ...; all together 1."""
    return 1 / (number * (number + 1))


def next_look(
    queries: Sequence[JudgingQuery], earlier: Iterable[EarlierLook], level: float, proving: tuple[str, str, str]
) -> Look:
    """Which questions decide next, and at what level. Nothing of it depends on how they were answered.

    Args:
        queries: The judging half.
        earlier: All proofs before.
        level: Of all looks at the same questions together.
        proving: Ids of candidate, baseline and revision: the same proof again is the same look, not another.
    """
    before = list(earlier)
    marks = [mark(query) for query in queries]
    repeated = [look for look in before if (look.candidate, look.baseline, look.revision) == proving and look.questions]
    for look in repeated:
        again = tuple(query for query, name in zip(queries, marks, strict=True) if name in (look.questions or ()))
        if len(again) == len(look.questions or ()):
            return _look(look.number, level, again, len(queries) - len(again))
    sharing = [look for look in before if look.questions is None or look.questions & set(marks)]
    used = frozenset[str]().union(*(look.questions or marks for look in sharing))
    number = 1 + max((look.number for look in sharing), default=0)
    number = max(number, 1 + len(sharing))
    fresh = [query for query, name in zip(queries, marks, strict=True) if name not in used]
    if sharing and _resolution(fresh, level * share(1)) < _resolution(queries, level * share(number)):
        return _look(1, level, fresh, len(queries) - len(fresh))
    return _look(number, level, queries, 0)


def mark(query: JudgingQuery) -> str:
    """Names a question and what it is about, whatever the chunks."""
    return digest_of([query.text, sorted(query.document_ids)])[:16]


def _look(number: int, level: float, queries: Sequence[JudgingQuery], set_aside: int) -> Look:
    marks = tuple(sorted(map(mark, queries)))
    return Look(number, level * share(number), level, tuple(queries), marks, set_aside)


def _resolution(queries: Sequence[JudgingQuery], level: float) -> float:
    """Relative size of the smallest difference that would be seen; infinite for too few questions."""
    if len(queries) < FEWEST_QUERIES:
        return float("inf")
    normal, documents = NormalDist(), len({query.group for query in queries})
    return float((normal.inv_cdf(1 - level) + normal.inv_cdf(POWER)) / documents**0.5)
