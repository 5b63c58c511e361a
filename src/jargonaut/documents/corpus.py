"""From source folders to a readable corpus: what is there, what could be read, who may read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import SourceError
from jargonaut.core.progress import Progress
from jargonaut.documents.catalog import Catalog, Entry, entry_of
from jargonaut.documents.copies import fingerprint, fold_copies
from jargonaut.documents.names import tidied
from jargonaut.documents.permissions import Rules
from jargonaut.documents.source import SourceFile
from jargonaut.documents.wire import Result

_SAVE_EVERY = 100
_ORDINARY = frozenset({"comment", "alternative text"})
"""Left out like all that a reader does not see, but found everywhere and nobody's ruse."""

ReadFiles = Callable[[Sequence[SourceFile]], Iterable[Result]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Every file that was found, and who may read those that could be read."""

    entries: Mapping[str, Entry]
    """All files, and all files in them, by URI."""
    allow: Mapping[str, tuple[str, ...]]
    """Readable documents that are not deleted, by URI: sorted principals."""
    deleted: frozenset[str]
    """URIs on disk that are left out because they were deleted."""

    @property
    def copies(self) -> list[Entry]:
        """Documents that are left out because another says the same."""
        return [entry for _, entry in sorted(self.entries.items()) if entry.copy_of]

    @property
    def with_hidden_text(self) -> list[Entry]:
        """Documents with text that was made not to be seen; comments and texts for pictures are not meant."""
        return [entry for _, entry in sorted(self.entries.items()) if entry.hidden.keys() - _ORDINARY]

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

    What was known of a folder that is closed stays as it was, but for permissions and deletes; the folder itself counts
    as a file that could not be read.

    Raises:
        SourceError: There is no file, or none that can be read.
        RuleError: A rule cannot be read.
    """
    closed = [file for file in files if file.closed]
    files = [file for file in files if not file.closed]
    if not files and not closed:
        raise SourceError(
            "There is no document in the source folder.",
            "Put documents there, or check `include` and `exclude`. `jargonaut documents formats` lists what is read.",
        )
    entries = catalog.look(files) | _behind(closed, catalog)
    found = {file.uri for file in files}
    unread = [file for file in files if file.uri in entries and not entries[file.uri].is_read]
    done = 0
    for number, result in enumerate(read(unread), start=1):
        inside = "" if result.uri in found else _file_around(result.uri, found)
        entries[result.uri] = _kept(result, entries.get(result.uri), inside, catalog)
        done += not inside
        if number % _SAVE_EVERY == 0:
            catalog.save(entries)
        progress("read", done, len(unread), result.uri)
    if unread or entries.keys() != catalog.entries().keys():
        catalog.save(entries)
    if not any(entry.parsed for entry in entries.values()):
        first = next((entry for entry in entries.values() if entry.quarantined), None)
        raise SourceError(
            f"None of the {len(entries)} files can be read.",
            f"The first, {first.uri}: {first.quarantined} {first.hint}" if first else "They hold no documents.",
        )
    gone = deleted | frozenset(map(tidied, deleted))
    left_out = {uri for uri, entry in entries.items() if _is_deleted(uri, entry.inside, gone)}
    allow = {
        uri: rules.allow_for(uri, entry.metadata)
        for uri, entry in entries.items()
        if entry.parsed and uri not in left_out
    }
    folded = fold_copies(allow, entries)
    marked = {uri: replace(entry, copy_of=folded.get(uri, "")) for uri, entry in entries.items()}
    if marked != entries:
        catalog.save(marked)
    return Corpus(marked, {uri: who for uri, who in allow.items() if uri not in folded}, frozenset(left_out))


def _behind(closed: Sequence[SourceFile], catalog: Catalog) -> dict[str, Entry]:
    """What is known of closed folders and of what is in them."""
    entries: dict[str, Entry] = {}
    for folder in closed:
        assert folder.closed is not None
        of_folder = Entry(folder.uri, 0, 0, "", quarantined=folder.closed.reason, hint=folder.closed.hint)
        entries[folder.uri] = replace(of_folder, conditions=catalog.conditions)
        for uri, entry in catalog.entries().items():
            if uri.startswith(f"{folder.uri}/") and entry.is_read and folder.closed.would_read(entry.inside or uri):
                entries[uri] = entry
    return entries


def _is_deleted(uri: str, inside: str, deleted: Collection[str]) -> bool:
    """Whether a document was deleted, or a container that it is in, however deep."""
    while uri not in deleted:
        if not inside or uri == inside:
            return False
        uri = uri.rpartition("/")[0]
    return True


def _file_around(uri: str, files: Collection[str]) -> str:
    """The file that the one at `uri` is in."""
    while uri and uri not in files:
        uri = uri.rpartition("/")[0]
    return uri


def _kept(result: Result, known: Entry | None, inside: str, catalog: Catalog) -> Entry:
    if isinstance(result, Document) and not result.text.strip():
        result = Quarantined(result.uri, result.content_digest, "It holds no text.")
    entry = entry_of(result, known, inside, catalog.conditions)
    if isinstance(result, Document):
        catalog.keep(result)
        entry = replace(entry, fingerprint=fingerprint(result))
    return entry
