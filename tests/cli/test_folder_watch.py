"""Folders that change, go, come back and are replaced, as the real file system tells of it."""

import threading
import time

import pytest

from jargonaut.cli.folder_watch import changed_folders

PATIENCE_S = 60


class Watched:
    """`changed_folders`, asked until it says what is waited for."""

    def __init__(self, home, *folders):
        self.stopped = threading.Event()
        self.sets = changed_folders(folders, home, self.stopped)

    def until(self, *folders):
        """Wait until all of `folders` were told to have changed, and no other."""
        wanted, until = set(folders), time.monotonic() + PATIENCE_S
        while wanted:
            assert time.monotonic() < until, f"{wanted} did not change"
            changed = set(next(self.sets))
            assert changed <= set(folders), f"{changed - set(folders)} changed"
            wanted -= changed

    def is_quiet(self):
        return not any(next(self.sets) for _ in range(3))


@pytest.fixture
def folders(tmp_path):
    folders = [tmp_path / name for name in ("docs", "more")]
    for folder in folders:
        folder.mkdir()
        (folder / "a.md").write_text("a")
    return folders


@pytest.fixture
def watched(tmp_path, folders):
    watched = Watched(tmp_path / "docs" / ".jargonaut", *folders)
    watched.until(*folders)
    yield watched
    watched.stopped.set()
    watched.sets.close()


def test_everything_counts_as_changed_first_and_then_what_changes(watched, folders):
    docs, more = folders
    (docs / "new").mkdir()
    (docs / "new" / "b.md").write_text("b")
    watched.until(docs)
    (more / "a.md").unlink()
    watched.until(more)


def test_what_we_write_ourselves_is_no_change(watched, folders):
    docs, more = folders
    (docs / ".jargonaut").mkdir()
    (docs / ".jargonaut" / "state.sqlite").write_text("ours")
    (more / "b.md").write_text("b")
    watched.until(more)
    assert watched.is_quiet()


def test_a_folder_that_is_replaced_counts_as_changed_and_is_followed(watched, folders, tmp_path):
    docs, _ = folders
    (tmp_path / "other").mkdir()
    docs.rename(tmp_path / "old")
    (tmp_path / "other").rename(docs)
    watched.until(docs)
    (docs / "c.md").write_text("c")
    watched.until(docs)
    (tmp_path / "old" / "c.md").write_text("nobody's")
    assert watched.is_quiet()


def test_a_folder_that_goes_and_comes_back_is_said_to(watched, folders, tmp_path, capsys):
    docs, _ = folders
    docs.rename(tmp_path / "old")
    until = time.monotonic() + PATIENCE_S
    said = ""
    while "is gone" not in said:
        assert time.monotonic() < until
        next(watched.sets)
        said += capsys.readouterr().err
    assert said.startswith(f"{docs} is gone.")
    (tmp_path / "old").rename(docs)
    watched.until(docs)
    assert capsys.readouterr().err == f"{docs} is back, and followed again.\n"
    (docs / "c.md").write_text("c")
    watched.until(docs)


def test_a_folder_that_is_not_there_yet(tmp_path, capsys):
    watched = Watched(tmp_path / "home", tmp_path / "docs")
    assert watched.is_quiet()
    assert "is gone" in capsys.readouterr().err
    (tmp_path / "docs").mkdir()
    watched.until(tmp_path / "docs")
    watched.stopped.set()
    assert list(watched.sets) == []
