"""What a proof chooses from: what is live, and what may take its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jargonaut.core.release import Recipe, Release, Revision
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexReader, Visibility
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.whitening import Whitening


@dataclass(frozen=True, slots=True)
class Option:
    """An encoder of questions over an index of the live documents: what is live, or what may take its place."""

    query_encoder: Encoder
    document_encoder: str
    """Id of what encoded the documents."""
    reader: IndexReader
    revision: Revision
    """The live one; another where the documents were encoded anew. Its chunks have the same ids."""


@dataclass(frozen=True, slots=True)
class LiveRelease:
    """What is live, opened."""

    release: Release
    recipe: Recipe
    revision: Revision
    reader: IndexReader
    query_encoder: Encoder
    whitening: Whitening | None
    late: LateInteraction | None
    languages: Mapping[str, int]
    seen: Visibility
    """All that is not deleted."""

    @property
    def document_encoder(self) -> str:
        """Id of what encoded its documents; a lexical release is not opened as one of these."""
        assert self.recipe.encoder is not None
        return self.recipe.encoder.document

    @property
    def as_option(self) -> Option:
        """As what it is compared as."""
        return Option(self.query_encoder, self.document_encoder, self.reader, self.revision)
