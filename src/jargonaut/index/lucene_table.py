"""The indices of a table on a server: which is which revision, which is the newest, which is being built.

Every revision is an index of its own, under a write block, behind the alias `<table>.<version>`; the alias `<table>`
is at the newest. An index of the table without a version alias is a head: something being built, or left by a build
that was killed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jargonaut.core.errors import JargonautError, SpaceMismatchError, UnavailableError
from jargonaut.index.lucene_query import Clause, page_body, values_clause
from jargonaut.index.lucene_rows import index_body, key_of
from jargonaut.index.lucene_server import LuceneServer, ServerAnswerError, gone, is_gone
from jargonaut.index.port import Snapshot, TableKey
from jargonaut.index.rows import table_name

_MAPPING_PATHS = "*.aliases,*.mappings._meta,*.mappings.properties.vector"
_GREEN_ENOUGH_S = 60


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How tables lie on a server. Nothing of it changes an answer."""

    prefix: str = "jargonaut"
    """Begins the name of every index and alias."""
    shards: int = 1
    """Of a new table."""
    replicas: int = 1
    """Copies of every shard of a finished revision."""


@dataclass(frozen=True, slots=True)
class TableState:
    """The indices of a table, by what they are."""

    revisions: Mapping[int, str] = field(default_factory=dict)
    """Version to index; several versions may share one."""
    newest: str = ""
    """The index of the newest revision, or empty."""
    heads: tuple[str, ...] = ()
    """Indices without a version, oldest first."""


class LuceneTable:
    """A table on a server, by its key."""

    def __init__(self, server: LuceneServer, options: IndexOptions, key: TableKey) -> None:
        self.server = server
        self.key = key
        self.name = table_name(key)
        self._options = options
        self._alias = alias_of(options, self.name)

    def state(self) -> TableState:
        """What is there, as the server says.

        Raises:
            SpaceMismatchError: An index has the name, and holds something else.
            IntegrityError: An index has the name, and is not ours.
            UnavailableError: The server refuses, or an index has the name of our alias.
        """
        self._refuse_index_named_as_alias()
        found = self.server.send("GET", f"/{self._alias}-*?filter_path={_MAPPING_PATHS}")
        revisions: dict[int, str] = {}
        newest, heads = "", []
        for index, about in sorted(found.items()):
            where = f"Index {index} in {self.server.where}"
            if key_of(about.get("mappings", {}), where) != self.key:
                raise SpaceMismatchError(f"{where} holds something else than its name says.", "Remove it, build again.")
            aliases = about.get("aliases", {})
            versions = [int(alias.rpartition(".")[2]) for alias in aliases if alias.startswith(f"{self._alias}.")]
            revisions |= dict.fromkeys(versions, index)
            newest = index if self._alias in aliases else newest
            if not versions:
                heads.append(index)
        return TableState(revisions, newest, tuple(heads))

    def create_head(self, newest: str) -> str:
        """A new head: empty, or with all that the index `newest` holds (whose segments it shares)."""
        head = f"{self._alias}-{int(time.time() * 1e3)}"
        if newest:
            settings = {"index.blocks.write": None, "index.number_of_replicas": 0, "index.refresh_interval": -1}
            self.server.send("PUT", f"/{newest}/_clone/{head}?wait_for_active_shards=1", {"settings": settings})
        else:
            self.server.send("PUT", f"/{head}", index_body(self.server, self.key, self._options.shards))
        self._wait_for(head)
        return head

    def thaw(self, head: str) -> None:
        """Let a head that a killed build had finished be written again."""
        settings = {"blocks.write": None, "number_of_replicas": 0, "refresh_interval": -1}
        self.server.send("PUT", f"/{head}/_settings", {"index": settings})

    def freeze(self, head: str) -> None:
        """Block writes, and make the replicas that a finished revision has."""
        settings = {"blocks.write": True, "number_of_replicas": self._options.replicas, "refresh_interval": None}
        self.server.send("PUT", f"/{head}/_settings", {"index": settings})
        self._wait_for(head)

    def publish(self, index: str, version: int, newest: str) -> None:
        """Make `index` the revision `version`, and the newest, in one call."""
        actions = [{"add": {"index": index, "alias": f"{self._alias}.{version}"}}]
        if newest != index:
            actions += [{"remove": {"index": newest, "alias": self._alias}}] if newest else []
            actions.append({"add": {"index": index, "alias": self._alias}})
        self.server.send("POST", "/_aliases", {"actions": actions})

    def remove(self, indices: Iterable[str]) -> None:
        """Remove indices; silent about those that are not there."""
        for index in indices:
            try:
                self.server.send("DELETE", f"/{index}")
            except ServerAnswerError as error:
                if not is_gone(error):
                    raise

    def refresh(self, index: str) -> None:
        """Make what was written visible to searches."""
        self.server.send("POST", f"/{index}/_refresh")

    def count(self, index: str) -> int:
        """Rows."""
        return int(self.server.send("GET", f"/{index}/_count")["count"])

    def _refuse_index_named_as_alias(self) -> None:
        try:
            found = self.server.send("GET", f"/{self._alias}?filter_path=*.aliases")
        except ServerAnswerError as error:
            if is_gone(error):
                return
            raise
        if self._alias in found:
            raise UnavailableError(
                f"{self.server.where} has an index named {self._alias}, where the alias of the newest revision goes.",
                "Choose another `prefix` in [index], or remove that index.",
            )

    def _wait_for(self, index: str) -> None:
        path = f"/_cluster/health/{index}?wait_for_status=yellow&timeout={_GREEN_ENOUGH_S}s"
        try:
            health = self.server.send("GET", path, timeout_s=_GREEN_ENOUGH_S + 5)
            red = health.get("timed_out") or health.get("status") == "red"
        except ServerAnswerError as error:
            if error.status != 408:
                raise
            red = True
        if red:
            raise UnavailableError(
                f"Index {index} in {self.server.where} is red: some of its shards have no place.",
                "Look at the cluster's health and disks, then build again.",
            )


def remove_table(server: LuceneServer, options: IndexOptions, table: str) -> None:
    """Remove all indices of a table; silent if there are none."""
    for index in server.send("GET", f"/{alias_of(options, table)}-*?filter_path=*.aliases"):
        server.send("DELETE", f"/{index}")


def alias_of(options: IndexOptions, table: str) -> str:
    """The alias of a table's newest revision; those of all revisions begin with it."""
    return f"{options.prefix}-{table}"


def revision_index(server: LuceneServer, options: IndexOptions, snapshot: Snapshot) -> tuple[str, TableKey]:
    """The index of a revision, and what it says that it holds.

    Raises:
        IntegrityError: It is not there, or not ours.
        UnavailableError: The server cannot be asked.
    """
    alias = f"{alias_of(options, snapshot.table)}.{snapshot.version}"
    try:
        found = server.send("GET", f"/{alias}?filter_path={_MAPPING_PATHS}")
    except JargonautError as error:
        if is_gone(error):
            raise gone(snapshot.table, snapshot.version, server.where) from error
        raise
    ((index, about),) = found.items()
    return index, key_of(about.get("mappings", {}), f"Index {index} in {server.where}")


def pages(server: LuceneServer, index: str, body: Clause, size: int = 10_000) -> Iterator[list[Mapping[str, Any]]]:
    """All hits of `body`, page by page, in the order of row numbers. Only one writer writes, so nothing moves."""
    after = None
    while True:
        hits: list[Mapping[str, Any]] = _hits(server, index, page_body(body, after, size))
        if hits:
            yield hits
        if len(hits) < size:
            return
        after = hits[-1]["sort"][0]


def columns_body(query: Clause, fields: Sequence[str]) -> Clause:
    """Rows that match, with `fields` from columns."""
    return {"query": query, "_source": False, "stored_fields": "_none_", "docvalue_fields": list(fields)}


def rows_of_documents(uris: Iterable[str]) -> Clause:
    """All rows of these documents."""
    return values_clause("uri", uris)


def _hits(server: LuceneServer, index: str, body: Clause) -> list[Mapping[str, Any]]:
    answer = server.send("POST", f"/{index}/_search?allow_partial_search_results=false", body)
    hits: list[Mapping[str, Any]] = answer["hits"]["hits"]
    return hits
