"""Retrieval sets as BEIR has them, in memory: texts, vectors, words, and the pools that serving would see.

Vectors are kept in `.cache/`, so that a run that was interrupted goes on.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.index.analysis import index_terms, query_terms
from jargonaut.index.port import Candidates
from jargonaut.proof.judge import JudgingQuery, Target
from jargonaut.proof.retrieval import Pool
from jargonaut.storage.local import LocalStorage

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "gate"
WORDS, CHARACTERS = 120, 240
"""Of a document, what is encoded: what most of it says, in half the time."""
POOL = 100
_K1, _B = 1.2, 0.75
_AT_ONCE = 256

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class RetrievalSet:
    """A set, with some of its documents."""

    name: str
    language: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    training: Mapping[str, Mapping[str, float]]
    """Grades of documents by question."""
    unseen: Mapping[str, Mapping[str, float]]

    @cached_property
    def row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def queries(self, judged: Mapping[str, Mapping[str, float]]) -> list[JudgingQuery]:
        """Questions to judge on, each with its graded documents."""
        found = []
        for text, grades in judged.items():
            targets = tuple(
                Target(frozenset({name}), grade, name) for name, grade in sorted(grades.items()) if grade > 0
            )
            relevant = frozenset(target.document_id for target in targets)
            found.append(JudgingQuery(text, targets[0].document_id, relevant, targets=targets, language=self.language))
        return found

    @cached_property
    def words(self) -> Words:
        return Words([index_terms(text) for text in self.texts])


def read_set(folder: Path, most_documents: int = 6_000, most_questions: int = 600, seed: int = 0) -> RetrievalSet:
    """Read a set; of a large one all documents that the kept questions are about, and others drawn beside them."""
    corpus, queries = _jsonl(folder / "corpus.jsonl"), _jsonl(folder / "queries.jsonl")
    texts = {item["_id"]: f"{item.get('title', '')} {item['text']}".strip() for item in corpus}
    asked = {item["_id"]: item["text"] for item in queries}
    rng = np.random.default_rng(seed)
    training = _judged(folder / "qrels" / "train.tsv", asked, texts)
    unseen = _judged(folder / "qrels" / "test_unseen.tsv", asked, texts)
    training, unseen = (_drawn(side, most_questions, rng) for side in (training, unseen))
    kept = {name for side in (training, unseen) for grades in side.values() for name in grades}
    rest = sorted(texts.keys() - kept)
    more = rng.permutation(len(rest))[: max(0, most_documents - len(kept))]
    ids = tuple(sorted({*kept, *(rest[at] for at in more)}))
    language = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["language"]
    return RetrievalSet(folder.name, language, ids, tuple(texts[name] for name in ids), training, unseen)


class Words:
    """BM25 over the project's own analysis."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        lengths = np.array([len(terms) for terms in documents], np.float64)
        self._known: dict[str, Vectors] = {}
        self._size = len(documents)
        self._norm = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1))
        self._postings: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for row, terms in enumerate(documents):
            for term, count in Counter(terms).items():
                rows, counts = self._postings[term]
                rows.append(row)
                counts.append(count)

    def scores(self, question: str) -> Vectors:
        """Shape (documents,); the same question is asked for every recipe."""
        if question not in self._known:
            self._known[question] = self._scores(question)
        return self._known[question]

    def _scores(self, question: str) -> Vectors:
        scores = np.zeros(self._size)
        for term in set(query_terms(question)):
            if term in self._postings:
                rows, counts = self._postings[term]
                weight = np.log(1 + (self._size - len(rows) + 0.5) / (len(rows) + 0.5))
                found = np.array(counts, np.float64)
                scores[rows] += weight * found * (_K1 + 1) / (found + self._norm[rows])
        return scores.astype(np.float32)


def encoder_of(weights: BaseWeights, folder: Path) -> OpenVinoEncoder:
    """The encoder as it would serve."""
    storage = LocalStorage(folder)
    stored = load_encoder(storage, save_encoder(storage, weights).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


def document_vectors(of: RetrievalSet, encoder: OpenVinoEncoder) -> Vectors:
    """Shape (documents, dimensions); from the cache, if they were made before."""
    path = CACHE / f"{of.name}-{len(of.ids)}-{encoder.card.id[:12]}.npy"
    if path.is_file():
        return np.load(path)
    texts = [shortened(text) for text in of.texts]
    parts = [encoder.encode_queries(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
    vectors = np.concatenate(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, vectors)
    return vectors


def shortened(text: str) -> str:
    """Its beginning."""
    return " ".join(text[: CHARACTERS * 8].split()[:WORDS]) if text.isascii() else text[:CHARACTERS]


def pools(of: RetrievalSet, documents: Vectors, questions: Sequence[str], asked: Vectors) -> list[Pool]:
    """What an exact engine would return for each question: the best by cosine, and the best by words."""
    found = []
    for question, vector in zip(questions, asked, strict=True):
        cosine, lexical = documents @ vector, of.words.scores(question)
        dense = np.argpartition(-cosine, POOL)[:POOL]
        by_words = np.argpartition(-lexical, POOL)[:POOL]
        rows = np.union1d(dense, by_words[lexical[by_words] > 0])
        listed = np.zeros_like(lexical)
        listed[by_words] = lexical[by_words]
        names = tuple(of.ids[row] for row in rows)
        found.append(Pool(Candidates(names, names, cosine[rows], listed[rows], documents[rows]), vector))
    return found


def _jsonl(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _judged(path: Path, asked: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        question, document, grade = line.split("\t")
        if document in texts and float(grade) > 0:
            found[asked[question]][document] = float(grade)
    return dict(found)


def _drawn(
    judged: Mapping[str, Mapping[str, float]], most: int, rng: np.random.Generator
) -> dict[str, Mapping[str, float]]:
    names = sorted(judged)
    return {names[at]: judged[names[at]] for at in sorted(rng.permutation(len(names))[:most])}
