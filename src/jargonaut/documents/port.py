"""What every parser promises."""

from __future__ import annotations

from typing import Protocol

from jargonaut.core.document import Document


class Parser(Protocol):
    """Reads one format. Runs in a worker process with a time and memory budget; never touches network or disk."""

    def parse(self, data: bytes, uri: str) -> Document:
        """The document in `data`.

        Raises:
            InputError: It cannot be read, and why; the file is then quarantined.
        """
