"""What became of single questions: those that gained and lost most, and the terms that moved with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jargonaut.core.deadline import Deadline
from jargonaut.index.analysis import query_terms
from jargonaut.index.port import IndexReader, Visibility
from jargonaut.proof.judge import QueryOutcome

SHOWN = 8
"""Biggest gains, and as many losses, that are shown with their text."""
FEWEST_WITH_TERM = 3
"""Questions with a term before it is said to have moved."""
_TERMS = 12
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class MovedTerm:
    """A term, and how the questions with it did."""

    term: str
    """As most of them write it."""
    questions: int
    difference: float
    """Mean, in nDCG@10."""


def biggest(outcomes: Sequence[QueryOutcome]) -> tuple[list[QueryOutcome], list[QueryOutcome]]:
    """Gains and losses, the biggest first."""
    ordered = sorted(outcomes, key=lambda outcome: -outcome.difference)
    return (
        [outcome for outcome in ordered[:SHOWN] if outcome.difference > 0],
        [outcome for outcome in ordered[::-1][:SHOWN] if outcome.difference < 0],
    )


def moved_terms(outcomes: Sequence[QueryOutcome]) -> tuple[list[MovedTerm], list[MovedTerm]]:
    """The terms whose questions gained, and lost, most in all; those of one group of questions once."""
    members: dict[str, set[int]] = defaultdict(set)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for number, outcome in enumerate(outcomes):
        for word in outcome.query.split():
            for term in query_terms(word):
                members[term].add(number)
                written[term][_as_written(word, term)] += 1
    found: dict[frozenset[int], MovedTerm] = {}
    for term, numbers in sorted(members.items(), key=lambda item: -len(item[0])):
        if len(numbers) >= FEWEST_WITH_TERM and len(term) > 1:
            mean = sum(outcomes[number].difference for number in numbers) / len(numbers)
            shown = written[term].most_common(1)[0][0]
            found.setdefault(frozenset(numbers), MovedTerm(shown, len(numbers), mean))
    ordered = sorted(found.values(), key=lambda moved: -moved.difference * moved.questions)
    return (
        [moved for moved in ordered[:_TERMS] if moved.difference > 0],
        [moved for moved in ordered[::-1][:_TERMS] if moved.difference < 0],
    )


async def with_first_sections(reader: IndexReader, outcomes: Sequence[QueryOutcome]) -> tuple[QueryOutcome, ...]:
    """The outcomes with, for those that are shown, what came first before and after: title and heading path.

    Raises:
        UnavailableError: The index cannot be read.
    """
    shown = [outcome for side in biggest(outcomes) for outcome in side]
    wanted = sorted({chunk for outcome in shown for chunk in (outcome.baseline_first, outcome.candidate_first)} - {""})
    chunks = await reader.fetch(wanted, Visibility(everything=True), Deadline.after(_DEADLINE_S))
    names = {chunk.chunk_id: f"{chunk.uri}: {' › '.join(chunk.heading_path)}".rstrip(": ") for chunk in chunks}
    return tuple(
        replace(
            outcome,
            baseline_first=names.get(outcome.baseline_first, ""),
            candidate_first=names.get(outcome.candidate_first, ""),
        )
        for outcome in outcomes
    )


def _as_written(word: str, term: str) -> str:
    """The word without its punctuation; a Chinese term is its own spelling."""
    bare = word.strip(".,;:!?()[]{}'\"“”‘’，。？！；：、（）《》")
    return bare if bare.isascii() else term
