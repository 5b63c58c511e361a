"""One file, read and cut as a build would: to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jargonaut.chunkers import rules_of, tokens_of
from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.document import Chunk, Document, Quarantined
from jargonaut.core.errors import InputError
from jargonaut.core.scope import LIVE
from jargonaut.documents.globs import matches
from jargonaut.documents.opening import Formats
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import source_file
from jargonaut.encoding.artifact import load_card
from jargonaut.wiring import PLAIN_TOKENS, KnowledgeBase, Workspace


class Home(NamedTuple):
    """Where a file belongs."""

    base: KnowledgeBase
    uri: str


@dataclass(frozen=True, slots=True)
class FileCut:
    """A document and its chunks."""

    document: Document
    chunker: str
    """Id of what cut it."""
    rule: str
    """Pattern of the rule that applied; empty if none did."""
    chunks: tuple[Chunk, ...]
    tokens: tuple[int, ...]
    """Of each chunk, as it is indexed, without special tokens."""


def home_of(workspace: Workspace | None, file: Path, name: str | None = None) -> Home | None:
    """The knowledge base that has `file` in one of its folders, and its URI there; None if none has."""
    if workspace is None:
        return None
    bases = [workspace.knowledge_base(name)] if name else list(workspace.knowledge_bases.values())
    path = file.absolute()
    for base in bases:
        for source in base.settings.sources:
            if path.is_relative_to(source.path):
                inside = path.relative_to(source.path).as_posix()
                return Home(base, f"{source.name}/{inside}" if source.name else inside)
    return None


def cut_file(file: Path, home: Home | None, chunker: str = "") -> list[FileCut]:
    """Read `file` in a worker, and cut it; several documents if it holds several.

    Args:
        file: Of a format that is known.
        home: Where it belongs: its rules, limits and encoder apply.
        chunker: Cuts it instead of what the rules say; by its name.

    Raises:
        InputError: It cannot be read, or there is no such chunker.
    """
    tokens = _tokens(home)
    found = [_cut(document, home, chunker, tokens) for document in _read(file, home)]
    if not found:
        raise InputError(f"`{file}` holds no document that can be read.")
    return found


def _cut(document: Document, home: Home | None, chunker: str, tokens: Tokens) -> FileCut:
    rules = rules_of(home.base.settings.chunking) if home and not chunker else []
    rule = next((rule for rule in rules if matches(rule.pattern, document.uri)), None)
    by = make_chunker(rule.choice if rule else Choice(chunker) if chunker else Choice(), tokens)
    chunks = tuple(by.split(document))
    counted = tuple(len(tokens.spans(chunk.indexed_text)) for chunk in chunks)
    return FileCut(document, by.id, rule.pattern if rule else "", chunks, counted)


def _tokens(home: Home | None) -> Tokens:
    """Of the live encoder, if there is one."""
    if home is None or not home.base.workspace.home.is_dir():
        return Tokens(word_spans, PLAIN_TOKENS, "words")
    base = home.base
    live = base.follower.current().channels.get(LIVE)
    encoder = base.registry.recipe(live.recipe).encoder if live else None
    return tokens_of(base, load_card(base.storage, encoder.document) if encoder else None)


def _read(file: Path, home: Home | None) -> list[Document]:
    if file.suffix.lower() not in Formats().extensions:
        raise InputError(f"Nothing reads files like {file.name}.", "`jargonaut documents formats` lists what is read.")
    try:
        source = source_file(file, home.uri if home else file.name)
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}.") from None
    limits = Limits()
    if home:
        build = home.base.workspace.settings.build
        limits = Limits(build.file_timeout_s, build.file_memory_mb << 20, build.file_limit_mb << 20)
    results = list(read_documents([source], limits, 1))
    documents = [result for result in results if isinstance(result, Document)]
    refused = [result for result in results if isinstance(result, Quarantined)]
    if refused and not documents:
        raise InputError(f"`{refused[0].uri}` cannot be read: {refused[0].reason}", refused[0].hint)
    return documents
