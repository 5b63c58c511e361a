"""The wanted documents against the rows of a table: only the difference is cut, encoded and written.

Batches are atomic, so what a killed build has written is found by the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jargonaut.chunking.port import Chunker
from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Chunk, Document, document_id
from jargonaut.core.errors import UnavailableError
from jargonaut.core.progress import Progress
from jargonaut.core.release import Recipe, Revision
from jargonaut.core.scope import Scope
from jargonaut.documents.catalog import Catalog
from jargonaut.documents.corpus import Corpus
from jargonaut.documents.permissions import Rules
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Result
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import DocumentRows, Index, IndexedDocument, Snapshot, TableKey
from jargonaut.index.rows import table_name
from jargonaut.ranking.token_writing import FITTED_ON, ChunkEncoder, TokenWriting
from jargonaut.releases.registry import Registry
from jargonaut.state.port import Journal

_CONTENTS_S = 120.0
BATCH_CHUNKS = 256
"""Chunks that are encoded and written at once: what a killed build has to do again, at most."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """How documents become rows."""

    table: TableKey
    chunker: Chunker
    encoder: Callable[[], Encoder] | None
    """Loads the document encoder; None for a lexical index."""
    encoder_id: str = ""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """Ready objects for one build of one knowledge base."""

    scope: Scope
    scan: Callable[[], Sequence[SourceFile]]
    read: Callable[[Sequence[SourceFile]], Iterable[Result]]
    rules: Rules
    catalog: Catalog
    registry: Registry
    journal: Journal
    indexing: Callable[[Corpus], Indexing]
    """Decides, once the corpus is known, how it is cut and encoded."""
    indexing_of: Callable[[Corpus, Recipe], Indexing | None]
    """How the documents of a live recipe are cut and encoded, whatever is wanted now; None if that cannot be done any
    more."""
    index: Index
    first_recipe: Callable[[Indexing, Revision], Recipe]
    """Makes the recipe when none of this kind is live: it may search the new revision to fit its threshold."""
    keep_revisions: int
    lock: Path
    prove_lock: Path
    """Held while something is proven: what that reads is not to be removed."""
    tokens: Callable[[Indexing, Callable[[], list[str]] | None], TokenWriting | None] = lambda indexing, sample: None
    """Keeps the tokens that a recipe compares, or may; given a sample of texts where there is something to encode."""
    anew: bool = False
    """Whether everything is read and indexed again, whatever is there. What is live stays live until it is done."""


def index_documents(
    plan: BuildPlan, indexing: Indexing, wanted: Mapping[str, IndexedDocument], progress: Progress
) -> Revision:
    """Bring the table of `indexing` to what is wanted. What an interrupted run has written is not written again.

    Raises:
        UnavailableError: The text of a document is gone, or an engine refuses.
    """
    if plan.anew:
        plan.index.drop(table_name(indexing.table))
    writer = plan.index.new_writer(indexing.table)
    held = writer.documents()
    writer.remove(uri for uri in held if uri not in wanted)
    same = [uri for uri in wanted if uri in held and held[uri].content_digest == wanted[uri].content_digest]
    writer.permit({uri: wanted[uri].allow for uri in same if held[uri].allow != wanted[uri].allow})
    todo = [item for uri, item in wanted.items() if uri not in held or held[uri].content_digest != item.content_digest]
    tokens = plan.tokens(indexing, (lambda: _sampled(plan, indexing, todo)) if todo else None)
    encoder = None
    if indexing.encoder and todo:
        encoder = ChunkEncoder(indexing.encoder(), tokens, table_name(indexing.table))
    done = 0
    for batch in _batches(plan.catalog, indexing.chunker, todo):
        writer.replace(_rows(batch, encoder))
        done += len(batch)
        progress("encode" if encoder else "index", done, len(todo), batch[-1][0].uri)
    if encoder:
        encoder.flush()
    snapshot = writer.snapshot()
    write_tokens(plan, indexing, (snapshot, tokens), wanted, progress)
    documents = dict(writer.documents())
    return Revision(
        tenant=plan.scope.tenant,
        knowledge_base=plan.scope.knowledge_base,
        table=snapshot.table,
        table_version=snapshot.version,
        space=indexing.table.space,
        chunker=indexing.table.chunker,
        analysis=indexing.table.analysis,
        documents=plan.registry.put_documents(documents),
        document_count=len(documents),
        chunk_count=writer.chunk_count(),
    )


def write_tokens(
    plan: BuildPlan,
    indexing: Indexing,
    what: tuple[Snapshot, TokenWriting | None],
    wanted: Mapping[str, IndexedDocument],
    progress: Progress,
) -> None:
    """The tokens of a revision, where they are kept; only documents that lack them are encoded for it."""
    snapshot, writing = what
    if writing is None or writing.are_written(snapshot):
        return

    async def contents() -> tuple[list[bytes], list[bytes]]:
        reader = await plan.index.open_reader(snapshot)
        chunks, documents = await reader.contents(Deadline.after(_CONTENTS_S))
        return chunks.tolist(), documents.tolist()

    chunks, documents = asyncio.run(contents())
    held = writing.held(snapshot.table)
    lacking = {
        document.decode() for chunk, document in zip(chunks, documents, strict=True) if chunk.decode() not in held
    }
    todo = [item for uri, item in wanted.items() if document_id(uri) in lacking]
    missing = (
        (chunk.id, chunk.indexed_text)
        for batch in _batches(plan.catalog, indexing.chunker, todo)
        for _, _, own in batch
        for chunk in own
    )
    writing.write(snapshot, [chunk.decode() for chunk in chunks], missing, progress)


def _sampled(plan: BuildPlan, indexing: Indexing, todo: Sequence[IndexedDocument]) -> list[str]:
    """What is indexed of some documents, spread evenly."""
    some = todo[:: max(1, len(todo) // FITTED_ON)][:FITTED_ON]
    batches = _batches(plan.catalog, indexing.chunker, some)
    return [chunk.indexed_text for batch in batches for _, _, own in batch for chunk in own[:2]]


_Prepared = tuple[IndexedDocument, Document, list[Chunk]]


def _batches(catalog: Catalog, chunker: Chunker, todo: Sequence[IndexedDocument]) -> Iterator[list[_Prepared]]:
    batch: list[_Prepared] = []
    for item in todo:
        document = catalog.document(item.uri, item.content_digest)
        if document is None:
            raise UnavailableError(f"The stored text of {item.uri} went while it was built.", "Run the build again.")
        batch.append((item, document, chunker.split(document)))
        if sum(len(chunks) for _, _, chunks in batch) >= BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(batch: Sequence[_Prepared], encoder: ChunkEncoder | None) -> list[DocumentRows]:
    listed = [chunk for _, _, chunks in batch for chunk in chunks]
    vectors = encoder.encode(listed) if encoder and listed else None
    rows, first = [], 0
    for item, document, chunks in batch:
        own = None if vectors is None else vectors[first : first + len(chunks)]
        rows.append(DocumentRows(item, tuple(chunks), own, document.language, document.media_type, document.metadata))
        first += len(chunks)
    return rows
