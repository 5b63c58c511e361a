"""Questions to prove a recipe on: labelled by the user, or taken from the documents' own structure, and held out.

What a source of questions was trained with never decides: the sources that judge are kept from training altogether, but
for labels, which are what users ask, and are divided by document.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jargonaut.core.document import Chunk, Document
from jargonaut.core.lineage import Lineage, lineage_of, question_mark, text_mark
from jargonaut.labels.resolving import ResolvedLabels
from jargonaut.proof.gate import FEWEST_QUERIES
from jargonaut.proof.judge import JudgingQuery, split_halves
from jargonaut.proof.labelled import LABELS, DividedLabels, as_query, divide_labels
from jargonaut.training.pairs import MinedPairs, Pair
from jargonaut.training.split import Split, divide_pairs, lineage, split_documents

ENOUGH = 120
"""Held-out questions from which on one source is enough; below it the next one is added."""
MOST_PER_HALF = 600
"""More questions cost minutes and resolve little more."""
MOST_LABELS_PER_HALF = 2_000
MOST_SEEN = 300
MOST_PER_DOCUMENT = 12
"""Documents, not questions, are what is sampled: one page with hundreds of questions would decide alone."""

_SOURCES = {
    "cross-reference": "cross-references (a sentence that points at a section; the citing section is hidden)",
    "question": "headings that are questions (they stand in the indexed text too)",
    "heading": "headings (they stand in the indexed text too, so that every ranking finds them easily)",
}


@dataclass(frozen=True, slots=True)
class OtherQuestions:
    """Questions that decide nothing, and what they would have said."""

    source: str
    queries: tuple[JudgingQuery, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Questions on documents that training does not see, and where they came from."""

    chosen_on: tuple[JudgingQuery, ...]
    judged_on: tuple[JudgingQuery, ...]
    source: str
    documents: int
    lineage: Mapping[str, str]
    """Digests of what training read and of what was held out, and how many texts are common to both."""
    seen: tuple[JudgingQuery, ...] = ()
    """Questions about documents that training sees."""
    others: tuple[OtherQuestions, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """Marks of the held-out documents, by id."""

    def without_read(self, read: Lineage) -> HeldOut:
        """The same without questions that an encoder's training has seen, or whose documents it has."""
        unseen = {name: text for name, text in self.texts.items() if text not in read.texts}

        def is_new(query: JudgingQuery) -> bool:
            return query.document_ids <= unseen.keys() and question_mark(query.text) not in read.questions

        sides = [tuple(filter(is_new, side)) for side in (self.chosen_on, self.judged_on)]
        others = tuple(replace(other, queries=tuple(filter(is_new, other.queries))) for other in self.others)
        return replace(self, chosen_on=sides[0], judged_on=sides[1], others=others, texts=unseen)


@dataclass(frozen=True, slots=True)
class Material:
    """What can be learned from, and what it will be judged on."""

    training: tuple[Pair, ...]
    training_chunks: frozenset[str]
    """Ids of the chunks that training may read."""
    held_out: HeldOut
    read: Lineage
    """What training may read, as marks."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents, and how they are cut."""

    documents: Sequence[Document]
    chunks: Sequence[Chunk]
    origins: Collection[str] = ()
    """Names of the sources that the documents are from, with which their URIs begin."""


def divide(corpus: Corpus, mined: MinedPairs, labels: ResolvedLabels | None, seed: int) -> Material:
    """Divide documents and their questions into those to learn from and those to be judged on.

    Labels decide if each half of them is enough to decide anything; then the documents' own questions are asked too,
    to see whether they would have said the same. Else it is the other way round.
    """
    drawn = split_documents(corpus.documents, seed)
    labelled = divide_labels(labels, drawn, seed) if labels else None
    split = labelled.split if labelled else drawn
    pairs = divide_pairs(mined.pairs, split)
    own, source, reserved = _structural(pairs.held_out, corpus.chunks)
    learned = [pair for pair in pairs.training if pair.source not in reserved]
    seen = [pair for pair in pairs.training if pair.source in reserved]
    by_id = {chunk.id: chunk for chunk in corpus.chunks}
    known = _Known(corpus, split)
    held_out = _held_out(
        known.halved(own, [as_judging_query(pair, by_id) for pair in seen], source),
        known.labelled(labelled, _words(labels)) if labelled and labels else None,
        known,
    )
    asked = {question_mark(query.text) for query in (*held_out.chosen_on, *held_out.judged_on)}
    training = [pair for pair in (*learned, *_training_labels(labelled)) if question_mark(pair.query) not in asked]
    texts = [document.text for document in corpus.documents if document.id in split.training]
    return Material(
        training=tuple(training),
        training_chunks=frozenset(chunk.id for chunk in corpus.chunks if chunk.document_id in split.training),
        held_out=held_out,
        read=lineage_of(texts, (pair.query for pair in training)),
    )


def untrained(corpus: Corpus, mined: MinedPairs, labels: ResolvedLabels | None, seed: int) -> HeldOut:
    """Questions about all documents, where nothing is trained on any: one half to choose on, the other to judge on."""
    known = _Known(corpus, split_documents(corpus.documents, seed, held_out_share=1.0))
    own, source, _ = _structural(mined.pairs, corpus.chunks)
    sides = known.halved([as_query(item) for item in labels.questions], (), _words(labels)) if labels else None
    return _held_out(known.halved(own, (), source), sides, known)


def as_judging_query(pair: Pair, chunks: Mapping[str, Chunk]) -> JudgingQuery:
    """A mined pair as a question to judge on."""
    first = chunks[pair.chunk_ids[0]]
    return JudgingQuery(
        pair.query,
        pair.document_ids[0],
        frozenset(pair.chunk_ids),
        frozenset(pair.hidden_chunk_ids),
        pair.source,
        _section(first),
    )


def sample_questions(mined: MinedPairs, chunks: Sequence[Chunk], count: int, seed: int) -> list[JudgingQuery]:
    """A sample over all documents, to fit a threshold on before anything was held out."""
    queries, _, _ = _structural(mined.pairs, chunks)
    return list(queries) if len(queries) <= count else random.Random(seed).sample(queries, count)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Questions of one kind."""

    chosen_on: tuple[JudgingQuery, ...]
    judged_on: tuple[JudgingQuery, ...]
    seen: tuple[JudgingQuery, ...]
    source: str

    @property
    def may_decide(self) -> bool:
        return min(len(self.chosen_on), len(self.judged_on)) >= FEWEST_QUERIES


class _Known:
    """What is known of the documents that questions are about."""

    def __init__(self, corpus: Corpus, split: Split) -> None:
        self._by_id = {document.id: document for document in corpus.documents}
        self._split = split
        self._origins = {name for name in corpus.origins if name}
        self.lineage = lineage(corpus.documents, split)
        self.held_out = len(split.held_out)
        self.texts = {name: text_mark(self._by_id[name].text) for name in split.held_out}
        self.seed = split.seed

    def halved(self, queries: Sequence[JudgingQuery], seen: Sequence[JudgingQuery], source: str) -> _Sides:
        """One half to choose on, the other to judge on; near-duplicates on the same side."""
        halves = split_halves(self._placed(queries), self.seed)
        return _Sides(halves.chosen_on, halves.judged_on, self._placed(seen), source)

    def labelled(self, divided: DividedLabels, source: str) -> _Sides:
        """Labels, as they were divided."""
        placed = self._placed
        return _Sides(placed(divided.chosen_on), placed(divided.judged_on), placed(divided.seen), source)

    def _placed(self, queries: Iterable[JudgingQuery]) -> tuple[JudgingQuery, ...]:
        """With language, source and near-duplicates."""
        return tuple(self._with_place(query) for query in queries)

    def _with_place(self, query: JudgingQuery) -> JudgingQuery:
        document = self._by_id.get(query.document_id)
        if document is None:
            return query
        root = document.uri.partition("/")[0]
        return replace(
            query,
            language=document.language,
            origin=root if root in self._origins else "",
            cluster=self._split.clusters.get(document.id, ""),
        )


def _held_out(own: _Sides, labelled: _Sides | None, known: _Known) -> HeldOut:
    deciding, other = (labelled, own) if labelled and labelled.may_decide else (own, labelled)
    most = MOST_LABELS_PER_HALF if deciding is labelled else MOST_PER_HALF
    others = [] if other is None or not other.judged_on else [other]
    return HeldOut(
        chosen_on=_sampled(deciding.chosen_on, known.seed, most),
        judged_on=_sampled(deciding.judged_on, known.seed, most),
        source=deciding.source,
        documents=known.held_out,
        lineage=known.lineage,
        seen=_sampled(deciding.seen, known.seed, MOST_SEEN),
        others=tuple(OtherQuestions(item.source, _sampled(item.judged_on, known.seed, most)) for item in others),
        texts=known.texts,
    )


def _training_labels(divided: DividedLabels | None) -> tuple[Pair, ...]:
    return divided.training if divided else ()


def _words(labels: ResolvedLabels) -> str:
    return f"{LABELS} of yours ({labels.path})"


def _structural(pairs: Sequence[Pair], chunks: Sequence[Chunk]) -> tuple[list[JudgingQuery], str, set[str]]:
    """The best source, and the next ones as long as there are too few questions; in words, and by name."""
    by_id = {chunk.id: chunk for chunk in chunks}
    queries: list[JudgingQuery] = []
    sources: dict[str, str] = {}
    for source, words in _SOURCES.items():
        if len(queries) >= ENOUGH:
            break
        found = [as_judging_query(pair, by_id) for pair in pairs if pair.source == source]
        if found:
            queries += found
            sources[source] = words
    return queries, "; ".join(sources.values()), set(sources)


def _sampled(queries: Sequence[JudgingQuery], seed: int, most: int) -> tuple[JudgingQuery, ...]:
    chance = random.Random(seed)
    of_document: Counter[str] = Counter()
    kept = []
    for query in chance.sample(list(queries), len(queries)):
        of_document[query.document_id] += 1
        if of_document[query.document_id] <= MOST_PER_DOCUMENT:
            kept.append(query)
    return tuple(kept[:most])


def _section(chunk: Chunk) -> str:
    return f"{chunk.uri}: {' › '.join(chunk.heading_path)}"
