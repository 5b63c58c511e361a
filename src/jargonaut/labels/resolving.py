"""Labels and the documents that are there: every name is looked up, duplicates are folded, contradictions settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median_low

from jargonaut.core.document import Chunk, Document
from jargonaut.core.errors import InputError
from jargonaut.labels.documents import KnownDocuments
from jargonaut.labels.label import Label, LabelFile, Problem, Split
from jargonaut.labels.places import find_places, is_too_short

_NO_SPLIT: Split = ""
_LAST_FIRST: tuple[Split, ...] = ("test", "dev", "train")


@dataclass(frozen=True, slots=True)
class Answer:
    """A document or section, and how well it answers."""

    document_id: str
    chunk_ids: frozenset[str]
    grade: float
    section: str
    whole_document: bool


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with everything that is known to answer it, best first, and what is known not to."""

    text: str
    answers: tuple[Answer, ...]
    refuted: frozenset[str]
    """Ids of chunks that somebody judged not to answer it."""
    split: Split


@dataclass(frozen=True, slots=True)
class ResolvedLabels:
    """What can be used, and what became of the rest."""

    path: str
    shape: str
    rows: int
    questions: tuple[LabelledQuestion, ...]
    problems: tuple[Problem, ...]
    """Bad rows of the file, and names that are not there."""
    contradictions: tuple[Problem, ...]
    """Pairs that were judged differently, and what was made of them."""
    duplicates: int
    """Rows that say again what another says."""
    deleted: int
    """Rows about documents that were deleted."""
    notes: tuple[str, ...]

    @property
    def pairs(self) -> int:
        """Answers of all questions."""
        return sum(len(question.answers) for question in self.questions)


@dataclass(frozen=True, slots=True)
class _Place:
    document_id: str
    chunk_ids: frozenset[str]
    section: str
    whole: bool


def resolve(
    read: LabelFile, documents: Sequence[Document], chunks: Sequence[Chunk], deleted: Collection[str] = ()
) -> ResolvedLabels:
    """Look up what the labels name.

    Args:
        read: The labels.
        documents: All that are there.
        chunks: All of theirs.
        deleted: URIs of documents that were deleted: naming one is no mistake.

    Raises:
        InputError: No label can be used; with the reason.
    """
    known = KnownDocuments(documents, chunks, deleted)
    problems = list(read.problems)
    located: list[tuple[Label, _Place]] = []
    searched: list[tuple[Label, str]] = []
    about_deleted = 0
    for label in read.labels:
        place = _named(label, known)
        if isinstance(place, _Place):
            located.append((label, place))
        elif place is None:
            about_deleted += 1
        elif label.passage:
            searched.append((label, place))
        else:
            problems.append(Problem(label.file, label.line, place))
    places = find_places([label.passage for label, _ in searched], chunks)
    for (label, why), found in zip(searched, places, strict=True):
        if found:
            located.append((label, _place(found, whole=False)))
        else:
            problems.append(Problem(label.file, label.line, why or _unfound(label)))
    located.sort(key=lambda item: (item[0].file, item[0].line))
    questions, contradictions, duplicates = _folded(located, problems)
    problems.sort(key=lambda problem: (problem.file, problem.line))
    resolved = ResolvedLabels(
        path=read.path,
        shape=read.shape,
        rows=read.rows,
        questions=questions,
        problems=tuple(problems),
        contradictions=contradictions,
        duplicates=duplicates,
        deleted=about_deleted,
        notes=read.notes,
    )
    if not questions:
        raise InputError(*_nothing(resolved))
    return resolved


def _named(label: Label, known: KnownDocuments) -> _Place | str | None:
    """The place that a label names; None if its document was deleted; else what is wrong, or empty if it names none."""
    if label.chunk:
        chunk = known.chunk(label.chunk)
        if chunk:
            return _place([chunk], whole=False)
        if not label.document:
            return f"there is no chunk `{label.chunk}`: ids change when documents are cut otherwise. Name the heading."
    if not label.document:
        return ""
    found = known.document(label.document)
    if found is None:
        return None if known.was_deleted(label.document) else known.unknown(label.document)
    of_document = known.chunks_of(found)
    if not of_document:
        return f"`{label.document}` has no text."
    if label.heading:
        wanted = " ".join(label.heading.split()).casefold()
        under = [chunk for chunk in of_document if wanted in " › ".join(chunk.heading_path).casefold()]
        return _place(under, whole=False) if under else known.unknown_heading(found, label.heading)
    if label.passage:
        (within,) = find_places([label.passage], of_document)
        if within:
            return _place(within, whole=False)
    return _place(of_document, whole=True)


def _place(chunks: Sequence[Chunk], whole: bool) -> _Place:
    first = chunks[0]
    path = "" if whole else " › ".join(first.heading_path)
    section = f"{first.uri}: {path}" if path else first.uri
    return _Place(first.document_id, frozenset(chunk.id for chunk in chunks), section, whole)


def _unfound(label: Label) -> str:
    if is_too_short(label.passage):
        return "the answer is too short to be found by its words. Name the document."
    return "no document holds the words of this answer. Name the document."


def _folded(
    located: Sequence[tuple[Label, _Place]], problems: list[Problem]
) -> tuple[tuple[LabelledQuestion, ...], tuple[Problem, ...], int]:
    """One entry for each question, one grade for each of its answers."""
    by_question: dict[str, dict[_Place, list[Label]]] = defaultdict(dict)
    for label, place in located:
        key = " ".join(label.question.split()).casefold()
        by_question[key].setdefault(place, []).append(label)
    questions, contradictions, duplicates = [], [], 0
    for places in by_question.values():
        answers: list[Answer] = []
        refuted: set[str] = set()
        for place, labels in places.items():
            grades = [label.grade for label in labels]
            grade = median_low(grades)
            if len(set(grades)) > 1:
                contradictions.append(_contradiction(labels, place, grade))
            else:
                duplicates += len(labels) - 1
            if grade > 0:
                answers.append(Answer(place.document_id, place.chunk_ids, grade, place.section, place.whole))
            else:
                refuted |= place.chunk_ids
        first = next(iter(places.values()))[0]
        if answers:
            answers.sort(key=lambda answer: -answer.grade)
            best = {name for answer in answers for name in answer.chunk_ids}
            splits = {label.split for labels in places.values() for label in labels}
            split = next((split for split in _LAST_FIRST if split in splits), _NO_SPLIT)
            questions.append(LabelledQuestion(first.question, tuple(answers), frozenset(refuted - best), split))
        else:
            problems.append(Problem(first.file, first.line, "nothing is relevant to this question."))
    return tuple(questions), tuple(contradictions), duplicates


def _contradiction(labels: Sequence[Label], place: _Place, grade: float) -> Problem:
    said = ", ".join(f"{label.grade:g} in line {label.line}" for label in labels)
    what = f"`{labels[0].question}` and {place.section} were judged differently: {said}."
    return Problem(labels[0].file, labels[0].line, what, f"The median counts, of two the lower: {grade:g}.")


def _nothing(resolved: ResolvedLabels) -> tuple[str, str]:
    """What to say where no label can be used."""
    if resolved.deleted and not resolved.problems:
        return (
            f"All {resolved.deleted} labels in {resolved.path} are about documents that were deleted.",
            "Label documents that are there, or bring these back: `jargonaut documents restore`.",
        )
    listed = "\n".join(f"  {problem}" for problem in resolved.problems[:10])
    more = f"\n  and {len(resolved.problems) - 10} more" if len(resolved.problems) > 10 else ""
    return (
        f"None of the {resolved.rows} rows in {resolved.path} can be used:\n{listed}{more}",
        "`jargonaut labels check FILE` lists all that is wrong.",
    )
