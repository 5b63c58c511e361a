import asyncio
import time

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Place
from jargonaut.core.errors import IntegrityError, UnavailableError
from jargonaut.index.lance import LanceIndex, LanceIndexWriter
from jargonaut.index.lance_reader import open_lance_reader, tag_of
from jargonaut.index.lance_rows import ADDED, rows_of, schema_for
from jargonaut.index.port import EXACT_ROWS, Snapshot, Visibility
from jargonaut.index.rows import table_name
from tests.contracts import index as contract


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
    with pytest.raises((IntegrityError, UnavailableError)):
        contract.search(asyncio.run(open_lance_reader(tmp_path, snapshot)), contract.unit(1), "x")


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
