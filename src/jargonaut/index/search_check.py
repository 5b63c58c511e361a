"""Whether an index finds what it holds: every chunk by its id, by its words, and by those who may read it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from jargonaut.core.deadline import Deadline
from jargonaut.core.filters import OneOf
from jargonaut.index.analysis import index_terms
from jargonaut.index.port import DocumentRows, IndexedDocument, IndexReader, SearchQuery, Visibility

_LIMIT = 5_000
"""Most candidates that are asked for: every engine gives as many."""
_TERMS_AT_ONCE = 256
_IDS_AT_ONCE = 500
_EVERYTHING = Visibility(everything=True)
_MOST_PRINCIPALS = 64
"""Of a batch; there may be one for each employee."""


async def not_found(
    reader: IndexReader, batch: Sequence[DocumentRows], documents: Mapping[str, IndexedDocument], within_s: float
) -> dict[str, str]:
    """What is not found, or by the wrong people: URI -> how. Reads all that the search structures hold of the batch.

    Args:
        reader: Of the revision.
        batch: Documents as the index holds them.
        documents: Of the revision, by URI.
        within_s: Seconds that each question to the engine may take.

    Raises:
        IntegrityError: The search structures are damaged.
        UnavailableError: The engine cannot be read.
    """
    problems: dict[str, str] = {}
    uri_of = {chunk.id: rows.document.uri for rows in batch for chunk in rows.chunks}
    for ids in _slices(list(uri_of), _IDS_AT_ONCE):
        fetched = {chunk.chunk_id for chunk in await reader.fetch(ids, _EVERYTHING, Deadline.after(within_s))}
        problems |= {uri_of[chunk]: "a text is not found by its id" for chunk in ids if chunk not in fetched}
    terms = {chunk.id: set(index_terms(chunk.indexed_text)) for rows in batch for chunk in rows.chunks}
    # The rarest first, so that what is asked for at once is found in few places.
    common = Counter(term for some in terms.values() for term in some)
    asked = [tuple(some) for some in _slices(sorted(common, key=lambda term: (common[term], term)), _TERMS_AT_ONCE)]
    where = OneOf("uri", tuple(rows.document.uri for rows in batch))
    limit = min(len(uri_of), _LIMIT)
    found: set[str] = set()
    for some in asked:
        query = SearchQuery(None, some, _EVERYTHING, where, limit)
        found.update((await reader.search(query, Deadline.after(within_s))).chunk_ids)
    if limit == len(uri_of):
        lost = {uri_of[chunk] for chunk, own in terms.items() if own and chunk not in found}
        problems |= dict.fromkeys(lost, "a text is not found by its words")
    if asked:
        problems |= await _seen_by_others(reader, asked[-1], batch, documents, within_s)
    await _nearest(reader, batch, limit, within_s)
    return problems


async def _seen_by_others(
    reader: IndexReader,
    terms: tuple[str, ...],
    batch: Sequence[DocumentRows],
    documents: Mapping[str, IndexedDocument],
    within_s: float,
) -> dict[str, str]:
    """Documents that the filter of permissions lets through to who may not read them, or does not to who may."""
    problems: dict[str, str] = {}
    where = OneOf("uri", tuple(rows.document.uri for rows in batch))
    allow = {rows.document.uri: set(documents[rows.document.uri].allow) for rows in batch}
    everyone = sorted(set().union(*allow.values()))

    async def seen(visibility: Visibility) -> set[str]:
        found = await reader.search(SearchQuery(None, terms, visibility, where, _LIMIT), Deadline.after(within_s))
        return set(found.document_ids)

    all_found = await seen(_EVERYTHING)
    for principal in everyone[:_MOST_PRINCIPALS]:
        mine = await seen(Visibility(frozenset({principal})))
        for rows in batch:
            uri, document = rows.document.uri, rows.chunks[0].document_id
            may = principal in allow[uri]
            if document in mine and not may:
                problems[uri] = f"is shown to {principal}, who may not read it"
            elif may and document in all_found and document not in mine:
                problems[uri] = f"is not shown to {principal}, who may read it"
    return problems


async def _nearest(reader: IndexReader, batch: Sequence[DocumentRows], limit: int, within_s: float) -> None:
    """Ask by vector too; an approximate search may miss some, so only that it can be asked is looked at."""
    for rows in batch:
        if rows.vectors is not None and len(rows.vectors):
            query = SearchQuery(rows.vectors[0], (), _EVERYTHING, limit=min(limit, 100))
            await reader.search(query, Deadline.after(within_s))


def _slices(items: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
