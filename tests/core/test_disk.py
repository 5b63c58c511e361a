"""What is said on a full disk, by libraries that say something else."""

import shutil
from collections import namedtuple

import pytest

from jargonaut.core.disk import LEAST_FREE_BYTES, is_full
from jargonaut.core.errors import UnavailableError
from jargonaut.state.sqlite import SqliteJournal

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "full"), [(0, True), (LEAST_FREE_BYTES - 1, True), (LEAST_FREE_BYTES, False)])
def test_a_disk_without_space_to_speak_of_is_full(monkeypatch, tmp_path, free, full):
    def usage(path):
        if not path.exists():
            raise FileNotFoundError(path)
        return Usage(1 << 30, (1 << 30) - free, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert is_full(tmp_path / "not" / "there" / "yet") == full


@pytest.mark.parametrize(("free", "hint"), [(0, "full"), (1 << 30, "this user may write")])
def test_a_database_that_cannot_be_opened_on_a_full_disk(monkeypatch, tmp_path, free, hint):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 30, 0, free))
    (tmp_path / "state.sqlite").mkdir()
    with pytest.raises(UnavailableError) as raised:
        SqliteJournal(tmp_path / "state.sqlite")
    assert hint in raised.value.hint
