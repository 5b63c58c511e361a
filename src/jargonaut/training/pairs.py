"""Questions that documents ask: sentences that point at a section, headings, and headings that are questions.

Each comes with the chunks that answer it. None is invented: the text is the documents' own, without markup.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import splitext
from typing import Literal

from jargonaut.core.document import Chunk, CrossReference, Document
from jargonaut.core.sentences import split_sentences
from jargonaut.training.query_text import (
    comparable,
    is_boilerplate_heading,
    is_generic_heading,
    says_enough,
    stands_alone,
    without_pointer,
)
from jargonaut.training.sections import DocumentSections, Section, Targets

PairSource = Literal[
    "cross-reference", "heading", "question", "label", "answered", "definition", "caption", "salient", "written"
]

MOST_RELEVANT_CHUNKS = 60
"""A section of more chunks than this answers everything and nothing."""

_MIN_SENTENCE_WORDS = 4
_MIN_HEADING_WORDS = 3
_MOST_REPEATS = 3
_MOST_REFERENCES = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and the chunks that answer it."""

    query: str
    chunk_ids: tuple[str, ...]
    """Sorted; of one section, or of each section that the sentence points at."""
    document_ids: tuple[str, ...]
    """Sorted: whose chunks they are."""
    source: PairSource
    origin_document_ids: tuple[str, ...]
    """Sorted: where the question was taken from."""
    hidden_chunk_ids: tuple[str, ...]
    """Sorted: chunks of the section it was taken from. They hold the question itself, so a judge must not see them."""
    taken: tuple[tuple[int, int], ...] = ()
    """Spans of the document that the question was made of and that stand in the answer: it is learned without them."""


@dataclass(frozen=True, slots=True)
class MinedPairs:
    """What was found, and why the rest was not used."""

    pairs: tuple[Pair, ...]
    dropped: Mapping[str, int]
    """Number by reason."""


def mine_pairs(documents: Iterable[Document], chunks: Iterable[Chunk]) -> MinedPairs:
    """All pairs of a corpus, in the order of the documents."""
    by_document: dict[str, list[Chunk]] = defaultdict(list)
    for chunk in chunks:
        by_document[chunk.document_id].append(chunk)
    corpus = [DocumentSections(document, tuple(by_document[document.id])) for document in documents]
    dropped: Counter[str] = Counter()
    targets = Targets(corpus)
    found = [pair for item in corpus for pair in _from_references(item, targets, dropped)]
    found += [pair for item in corpus for pair in _from_headings(item, dropped)]
    return MinedPairs(tuple(_distinct(found, dropped)), dict(sorted(dropped.items())))


def heading_free_text(chunk: Chunk, document: Document) -> str:
    """What a chunk says without the headings in it and above it, from which heading questions are made."""
    text, last = [], chunk.start
    for block in document.blocks:
        if block.kind == "heading" and block.end > last and block.start < chunk.end:
            text.append(document.text[last : max(block.start, last)])
            last = min(block.end, chunk.end)
    return "".join([*text, document.text[last : chunk.end]]).strip()


def _from_references(item: DocumentSections, targets: Targets, dropped: Counter[str]) -> Iterable[Pair]:
    by_sentence: dict[tuple[int, int], list[CrossReference]] = defaultdict(list)
    sentences = _Sentences(item.document)
    for reference in item.document.references:
        span = sentences.around(reference.start, reference.end)
        if span is None:
            dropped["reference outside of sentences"] += 1
        else:
            by_sentence[span].append(reference)
    for span, references in sorted(by_sentence.items()):
        pair = _from_sentence(item, span, references, targets, dropped)
        if pair:
            yield pair


def _from_sentence(
    item: DocumentSections,
    span: tuple[int, int],
    references: Sequence[CrossReference],
    targets: Targets,
    dropped: Counter[str],
) -> Pair | None:
    """One question for a sentence, answered by all that it points at."""
    start, end = span
    found = [(reference, targets.find(reference.target, item)) for reference in references]
    pointed = [(reference, target) for reference, target in found if target]
    dropped["reference that is unresolved or ambiguous"] += len(found) - len(pointed)
    if not pointed:
        return None
    if len({(section.document_id, section.start, section.end) for _, (_, section) in pointed}) > _MOST_REFERENCES:
        dropped["sentence that points at too many sections"] += 1
        return None
    names = {
        name
        for reference, (there, section) in pointed
        for name in (section.heading, there.document.title, reference.target, splitext(reference.target)[0])
    }
    query = without_pointer(item.document.text[start:end], sorted(names))
    around = item.section_at(start)
    hidden = {*item.chunks_in(around.start, around.own_end), *item.chunks_in(start, end)}
    relevant = {name for _, (there, section) in pointed for name in there.chunks_in(section.start, section.end)}
    reason = _unfit(query, relevant, _MIN_SENTENCE_WORDS)
    if not stands_alone(item.document.text[start:end]):
        reason = "sentence that leans on the one before"
    elif not reason and relevant <= hidden:
        reason = "reference within its own section"
    if reason:
        dropped[reason] += 1
        return None
    return Pair(
        query=query,
        chunk_ids=tuple(sorted(relevant - hidden)),
        document_ids=tuple(sorted({there.document.id for _, (there, _) in pointed})),
        source="cross-reference",
        origin_document_ids=(item.document.id,),
        hidden_chunk_ids=tuple(sorted(hidden)),
    )


def _from_headings(item: DocumentSections, dropped: Counter[str]) -> Iterable[Pair]:
    for section in item.sections:
        if not section.heading or is_boilerplate_heading(section.heading):
            continue
        query = _heading_query(section, item.document.title)
        relevant = set(item.chunks_in(section.start, section.end))
        reason = _unfit(query, relevant, _MIN_HEADING_WORDS)
        if not item.document.text[section.body_start : section.end].strip():
            reason = "heading with nothing under it"
        if reason:
            dropped[reason] += 1
            continue
        yield Pair(
            query=query,
            chunk_ids=tuple(sorted(relevant)),
            document_ids=(item.document.id,),
            source="question" if query.rstrip().endswith(("?", "？")) else "heading",
            origin_document_ids=(item.document.id,),
            hidden_chunk_ids=(),
        )


def _heading_query(section: Section, title: str) -> str:
    """The heading; with the one above it if it says little by itself."""
    if says_enough(section.heading, _MIN_HEADING_WORDS) and not is_generic_heading(section.heading):
        return section.heading
    above = section.path[-1] if section.path else title
    return section.heading if above in ("", section.heading) else f"{above}: {section.heading}"


def _unfit(query: str, relevant: set[str], min_words: int) -> str:
    if not says_enough(query, min_words):
        return "question that says too little"
    if not relevant:
        return "section without chunks"
    if len(relevant) > MOST_RELEVANT_CHUNKS:
        return "section of too many chunks"
    return ""


def _distinct(pairs: Sequence[Pair], dropped: Counter[str]) -> list[Pair]:
    """Merge what asks the same, and drop what is asked all over."""
    same: dict[tuple[PairSource, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        same[pair.source, comparable(pair.query)].append(pair)
    distinct = []
    for group in same.values():
        if len(group) > _MOST_REPEATS:
            dropped["question that is asked all over"] += len(group)
            continue
        hidden = {name for pair in group for name in pair.hidden_chunk_ids}
        relevant = {name for pair in group for name in pair.chunk_ids} - hidden
        if relevant:
            distinct.append(_merged(group, relevant, hidden))
    return distinct


def _merged(group: Sequence[Pair], relevant: set[str], hidden: set[str]) -> Pair:
    return replace(
        group[0],
        chunk_ids=tuple(sorted(relevant)),
        document_ids=tuple(sorted({name for pair in group for name in pair.document_ids})),
        origin_document_ids=tuple(sorted({name for pair in group for name in pair.origin_document_ids})),
        hidden_chunk_ids=tuple(sorted(hidden)),
    )


class _Sentences:
    """Sentences of the paragraphs and lists of a document; tables and code have none."""

    def __init__(self, document: Document) -> None:
        self._spans = [
            (block.start + start, block.start + end)
            for block in document.blocks
            if block.kind in ("paragraph", "list")
            for start, end in split_sentences(document.text[block.start : block.end])
        ]

    def around(self, start: int, end: int) -> tuple[int, int] | None:
        """The sentence that holds a span whole."""
        return next((span for span in self._spans if span[0] <= start and end <= span[1]), None)
