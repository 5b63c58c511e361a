"""Where the documents of a knowledge base come from, uploads included, and who may read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from jargonaut.core.document import Document
from jargonaut.core.errors import InputError
from jargonaut.documents.catalog import Catalog, Entry
from jargonaut.documents.permissions import Rule, Rules
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import SourceFile, scan
from jargonaut.documents.wire import Result
from jargonaut.index.port import IndexedDocument
from jargonaut.serving.uploads import UPLOADS, Uploads
from jargonaut.wiring import KnowledgeBase


def rules_of(base: KnowledgeBase) -> Rules:
    """The operator's rules, those of whole sources last."""
    settings = base.settings
    rules = [Rule(rule.match, rule.allow, tuple(sorted(rule.metadata.items()))) for rule in settings.rules]
    sources = settings.sources
    rules += [Rule(f"/{source.name}/" if source.name else "**", source.allow) for source in sources if source.allow]
    return Rules(tuple(rules), settings.default_allow)


def files_of(base: KnowledgeBase, say: Callable[[str], None]) -> list[SourceFile]:
    """The files of all sources; of two with one URI, the operator's own. `say` is told what was left out and why."""
    found = [scan(source.path, source.name, source.include, source.exclude) for source in base.settings.sources]
    if base.uploads_folder.is_dir():
        found.append(scan(base.uploads_folder, UPLOADS))
    files: dict[str, SourceFile] = {}
    for source in found:
        for problem in source.problems:
            say(problem)
        for file in source.files:
            if file.uri in files:
                say(f"{file.uri}: It was uploaded under the name of a file of the sources, which is read instead.")
            files.setdefault(file.uri, file)
    return list(files.values())


def uploads_of(base: KnowledgeBase) -> Uploads:
    """The documents that were uploaded."""
    conditions = base.catalog.conditions

    def entries() -> Mapping[str, Entry]:
        # As of the last build, which may be another process's.
        return Catalog(base.work_folder, conditions).entries()

    return Uploads(base.uploads_folder, base.workspace.settings.service.upload_limit_mb << 20, rules_of(base), entries)


def results_of(base: KnowledgeBase, files: Sequence[SourceFile]) -> Iterator[Result]:
    """What reading these files comes to, in worker processes, within the limits of the settings."""
    build = base.workspace.settings.build
    limits = Limits(build.file_timeout_s, build.file_memory_mb << 20, build.file_limit_mb << 20)
    return read_documents(files, limits, build.workers or os.cpu_count() or 1)


def stored_documents(base: KnowledgeBase, held: Mapping[str, IndexedDocument]) -> list[Document]:
    """The documents of a revision, as they were read.

    Raises:
        InputError: None of them is there any more.
    """
    found = [base.catalog.document(uri, item.content_digest) for uri, item in held.items()]
    documents = [document for document in found if document is not None]
    if not documents:
        raise InputError("The stored texts of the documents are gone.", "Build again: `jargonaut build`.")
    return documents
