"""Journals in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jargonaut.core.canonical import digest_of
from jargonaut.core.disk import FULL_HINT, is_full
from jargonaut.core.errors import ConflictError, IntegrityError, NewerFormatError, UnavailableError
from jargonaut.state.port import Event

FORMAT = 2
"""Format 1 has no digests."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    stream TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT '', PRIMARY KEY (stream, sequence)
) WITHOUT ROWID
"""


class SqliteJournal:
    """A `Journal` in a SQLite file in WAL mode, fully synchronous: what `append` returned survives a power cut.

    Safe to use from several threads and processes; each thread has its own connection.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = FULL_HINT if is_full(path.parent) else ""
            raise UnavailableError(f"Could not make {path.parent}: {error.strerror}.", hint) from error
        connection = self._connection()
        written = connection.execute("PRAGMA user_version").fetchone()[0]
        if written > FORMAT:
            raise NewerFormatError(
                f"{path} was written in format {written}; this version of Jargonaut reads up to {FORMAT}.",
                "Upgrade Jargonaut, or point JARGONAUT_HOME at another folder.",
            )
        if written < FORMAT:
            self._prepare()

    def append(self, stream: str, after: int, kind: str, body: Mapping[str, Any]) -> Event:
        """See `Journal.append`."""
        event = Event(after + 1, kind, datetime.now(UTC).isoformat(timespec="milliseconds"), dict(body))
        text = json.dumps(event.body, ensure_ascii=False, sort_keys=True)
        # The primary key refuses a second event with this number, the WHERE refuses a gap.
        added = self._run(
            "INSERT INTO event SELECT ?, ?, ?, ?, ?, ? "
            "WHERE (SELECT coalesce(max(sequence), 0) FROM event WHERE stream = ?) = ?",
            (stream, event.sequence, kind, event.at, text, _digest(stream, event, text), stream, after),
        ).rowcount
        if added != 1:
            raise ConflictError(f"`{stream}` has moved on past event {after}.", "Try again.")
        return event

    def read(self, stream: str, after: int = 0) -> Sequence[Event]:
        """See `Journal.read`."""
        rows = self._run(
            "SELECT sequence, kind, at, body, digest FROM event WHERE stream = ? AND sequence > ? ORDER BY sequence",
            (stream, after),
        ).fetchall()
        return [self._checked(stream, number, row) for number, row in enumerate(rows, start=after + 1)]

    def streams(self, prefix: str) -> Sequence[str]:
        """See `Journal.streams`."""
        rows = self._run("SELECT DISTINCT stream FROM event ORDER BY stream").fetchall()
        return [stream for (stream,) in rows if stream.startswith(prefix)]

    def close(self) -> None:
        """See `Journal.close`."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._local = threading.local()

    def _prepare(self) -> None:
        """Make the table, or give the events of format 1 their digests; others wait, and find it done."""
        self._run("BEGIN IMMEDIATE")
        try:
            if self._run("PRAGMA user_version").fetchone()[0] < FORMAT:
                self._run(_SCHEMA)
                if not any(column[1] == "digest" for column in self._run("PRAGMA table_info(event)")):
                    self._run("ALTER TABLE event ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
                rows = self._run("SELECT stream, sequence, kind, at, body FROM event").fetchall()
                for stream, sequence, kind, at, body in rows:
                    digest = _digest(stream, Event(sequence, kind, at, {}), body)
                    key = (digest, stream, sequence)
                    self._run("UPDATE event SET digest = ? WHERE stream = ? AND sequence = ?", key)
                self._run(f"PRAGMA user_version = {FORMAT}")
            self._run("COMMIT")
        except BaseException:
            self._connection().rollback()
            raise

    def _checked(self, stream: str, number: int, row: tuple[int, str, str, str, str]) -> Event:
        """The event in a row.

        Raises:
            IntegrityError: It is not what was appended, or the one before it is gone.
        """
        sequence, kind, at, body, digest = row
        event = Event(sequence, kind, at, {})
        if sequence != number or _digest(stream, event, body) != digest:
            raise IntegrityError(
                f"The state in {self._path} is damaged: event {number} of `{stream}` is not what was written.",
                "Restore the file from a backup. Nothing is answered without it: what was deleted could come back.",
            )
        return replace(event, body=json.loads(body))

    def _run(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection().execute(sql, values)
        except sqlite3.IntegrityError as error:
            raise ConflictError("Someone else appended to the journal first.", "Try again.") from error
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            try:
                # Connections are used by their own thread only; the flag lets `close` close them all.
                connection = sqlite3.connect(self._path, isolation_level=None, timeout=10, check_same_thread=False)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
            except sqlite3.Error as error:
                raise self._unavailable(error) from error
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _unavailable(self, error: sqlite3.Error) -> UnavailableError:
        # On a full disk it may as well say "disk I/O error", or that it cannot open the file.
        full = "full" in str(error) or is_full(self._path.parent)
        corrupt = "malformed" in str(error) or "not a database" in str(error)
        hint = (
            FULL_HINT
            if full
            else "The file is damaged: restore it from a backup."
            if corrupt
            else "Check that the folder exists and that this user may write there."
        )
        return UnavailableError(f"The state in {self._path} cannot be used: {error}.", hint)


def _digest(stream: str, event: Event, body: str) -> str:
    """Of everything that is stored of an event."""
    return digest_of([stream, event.sequence, event.kind, event.at, body])
