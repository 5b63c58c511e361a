import asyncio
import errno
import os
import shutil
import time

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Place
from jargonaut.core.errors import IntegrityError, JargonautError, UnavailableError
from jargonaut.core.progress import silent
from jargonaut.index.lance import LanceIndex, LanceIndexWriter
from jargonaut.index.lance_errors import translated
from jargonaut.index.lance_reader import open_lance_reader, tag_of
from jargonaut.index.lance_rows import ADDED, rows_of, schema_for
from jargonaut.index.moving import verify_revision
from jargonaut.index.port import EXACT_ROWS, Snapshot, Visibility
from jargonaut.index.rows import table_name
from tests.contracts import index as contract

PUBLIC, HR = ["public"], ["group:hr"]


class TestLanceIndex(contract.IndexContract):
    @pytest.fixture
    def index(self, tmp_path):
        return LanceIndex(tmp_path / "index")

    @pytest.fixture
    def new_writer(self, tmp_path):
        return lambda key: LanceIndexWriter(tmp_path / "index", key)

    @pytest.fixture
    def open_reader(self, tmp_path):
        return lambda snapshot: asyncio.run(open_lance_reader(tmp_path / "index", snapshot))


def test_above_the_exact_limit_recall_stays(tmp_path):
    rows = EXACT_ROWS + 1_000
    seeded = np.random.default_rng(5)
    vectors = seeded.normal(size=(rows, contract.DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace(
        [
            contract.document(f"{n}.md", ["x"], ["public"] if n % 50 else ["user:a"], vectors[n : n + 1])
            for n in range(rows)
        ]
    )
    reader = asyncio.run(open_lance_reader(tmp_path, writer.snapshot()))
    asker = Visibility(frozenset({"user:a"}))
    hits = 0
    for _ in range(20):
        question = contract.unit(*seeded.normal(size=contract.DIMENSIONS))
        found = contract.search(reader, question, visibility=asker, limit=10)
        exact = sorted((float(v @ question) for n, v in enumerate(vectors) if n % 50 == 0), reverse=True)[9]
        assert len(found.chunk_ids) == 10
        hits += int((found.cosine >= exact - 1e-5).sum())
    assert hits >= 0.95 * 200


def test_what_is_discarded_is_gone_from_the_disk(tmp_path):
    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace([contract.document("a.md", ["old and secret"])])
    old = writer.snapshot()
    # LanceDB cleans by age, and we leave it a second of margin.
    time.sleep(1.2)
    writer.replace([contract.document("a.md", ["new"], digest="d2")])
    new = writer.snapshot()
    writer.discard([new])
    with pytest.raises(IntegrityError):
        asyncio.run(open_lance_reader(tmp_path, old))
    assert not any(b"old and secret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(contract.search(asyncio.run(open_lance_reader(tmp_path, new)), text="new").chunk_ids) == 1


def test_pool_files_that_are_lost_are_written_again(tmp_path):
    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace([contract.document("a.md", ["x", "y"])])
    snapshot = writer.snapshot()
    for file in (tmp_path / "pools").rglob("vectors.npy"):
        file.write_bytes(b"cut off")
    found = contract.search(asyncio.run(open_lance_reader(tmp_path, snapshot)), contract.unit(1))
    assert len(found.chunk_ids) == 2


def test_a_damaged_table_is_an_error_and_never_an_empty_answer(tmp_path):
    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace([contract.document("a.md", ["x"])])
    snapshot = writer.snapshot()
    for file in tmp_path.rglob("data/*.lance"):
        file.write_bytes(b"garbage")
    with pytest.raises(IntegrityError, match="build --anew"):
        contract.search(asyncio.run(open_lance_reader(tmp_path, snapshot)), contract.unit(1), "x")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A table of some documents, with everything that a table may have on disk."""
    folder = tmp_path_factory.mktemp("whole")
    writer = LanceIndexWriter(folder, contract.KEY)
    writer.replace(
        [contract.document(f"{n}.md", [f"alpha beta{n}", f"delta {n}"], [PUBLIC, HR][n % 2]) for n in range(40)]
    )
    writer.replace([contract.document("3.md", ["new alpha"], HR, digest="d2")])
    return folder, writer.snapshot(), dict(writer.documents())


async def read_all(folder, snapshot, documents):
    """What verifying finds, as it would be reported."""
    try:
        reader = await open_lance_reader(folder, snapshot)
        return [f"{problem.kind} {problem.uri}" for problem in await verify_revision(reader, documents, silent)]
    except IntegrityError as error:
        return [str(error)]


def test_a_whole_table_is_whole(whole):
    assert asyncio.run(read_all(*whole)) == []


@pytest.mark.parametrize("damage", ["cut", "overwritten", "gone"])
@pytest.mark.parametrize(
    "files",
    [
        "data/*.lance", "_deletions/*", "_indices/*/bitmap_page_lookup.lance", "_indices/*/page_data.lance",
        "_indices/*/page_lookup.lance", "_indices/*/metadata.lance", "_indices/*/part_0_docs.lance",
        "_indices/*/part_0_invert.lance", "_indices/*/part_0_tokens.lance",
    ],
)  # fmt: skip
def test_damage_anywhere_is_found_and_said_in_our_words(whole, tmp_path, files, damage):
    original, snapshot, documents = whole
    folder = tmp_path / "index"
    shutil.copytree(original, folder)
    for path in (folder / f"{snapshot.table}.lance").glob(files):
        data, third = path.read_bytes(), path.stat().st_size // 3
        path.write_bytes(data[:third] if damage == "cut" else data[:third] + b"\xff" * third + data[2 * third :])
        if damage == "gone":
            path.unlink()
    found = asyncio.run(read_all(folder, snapshot, documents))
    assert found
    for text in found:
        assert "/rustc/" not in text
        assert ".rs:" not in text
    if len(found) == 1 and not found[0].startswith("drift"):
        assert snapshot.table in found[0]
        assert "build --anew" in found[0]


def test_wrong_bytes_in_a_manifest_are_damage_for_reader_and_writer(whole, tmp_path):
    original, snapshot, _ = whole
    shutil.copytree(original, tmp_path / "index")
    for path in (tmp_path / "index").rglob("*.manifest"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 8] = b"\xff" * 8
        path.write_bytes(data)
    with pytest.raises(IntegrityError, match="build --anew"):
        asyncio.run(open_lance_reader(tmp_path / "index", snapshot))
    with pytest.raises(IntegrityError, match="build --anew"):
        LanceIndexWriter(tmp_path / "index", contract.KEY)


def test_ids_that_are_no_text_are_written_again(whole, tmp_path):
    original, snapshot, documents = whole
    shutil.copytree(original, tmp_path / "index")
    (ids,) = (tmp_path / "index").rglob("chunk_ids.npy")
    ids.write_bytes(ids.read_bytes()[:-5] + b"\xff" * 5)
    assert asyncio.run(read_all(tmp_path / "index", snapshot, documents)) == []


@pytest.mark.parametrize("free", [0, 10 << 30])
def test_a_full_disk_is_told_from_damage(monkeypatch, tmp_path, free):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, (1 << 40) - free, free))
    with pytest.raises(JargonautError) as raised, translated("write to it", tmp_path, "t"):
        raise RuntimeError("lance error: LanceError(IO): failed to fill whole buffer, /build/x/y.rs:1:2")
    assert ("full" in raised.value.hint, type(raised.value)) == (
        (True, UnavailableError) if not free else (False, IntegrityError)
    )
    with pytest.raises(UnavailableError, match="full"), translated("write to it", tmp_path, "t"):
        raise OSError("No space left on device (os error 28)")


def test_no_room_for_ranking_files_is_an_error_and_kills_nothing(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace([contract.document("a.md", ["x"])])
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UnavailableError, match="full"):
        writer.snapshot()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError):
        LanceIndexWriter(tmp_path / "file" / "index", contract.KEY)
    with pytest.raises(IntegrityError):
        asyncio.run(open_lance_reader(tmp_path / "nowhere", Snapshot("t", 1)))


def test_a_table_of_the_format_before_is_read_and_written_on(tmp_path):
    old_schema = pa.schema(
        [field for field in schema_for(contract.KEY) if field.name not in ADDED],
        metadata={
            b"jargonaut": schema_for(contract.KEY).metadata[b"jargonaut"].replace(b'"format": 2', b'"format": 1')
        },
    )
    old = rows_of([contract.document("a.md", ["old"])], contract.KEY).select(old_schema.names)
    table = lancedb.connect(str(tmp_path)).create_table(table_name(contract.KEY), old.cast(old_schema))
    pinned = Snapshot(table.name, table.version)
    table.tags.create(tag_of(pinned.version), table.version)
    writer = LanceIndexWriter(tmp_path, contract.KEY)
    writer.replace([contract.document("b.md", ["new"])])
    for snapshot, count in ((pinned, 1), (writer.snapshot(), 2)):
        reader = asyncio.run(open_lance_reader(tmp_path, snapshot))
        found = contract.search(reader, contract.unit(1))
        chunks = asyncio.run(reader.fetch(found.chunk_ids, Visibility(everything=True), Deadline.after(5)))
        assert len(chunks) == count
        assert {chunk.place for chunk in chunks} == {Place(1)}
        assert {chunk.parent for chunk in chunks} == {None}
