"""The unit of deployment: a release is a recipe (what is proven) and a revision (what is indexed).

All three are frozen and content-addressed: the id is the digest of the JSON, so that nothing can change under its name.
Secrets and endpoints never enter them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import IntegrityError, NewerFormatError
from jargonaut.core.scope import Scope

FORMAT = 2
"""Newest version of the manifests written here. Raise it with a rule in `MIGRATIONS` for reading the one before."""

ADDED = {"fusion": {"tokens": (2, ""), "late_weight": (2, 0.0)}}
"""What came to the parts of a recipe later: the format that has it, and the value that stands for its absence.

A manifest that does not use it is written without it, in the format before: so what was written keeps its id.
"""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: lambda fields: fields}
"""`MIGRATIONS[n]` turns a manifest of format n into one of format n + 1, in memory, when it is read."""

LEXICAL_SPACE = "lexical"
"""The space of an index without vectors."""


@dataclass(frozen=True, slots=True)
class EncoderRef:
    """Which encoders a recipe uses, by the ids of their artifacts."""

    document: str
    query: str
    """Equal to `document` unless a query-side encoder was tuned for the same space."""
    space: str


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the two candidate lists become one ranking."""

    lexical_weight: float
    """Weight of the z-scored BM25 in the sum, 0 to 1; the rest goes to the dense score."""
    whitening: str = ""
    """Digest of the whitening artifact, or empty: then the dense score is the raw cosine alone."""
    pool: int = 100
    """Candidates taken from each list."""
    tokens: str = ""
    """Digest of the token projection, or empty: then tokens are not compared."""
    late_weight: float = 0.0
    """Weight of the z-scored MaxSim, added to the weighted sum."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides an answer, given a corpus. This is what a proof is about."""

    encoder: EncoderRef | None
    """None for a lexical-only recipe."""
    chunker: str
    """The chunker's id: its name and limits."""
    analysis: str
    """Version of the lexical analysis."""
    fusion: Fusion
    similarity_threshold: float
    """Least raw cosine for an answer (of a lexical recipe: coverage of the question's terms)."""
    top_k: int
    prompt: str
    """Version of the prompt, or its text."""
    generator: str
    """Name and model of the generator; no endpoint, no key."""
    label: str = ""
    """`lexical`, `base`, `tuned`: for people."""

    @property
    def id(self) -> str:
        """Digest of the manifest."""
        return digest_of(to_json(self))

    @property
    def space(self) -> str:
        """The space its index must be in."""
        return self.encoder.space if self.encoder else LEXICAL_SPACE


@dataclass(frozen=True, slots=True)
class Revision:
    """The corpus as indexed: a pinned version of a table."""

    tenant: str
    knowledge_base: str
    table: str
    table_version: int
    space: str
    chunker: str
    analysis: str
    documents: str
    """Digest of the stored list of (uri, content digest, principals)."""
    document_count: int
    chunk_count: int

    @property
    def id(self) -> str:
        """Digest of the manifest."""
        return digest_of(to_json(self))

    @property
    def scope(self) -> Scope:
        """Whose corpus it is."""
        return Scope(self.tenant, self.knowledge_base)


@dataclass(frozen=True, slots=True)
class Release:
    """One recipe and one revision."""

    recipe: str
    revision: str

    @property
    def id(self) -> str:
        """Digest of the manifest."""
        return digest_of(to_json(self))


Manifest = TypeVar("Manifest", Recipe, Revision, Release)


def to_json(manifest: Recipe | Revision | Release) -> dict[str, Any]:
    """The manifest as JSON, with its kind and format."""
    fields = dataclasses.asdict(manifest)
    written = 1
    for part, added in ADDED.items():
        held: dict[str, Any] = fields.get(part) or {}
        for name, (since, absent) in added.items():
            if name not in held:
                continue
            if held[name] == absent:
                del held[name]
            else:
                written = max(written, since)
    return {"kind": type(manifest).__name__.lower(), "format": written, **fields}


def from_json(kind: type[Manifest], value: Mapping[str, Any]) -> Manifest:
    """Read a manifest of any format up to `FORMAT`.

    Raises:
        NewerFormatError: It was written by a newer version.
        IntegrityError: It is not a manifest of this kind.
    """
    fields = dict(value)
    name = kind.__name__.lower()
    if fields.pop("kind", None) != name:
        raise IntegrityError(f"This is not the manifest of a {name}.")
    written = fields.pop("format", None)
    if not isinstance(written, int):
        raise IntegrityError(f"The manifest of a {name} says no format.")
    if written > FORMAT:
        raise NewerFormatError(
            f"This {name} was written in format {written}; this version of Jargonaut reads up to {FORMAT}.",
            "Upgrade Jargonaut, or roll back to a release of this version.",
        )
    for step in range(written, FORMAT):
        fields = MIGRATIONS[step](fields)
    try:
        if kind is Recipe:
            encoder = fields["encoder"]
            fields["encoder"] = EncoderRef(**encoder) if encoder else None
            fields["fusion"] = Fusion(**fields["fusion"])
        return kind(**fields)
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"The manifest of a {name} is incomplete: {error}") from error
