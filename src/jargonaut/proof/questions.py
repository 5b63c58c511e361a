"""Questions to prove a recipe on: labelled by the user, or taken from the documents' own structure, and held out."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jargonaut.core.document import Chunk, Document, document_id
from jargonaut.core.errors import InputError
from jargonaut.proof.judge import JudgingQuery, split_halves
from jargonaut.training.pairs import MinedPairs, Pair
from jargonaut.training.split import Split, divide_pairs, lineage, split_documents

ENOUGH = 120
"""Held-out questions from which on one source is enough; below it the next one is added."""
MOST_PER_HALF = 600
"""More questions cost minutes and resolve little more."""
MOST_PER_DOCUMENT = 12
"""Documents, not questions, are what is sampled: one page with hundreds of questions would decide alone."""

_SOURCES = {
    "cross-reference": "cross-references (a sentence that points at a section; the citing section is hidden)",
    "question": "headings that are questions (they stand in the indexed text too)",
    "heading": "headings (they stand in the indexed text too, so that every ranking finds them easily)",
}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Questions on documents that training does not see, and where they came from."""

    chosen_on: tuple[JudgingQuery, ...]
    judged_on: tuple[JudgingQuery, ...]
    source: str
    documents: int
    lineage: Mapping[str, str]
    """Digests of what training read and of what was held out, and how many texts are common to both."""


@dataclass(frozen=True, slots=True)
class Material:
    """What can be learned from, and what it will be judged on."""

    training: tuple[Pair, ...]
    training_chunks: frozenset[str]
    """Ids of the chunks that training may read."""
    held_out: HeldOut


def divide(
    documents: Sequence[Document], chunks: Sequence[Chunk], mined: MinedPairs, labels: Path | None, seed: int
) -> Material:
    """Divide documents and their questions into those to learn from and those to be judged on.

    Raises:
        InputError: The file of labels cannot be read; with the line.
    """
    labelled = read_labels(labels, chunks) if labels else []
    kept_away = {query.document_id for query in labelled}
    drawn = split_documents(documents, seed)
    split = Split(drawn.training - kept_away, drawn.held_out | kept_away, seed)
    pairs = divide_pairs(mined.pairs, split)
    queries, source = (labelled, f"labels of yours ({labels})") if labelled else _structural(pairs.held_out, chunks)
    halves = split_halves(queries, seed)
    return Material(
        pairs.training,
        frozenset(chunk.id for chunk in chunks if chunk.document_id in split.training),
        HeldOut(
            _sampled(halves.chosen_on, seed),
            _sampled(halves.judged_on, seed),
            source,
            len(split.held_out),
            lineage(documents, split),
        ),
    )


def untrained(
    documents: Sequence[Document], chunks: Sequence[Chunk], mined: MinedPairs, labels: Path | None, seed: int
) -> HeldOut:
    """Questions about all documents, where nothing is trained on any: to choose on one half, and to judge on the other.

    Raises:
        InputError: The file of labels cannot be read; with the line.
    """
    labelled = read_labels(labels, chunks) if labels else []
    queries, source = (labelled, f"labels of yours ({labels})") if labelled else _structural(mined.pairs, chunks)
    halves = split_halves(queries, seed)
    sides = _sampled(halves.chosen_on, seed), _sampled(halves.judged_on, seed)
    return HeldOut(*sides, source, len(documents), {"split_seed": str(seed)})


def read_labels(path: Path, chunks: Sequence[Chunk]) -> list[JudgingQuery]:
    """Judged questions: one JSON object a line with `query`, `uri` and, to name a section, `heading`.

    Raises:
        InputError: The file cannot be read, or a line is wrong, or names a document or section that is not there.
    """
    by_document: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_document.setdefault(chunk.document_id, []).append(chunk)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The labels in {path} cannot be read: {error}.") from error
    return [_labelled(line, f"{path}, line {n}", by_document) for n, line in enumerate(lines, 1) if line.strip()]


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
    queries, _ = _structural(mined.pairs, chunks)
    return list(queries) if len(queries) <= count else random.Random(seed).sample(queries, count)


def _structural(pairs: Sequence[Pair], chunks: Sequence[Chunk]) -> tuple[list[JudgingQuery], str]:
    """The best source, and the next ones as long as there are too few questions."""
    by_id = {chunk.id: chunk for chunk in chunks}
    queries: list[JudgingQuery] = []
    sources: list[str] = []
    for source, words in _SOURCES.items():
        if len(queries) >= ENOUGH:
            break
        found = [as_judging_query(pair, by_id) for pair in pairs if pair.source == source]
        if found:
            queries += found
            sources.append(words)
    return queries, "; ".join(sources)


def _sampled(queries: Sequence[JudgingQuery], seed: int) -> tuple[JudgingQuery, ...]:
    chance = random.Random(seed)
    of_document: Counter[str] = Counter()
    kept = []
    for query in chance.sample(list(queries), len(queries)):
        of_document[query.document_id] += 1
        if of_document[query.document_id] <= MOST_PER_DOCUMENT:
            kept.append(query)
    return tuple(kept[:MOST_PER_HALF])


def _labelled(line: str, where: str, by_document: Mapping[str, Sequence[Chunk]]) -> JudgingQuery:
    try:
        value = json.loads(line)
        text, uri, heading = str(value["query"]), str(value["uri"]), str(value.get("heading", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{where}: not a JSON object with `query` and `uri`.", 'Write {"query": ..., "uri": ...}.'
        ) from error
    of_document = by_document.get(document_id(uri))
    if not of_document:
        raise InputError(f"{where}: there is no document `{uri}`.", "`jargonaut documents list` shows their URIs.")
    relevant = [chunk for chunk in of_document if heading in " › ".join(chunk.heading_path)]
    if not relevant or not text.strip():
        raise InputError(f"{where}: `{uri}` has no section `{heading}`." if text.strip() else f"{where}: no question.")
    return JudgingQuery(
        text, document_id(uri), frozenset(c.id for c in relevant), frozenset(), "labels", _section(relevant[0])
    )


def _section(chunk: Chunk) -> str:
    return f"{chunk.uri}: {' › '.join(chunk.heading_path)}"
