"""The unit of deployment: a release is a recipe (what is proven) and a revision (what is indexed).

All three are frozen and content-addressed: the id is the digest of the JSON, so that nothing can change under its name.
Secrets and endpoints never enter them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import IntegrityError, NewerFormatError
from jargonaut.core.scope import Scope

FORMAT = 2
"""Version of the manifests read here, and of those written that use something of `ADDED`.

Raise it for what can be added with a default (then `ADDED` names it), or with a rule in `MIGRATIONS` for what cannot.
"""

ADDED: Mapping[int, frozenset[str]] = {
    2: frozenset({"chunks_per_document", "late_weight", "threshold_is_set", "tokens", "unsupported"})
}
"""Fields by the format that brought them. One that has its default is not written, so that manifests of before keep
their ids; one that has not makes the manifest unreadable for a version that would ignore it."""

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""`MIGRATIONS[n]` turns a manifest of format n into one of format n + 1, in memory, when it is read, if it has to."""

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
    chunks_per_document: int = 3
    """Most passages of one document in an answer."""
    unsupported: Literal["remove", "mark"] = "remove"
    """What becomes of a statement that no citation supports."""
    threshold_is_set: bool = False
    """Whether somebody set the threshold; else it was fitted, and is fitted again with every recipe."""

    @property
    def id(self) -> str:
        """Digest of the manifest."""
        return digest_of(to_json(self))

    @property
    def most_passages(self) -> tuple[int, int]:
        """How many an answer is made from, at most: in all, and of one document."""
        return self.top_k, self.chunks_per_document

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
    """The manifest as JSON, with its kind and the lowest format that has all that it uses."""
    written, used = _written(manifest)
    return {"kind": type(manifest).__name__.lower(), "format": used, **written}


def _written(part: Any) -> tuple[dict[str, Any], int]:
    """The fields of a manifest, or of a part of it, that are written, and the format that they need."""
    written: dict[str, Any] = {}
    needed = 1
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        brought = next((number for number, names in ADDED.items() if field.name in names), 1)
        if brought > 1 and value == field.default:
            continue
        if dataclasses.is_dataclass(value):
            value, of_part = _written(value)
            brought = max(brought, of_part)
        written[field.name] = value
        needed = max(needed, brought)
    return written, needed


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
        fields = MIGRATIONS.get(step, dict)(fields)
    try:
        if kind is Recipe:
            encoder = fields["encoder"]
            fields["encoder"] = EncoderRef(**encoder) if encoder else None
            fields["fusion"] = Fusion(**fields["fusion"])
        return kind(**fields)
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"The manifest of a {name} is incomplete: {error}") from error
