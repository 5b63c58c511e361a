"""From source folders to a readable corpus: what is there, what could be read, who may read it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import SourceError
from jargonaut.core.progress import Progress
from jargonaut.documents.catalog import Catalog, Entry, parsed_entry, quarantined_entry
from jargonaut.documents.permissions import Rules
from jargonaut.documents.source import SourceFile

_SAVE_EVERY = 100

ReadFiles = Callable[[Sequence[SourceFile]], Iterable[Document | Quarantined]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Every file that was found, and who may read those that could be read."""

    entries: Mapping[str, Entry]
    """All files, by URI."""
    allow: Mapping[str, tuple[str, ...]]
    """Readable documents that are not deleted, by URI: sorted principals."""
    deleted: frozenset[str]
    """URIs on disk that are left out because they were deleted."""

    @property
    def languages(self) -> dict[str, int]:
        """Readable documents by language."""
        return Counter(self.entries[uri].language for uri in self.allow)

    @property
    def quarantined(self) -> list[Entry]:
        """Files that could not be read, in the order of their URIs."""
        return [entry for _, entry in sorted(self.entries.items()) if entry.quarantined]


def read_corpus(
    files: Sequence[SourceFile],
    catalog: Catalog,
    read: ReadFiles,
    rules: Rules,
    deleted: frozenset[str],
    progress: Progress,
) -> Corpus:
    """Look at all files and read those that are new or changed.

    Raises:
        SourceError: There is no file, or none that can be read.
        RuleError: A rule cannot be read.
    """
    if not files:
        raise SourceError(
            "There is no document in the source folder.",
            "Put Markdown, reStructuredText, text, HTML or PDF files there, or check `include` and `exclude`.",
        )
    entries = catalog.look(files)
    unread = [file for file in files if file.uri in entries and not _is_read(entries[file.uri])]
    for done, result in enumerate(read(unread), start=1):
        entry = entries[result.uri]
        if isinstance(result, Document):
            # The file may have changed since it was looked at; what was read is what counts.
            entry = dataclasses.replace(entry, digest=result.content_digest)
            entries[result.uri] = _kept(result, entry, catalog, rules)
        else:
            entries[result.uri] = quarantined_entry(entry, result)
        if done % _SAVE_EVERY == 0:
            catalog.save(entries)
        progress("read", done, len(unread), result.uri)
    if unread or entries.keys() != catalog.entries().keys():
        catalog.save(entries)
    readable = {uri: entry for uri, entry in entries.items() if entry.parsed and uri not in deleted}
    if not any(entry.parsed for entry in entries.values()):
        first = next(entry for entry in entries.values())
        raise SourceError(
            f"None of the {len(entries)} files can be read.",
            f"The first, {first.uri}: {first.quarantined} {first.hint}",
        )
    allow = {uri: rules.allow_for(uri, entry.own_allow) for uri, entry in readable.items()}
    return Corpus(entries, allow, frozenset(deleted & entries.keys()))


def _kept(document: Document, entry: Entry, catalog: Catalog, rules: Rules) -> Entry:
    if not document.text.strip():
        return quarantined_entry(entry, Quarantined(document.uri, document.content_digest, "It holds no text."))
    kept = parsed_entry(entry, document)
    rules.allow_for(kept.uri, kept.own_allow)
    catalog.keep(document)
    return kept


def _is_read(entry: Entry) -> bool:
    return entry.parsed or bool(entry.quarantined)
