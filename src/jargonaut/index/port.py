"""What every index engine promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Place
from jargonaut.core.filters import Filter
from jargonaut.core.scope import PUBLIC

Vector = NDArray[np.float32]

EXACT_ROWS = 5_000
"""Up to so many chunks every engine compares every vector: exact, and fast enough."""


@dataclass(frozen=True, slots=True)
class TableKey:
    """What a table holds: rows of different tables are never compared."""

    tenant: str
    knowledge_base: str
    space: str
    """`LEXICAL_SPACE`, or the id of the vector space."""
    dimensions: int
    """Width of the vectors; 0 for lexical."""
    chunker: str
    analysis: str


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document of which the table holds all chunks."""

    uri: str
    content_digest: str
    allow: tuple[str, ...]
    """Sorted principals."""


@dataclass(frozen=True, slots=True)
class DocumentRows:
    """All chunks of one document, ready to be written."""

    document: IndexedDocument
    chunks: tuple[Chunk, ...]
    vectors: Vector | None
    """Shape (chunks, dimensions), unit length; None for a lexical table."""
    language: str = ""
    media_type: str = ""
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pinned version of a table: a name that every engine resolves for itself.

    A copy in another engine has the name of its original, so that releases stay what they are.
    """

    table: str
    version: int


class IndexWriter(Protocol):
    """Writes the head of one table. One writer a table at a time (the build holds a lock).

    Raises `UnavailableError` if the engine or disk refuses; what was written before stays consistent.
    """

    @property
    def key(self) -> TableKey:
        """What the table holds."""

    def documents(self) -> Mapping[str, IndexedDocument]:
        """By URI, the documents whose chunks are all in the head."""

    def replace(self, batch: Sequence[DocumentRows]) -> None:
        """Put these documents in place of what the head holds of them; all of the batch or nothing becomes visible.

        Raises:
            SpaceMismatchError: Vectors of another width than the table's; nothing was written.
            InputError: A vector without a direction, or a value that no engine takes; nothing was written.
        """

    def permit(self, allow: Mapping[str, tuple[str, ...]]) -> None:
        """Set who may read these documents (by URI, sorted principals), without touching anything else of them."""

    def remove(self, uris: Iterable[str]) -> None:
        """Remove documents; silent about those that are not there."""

    def snapshot(self, version: int | None = None) -> Snapshot:
        """Bring the search structures up to date, pin the head, and say how to read it.

        Args:
            version: The number of the original, if the head is a copy; else the writer gives it one.

        Raises:
            IntegrityError: The engine does not hold what was written, or does not find it.
        """

    def chunk_count(self) -> int:
        """Rows in the head."""

    def discard(self, keep: Sequence[Snapshot]) -> None:
        """Physically remove what no snapshot in `keep` needs, deleted text included."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who asks, and what changed since the revision was indexed. Applied inside the engine's query."""

    principals: frozenset[str] = frozenset({PUBLIC})
    """The asker's, `public` included."""
    deleted: frozenset[str] = frozenset()
    """Document ids that nobody sees."""
    changed: frozenset[str] = frozenset()
    """Document ids whose permissions in the index are out of date."""
    readable: frozenset[str] = frozenset()
    """Those of `changed` that the asker may read now."""
    everything: bool = False
    """For builds and proofs, not for askers: permissions are not looked at (deletes are)."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for. At least one of `vector` and `terms` is given."""

    vector: Vector | None
    """Shape (dimensions,), unit length, or None for lexical search only."""
    terms: tuple[str, ...]
    """The question after lexical analysis; empty for dense search only."""
    visibility: Visibility
    where: Filter | None = None
    limit: int = 100
    """Most candidates of each list."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of both lists, n candidates in no particular order."""

    chunk_ids: tuple[str, ...]
    document_ids: tuple[str, ...]
    cosine: Vector
    """Shape (n,): exact cosine with the query vector, also of those found lexically; NaN without a query vector."""
    bm25: Vector
    """Shape (n,): BM25, 0 where the chunk is not in the lexical list."""
    vectors: Vector | None
    """Shape (n, dimensions), or None in a lexical table."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time spent in `dense` and `lexical`."""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it is shown."""

    chunk_id: str
    document_id: str
    uri: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    ordinal: int
    kind: str
    place: Place
    language: str
    metadata: Mapping[str, str | tuple[str, ...]]
    parent: tuple[int, int] | None = None
    """See `Chunk.parent`."""


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """What an index has of a document."""

    document: IndexedDocument
    chunks: int


class IndexReader(Protocol):
    """Reads one snapshot.

    Every method raises `UnavailableError` or `DeadlineError`; never an empty success when the engine is down.
    """

    @property
    def key(self) -> TableKey:
        """What the table holds, as the table itself says."""

    async def search(self, query: SearchQuery, deadline: Deadline) -> Candidates:
        """Both lists at once, filtered by permissions, deletes and metadata inside the engine.

        Raises:
            SpaceMismatchError: The vector's width is not the table's.
        """

    async def fetch(self, chunk_ids: Sequence[str], visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """The chunks that are there and visible, in the order asked for."""

    async def vectors(self, limit: int, deadline: Deadline) -> tuple[tuple[str, ...], Vector]:
        """Chunk ids and their vectors, shape (n, dimensions); up to `limit`, spread evenly over the table."""

    async def contents(self, deadline: Deadline) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """The id of every chunk, and of its document, at the same place."""

    async def neighbours(self, chunk: StoredChunk, visibility: Visibility, deadline: Deadline) -> list[StoredChunk]:
        """The chunks of the same parent; if it has none, itself and those right before and after; in order."""

    async def inventory(self, deadline: Deadline) -> Mapping[str, HeldDocument]:
        """By URI, every document of which a chunk is there, whole or not."""

    async def export(self, uris: Sequence[str], deadline: Deadline) -> list[DocumentRows]:
        """These documents as they were written, vectors included, for another index. Some hundreds at a time."""


class Index(Protocol):
    """A place with tables: a folder, a server."""

    @property
    def engine(self) -> str:
        """Its name in the settings."""

    def new_writer(self, key: TableKey) -> IndexWriter:
        """Open the head of a table; an empty one if there is none.

        Raises:
            SpaceMismatchError: Something else has the table's name.
            UnavailableError: The engine or disk refuses.
        """

    async def open_reader(self, snapshot: Snapshot) -> IndexReader:
        """Open a pinned version of a table.

        Raises:
            IntegrityError: It is not there, or damaged.
            UnavailableError: The engine cannot be reached.
        """

    def drop(self, table: str) -> None:
        """Remove a table with all its versions; silent if it is not there."""
