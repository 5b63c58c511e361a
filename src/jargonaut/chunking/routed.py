"""A chunker for every document, by rules: the first that matches decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.port import Chunker
from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Chunk, Document

Matches = Callable[[str, str], bool]
"""Whether a pattern matches a URI."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Documents whose URI matches `pattern` are cut as `choice` says."""

    pattern: str
    choice: Choice


class RoutedChunker:
    """See `chunking.port.Chunker`. Chunks carry the id of the whole: a table belongs to one set of rules.

    Args:
        rules: The first that matches a document decides.
        default: For documents that none matches.
        tokens: Of the encoder.
        matches: How patterns are read.

    Raises:
        UnknownNameError: A rule names a chunker that there is not.
        InputError: A chunker is told something that cannot be.
    """

    def __init__(self, rules: Sequence[Rule], default: Choice, tokens: Tokens, matches: Matches) -> None:
        self._default = make_chunker(default, tokens)
        self._chunkers = [(rule.pattern, make_chunker(rule.choice, tokens)) for rule in rules]
        self._matches = matches
        parts = [[pattern, chunker.id] for pattern, chunker in self._chunkers]
        self._id = f"rules-1/{digest_of([parts, self._default.id])[:16]}/{tokens.name}"

    @property
    def id(self) -> str:
        """See `Chunker.id`. Digest of all rules and of the chunkers that they name."""
        return self._id

    def split(self, document: Document) -> list[Chunk]:
        """See `Chunker.split`."""
        return [dataclasses.replace(chunk, chunker=self._id) for chunk in self.for_uri(document.uri).split(document)]

    def for_uri(self, uri: str) -> Chunker:
        """The chunker of the document at `uri`."""
        return next((chunker for pattern, chunker in self._chunkers if self._matches(pattern, uri)), self._default)
