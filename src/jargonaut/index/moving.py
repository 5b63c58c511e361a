"""Moves revisions from one engine to another, and checks that an index holds what its revision says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import IntegrityError
from jargonaut.core.progress import Progress
from jargonaut.index.port import DocumentRows, HeldDocument, IndexedDocument, IndexReader, IndexWriter, Snapshot
from jargonaut.index.search_check import not_found

BATCH_CHUNKS = 2_000
_BATCH_S = 600.0
_EVERY_VECTOR = 1 << 40
_SAME = 1e-4


def copy_revision(
    reader: IndexReader,
    writer: IndexWriter,
    documents: Mapping[str, IndexedDocument],
    snapshot: Snapshot,
    progress: Progress,
) -> None:
    """Make the head of `writer` what `reader` reads, and pin it under the number of the original. Nothing is encoded.

    Only what differs is copied: a copy that was interrupted goes on, and the next revision costs what changed.

    Args:
        reader: Of the original.
        writer: Of the same table in another engine.
        documents: Of the revision, by URI.
        snapshot: Names the revision.
        progress: Told of documents.

    Raises:
        IntegrityError: The original lacks documents, or the copy is not whole; it was not pinned.
        UnavailableError: An engine refuses. What was copied so far is taken up the next time.
    """
    inventory = asyncio.run(reader.inventory(Deadline.after(_BATCH_S)))
    if missing := documents.keys() - inventory.keys():
        raise IntegrityError(
            f"The original lacks {len(missing)} documents of its revision, `{min(missing)}` among them.",
            "`jargonaut index verify` says what is wrong with it; build again before you copy.",
        )
    held = writer.documents()
    writer.remove([uri for uri in held if uri not in documents])
    same = {uri for uri, item in documents.items() if uri in held and _is_same_text(held[uri], item)}
    writer.permit({uri: documents[uri].allow for uri in same if held[uri].allow != documents[uri].allow})
    todo = sorted(documents.keys() - same)
    done = 0
    for batch in _batches(todo, inventory):
        rows = asyncio.run(reader.export(batch, Deadline.after(_BATCH_S)))
        writer.replace([_as_recorded(item, documents[item.document.uri]) for item in rows])
        done += len(batch)
        progress("copy", done, len(todo), batch[-1])
    if writer.documents() != dict(documents):
        raise IntegrityError("The copy is not what its original is.", "Copy again.")
    writer.snapshot(snapshot.version)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a document in an index."""

    kind: Literal["missing", "orphan", "drift", "damaged"]
    """Not there; there and in no revision; there, and not what it should be; not to be read at all."""
    uri: str
    detail: str


async def verify_revision(
    reader: IndexReader, documents: Mapping[str, IndexedDocument], progress: Progress
) -> list[Problem]:
    """Compare an index with the documents of its revision, and search it for each of them.

    Each document, chunk, text, permission and vector is read, and so is all that the search structures hold.

    Args:
        reader: Of the revision.
        documents: Of the revision, by URI.
        progress: Told of documents.

    Raises:
        IntegrityError: Something in it is damaged, so that the rest was not read.
        UnavailableError: The engine cannot be read.
    """
    held = await reader.inventory(Deadline.after(_BATCH_S))
    problems = [Problem("missing", uri, "not in the index") for uri in documents if uri not in held]
    problems += [Problem("orphan", uri, f"{held[uri].chunks} chunks") for uri in held if uri not in documents]
    ids, vectors = await reader.vectors(_EVERY_VECTOR, Deadline.after(_BATCH_S))
    position = dict(zip(ids, range(len(ids)), strict=True))
    todo = sorted(documents.keys() & held.keys())
    done = 0
    for batch in _batches(todo, held):
        exported = await reader.export(batch, Deadline.after(_BATCH_S))
        drifted = {
            rows.document.uri: detail
            for rows in exported
            if (detail := _drift(rows, held[rows.document.uri], documents[rows.document.uri], position, vectors))
        }
        same = [rows for rows in exported if rows.document.uri not in drifted]
        gone = dict.fromkeys(set(batch) - {rows.document.uri for rows in exported}, "is not found by its id")
        drifted |= gone | await not_found(reader, same, documents, _BATCH_S)
        problems += [Problem("drift", uri, detail) for uri, detail in drifted.items()]
        done += len(batch)
        progress("verify", done, len(todo), batch[-1])
    return sorted(problems, key=lambda problem: (problem.uri, problem.kind))


def _is_same_text(held: IndexedDocument, wanted: IndexedDocument) -> bool:
    return held.content_digest == wanted.content_digest


def _as_recorded(rows: DocumentRows, document: IndexedDocument) -> DocumentRows:
    """With permissions and digest as the revision says."""
    return DocumentRows(document, rows.chunks, rows.vectors, rows.language, rows.media_type, rows.metadata)


def _batches(uris: Sequence[str], inventory: Mapping[str, HeldDocument]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for uri in uris:
        if batch and size + inventory[uri].chunks > BATCH_CHUNKS:
            yield batch
            batch, size = [], 0
        batch.append(uri)
        size += inventory[uri].chunks
    if batch:
        yield batch


def _drift(
    rows: DocumentRows,
    held: HeldDocument,
    document: IndexedDocument,
    position: Mapping[str, int],
    vectors: np.ndarray,
) -> str:
    """How a document differs from what it should be; empty if it does not."""
    if held.document.content_digest != document.content_digest:
        return "of another version of the file"
    if held.document.allow != document.allow:
        return f"may be read by {', '.join(held.document.allow) or 'nobody'}"
    if [chunk.ordinal for chunk in rows.chunks] != list(range(len(rows.chunks))):
        return "chunks are missing"
    at = [position.get(chunk.id) for chunk in rows.chunks]
    if None in at:
        return "a text was changed"  # the id of a chunk is the digest of its text
    if rows.vectors is not None and not np.allclose(vectors[at], rows.vectors, atol=_SAME):  # type: ignore[index]
        return "a vector was changed"
    return ""
