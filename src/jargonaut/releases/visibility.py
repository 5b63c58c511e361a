"""Who may see what of a revision, now: its own permissions, and what the journal says beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jargonaut.core.document import document_id
from jargonaut.index.port import IndexedDocument, Visibility
from jargonaut.state.knowledge_base import KnowledgeBaseState


@dataclass(frozen=True, slots=True)
class Overlay:
    """What has to be joined to every query of a revision; ids of documents."""

    deleted: frozenset[str]
    changed: Mapping[str, frozenset[str]]
    """Documents whose permissions in the index are out of date -> principals that may read them now."""

    def visibility(self, principals: frozenset[str]) -> Visibility:
        """What an asker with `principals` may see."""
        return Visibility(
            principals=principals,
            deleted=self.deleted,
            changed=frozenset(self.changed),
            readable=frozenset(document for document, allow in self.changed.items() if allow & principals),
        )

    def everything(self) -> Visibility:
        """For builds and proofs: all that is not deleted."""
        return Visibility(deleted=self.deleted, everything=True)


def overlay(state: KnowledgeBaseState, documents: Mapping[str, IndexedDocument]) -> Overlay:
    """The overlay of a revision that holds `documents` (by URI)."""
    return Overlay(
        frozenset(document_id(uri) for uri in state.deleted if uri in documents),
        {
            document_id(uri): frozenset(allow)
            for uri, allow in state.permitted.items()
            if uri in documents and documents[uri].allow != allow
        },
    )


def principals_used(state: KnowledgeBaseState, documents: Mapping[str, IndexedDocument]) -> frozenset[str]:
    """All principals that decide who sees something of a revision; any other makes no difference to an answer."""
    indexed = (principal for document in documents.values() for principal in document.allow)
    changed = (principal for uri, allow in state.permitted.items() if uri in documents for principal in allow)
    return frozenset(indexed) | frozenset(changed)
