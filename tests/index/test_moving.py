"""Between engines: nothing is encoded, nothing is lost, answers and release ids stay what they are."""

import asyncio
import dataclasses

import numpy as np
import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import IntegrityError
from jargonaut.core.progress import silent
from jargonaut.index.lance import LanceIndex
from jargonaut.index.lucene import LuceneIndex
from jargonaut.index.moving import Problem, copy_revision, verify_revision
from jargonaut.index.port import Visibility
from tests.contracts import oracle
from tests.contracts.index import KEY, document, search, unit
from tests.index.lucene import Place


@pytest.fixture
def lance(tmp_path):
    return LanceIndex(tmp_path / "lance")


@pytest.fixture(params=["elasticsearch_server", "opensearch_server"])
def place(request, tmp_path):
    place = Place(request.getfixturevalue(request.param), tmp_path)
    yield place
    place.clear()


def server_index(place):
    return LuceneIndex(place.client, place.storage, place.options)


def opened(index, snapshot):
    return asyncio.run(index.open_reader(snapshot))


def verified(index, snapshot, documents):
    return asyncio.run(verify_revision(opened(index, snapshot), documents, silent))


def test_revisions_go_to_a_server_and_come_back(lance, place, tmp_path):
    library = oracle.library(40)
    writer = lance.new_writer(KEY)
    writer.replace(library)
    first = writer.snapshot(), dict(writer.documents())
    writer.remove(list(writer.documents())[:5])
    writer.permit({library[20].document.uri: ("group:new",)})
    writer.replace([document("new.md", ["隔离 new text"], ["user:a"])])
    second = writer.snapshot(), dict(writer.documents())

    there, back = server_index(place), LanceIndex(tmp_path / "back")
    for source, target in ((lance, there), (there, back)):
        copy = target.new_writer(KEY)
        for snapshot, documents in (first, second):
            copy_revision(opened(source, snapshot), copy, documents, snapshot, silent)
            assert verified(target, snapshot, documents) == []
    seen = Visibility(frozenset({"public", "group:new"}))
    for snapshot, _ in (first, second):
        answers = [
            search(opened(index, snapshot), unit(1, 2, 3), "隔离 cookie age", seen, limit=30)
            for index in (lance, there, back)
        ]
        for answer in answers[1:]:
            assert scores(answer) == scores(answers[0])


def scores(found):
    return {
        chunk_id: (round(float(cosine), 4), round(float(bm25), 2))
        for chunk_id, cosine, bm25 in zip(found.chunk_ids, found.cosine, found.bm25, strict=True)
    }


def test_an_interrupted_copy_goes_on(lance, place):
    writer = lance.new_writer(KEY)
    writer.replace([document(f"{n}.md", ["x", "y"]) for n in range(10)])
    snapshot, documents = writer.snapshot(), dict(writer.documents())
    reader = opened(lance, snapshot)
    partly = server_index(place).new_writer(KEY)
    partly.replace(asyncio.run(reader.export(["0.md", "1.md"], Deadline.after(10))))
    again = server_index(place).new_writer(KEY)
    assert set(again.documents()) == {"0.md", "1.md"}
    copy_revision(reader, again, documents, snapshot, silent)
    assert verified(server_index(place), snapshot, documents) == []


def test_a_damaged_original_is_not_copied(lance, place):
    writer = lance.new_writer(KEY)
    writer.replace([document("a.md", ["x"])])
    snapshot, documents = writer.snapshot(), dict(writer.documents())
    documents["b.md"] = dataclasses.replace(documents["a.md"], uri="b.md")
    target = server_index(place)
    with pytest.raises(IntegrityError, match=r"lacks 1 documents.*b\.md"):
        copy_revision(opened(lance, snapshot), target.new_writer(KEY), documents, snapshot, silent)
    with pytest.raises(IntegrityError, match="is not in"):
        opened(target, snapshot)


def test_what_somebody_changed_on_the_server_is_found(place):
    index = server_index(place)
    writer = index.new_writer(KEY)
    names = [f"{n}.md" for n in range(6)]
    library = [document(name, ["one", "two"]) for name in names]
    writer.replace(library)
    snapshot, documents = writer.snapshot(), dict(writer.documents())
    assert verified(index, snapshot, documents) == []
    reader = opened(index, snapshot)
    (name,) = place.indices()
    place.server.request("PUT", f"/{name}/_settings", {"index.blocks.write": None})

    def change(position, ordinal, **fields):
        chunk = library[position].chunks[ordinal]
        place.server.request("POST", f"/{name}/_update/{chunk.id}?refresh=true", {"doc": fields})

    change(0, 0, text="changed")
    change(1, 0, allow=["public", "user:intruder"])
    change(1, 1, allow=["public", "user:intruder"])
    change(2, 0, content_digest="d9")
    change(2, 1, content_digest="d9")
    change(3, 1, vector=unit(*np.arange(1, 9)).tolist())
    for chunk in library[4].chunks:
        place.server.request("DELETE", f"/{name}/_doc/{chunk.id}?refresh=true")
    place.server.request("DELETE", f"/{name}/_doc/{library[5].chunks[1].id}?refresh=true")
    del documents["5.md"]
    assert asyncio.run(verify_revision(reader, documents, silent)) == [
        Problem("drift", "0.md", "a text was changed"),
        Problem("drift", "1.md", "may be read by public, user:intruder"),
        Problem("drift", "2.md", "of another version of the file"),
        Problem("drift", "3.md", "a vector was changed"),
        Problem("missing", "4.md", "not in the index"),
        Problem("orphan", "5.md", "1 chunks"),
    ]
    with pytest.raises(IntegrityError, match="ranking files"):
        opened(index, snapshot)
