"""A small handbook in a real index, promoted in a real journal: what the tests of answering and serving ask."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Chunk, Place, document_id
from jargonaut.core.release import LEXICAL_SPACE, EncoderRef, Fusion, Recipe, Release, Revision
from jargonaut.core.scope import LIVE, Scope
from jargonaut.encoding.port import Encoder
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.lance import LanceIndexWriter
from jargonaut.index.lance_reader import open_lance_reader
from jargonaut.index.port import DocumentRows, IndexedDocument, Snapshot, TableKey
from jargonaut.releases.channels import Promotion, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.sqlite import SqliteJournal
from jargonaut.storage.local import LocalStorage

SCOPE = Scope("default", "handbook")
CHUNKER = "by-hand/1"


@dataclass(frozen=True)
class Page:
    """A document: its sections by heading, and who may read it."""

    title: str
    sections: Mapping[str, str]
    allow: tuple[str, ...] = ("public",)
    language: str = "en"
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


PAGES: Mapping[str, Page] = {
    "ops/sessions.md": Page(
        "Sessions",
        {
            "Session cookies": (
                "A session is kept in a cookie that is signed but not encrypted. "
                "SESSION_COOKIE_AGE says how many seconds a session cookie lives. "
                "Its default is 1209600 seconds, which is two weeks.\n\n"
                "Sessions are cleared with this command:\n\n"
                "    $ manage clearsessions --older-than 30d"
            ),
            "Session storage": (
                "Sessions are stored in the database unless another backend is configured. "
                "The cache backend is faster, but it loses sessions when the cache server restarts."
            ),
        },
        metadata={"tags": ("web", "security"), "date": "2024-05-01"},
    ),
    "ops/deploy.md": Page(
        "Deployment",
        {
            "Rolling back": (
                "A faulty deployment is rolled back with `deploy rollback`. "
                "The rollback takes less than ten seconds. It never restores deleted documents."
            ),
            "See also": "- [Sessions](sessions.md)\n- [Storage](storage.md)",
        },
        metadata={"date": "2023-01-15"},
    ),
    "hr/salaries.md": Page(
        "Salaries",
        {"Pay scale": "The yearly bonus of an engineer is 7200 euros. It is paid out in March."},
        allow=("group:hr",),
    ),
    "people/bonus.md": Page(
        "Bonus",
        {"Who decides": "The bonus of an engineer is decided by the head of the department every January."},
    ),
    "运维/备份.md": Page(
        "备份手册",
        {
            "备份策略": "数据库每天凌晨两点自动备份一次。备份文件在对象存储中保留三十天。恢复备份需要管理员批准。",
            "监控": "监控系统每隔十五秒采集一次指标。磁盘使用率超过百分之九十时会触发告警。",
        },
        language="zh",
    ),
}


def chunks_of(uri: str, page: Page) -> tuple[Chunk, ...]:
    """The sections of a page as chunks, their text laid out one after the other."""
    chunks, start = [], 0
    for ordinal, (heading, text) in enumerate(page.sections.items()):
        place = Place(line=ordinal * 10 + 1)
        path = (page.title, heading)
        end = start + len(text)
        chunks.append(
            Chunk(document_id(uri), uri, page.title, path, text, start, end, ordinal, "paragraph", place, CHUNKER)
        )
        start = end + 2
    return tuple(chunks)


class Handbook:
    """A knowledge base in a folder: journal, registry and index, all real."""

    def __init__(self, folder: Path, scope: Scope = SCOPE, encoder: Encoder | None = None) -> None:
        self.scope = scope
        self.encoder = encoder
        self.folder = folder
        self.journal = SqliteJournal(folder / "state.sqlite")
        self.registry = Registry(LocalStorage(folder / "artifacts" / scope.path))
        space, dimensions = (encoder.card.space, encoder.card.dimensions) if encoder else (LEXICAL_SPACE, 0)
        self.key = TableKey(scope.tenant, scope.knowledge_base, space, dimensions, CHUNKER, ANALYSIS)
        self.index = folder / "index" / scope.path
        self.recipe = Recipe(
            encoder=EncoderRef(encoder.card.id, encoder.card.id, space) if encoder else None,
            chunker=CHUNKER,
            analysis=ANALYSIS,
            fusion=Fusion(0.4),
            similarity_threshold=0.35 if encoder else 0.5,
            top_k=5,
            prompt="none",
            generator="extractive-1",
            label="base" if encoder else "lexical",
        )

    def build(self, pages: Mapping[str, Page] = PAGES) -> str:
        """Index the pages, in place of all others; the id of the release."""
        writer = LanceIndexWriter(self.index, self.key)
        writer.remove(set(writer.documents()) - set(pages))
        writer.replace([self._rows(uri, page) for uri, page in pages.items()])
        snapshot = writer.snapshot()
        documents = dict(writer.documents())
        revision = Revision(
            self.scope.tenant,
            self.scope.knowledge_base,
            snapshot.table,
            snapshot.version,
            self.key.space,
            CHUNKER,
            ANALYSIS,
            self.registry.put_documents(documents),
            len(documents),
            writer.chunk_count(),
        )
        return self.registry.put(Release(self.registry.put(self.recipe), self.registry.put(revision)))

    def with_threshold(self, threshold: float) -> None:
        """Change the recipe of the releases that are built from now on."""
        self.recipe = replace(self.recipe, similarity_threshold=threshold)

    def promote(self, release: str, channel: str = LIVE) -> None:
        """Point a channel at a release."""
        promote(self.journal, self.registry, self.scope, Promotion(channel, release, "unproven", "", "test"))

    async def load(self, scope: Scope, release_id: str) -> LoadedRelease:
        """What wiring does."""
        assert scope == self.scope
        release = self.registry.release(release_id)
        revision = self.registry.revision(release.revision)
        return LoadedRelease(
            scope=scope,
            release_id=release_id,
            recipe=self.registry.recipe(release.recipe),
            revision=revision,
            reader=await open_lance_reader(self.index, Snapshot(revision.table, revision.table_version)),
            query_encoder=self.encoder,
            whitening=None,
            documents=self.registry.documents(revision.documents),
        )

    def loaded(self, pages: Mapping[str, Page] = PAGES) -> LoadedRelease:
        """A release of the pages, loaded, for tests that need no service."""
        return asyncio.run(self.load(self.scope, self.build(pages)))

    def _rows(self, uri: str, page: Page) -> DocumentRows:
        chunks = chunks_of(uri, page)
        vectors = self.encoder.encode_documents([chunk.indexed_text for chunk in chunks]) if self.encoder else None
        digest = digest_of(dict(page.sections))
        return DocumentRows(
            IndexedDocument(uri, digest, tuple(sorted(page.allow))),
            chunks,
            vectors,
            page.language,
            "text/markdown",
            page.metadata,
        )


def changed(pages: Mapping[str, Page], uri: str, sections: Mapping[str, str]) -> Mapping[str, Page]:
    """The pages with one of them rewritten."""
    return {**pages, uri: replace(pages[uri], sections=sections)}
