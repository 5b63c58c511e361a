"""What training may read, and what is kept from it: documents are divided, never rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Document
from jargonaut.training.near_duplicates import clusters
from jargonaut.training.pairs import Pair
from jargonaut.training.query_text import comparable

HELD_OUT_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Split:
    """A division of documents, by id."""

    training: frozenset[str]
    held_out: frozenset[str]
    seed: int
    clusters: Mapping[str, str] = field(default_factory=dict)
    """For each document the name of its group of near-duplicates, which is the first of them."""

    def holding_out(self, more: Iterable[str], releasing: Iterable[str] = ()) -> Split:
        """The same, with these documents and their near-duplicates held out too, and those left to training."""
        freed = {self.clusters.get(name, name) for name in releasing}
        held = {self.clusters.get(name, name) for name in (*more, *self.held_out)} - freed
        everything = self.training | self.held_out
        held_out = frozenset(name for name in everything if self.clusters.get(name, name) in held)
        return replace(self, training=everything - held_out, held_out=held_out)


@dataclass(frozen=True, slots=True)
class DividedPairs:
    """Pairs on either side of a split."""

    training: tuple[Pair, ...]
    """Of which no document, asked about or asked from, is held out."""
    held_out: tuple[Pair, ...]
    """Of which all documents asked about are held out."""
    dropped: int
    """Across the split, or with a question that a held-out pair asks too."""


def split_documents(documents: Sequence[Document], seed: int, held_out_share: float = HELD_OUT_SHARE) -> Split:
    """Hold out about `held_out_share` of the documents.

    Near-duplicates stay together. Which side a group is on depends on its documents and the seed alone, so it does not
    change when other documents come and go.
    """
    held_out: set[str] = set()
    cluster_of: dict[str, str] = {}
    for group in clusters({document.id: document.text for document in documents}):
        cluster_of.update(dict.fromkeys(group, group[0]))
        if place_of(group[0], seed) < held_out_share:
            held_out.update(group)
    everything = frozenset(document.id for document in documents)
    return Split(everything - held_out, frozenset(held_out), seed, cluster_of)


def place_of(cluster: str, seed: int) -> float:
    """Where a group stands between 0 and 1: those below the held-out share are held out."""
    return float(int(digest_of([seed, cluster])[:8], 16) / 16**8)


def divide_pairs(pairs: Iterable[Pair], split: Split) -> DividedPairs:
    """Put each pair on the side of the split where it belongs, or on none."""
    training, held_out, dropped = [], [], 0
    for pair in pairs:
        if set(pair.document_ids) <= split.held_out:
            held_out.append(pair)
        elif set(pair.document_ids) <= split.training and split.held_out.isdisjoint(pair.origin_document_ids):
            training.append(pair)
        else:
            dropped += 1
    asked = {comparable(pair.query) for pair in held_out}
    unasked = [pair for pair in training if comparable(pair.query) not in asked]
    return DividedPairs(tuple(unasked), tuple(held_out), dropped + len(training) - len(unasked))


def lineage(documents: Iterable[Document], split: Split) -> Mapping[str, str]:
    """What training read and what was kept from it, as digests for the record."""
    digests = {document.id: document.content_digest for document in documents}
    sides = {"training": sorted(split.training), "held_out": sorted(split.held_out)}
    return {
        **{f"{side}_documents": digest_of(ids) for side, ids in sides.items()},
        **{f"{side}_texts": digest_of([digests[name] for name in ids]) for side, ids in sides.items()},
        "training_document_count": str(len(split.training)),
        "held_out_document_count": str(len(split.held_out)),
        "common_texts": str(len({digests[i] for i in split.training} & {digests[i] for i in split.held_out})),
        "split_seed": str(split.seed),
    }
