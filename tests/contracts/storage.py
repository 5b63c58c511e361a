import os
import threading

import pytest

from jargonaut.core.errors import InputError, UnknownNameError


class StorageContract:
    """What every `Storage` must do. Subclasses give a fixture `storage`."""

    def test_what_is_put_is_got(self, storage):
        assert storage.put_if_absent("a/b.json", b"one")
        assert storage.get("a/b.json") == b"one"
        assert storage.local_path("a/b.json").read_bytes() == b"one"

    def test_nothing_is_overwritten(self, storage):
        storage.put_if_absent("a", b"one")
        assert not storage.put_if_absent("a", b"two")
        assert storage.get("a") == b"one"

    def test_one_of_many_writers_wins(self, storage):
        won = []
        barrier = threading.Barrier(8)

        def put(number):
            barrier.wait()
            if storage.put_if_absent("race", str(number).encode() * 10_000):
                won.append(number)

        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert storage.get("race") == str(won[0]).encode() * 10_000

    def test_keys_are_sorted_and_cut_by_prefix(self, storage):
        for key in ("b/2", "a/1", "b/1", "bc"):
            storage.put_if_absent(key, b"")
        assert list(storage.keys("b/")) == ["b/1", "b/2"]
        assert list(storage.keys("b")) == ["b/1", "b/2", "bc"]
        assert list(storage.keys("none/")) == []

    def test_a_missing_key_is_named(self, storage):
        with pytest.raises(UnknownNameError, match="nowhere"):
            storage.get("nowhere")
        with pytest.raises(UnknownNameError, match="nowhere"):
            storage.local_path("nowhere")

    def test_delete_twice(self, storage):
        storage.put_if_absent("a", b"one")
        storage.delete("a")
        storage.delete("a")
        assert list(storage.keys("")) == []

    @pytest.mark.parametrize("key", ["../x", "/etc/x", "a/../../x", "a\0b", "a\\b"])
    def test_a_key_cannot_leave_the_store(self, storage, key):
        with pytest.raises(InputError):
            storage.put_if_absent(key, os.urandom(4))
