import os

import pytest

from jargonaut.core.errors import UnavailableError
from jargonaut.storage.local import LocalStorage
from tests.contracts.storage import StorageContract


class TestLocalStorage(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path):
        return LocalStorage(tmp_path / "store")


def test_a_half_written_file_is_not_seen(tmp_path):
    storage = LocalStorage(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".partial-0011").write_bytes(b"half")
    assert list(storage.keys("")) == []


def test_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    # /dev/full cannot be linked from, so the refusal of the kernel is played back at the point where it happens.
    storage = LocalStorage(tmp_path)

    def full(descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left") as caught:
        storage.put_if_absent("a/b", b"data")
    assert "free some space" in caught.value.hint
    monkeypatch.undo()
    assert list(storage.keys("")) == []
    assert list((tmp_path / "a").iterdir()) == []
