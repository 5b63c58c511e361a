import sqlite3

import pytest

from jargonaut.core.errors import IntegrityError, NewerFormatError, UnavailableError
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


def test_an_event_that_was_changed_or_lost_is_not_passed_over(tmp_path):
    journal = SqliteJournal(tmp_path / "s")
    for number in range(3):
        journal.append("s", number, "deleted", {"uris": [f"{number}.md"]})
    for change in (
        "UPDATE event SET kind = 'delated' WHERE sequence = 2",
        "UPDATE event SET body = '{' WHERE sequence = 2",
        "UPDATE event SET at = '' WHERE sequence = 2",
        "DELETE FROM event WHERE sequence = 2",
    ):
        journal._run("BEGIN")
        journal._run(change)
        with pytest.raises(IntegrityError, match="event 2 of `s`"):
            journal.read("s")
        with pytest.raises(IntegrityError, match="event 2 of `s`"):
            journal.read("s", 1)
        journal._run("ROLLBACK")
    assert len(journal.read("s")) == 3
    journal.close()


def test_a_state_of_format_1_is_taken_over(tmp_path):
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute(
        "CREATE TABLE event (stream TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, "
        "body TEXT NOT NULL, PRIMARY KEY (stream, sequence)) WITHOUT ROWID"
    )
    connection.execute(
        "INSERT INTO event VALUES ('s', 1, 'deleted', '2026-01-01T00:00:00.000+00:00', '{\"uris\": []}')"
    )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    for _ in range(2):
        journal = SqliteJournal(tmp_path / "s")
        assert [(event.kind, event.body) for event in journal.read("s")] == [("deleted", {"uris": []})]
        journal.close()
    journal = SqliteJournal(tmp_path / "s")
    assert journal.append("s", 1, "restored", {"uris": []}).sequence == 2
    assert len(journal.read("s")) == 2
    journal.close()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    journal = SqliteJournal(tmp_path / "s")
    journal.append("s", 0, "first", {})
    pages = journal._run("PRAGMA page_count").fetchone()[0]
    journal._run(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="disk is full"):
        journal.append("s", 1, "second", {"text": "x" * 100_000})
    assert [event.kind for event in journal.read("s")] == ["first"]
    journal.close()
