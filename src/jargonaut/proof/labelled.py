"""Which labelled questions are learned from, which choose, and which judge: divided by document and near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jargonaut.labels.resolving import LabelledQuestion, ResolvedLabels
from jargonaut.proof.judge import JudgingQuery, Target, split_halves
from jargonaut.training.pairs import MOST_RELEVANT_CHUNKS, Pair
from jargonaut.training.split import Split, place_of

LABELS = "labels"
"""The source of these questions."""
ENOUGH_TO_PROVE = 400
"""Labelled questions held out, half of them to judge: these resolve about five points."""
ENOUGH_TO_LEARN = 100
"""Fewer left for training teach nothing: then all are held out."""


@dataclass(frozen=True, slots=True)
class DividedLabels:
    """Labelled questions by what they are for."""

    split: Split
    """Of the documents, with those that the held-out questions are about held out."""
    training: tuple[Pair, ...]
    chosen_on: tuple[JudgingQuery, ...]
    judged_on: tuple[JudgingQuery, ...]
    seen: tuple[JudgingQuery, ...]
    """Questions that training does not read, about documents that it does."""


def divide_labels(labels: ResolvedLabels, drawn: Split, seed: int) -> DividedLabels:
    """As the file says, if it says so; else by document, most of it for the proof.

    A question whose documents are on both sides is neither learned from nor decides: it counts as seen.
    """
    questions = labels.questions
    if any(question.split for question in questions):
        return _as_written(questions, drawn, seed)
    split = _holding_out_enough(questions, drawn, seed)
    training: list[LabelledQuestion] = []
    held_out: list[LabelledQuestion] = []
    seen: list[LabelledQuestion] = []
    for question in questions:
        documents = _documents(question)
        if documents <= split.held_out:
            held_out.append(question)
        elif documents <= split.training:
            training.append(question)
        else:
            seen.append(question)
    halves = split_halves([as_query(question, split) for question in held_out], seed)
    return DividedLabels(
        split,
        tuple(pair for question in training for pair in _pairs(question)),
        halves.chosen_on,
        halves.judged_on,
        tuple(as_query(question, split) for question in seen),
    )


def as_query(question: LabelledQuestion, split: Split | None = None) -> JudgingQuery:
    """A labelled question to judge on."""
    targets = tuple(
        Target(answer.chunk_ids, answer.grade, answer.document_id, answer.section) for answer in question.answers
    )
    best = targets[0]
    return JudgingQuery(
        text=question.text,
        document_id=best.document_id,
        relevant=frozenset[str]().union(*(target.chunks for target in targets)),
        source=LABELS,
        section=best.section,
        targets=targets,
        by_document=all(answer.whole_document for answer in question.answers),
        cluster=split.clusters.get(best.document_id, "") if split else "",
    )


def _as_written(questions: Sequence[LabelledQuestion], drawn: Split, seed: int) -> DividedLabels:
    """The split of the file. Test questions about documents that training questions are about too count as seen."""
    learned = [question for question in questions if question.split == "train"]
    read = {drawn.clusters.get(name, name) for question in learned for name in _documents(question)}
    held_out: list[LabelledQuestion] = []
    seen: list[LabelledQuestion] = []
    for question in questions:
        if question.split != "train":
            own = {drawn.clusters.get(name, name) for name in _documents(question)}
            (seen if own & read else held_out).append(question)
    split = drawn.holding_out((name for question in held_out for name in _documents(question)), releasing=read)
    tests = [as_query(question, split) for question in held_out if question.split == "test"]
    choosing = [as_query(question, split) for question in held_out if question.split != "test"]
    if tests and choosing:
        judged = {query.group for query in tests}
        choosing = [query for query in choosing if query.group not in judged]
    if tests and choosing:
        chosen_on, judged_on = tuple(choosing), tuple(tests)
    else:
        halves = split_halves(tests or choosing, seed)
        chosen_on, judged_on = halves.chosen_on, halves.judged_on
    return DividedLabels(
        split,
        tuple(pair for question in learned for pair in _pairs(question)),
        chosen_on,
        judged_on,
        tuple(as_query(question, split) for question in seen),
    )


def _holding_out_enough(questions: Sequence[LabelledQuestion], drawn: Split, seed: int) -> Split:
    """The drawn split, grown until enough labelled questions are held out; all of them, if few would be left."""
    places = [
        max(place_of(drawn.clusters.get(name, name), seed) for name in _documents(question)) for question in questions
    ]
    everything = [name for question in questions for name in _documents(question)]
    if len(questions) < ENOUGH_TO_PROVE + ENOUGH_TO_LEARN:
        return drawn.holding_out(everything)
    share = sorted(places)[ENOUGH_TO_PROVE - 1]
    grown = drawn.holding_out(name for name in everything if place_of(drawn.clusters.get(name, name), seed) <= share)
    left = sum(_documents(question) <= grown.training for question in questions)
    return grown if left >= ENOUGH_TO_LEARN else drawn.holding_out(everything)


def _documents(question: LabelledQuestion) -> frozenset[str]:
    return frozenset(answer.document_id for answer in question.answers)


def _pairs(question: LabelledQuestion) -> list[Pair]:
    """One pair for each answer that is not as long as a book."""
    return [
        Pair(
            query=question.text,
            chunk_ids=tuple(sorted(answer.chunk_ids)),
            document_ids=(answer.document_id,),
            source="label",
            origin_document_ids=(),
            hidden_chunk_ids=tuple(
                sorted(frozenset().union(*(other.chunk_ids for other in question.answers)) - answer.chunk_ids)
            ),
        )
        for answer in question.answers
        if len(answer.chunk_ids) <= MOST_RELEVANT_CHUNKS
    ]
