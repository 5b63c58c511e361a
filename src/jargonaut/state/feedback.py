"""What askers thought of answers: an append-only stream, and the labels that follow from it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jargonaut.core.errors import ConflictError
from jargonaut.core.scope import Scope
from jargonaut.state.port import Event, Journal

_RETRIES = 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement of what was found for a question."""

    query: str
    rating: Literal["good", "bad"]
    document: str = ""
    """URI; empty if the answer as a whole is judged."""
    heading: str = ""
    """Heading path of the section, joined by ` › `; empty for the whole document."""
    comment: str = ""
    release: str = ""
    """That was asked."""
    completion: str = ""
    """Id of the answer."""
    by: str = ""
    """Id of the key; empty without keys."""


@dataclass(frozen=True, slots=True)
class Label:
    """A section, or document, that more askers found right for a question than wrong."""

    query: str
    uri: str
    heading: str

    def as_json(self) -> dict[str, str]:
        """As `[tuning] labels` reads it."""
        line = {"query": self.query, "uri": self.uri}
        return {**line, "heading": self.heading} if self.heading else line


class FeedbackLog:
    """The judgements of one knowledge base. Safe to use from several threads and processes."""

    def __init__(self, journal: Journal, scope: Scope) -> None:
        self._journal = journal
        self._stream = f"feedback/{scope.path}"
        self._head = 0
        self._lock = threading.Lock()

    def append(self, judgement: Judgement) -> Event:
        """Keep a judgement; durable when it returns.

        Raises:
            ConflictError: Others kept getting in first.
            UnavailableError: The journal cannot be written.
        """
        body = {name: value for name, value in asdict(judgement).items() if value}
        with self._lock:
            for _ in range(_RETRIES):
                try:
                    event = self._journal.append(self._stream, self._head, "judged", body)
                except ConflictError:
                    later = self._journal.read(self._stream, self._head)
                    self._head = later[-1].sequence if later else self._head
                    continue
                self._head = event.sequence
                return event
        raise ConflictError("Many judge at once.", "Try again.")

    def judgements(self) -> list[tuple[str, Judgement]]:
        """All of them with their times, oldest first.

        Raises:
            UnavailableError: The journal cannot be read.
        """
        return [(event.at, _judgement(event.body)) for event in self._journal.read(self._stream)]


def labels(judgements: Iterable[Judgement]) -> list[Label]:
    """What was judged good more often than bad; of one key, the last judgement counts. In order of first mention."""
    votes: dict[Label, dict[str, int]] = {}
    for number, judgement in enumerate(judgements):
        if judgement.document:
            label = Label(" ".join(judgement.query.split()), judgement.document, judgement.heading)
            voter = judgement.by or f"anonymous {number}"
            votes.setdefault(label, {})[voter] = 1 if judgement.rating == "good" else -1
    return [label for label, of_label in votes.items() if sum(of_label.values()) > 0]


def _judgement(body: Any) -> Judgement:
    return Judgement(**dict(body))
