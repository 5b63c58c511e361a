import sqlite3

import pytest

from jargonaut.core.errors import NewerFormatError, UnavailableError
from jargonaut.state.sqlite import FORMAT, SqliteJournal
from tests.contracts.journal import JournalContract


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path):
        journal = SqliteJournal(tmp_path / "state.sqlite")
        yield journal
        journal.close()

    @pytest.fixture
    def another(self, tmp_path, journal):
        another = SqliteJournal(tmp_path / "state.sqlite")
        yield another
        another.close()


def test_a_state_of_a_newer_version_is_refused(tmp_path):
    SqliteJournal(tmp_path / "s").close()
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(NewerFormatError, match=f"format {FORMAT + 1}"):
        SqliteJournal(tmp_path / "s")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "s").write_bytes(b"this is not a database" * 100)
    with pytest.raises(UnavailableError, match="damaged"):
        SqliteJournal(tmp_path / "s")


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    journal = SqliteJournal(tmp_path / "s")
    journal.append("s", 0, "first", {})
    pages = journal._run("PRAGMA page_count").fetchone()[0]
    journal._run(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="disk is full"):
        journal.append("s", 1, "second", {"text": "x" * 100_000})
    assert [event.kind for event in journal.read("s")] == ["first"]
    journal.close()
