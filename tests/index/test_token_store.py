import numpy as np
import pytest

from jargonaut.index import token_store
from jargonaut.index.port import Snapshot
from jargonaut.index.token_store import TokenStoreWriter, discard_tokens, open_token_store
from jargonaut.storage.local import LocalStorage

WIDTH = 8
FIRST, SECOND = Snapshot("chunks-t", 3), Snapshot("chunks-t", 5)


def tokens(chunk):
    """Reproducible tokens of a chunk: some number of them, the first always token 7."""
    rng = np.random.default_rng(int(chunk, 16))
    count = int(rng.integers(1, 9))
    ids = rng.integers(0, 50, count).astype(np.int32)
    ids[0] = 7
    return ids, rng.integers(-127, 128, (count, WIDTH)).astype(np.int8)


def names(*numbers):
    return [f"{number:024x}" for number in numbers]


def written(storage, snapshot, chunks, projection="p"):
    writer = TokenStoreWriter(storage, snapshot.table, projection)
    for chunk in chunks:
        if chunk not in writer.held():
            writer.add(chunk, *tokens(chunk))
    writer.finish(snapshot, chunks)
    return open_token_store(storage, snapshot, projection)


def check(store, chunks):
    gathered = store.gather(chunks)
    assert gathered.found.tolist() == list(range(len(chunks)))
    expected = [tokens(chunk)[1] for chunk in chunks]
    np.testing.assert_array_equal(gathered.values, np.concatenate(expected))
    assert gathered.starts.tolist() == np.cumsum([0, *map(len, expected)])[:-1].tolist()


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.setattr(token_store, "SEGMENT_TOKENS", 40)
    return LocalStorage(tmp_path)


def segments(storage):
    return {key.split("/")[-2] for key in storage.keys("tokens/") if key.endswith("values.npy")}


def test_what_is_written_is_gathered_in_the_order_asked_for(storage):
    chunks = names(*range(50))
    store = written(storage, FIRST, chunks)
    assert len(segments(storage)) > 3
    check(store, chunks)
    check(store, chunks[::-3])
    some = store.gather([chunks[4], "f" * 24, chunks[2]])
    assert some.found.tolist() == [0, 2]  # what is not there is left out


def test_idf_counts_chunks_and_not_tokens(storage):
    chunks = names(*range(30))
    store = written(storage, FIRST, chunks)
    counted = np.zeros(60, int)
    for chunk in chunks:
        counted[np.unique(tokens(chunk)[0])] += 1
    assert store.frequency[7] == 30
    np.testing.assert_array_equal(store.frequency, counted[: len(store.frequency)])
    weights = store.idf(np.array([7, int(np.argmin(counted[:50])), 4000], np.int32))
    assert weights[0] < weights[1] <= weights[2]


def test_an_incremental_revision_writes_only_what_is_new(storage):
    written(storage, FIRST, names(*range(40)))
    before = segments(storage)
    chunks = names(*range(44))
    check(written(storage, SECOND, chunks), chunks)
    assert before < segments(storage)
    assert len(segments(storage) - before) == 1
    check(open_token_store(storage, FIRST, "p"), names(*range(40)))


def test_what_is_deleted_is_gone_once_no_revision_has_it(storage):
    chunks = names(*range(40))
    written(storage, FIRST, chunks)
    kept = [chunk for chunk in chunks if chunk != chunks[3]]
    check(written(storage, SECOND, kept), kept)
    discard_tokens(storage, "chunks-t", [SECOND.version])
    assert open_token_store(storage, FIRST, "p") is None
    check(open_token_store(storage, SECOND, "p"), kept)
    held = b"".join(storage.get(key) for key in storage.keys("tokens/") if key.endswith("rows.npy"))
    assert chunks[4].encode() in held
    assert chunks[3].encode() not in held
    discard_tokens(storage, "chunks-t", [])
    assert not list(storage.keys("tokens/"))


def test_a_killed_writer_leaves_what_the_next_one_finds(storage):
    writer = TokenStoreWriter(storage, "chunks-t", "p")
    for chunk in names(*range(20)):
        writer.add(chunk, *tokens(chunk))
    assert open_token_store(storage, FIRST, "p") is None
    found = TokenStoreWriter(storage, "chunks-t", "p").held()
    assert 0 < len(found) < 20  # but for the segment that was open
    check(written(storage, FIRST, names(*range(20))), names(*range(20)))


def test_tokens_of_another_projection_are_never_mixed_in(storage):
    written(storage, FIRST, names(1, 2), "one")
    assert open_token_store(storage, FIRST, "two") is None
    assert not TokenStoreWriter(storage, "chunks-t", "two").held()


def test_damaged_tokens_are_as_good_as_none(storage, tmp_path):
    written(storage, FIRST, names(*range(40)))
    path = next(tmp_path.rglob("values.npy"))
    path.write_bytes(path.read_bytes()[:-5])
    assert open_token_store(storage, FIRST, "p") is None


def test_a_revision_without_a_chunk(storage):
    store = written(storage, FIRST, [])
    assert store.gather(names(1)).found.size == 0
    assert store.idf(np.array([3], np.int32)).shape == (1,)


def test_a_chunk_without_a_token(storage):
    writer = TokenStoreWriter(storage, "chunks-t", "p")
    writer.add(names(1)[0], np.empty(0, np.int32), np.empty((0, WIDTH), np.int8))
    writer.add(names(2)[0], *tokens(names(2)[0]))
    writer.finish(FIRST, names(1, 2))
    assert open_token_store(storage, FIRST, "p").gather(names(1, 2)).found.tolist() == [1]
