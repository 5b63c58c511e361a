"""The labels that the settings of a knowledge base name, read and looked up among its documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jargonaut.core.document import Chunk, Document
from jargonaut.labels.reading import read_labels
from jargonaut.labels.resolving import ResolvedLabels, resolve

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase

SHOWN = 20
"""Bad rows that are told in passing; `jargonaut labels check` lists all."""


def labels_of(
    base: KnowledgeBase, documents: Sequence[Document], chunks: Sequence[Chunk], say: Callable[[str], None]
) -> ResolvedLabels | None:
    """The labels, or None if the settings name none.

    Raises:
        InputError: They cannot be read, or none of them can be used.
    """
    tuning = base.settings.tuning
    if not tuning.labels:
        return None
    read = read_labels(Path(tuning.labels), tuning.labels_shape, stated_examination(base))
    found = resolve(read, documents, chunks, base.follower.current().deleted)
    for line in told(found):
        say(line)
    return found


def stated_examination(base: KnowledgeBase) -> float | None:
    """How fast people stop looking, if the settings say so."""
    stated = base.settings.tuning.examination
    return None if stated == "estimated" else stated


def told(labels: ResolvedLabels, most: int | None = SHOWN) -> list[str]:
    """What became of the rows, in lines; of bad ones all, or the first `most`."""
    found = f"{_number(len(labels.questions), 'question')} with {_number(labels.pairs, 'answer')}"
    lines = [f"Labels in {labels.path} ({labels.shape}): {_number(labels.rows, 'row')}, {found}."]
    if labels.duplicates:
        lines.append(f"Said more than once: {_number(labels.duplicates, 'row')}.")
    if labels.deleted:
        lines.append(f"About documents that were deleted: {_number(labels.deleted, 'row')}.")
    lines += labels.notes
    for what, listed in (("Cannot be used", labels.problems), ("Judged differently", labels.contradictions)):
        if listed:
            lines.append(f"{what}, {_number(len(listed), 'case')}:")
            lines += [f"  {problem}" for problem in listed[:most]]
            if most is not None and len(listed) > most:
                lines.append(f"  and {len(listed) - most:,} more: `jargonaut labels check` lists all.")
    return lines


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
