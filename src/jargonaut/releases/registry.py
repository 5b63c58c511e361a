"""Manifests in a storage: recipes, revisions, releases, proofs and the lists of documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from jargonaut.core.canonical import canonical_json, digest_bytes
from jargonaut.core.errors import IntegrityError, UnknownNameError
from jargonaut.core.lineage import Lineage, lineage_from_json
from jargonaut.core.proof import Proof, proof_from_json
from jargonaut.core.release import Recipe, Release, Revision, from_json, to_json
from jargonaut.index.port import IndexedDocument
from jargonaut.storage.port import Storage

Manifest = TypeVar("Manifest", Recipe, Revision, Release)


@dataclass(frozen=True, slots=True)
class Registry:
    """Reads and writes the manifests of one knowledge base. Every one is checked against its name when read."""

    storage: Storage

    def put(self, manifest: Recipe | Revision | Release) -> str:
        """Store a manifest; its id."""
        self._put(f"{type(manifest).__name__.lower()}s", to_json(manifest))
        return manifest.id

    def recipe(self, name: str) -> Recipe:
        """The recipe with this id."""
        return from_json(Recipe, self._get("recipes", name))

    def revision(self, name: str) -> Revision:
        """The revision with this id."""
        return from_json(Revision, self._get("revisions", name))

    def release(self, name: str) -> Release:
        """The release with this id."""
        return from_json(Release, self._get("releases", name))

    def put_proof(self, proof: Proof) -> str:
        """Store a proof; its id."""
        return self._put("proofs", proof.to_json())

    def proof(self, name: str) -> Proof:
        """The proof with this id."""
        return proof_from_json(self._get("proofs", name))

    def put_lineage(self, encoder: str, lineage: Lineage) -> None:
        """Store what the training of an encoder read."""
        self._put(f"lineages/{encoder}", lineage.to_json())

    def lineage(self, encoder: str) -> Lineage | None:
        """What the training of an encoder read, in all runs that gave it; None if it was not trained here."""
        names = self.names(f"lineages/{encoder}")
        found = [lineage_from_json(self._get(f"lineages/{encoder}", name)) for name in names]
        return reduce(or_, found) if found else None

    def put_questions(self, marks: Sequence[str]) -> str:
        """Store which questions a proof was judged on, as marks; its digest."""
        return self._put("judged", {"kind": "judged", "format": 1, "questions": list(marks)})

    def questions(self, name: str) -> frozenset[str]:
        """The marks of the questions that a proof was judged on."""
        return frozenset(self._get("judged", name)["questions"])

    def put_documents(self, documents: Mapping[str, IndexedDocument]) -> str:
        """Store the list of a revision's documents; its digest."""
        listed = [[item.uri, item.content_digest, list(item.allow)] for _, item in sorted(documents.items())]
        return self._put("documents", {"kind": "documents", "format": 1, "documents": listed})

    def documents(self, name: str) -> dict[str, IndexedDocument]:
        """The documents of a revision, by URI."""
        listed = self._get("documents", name)["documents"]
        return {uri: IndexedDocument(uri, digest, tuple(allow)) for uri, digest, allow in listed}

    def names(self, kind: str) -> list[str]:
        """Ids of all `recipes`, `revisions`, `releases` or `proofs`, sorted."""
        keys = (
            key for key in self.storage.keys(f"{kind}/") if key.endswith(".json")
        )  # beside proofs lie their reports
        return [key.removeprefix(f"{kind}/").removesuffix(".json") for key in keys]

    def find_release(self, beginning: str) -> Release:
        """The release whose id begins so.

        Raises:
            UnknownNameError: None does, or several do.
        """
        names = self.names("releases")
        found = [name for name in names if name.startswith(beginning)]
        if len(found) != 1 or not beginning:
            raise UnknownNameError("release", beginning, found or names)
        return self.release(found[0])

    def _put(self, kind: str, value: Mapping[str, Any]) -> str:
        data = canonical_json(value)
        name = digest_bytes(data)
        key = f"{kind}/{name}.json"
        if not self.storage.put_if_absent(key, data) and self.storage.get(key) != data:
            # A disk has damaged it since: what is stored under the digest of its contents can be put right.
            self.storage.delete(key)
            self.storage.put_if_absent(key, data)
        return name

    def _get(self, kind: str, name: str) -> dict[str, Any]:
        try:
            data = self.storage.get(f"{kind}/{name}.json")
        except UnknownNameError:
            raise UnknownNameError(kind.removesuffix("s"), name, self.names(kind)) from None
        if digest_bytes(data) != name:
            raise IntegrityError(
                f"{kind}/{name}.json is not what its name says: it was changed or damaged.",
                "Restore it from a backup, or roll back to another release (`jargonaut releases`).",
            )
        value: dict[str, Any] = json.loads(data)
        return value
