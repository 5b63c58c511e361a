"""What every journal promises: one primitive, from which all shared state follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a stream."""

    sequence: int
    """1, 2, 3, ... without gaps."""
    kind: str
    at: str
    """UTC, ISO 8601."""
    body: Mapping[str, Any]


class Journal(Protocol):
    """Append-only streams of events. Several processes may use one journal at once.

    Every method raises `UnavailableError` if the store cannot be reached or written, and `NewerFormatError` if it was
    written by a newer version of Jargonaut.
    """

    def append(self, stream: str, after: int, kind: str, body: Mapping[str, Any]) -> Event:
        """Add an event right after sequence number `after` (0 for the first); durable when it returns.

        Raises:
            ConflictError: `after` is not the last event of the stream; nothing was added.
        """

    def read(self, stream: str, after: int = 0) -> Sequence[Event]:
        """Events with a sequence number above `after`, in order."""

    def streams(self, prefix: str) -> Sequence[str]:
        """Names of streams that begin with `prefix`, sorted."""

    def close(self) -> None:
        """Let go of connections."""
