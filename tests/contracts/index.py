import asyncio
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Place, document_id
from jargonaut.core.errors import DeadlineError, InputError, IntegrityError, SpaceMismatchError
from jargonaut.core.filters import parse_filter
from jargonaut.index.analysis import query_terms
from jargonaut.index.port import (
    DocumentRows,
    IndexedDocument,
    SearchQuery,
    Snapshot,
    TableKey,
    Visibility,
)
from tests.contracts import oracle

DIMENSIONS = 8
KEY = TableKey("default", "handbook", "space-a", DIMENSIONS, "chunker-1", "1")
LEXICAL = TableKey("default", "handbook", "lexical", 0, "chunker-1", "1")
EVERYTHING = Visibility(everything=True)


def unit(*numbers):
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def document(uri, texts, allow=("public",), vectors=None, digest="d1", **about):
    chunks = tuple(
        Chunk(
            document_id(uri),
            uri,
            "T",
            ("T", f"H{n}"),
            text,
            n * 100,
            n * 100 + len(text),
            n,
            "paragraph",
            Place(n + 1),
            "chunker-1",
        )
        for n, text in enumerate(texts)
    )
    if vectors is None:
        seeded = np.random.default_rng(abs(hash(uri)) % 2**32)
        vectors = seeded.normal(size=(len(texts), DIMENSIONS)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return DocumentRows(IndexedDocument(uri, digest, tuple(allow)), chunks, np.asarray(vectors, np.float32), **about)


def search(reader, vector=None, text="", visibility=EVERYTHING, where=None, limit=100):
    terms = tuple(query_terms(text)) if text else ()
    query = SearchQuery(vector, terms, visibility, parse_filter(where) if where else None, limit)
    return asyncio.run(reader.search(query, Deadline.after(10)))


def uris(reader, candidates, visibility=EVERYTHING):
    return sorted(
        {chunk.uri for chunk in asyncio.run(reader.fetch(candidates.chunk_ids, visibility, Deadline.after(10)))}
    )


FILTERS = [
    ({"language": "zh"}, ["b.md"]),
    ({"language": ["zh", "en"]}, ["a.md", "b.md"]),
    ({"tags": "t1"}, ["a.md", "b.md"]),
    ({"tags": ["t2", "t9"]}, ["b.md"]),
    ({"date": {"from": "2024-06", "to": "2025"}}, ["b.md"]),
    ({"date": {"to": "2024-06"}}, ["a.md"]),
    ({"date": {"from": "2024-06"}}, ["b.md"]),
    ({"uri": {"starts_with": "a"}}, ["a.md"]),
    ({"not": {"language": "zh"}}, ["a.md", "c.md"]),
    ({"any": [{"uri": "c.md"}, {"author": "O'Neil"}]}, ["b.md", "c.md"]),
    ({"tags": "t1", "language": "en"}, ["a.md"]),
    ({"author": ""}, ["a.md", "c.md"]),
    ({"all": []}, ["a.md", "b.md", "c.md"]),
    ({"any": []}, []),
    ({"tags": []}, []),
    ({"author": "x' OR '1'='1"}, []),
]


class IndexContract:
    """What every index engine must do. Subclasses give fixtures `new_writer(key)` and `open_reader(snapshot)`."""

    EXAMPLES = 60

    def test_what_is_written_is_found(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["The session cookie age", "Other things"], vectors=[unit(1), unit(0, 1)])])
        reader = open_reader(writer.snapshot())
        found = search(reader, unit(1, 0.1), "cookie")
        best = found.chunk_ids[int(np.argmax(found.cosine))]
        [chunk] = asyncio.run(reader.fetch([best], EVERYTHING, Deadline.after(5)))
        assert (chunk.uri, chunk.text, chunk.heading_path, chunk.start) == (
            "a.md",
            "The session cookie age",
            ("T", "H0"),
            0,
        )
        assert found.bm25[found.chunk_ids.index(best)] > 0
        assert found.cosine.max() == pytest.approx(float(unit(1, 0.1) @ unit(1)), abs=1e-6)

    def test_lexical_candidates_have_their_exact_cosine(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace(
            [document("a.md", ["zebra"], vectors=[unit(0, 0, 1)]), document("b.md", ["horse"], vectors=[unit(1)])]
        )
        found = search(open_reader(writer.snapshot()), unit(1), "zebra", limit=1)
        assert sorted(np.round(found.cosine, 5).tolist()) == [0.0, 1.0]
        assert found.vectors.shape == (2, DIMENSIONS)

    def test_a_snapshot_does_not_change(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["old words"])])
        old = writer.snapshot()
        writer.replace([document("a.md", ["new words"], digest="d2"), document("b.md", ["more"])])
        writer.remove(["b.md"])
        new = writer.snapshot()
        assert len(search(open_reader(old), text="old").chunk_ids) == 1
        assert len(search(open_reader(old), text="new").chunk_ids) == 0
        assert len(search(open_reader(new), text="old").chunk_ids) == 0
        assert len(search(open_reader(new), text="new").chunk_ids) == 1

    def test_replacing_is_idempotent_and_leaves_no_old_chunk(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["one", "two", "three"])])
        for _ in range(3):
            writer.replace([document("a.md", ["four"], digest="d2"), document("b.md", ["five"])])
        assert writer.chunk_count() == 2
        assert writer.documents() == {
            "a.md": IndexedDocument("a.md", "d2", ("public",)),
            "b.md": IndexedDocument("b.md", "d1", ("public",)),
        }
        reader = open_reader(writer.snapshot())
        assert uris(reader, search(reader, unit(1))) == ["a.md", "b.md"]

    def test_removing_what_is_not_there_is_silent(self, new_writer):
        writer = new_writer(KEY)
        writer.replace([document("it's.md", ["one"])])
        writer.remove(["it's.md", "b.md", "c'; DROP TABLE x"])
        assert writer.documents() == {}

    def test_permissions_are_part_of_the_query(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace(
            [
                document("open.md", ["salary"], vectors=[unit(0, 1)]),
                document("hr.md", ["salary"], ["group:hr"], [unit(1)]),
                document("nobody.md", ["salary"], [], [unit(1)]),
            ]
        )
        reader = open_reader(writer.snapshot())
        anyone, hr = Visibility(), Visibility(frozenset({"public", "group:hr"}))
        assert uris(reader, search(reader, unit(1), "salary", anyone)) == ["open.md"]
        assert uris(reader, search(reader, unit(1), "salary", hr)) == ["hr.md", "open.md"]
        # With room for one candidate only, the page is still full of what may be seen.
        assert uris(reader, search(reader, unit(1), "", anyone, limit=1)) == ["open.md"]
        hidden = search(reader, unit(1), "salary", hr).chunk_ids
        assert [c.uri for c in asyncio.run(reader.fetch(hidden, anyone, Deadline.after(5)))] == ["open.md"]

    def test_what_changed_since_is_joined(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["x"]), document("b.md", ["x"], ["group:hr"]), document("c.md", ["x"])])
        reader = open_reader(writer.snapshot())
        a, b, c = (document_id(f"{name}.md") for name in "abc")
        narrowed = Visibility(changed=frozenset({a}))
        assert uris(reader, search(reader, unit(1), "x", narrowed)) == ["c.md"]
        widened = Visibility(changed=frozenset({a, b}), readable=frozenset({b}))
        assert uris(reader, search(reader, unit(1), "x", widened)) == ["b.md", "c.md"]
        deleted = Visibility(deleted=frozenset({c}), changed=frozenset({c}), readable=frozenset({c}))
        assert uris(reader, search(reader, unit(1), "x", deleted)) == ["a.md"]
        assert uris(reader, search(reader, unit(1), "x", Visibility(deleted=frozenset({c}), everything=True))) == [
            "a.md",
            "b.md",
        ]

    def test_metadata_filters(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace(
            [
                document("a.md", ["x"], language="en", metadata={"tags": ("t1",), "date": "2024-01-01"}),
                document(
                    "b.md",
                    ["x"],
                    language="zh",
                    metadata={"tags": ("t1", "t2"), "date": "2024-07-01", "author": "O'Neil"},
                ),
                document("c.md", ["x"], metadata={"tags": "t3"}),
            ]
        )
        reader = open_reader(writer.snapshot())
        for where, expected in FILTERS:
            assert uris(reader, search(reader, unit(1), "x", where=where)) == expected, where

    def test_chinese_and_identifiers(self, new_writer, open_reader):
        writer = new_writer(LEXICAL)
        texts = ["事务隔离级别为可重复读", "设置 ERR-4031 的含义", "gn6v-c8g1.2xlarge costs more", "nothing of that"]
        writer.replace([document(f"{n}.md", [text]) for n, text in enumerate(texts)])
        reader = open_reader(writer.snapshot())
        for question, expected in [("隔离级别是什么", "0.md"), ("ERR-4031", "1.md"), ("gn6v-c8g1.2xlarge", "2.md")]:
            found = search(reader, text=question)
            best = found.chunk_ids[int(np.argmax(found.bm25))]
            assert asyncio.run(reader.fetch([best], EVERYTHING, Deadline.after(5)))[0].uri == expected
            assert np.isnan(found.cosine).all()

    def test_permissions_are_set_without_touching_anything_else(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document(f"{name}.md", ["x", "y"], vectors=[unit(1), unit(0, 1)]) for name in "abc"])
        old = writer.snapshot()
        writer.permit({"a.md": ("group:hr", "user:o'neil"), "b.md": ()})
        assert writer.documents()["a.md"].allow == ("group:hr", "user:o'neil")
        assert writer.documents()["b.md"].allow == ()
        reader = open_reader(writer.snapshot())
        assert uris(reader, search(reader, unit(1), "x", Visibility())) == ["c.md"]
        hr = Visibility(frozenset({"group:hr"}))
        found = search(reader, unit(1), "x", hr)
        assert uris(reader, found, hr) == ["a.md"]
        assert sorted(found.cosine.tolist()) == pytest.approx([0, 1])
        assert uris(open_reader(old), search(open_reader(old), unit(1), "x", Visibility())) == ["a.md", "b.md", "c.md"]

    @pytest.mark.parametrize("limit", [1, 3, 7, 100])
    def test_a_sample_of_vectors(self, new_writer, open_reader, limit):
        writer = new_writer(KEY)
        writer.replace([document(f"{n}.md", ["x"], vectors=[unit(1, n)]) for n in range(7)])
        reader = open_reader(writer.snapshot())
        ids, vectors = asyncio.run(reader.vectors(limit, Deadline.after(5)))
        assert vectors.shape == (len(ids), DIMENSIONS)
        assert 1 <= len(ids) <= min(limit, 7)
        assert len(set(ids)) == len(ids)

    def test_the_contents_are_every_chunk_with_its_document(self, new_writer, open_reader):
        writer = new_writer(KEY)
        rows = [document(f"{n}.md", ["x", "y"], vectors=[unit(1, n), unit(n, 1)]) for n in range(1, 4)]
        writer.replace(rows)
        chunks, documents = asyncio.run(open_reader(writer.snapshot()).contents(Deadline.after(5)))
        expected = {(c.id.encode(), c.document_id.encode()) for item in rows for c in item.chunks}
        assert set(zip(chunks.tolist(), documents.tolist(), strict=True)) == expected

    def test_neighbours_of_a_chunk_with_a_parent_are_its_siblings(self, new_writer, open_reader):
        writer = new_writer(KEY)
        rows = document("a.md", ["one", "two", "three", "four", "five"])
        nested = [dataclasses.replace(c, parent=(100, 399) if 1 <= c.ordinal <= 3 else None) for c in rows.chunks]
        writer.replace([dataclasses.replace(rows, chunks=tuple(nested))])
        reader = open_reader(writer.snapshot())
        ids = search(reader, unit(1)).chunk_ids
        [two] = [c for c in asyncio.run(reader.fetch(ids, EVERYTHING, Deadline.after(5))) if c.text == "two"]
        assert two.parent == (100, 399)
        found = asyncio.run(reader.neighbours(two, EVERYTHING, Deadline.after(5)))
        assert [c.text for c in found] == ["two", "three", "four"]

    def test_places_come_back(self, new_writer, open_reader):
        writer = new_writer(KEY)
        rows = document("a.xlsx", ["one"])
        place = Place(line=17, sheet="Prices", cell="C17")
        writer.replace([dataclasses.replace(rows, chunks=(dataclasses.replace(rows.chunks[0], place=place),))])
        reader = open_reader(writer.snapshot())
        [chunk] = asyncio.run(
            reader.fetch(search(reader, unit(1)).chunk_ids, EVERYTHING, Deadline.after(5)),
        )
        assert chunk.place == place

    def test_neighbours(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["one", "two", "three", "four"])])
        reader = open_reader(writer.snapshot())
        [two] = [
            c
            for c in asyncio.run(reader.fetch(search(reader, unit(1)).chunk_ids, EVERYTHING, Deadline.after(5)))
            if c.text == "two"
        ]
        assert [c.text for c in asyncio.run(reader.neighbours(two, EVERYTHING, Deadline.after(5)))] == [
            "one",
            "two",
            "three",
        ]
        assert (
            asyncio.run(reader.neighbours(two, Visibility(deleted=frozenset({two.document_id})), Deadline.after(5)))
            == []
        )

    def test_a_dropped_table_is_gone_and_can_be_made_anew(self, index, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["old"])])
        snapshot = writer.snapshot()
        other = new_writer(LEXICAL)
        other.replace([DocumentRows(IndexedDocument("a.md", "d", ("public",)), document("a.md", ["x"]).chunks, None)])
        kept = other.snapshot()
        index.drop(snapshot.table)
        index.drop("chunks-nowhere")
        with pytest.raises(IntegrityError):
            open_reader(snapshot)
        assert len(search(open_reader(kept), text="x").chunk_ids) == 1
        again = new_writer(KEY)
        assert again.documents() == {}
        again.replace([document("b.md", ["new"])])
        assert len(search(open_reader(again.snapshot()), unit(1)).chunk_ids) == 1

    def test_an_empty_table(self, new_writer, open_reader):
        reader = open_reader(new_writer(KEY).snapshot())
        assert search(reader, unit(1), "x").chunk_ids == ()

    def test_a_vector_of_another_width_is_refused(self, new_writer, open_reader):
        reader = open_reader(new_writer(KEY).snapshot())
        with pytest.raises(SpaceMismatchError, match="8 dimensions"):
            search(reader, np.ones(3, np.float32))

    def test_the_table_says_what_it_holds(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["x"])])
        assert open_reader(writer.snapshot()).key == KEY

    def test_a_version_that_is_not_there(self, new_writer, open_reader):
        snapshot = new_writer(KEY).snapshot()
        with pytest.raises(IntegrityError):
            open_reader(Snapshot(snapshot.table, 99))
        with pytest.raises(IntegrityError):
            open_reader(Snapshot("chunks-none", 1))

    def test_a_deadline_that_has_passed(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["x"])])
        reader = open_reader(writer.snapshot())
        with pytest.raises(DeadlineError):
            asyncio.run(reader.search(SearchQuery(unit(1), (), EVERYTHING), Deadline.after(-1)))

    def test_discarding_keeps_what_is_asked_for(self, new_writer, open_reader):
        writer = new_writer(KEY)
        snapshots = []
        for number in range(4):
            writer.replace([document("a.md", [f"word{number}"], digest=f"d{number}")])
            snapshots.append(writer.snapshot())
        writer.discard([snapshots[1], snapshots[3]])
        assert len(search(open_reader(snapshots[1]), text="word1").chunk_ids) == 1
        assert len(search(open_reader(writer.snapshot()), text="word3").chunk_ids) == 1

    def test_an_interrupted_writer_is_taken_up(self, new_writer, open_reader):
        first = new_writer(KEY)
        first.replace([document("a.md", ["x"])])
        second = new_writer(KEY)
        assert set(second.documents()) == {"a.md"}
        second.replace([document("b.md", ["y"])])
        assert set(new_writer(KEY).documents()) == {"a.md", "b.md"}

    def test_everything_against_an_oracle(self, new_writer, open_reader):
        library = oracle.library()
        writer = new_writer(KEY)
        writer.replace(library)
        reader = open_reader(writer.snapshot())
        judge = oracle.Oracle(library)

        @settings(max_examples=self.EXAMPLES, deadline=None)
        @given(oracle.visibilities(), st.none() | oracle.filters(), oracle.questions(), st.integers(1, 40))
        def check(visibility, where, question, limit):
            found = asyncio.run(
                reader.search(SearchQuery(*question, visibility, where, limit=limit), Deadline.after(10))
            )
            judge.check(found, question, visibility, where, limit)
            shown = asyncio.run(reader.fetch(judge.all_ids, visibility, Deadline.after(10)))
            assert {chunk.chunk_id for chunk in shown} == judge.visible(visibility, None)

        check()

    def test_what_was_written_comes_back_whole(self, new_writer, open_reader):
        written = oracle.library(25)
        writer = new_writer(KEY)
        writer.replace(written)
        reader = open_reader(writer.snapshot())
        held = asyncio.run(reader.inventory(Deadline.after(10)))
        assert {uri: (item.document, item.chunks) for uri, item in held.items()} == {
            rows.document.uri: (rows.document, len(rows.chunks)) for rows in written
        }
        exported = asyncio.run(reader.export([*held, "nowhere.md"], Deadline.after(10)))
        by_uri = {rows.document.uri: rows for rows in exported}
        for rows in written:
            copy = by_uri.pop(rows.document.uri)
            assert (copy.document, copy.chunks, copy.language, dict(copy.metadata)) == (
                rows.document, rows.chunks, rows.language, dict(rows.metadata),
            )  # fmt: skip
            assert np.allclose(copy.vectors, rows.vectors, atol=1e-7)
        assert by_uri == {}

    def test_a_copy_has_the_number_of_its_original(self, new_writer, open_reader):
        writer = new_writer(KEY)
        writer.replace([document("a.md", ["x"])])
        copied = writer.snapshot(1_234_567_890_123)
        assert copied.version == 1_234_567_890_123
        writer.replace([document("b.md", ["y"])])
        own = writer.snapshot()
        assert own.version != copied.version
        assert len(search(open_reader(copied), unit(1)).chunk_ids) == 1
        assert len(search(open_reader(own), unit(1)).chunk_ids) == 2
        writer.discard([copied])
        assert len(search(open_reader(copied), unit(1)).chunk_ids) == 1

    @pytest.mark.parametrize(
        ("vectors", "error"),
        [
            (np.full((2, DIMENSIONS), np.nan), InputError),
            (np.zeros((2, DIMENSIONS)), InputError),
            (np.full((2, DIMENSIONS), 7.0), InputError),
            (np.eye(2, DIMENSIONS - 1), SpaceMismatchError),
            (np.eye(3, DIMENSIONS), SpaceMismatchError),
        ],
    )
    def test_vectors_that_no_index_takes(self, new_writer, vectors, error):
        writer = new_writer(KEY)
        with pytest.raises(error, match=r"b\.md"):
            writer.replace([document("a.md", ["x"]), document("b.md", ["x", "y"], vectors=vectors)])
        assert writer.documents() == {}
        assert writer.chunk_count() == 0

    def test_values_that_no_index_takes(self, new_writer):
        writer = new_writer(KEY)
        for about in ({"metadata": {"author": "x" * 40_000}}, {"metadata": {"tags": ("t", "ü" * 20_000)}}):
            with pytest.raises(InputError, match="bytes"):
                writer.replace([document("a.md", ["x"], **about)])
        with pytest.raises(InputError, match="Unicode"):
            writer.replace([document("a.md", ["x\udc80"])])
        assert writer.documents() == {}

    def test_strange_names(self, new_writer, open_reader):
        names = ["a b.md", "ä/数据.md", '"quoted".md', "back\\slash", "%2F*?.md", "x" * 3_000, "a:b#c,d"]
        writer = new_writer(KEY)
        writer.replace([document(name, ["x"], [f"user:{name}"]) for name in names])
        reader = open_reader(writer.snapshot())
        for name in names:
            seen = Visibility(frozenset({f"user:{name}"}))
            assert uris(reader, search(reader, unit(1), "x", seen), seen) == [name]
        writer.remove(names[:-1])
        assert set(writer.documents()) == {names[-1]}

    def test_dense_is_exact(self, new_writer, open_reader):
        seeded = np.random.default_rng(3)
        vectors = seeded.normal(size=(600, DIMENSIONS)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        writer = new_writer(KEY)
        writer.replace(
            [document(f"{n}.md", ["x"], ["public"] if n % 5 else ["user:a"], vectors[n : n + 1]) for n in range(600)]
        )
        reader = open_reader(writer.snapshot())
        for _ in range(5):
            question = unit(*seeded.normal(size=DIMENSIONS))
            found = search(reader, question, visibility=Visibility(), limit=10)
            expected = sorted((float(v @ question) for n, v in enumerate(vectors) if n % 5), reverse=True)[:10]
            assert sorted(found.cosine.tolist(), reverse=True) == pytest.approx(expected, abs=1e-5)
