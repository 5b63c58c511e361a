"""What a search must find, worked out by brute force over everything."""

import itertools
from collections import Counter

import numpy as np
from hypothesis import strategies as st

from jargonaut.core.document import Chunk, Place, document_id
from jargonaut.core.filters import AllOf, AnyOf, Between, Equals, Not, OneOf, StartsWith
from jargonaut.index.analysis import index_terms
from jargonaut.index.port import DocumentRows, IndexedDocument, Visibility

DIMENSIONS = 8
PRINCIPALS = ("public", "user:a", "group:x", "group:y")
LANGUAGES, AUTHORS, TAGS = ("en", "zh", ""), ("", "Ann", "O'Neil", "李"), ("t1", "t2", "日本")
WORDS = ("cookie", "session", "err-4031", "age", "隔离", "级别", "gn6v-c8g1.2xlarge", "timeout", "x")
DOCUMENTS = 96
K1, B = 1.2, 0.75


def library(documents=DOCUMENTS):
    """Documents with every set of principals, and metadata, texts and vectors as chance has it."""
    rng = np.random.default_rng(17)
    allows = [
        allow for size in range(len(PRINCIPALS) + 1) for allow in itertools.combinations(sorted(PRINCIPALS), size)
    ]
    found = []
    for number in range(documents):
        uri = f"{'ab'[number % 2]}/{number:03}.md"
        texts = [" ".join(rng.choice(WORDS, rng.integers(1, 12))) for _ in range(rng.integers(1, 4))]
        vectors = rng.normal(size=(len(texts), DIMENSIONS)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        chunks = tuple(
            Chunk(document_id(uri), uri, f"T{number % 3}", ("T",), text, n * 100, n * 100 + len(text), n, "paragraph",
                  Place(n + 1), "chunker-1")
            for n, text in enumerate(texts)
        )  # fmt: skip
        metadata = {"date": f"202{number % 4}-0{number % 7 + 1}", "author": str(rng.choice(AUTHORS))}
        tags = tuple(str(tag) for tag in rng.choice(TAGS, rng.integers(0, 3), replace=False))
        if tags:
            metadata["tags"] = tags
        document = IndexedDocument(uri, "d1", allows[number % len(allows)])
        language = str(rng.choice(LANGUAGES))
        found.append(DocumentRows(document, chunks, vectors, language, "text/markdown", metadata))
    return found


def visibilities():
    ids = st.integers(0, DOCUMENTS + 3).map(lambda n: document_id(f"{'ab'[n % 2]}/{n:03}.md"))
    some = st.frozensets(ids, max_size=12)
    askers = st.frozensets(st.sampled_from([*PRINCIPALS, "group:z"]), min_size=1)
    return st.builds(
        lambda asker, deleted, changed, part, everything: Visibility(
            asker, deleted, changed, frozenset(sorted(changed)[: int(part * len(changed))]), everything
        ),
        askers, some, some, st.floats(0, 1), st.sampled_from([False, False, False, True]),
    )  # fmt: skip


def filters():
    values = {"language": LANGUAGES, "author": AUTHORS, "tags": TAGS, "title": ("T0", "T1"), "uri": ("a/000.md", "b/")}
    leaves = st.one_of(
        *(st.builds(Equals, st.just(name), st.sampled_from(known)) for name, known in values.items()),
        *(
            st.builds(OneOf, st.just(name), st.lists(st.sampled_from(known), max_size=3).map(tuple))
            for name, known in values.items()
        ),
        st.builds(StartsWith, st.just("uri"), st.sampled_from(["a/", "b/01", "", "z"])),
        st.builds(Between, st.just("date"), st.sampled_from(["", "2021"]), st.sampled_from(["", "2022-03", "2023"])),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        ),
        max_leaves=6,
    )


def questions():
    """A vector, terms, or both."""
    vectors = st.integers(0, 10_000).map(_unit)
    terms = st.lists(st.sampled_from(sorted({t for word in WORDS for t in index_terms(word)})), min_size=1, max_size=5)
    return st.one_of(
        st.tuples(vectors, terms.map(tuple)), st.tuples(vectors, st.just(())), st.tuples(st.none(), terms.map(tuple))
    )


def _unit(seed):
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Oracle:
    """Judges what an index found among `documents`."""

    def __init__(self, documents):
        self._rows = {
            chunk.id: (rows, chunk, rows.vectors[at], Counter(index_terms(chunk.indexed_text)))
            for rows in documents
            for at, chunk in enumerate(rows.chunks)
        }
        self.all_ids = list(self._rows)
        lengths = [sum(terms.values()) for *_, terms in self._rows.values()]
        self._average = sum(lengths) / len(lengths)
        self._frequency = Counter(term for *_, terms in self._rows.values() for term in terms)

    def visible(self, visibility, where):
        return {
            chunk_id
            for chunk_id, (rows, chunk, *_) in self._rows.items()
            if _may_see(rows, chunk.document_id, visibility) and (where is None or _holds(where, rows, chunk))
        }

    def check(self, found, question, visibility, where, limit):
        vector, terms = question
        seen = self.visible(visibility, where)
        assert set(found.chunk_ids) <= seen
        assert len(set(found.chunk_ids)) == len(found.chunk_ids)
        cosines = {chunk_id: float(self._rows[chunk_id][2] @ vector) for chunk_id in seen} if vector is not None else {}
        scores = {chunk_id: score for chunk_id in seen if (score := self._bm25(chunk_id, terms)) > 0}
        cosine = dict(zip(found.chunk_ids, found.cosine.tolist(), strict=True))
        bm25 = {chunk_id: score for chunk_id, score in zip(found.chunk_ids, found.bm25.tolist(), strict=True) if score}
        if vector is not None:
            assert all(abs(cosine[chunk_id] - cosines[chunk_id]) < 1e-5 for chunk_id in cosine)
            for least in sorted(cosines.values(), reverse=True)[:limit][-1:]:
                assert sum(value >= least - 1e-5 for value in cosine.values()) >= min(limit, len(seen))
        else:
            assert np.isnan(found.cosine).all()
        assert len(bm25) == min(limit, len(scores))
        for chunk_id, score in bm25.items():
            assert abs(score - scores[chunk_id]) < 1e-3 * scores[chunk_id], (chunk_id, score, scores[chunk_id])
        if bm25:
            assert min(bm25.values()) >= sorted(scores.values(), reverse=True)[len(bm25) - 1] * (1 - 1e-3)

    def _bm25(self, chunk_id, terms):
        counts = self._rows[chunk_id][3]
        norm = K1 * (1 - B + B * sum(counts.values()) / self._average)
        score = 0.0
        for term in terms:
            if counts[term]:
                n = self._frequency[term]
                idf = np.log(1 + (len(self._rows) - n + 0.5) / (n + 0.5))
                score += idf * counts[term] * (K1 + 1) / (counts[term] + norm)
        return score


def _may_see(rows, name, visibility):
    if name in visibility.deleted:
        return False
    if visibility.everything or name in visibility.readable:
        return True
    return name not in visibility.changed and bool(set(rows.document.allow) & visibility.principals)


def _holds(expression, rows, chunk):
    match expression:
        case Equals("tags", value):
            return value in rows.metadata.get("tags", ())
        case Equals(field, value):
            return _value(field, rows, chunk) == value
        case OneOf(field, values):
            return any(_holds(Equals(field, value), rows, chunk) for value in values)
        case StartsWith(field, prefix):
            return _value(field, rows, chunk).startswith(prefix)
        case Between(field, low, high):
            value = _value(field, rows, chunk)
            return value != "" and (not low or value >= low) and (not high or value <= high)
        case Not(operand):
            return not _holds(operand, rows, chunk)
        case AllOf(operands):
            return all(_holds(operand, rows, chunk) for operand in operands)
        case AnyOf(operands):
            return any(_holds(operand, rows, chunk) for operand in operands)


def _value(field, rows, chunk):
    known = {"uri": chunk.uri, "title": chunk.title, "language": rows.language, "kind": chunk.kind}
    return known[field] if field in known else rows.metadata.get(field, "")
