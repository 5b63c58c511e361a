"""The only module that knows every adapter: settings in, ready objects out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jargonaut import __version__
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import (
    InputError,
    IntegrityError,
    MissingExtraError,
    RefusedError,
    SettingsError,
    UnavailableError,
    UnknownNameError,
)
from jargonaut.core.release import Recipe
from jargonaut.core.scope import LIVE, PUBLIC, Scope, checked_principals
from jargonaut.index.port import Index, SearchQuery, Snapshot, Visibility
from jargonaut.releases.channels import not_kept
from jargonaut.releases.registry import Registry
from jargonaut.releases.visibility import overlay
from jargonaut.settings import KnowledgeBaseSettings, Settings, is_loopback
from jargonaut.state.keys import KeyRing
from jargonaut.state.knowledge_base import Follower
from jargonaut.state.port import Journal
from jargonaut.state.sqlite import SqliteJournal
from jargonaut.storage.local import LocalStorage
from jargonaut.storage.port import Storage

if TYPE_CHECKING:
    from jargonaut.answering.loaded_release import LoadedRelease
    from jargonaut.documents.catalog import Catalog
    from jargonaut.encoding.port import Encoder
    from jargonaut.index.lucene_server import Access, LuceneServer, VectorOption
    from jargonaut.ranking.late_interaction import LateInteraction
    from jargonaut.ranking.whitening import Whitening

PLAIN_TOKENS = 256
"""Limit of a chunk, in words and characters, where there is no encoder to ask."""
BASE = "base"
"""Label of a recipe with an encoder as it came."""


@dataclass(frozen=True)
class Workspace:
    """One home folder with its state, artifacts and indexes, and the settings that go with it."""

    settings: Settings
    home: Path

    @cached_property
    def journal(self) -> Journal:
        """State that is shared by all processes of this home."""
        path = self.home / "state.sqlite"
        is_new = not path.exists() or path.stat().st_size == 0
        if is_new and any((self.home / "artifacts").glob("*/*/releases/*")):
            raise IntegrityError(
                f"{path} is missing or empty, but {self.home} holds releases: what was deleted, who may read what and "
                "all keys are in it.",
                "Restore it from a backup. Without one, move the folder away and build again.",
            )
        return SqliteJournal(path)

    @cached_property
    def knowledge_bases(self) -> Mapping[Scope, KnowledgeBase]:
        """Every knowledge base of the settings."""
        return {Scope(item.tenant, item.name): KnowledgeBase(self, item) for item in self.settings.knowledge_bases}

    @cached_property
    def _servers(self) -> dict[str, LuceneServer]:
        return {}

    def server(self, engine: str) -> LuceneServer:
        """The server with the index: one for all knowledge bases, since it holds the connections.

        Raises:
            UnknownNameError: There is no such engine.
            SettingsError: [index] does not say where it is, or a secret is not set.
            MissingExtraError: Its client is not installed.
        """
        if engine not in self._servers:
            settings = self.settings.index
            if not settings.urls:
                raise SettingsError(f"[index] urls does not say where {engine} is.", "Name the server there.")
            self._servers[engine] = _client_of(engine)(settings.access, settings.vectors)
        return self._servers[engine]

    @property
    def tenants(self) -> list[str]:
        """Whose knowledge bases they are, sorted."""
        return sorted({scope.tenant for scope in self.knowledge_bases})

    @cached_property
    def keys(self) -> KeyRing:
        """The API keys of all tenants."""
        return KeyRing(self.journal, self.tenants)

    @property
    def open_tenant(self) -> str | None:
        """Of whom everyone who reaches the service is, while no key was issued.

        None if a key is needed: where other machines reach it, and where there are several tenants to be of.
        """
        service = self.settings.service
        may_be_open = service.keys == "open" or (service.keys == "auto" and is_loopback(service.host))
        return self.tenants[0] if may_be_open and len(self.tenants) == 1 else None

    @property
    def is_open(self) -> bool:
        """Whether no key is asked for now."""
        return self.open_tenant is not None and self.keys.is_empty()

    def knowledge_base(self, name: str | None = None) -> KnowledgeBase:
        """The knowledge base with this name (`NAME` or `TENANT/NAME`), or the only one.

        Raises:
            UnknownNameError: There is none.
            InputError: No name was given and there are several, or the name is that of several tenants' ones.
        """
        all_names = {scope.path: base for scope, base in self.knowledge_bases.items()}
        if name is None:
            if len(all_names) > 1:
                raise InputError(
                    "There are several knowledge bases.", f"Say which: --kb {' or --kb '.join(all_names)}."
                )
            return next(iter(all_names.values()))
        found = [path for path in all_names if name in (path, path.split("/")[1])]
        if not found:
            raise UnknownNameError("knowledge base", name, all_names)
        if len(found) > 1:
            raise InputError(
                f"Several tenants have a knowledge base `{name}`.", f"Say whose: --kb {' or --kb '.join(found)}."
            )
        return all_names[found[0]]


@dataclass(frozen=True)
class KnowledgeBase:
    """One knowledge base of a workspace."""

    workspace: Workspace
    settings: KnowledgeBaseSettings

    @cached_property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.settings.tenant, self.settings.name)

    @cached_property
    def storage(self) -> Storage:
        """Its artifacts."""
        return LocalStorage(self.workspace.home / "artifacts" / self.scope.tenant / self.scope.knowledge_base)

    @cached_property
    def registry(self) -> Registry:
        """Its manifests."""
        return Registry(self.storage)

    @property
    def journal(self) -> Journal:
        """Its state."""
        return self.workspace.journal

    @cached_property
    def follower(self) -> Follower:
        """Its state, kept up to date."""
        return Follower(self.journal, self.scope)

    @property
    def index_folder(self) -> Path:
        """Where LanceDB keeps its tables."""
        return self.workspace.home / "index" / self.scope.tenant / self.scope.knowledge_base

    @property
    def work_folder(self) -> Path:
        """Caches, locks and unfinished training: losing it costs time only."""
        return self.workspace.home / "work" / self.scope.tenant / self.scope.knowledge_base

    @property
    def uploads_folder(self) -> Path:
        """Where documents lie that were uploaded."""
        return self.workspace.home / "uploads" / self.scope.tenant / self.scope.knowledge_base

    def copies_of(self, uris: Collection[str]) -> int:
        """How many of its files say the same as these documents, as of the last build."""
        from jargonaut.documents.catalog import Catalog

        entries = Catalog(self.work_folder).entries().values()
        return sum(entry.copy_of in uris and entry.uri not in uris for entry in entries)

    @cached_property
    def catalog(self) -> Catalog:
        """What is known of its files."""
        from jargonaut.documents.catalog import Catalog

        build = self.workspace.settings.build
        limits = f"{build.file_timeout_s:g} s, {build.file_memory_mb} MiB, {build.file_limit_mb} MB"
        can_recognise = find_spec("rapidocr_onnxruntime") is not None
        return Catalog(self.work_folder, f"{__version__}, {limits}, {'with' if can_recognise else 'no'} ocr")

    @cached_property
    def index(self) -> Index:
        """Where its chunks are, as the settings say."""
        return self.index_in(self.workspace.settings.index.engine)

    def index_in(self, engine: str) -> Index:
        """Where its chunks are, or would be, in another engine.

        Raises:
            UnknownNameError: There is no such engine.
            SettingsError: [index] does not say where it is.
            MissingExtraError: Its client is not installed.
        """
        if engine == "lance":
            from jargonaut.index.lance import LanceIndex

            return LanceIndex(self.index_folder)
        from jargonaut.index.lucene import LuceneIndex

        return LuceneIndex(self.workspace.server(engine), self.storage, self.workspace.settings.index.options)

    def trial_index(self, folder: Path) -> Index:
        """An index for a trial, in a folder of its own."""
        from jargonaut.index.lance import LanceIndex

        return LanceIndex(folder)

    def whole_recipe(self, recipe_id: str) -> Recipe | None:
        """A recipe, or None if its manifest is damaged: `build --anew` does without."""
        try:
            return self.registry.recipe(recipe_id)
        except IntegrityError:
            return None

    def load_encoder(self, encoder_id: str) -> Encoder:
        """Load an encoder that was exported into the storage."""
        from jargonaut.encoding.artifact import open_encoder

        return open_encoder(self.storage, encoder_id)

    def document_encoder(self, release: LoadedRelease) -> Encoder | None:
        """What the documents of a release were encoded with; None for a lexical one."""
        encoder = release.recipe.encoder
        if encoder is None or encoder.document == encoder.query:
            return release.query_encoder
        with self._encoders_lock:
            if encoder.document not in self._document_encoders:
                self._document_encoders.clear()  # one is enough: releases of a knowledge base rarely differ in it
                self._document_encoders[encoder.document] = self.load_encoder(encoder.document)
            return self._document_encoders[encoder.document]

    @cached_property
    def _document_encoders(self) -> dict[str, Encoder]:
        return {}

    @cached_property
    def _encoders_lock(self) -> threading.Lock:
        return threading.Lock()

    def load_whitening(self, recipe: Recipe) -> Whitening | None:
        """The whitening that a recipe ranks with, if it has one."""
        from jargonaut.ranking.whitening import whitening_from_bytes

        digest = recipe.fusion.whitening
        return whitening_from_bytes(self.storage.get(f"whitenings/{digest}.safetensors")) if digest else None

    def load_late(self, recipe: Recipe, snapshot: Snapshot) -> LateInteraction | None:
        """What compares the tokens of a revision; None if the recipe does not, or its tokens were never written."""
        from jargonaut.index.token_store import open_token_store
        from jargonaut.ranking.late_interaction import LateInteraction
        from jargonaut.ranking.token_writing import load_projection

        digest = recipe.fusion.tokens
        store = open_token_store(self.storage, snapshot, digest) if digest else None
        if store is None:
            return None
        return LateInteraction(load_projection(self.storage, digest), store)

    async def load_release(self, release_id: str) -> LoadedRelease:
        """Everything that serves a release, checked to fit together."""
        from jargonaut.answering.loaded_release import LoadedRelease

        registry = self.registry
        release = registry.release(release_id)
        recipe, revision = registry.recipe(release.recipe), registry.revision(release.revision)
        snapshot = Snapshot(revision.table, revision.table_version)
        reader = await self.index.open_reader(snapshot)
        return LoadedRelease(
            scope=self.scope,
            release_id=release_id,
            recipe=recipe,
            revision=revision,
            reader=reader,
            query_encoder=await asyncio.to_thread(self.load_encoder, recipe.encoder.query) if recipe.encoder else None,
            whitening=self.load_whitening(recipe),
            documents=registry.documents(revision.documents),
            late=self.load_late(recipe, snapshot),
        )

    async def load_for_reading(self, release: str, principals: Sequence[str]) -> tuple[LoadedRelease, Visibility]:
        """The live release, or the one whose id begins with `release`, and what these principals see of it.

        Raises:
            UnavailableError: Nothing is live yet.
            UnknownNameError: There is no such release.
        """
        state = self.follower.current()
        live = state.channels.get(LIVE)
        if not release and live is None:
            raise UnavailableError(f"{self.scope.path} has no live release yet.", "Build one: `jargonaut build`.")
        wanted = self.registry.find_release(release).id if release else live.release if live else ""
        self._check_kept(wanted)
        loaded = await self.load_release(wanted)
        asker = checked_principals(principals, "--as") | {PUBLIC}
        return loaded, overlay(state, loaded.documents).visibility(asker)

    def encoder_name(self, recipe: Recipe) -> str:
        """What a recipe encodes questions with, for people."""
        from jargonaut.encoding.artifact import load_card

        return load_card(self.storage, recipe.encoder.query).base if recipe.encoder else "none: lexical search only"

    def check_release(self, release_id: str) -> None:
        """Load a release, to see whether it can be served.

        Raises:
            RefusedError: Its index or something else of it is gone or damaged.
        """
        self._check_kept(release_id)
        try:
            asyncio.run(self.load_release(release_id))
        except IntegrityError as error:
            raise RefusedError(
                f"Release {release_id[:12]} cannot be served any more: {error.message}",
                "[build] keep_revisions says how many revisions are kept; `jargonaut releases list` shows releases.",
            ) from error

    def _check_kept(self, release_id: str) -> None:
        """Permissions are kept up to date for some revisions only, so no other may be asked or promoted.

        Raises:
            RefusedError: It is of none of these.
        """
        if not self.follower.current().may_be_asked(self.registry.release(release_id).revision):
            raise not_kept(release_id)

    def check_live(self) -> str:
        """Load the live release and search it.

        Raises:
            JargonautError: Something about it is wrong.
        """
        loaded, seen = asyncio.run(self.load_for_reading("", []))
        query = SearchQuery(None, ("check",), seen, limit=1)
        asyncio.run(loaded.reader.search(query, Deadline.after(10)))
        return f"{loaded.release_id[:12]} ({loaded.recipe.label}), {loaded.revision.chunk_count} chunks"


SERVERS = {
    "elasticsearch": "jargonaut.index.elasticsearch:ElasticsearchServer",
    "opensearch": "jargonaut.index.opensearch:OpenSearchServer",
}


def _client_of(engine: str) -> Callable[[Access, VectorOption], LuceneServer]:
    if engine not in SERVERS:
        raise UnknownNameError("engine", engine, ["lance", *SERVERS])
    module, _, name = SERVERS[engine].partition(":")
    try:
        client: Callable[[Access, VectorOption], LuceneServer] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("jargonaut"):
            raise
        raise MissingExtraError(f"The client of {engine}", engine) from error
    return client
