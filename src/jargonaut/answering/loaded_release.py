"""A release, ready to answer: its manifests and the parts that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jargonaut.core.errors import IntegrityError, SpaceMismatchError
from jargonaut.core.release import Recipe, Revision
from jargonaut.core.scope import Scope
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexedDocument, IndexReader
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.whitening import Whitening


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRelease:
    """What serves one release. Made by wiring; parts that do not belong together are refused.

    Raises:
        SpaceMismatchError: Index, recipe, revision and query encoder are not all of one space.
        IntegrityError: Another part is not the one that the manifests name.
    """

    scope: Scope
    release_id: str
    recipe: Recipe
    revision: Revision
    reader: IndexReader
    query_encoder: Encoder | None
    """None for a lexical recipe."""
    whitening: Whitening | None
    documents: Mapping[str, IndexedDocument]
    """By URI, the documents of the revision with their permissions as indexed."""
    late: LateInteraction | None = None
    """What compares tokens, if the recipe does; None too where the revision's tokens were never written."""

    def __post_init__(self) -> None:
        _check_space(self)
        _check_parts(self)


def _check_space(release: LoadedRelease) -> None:
    wanted = release.recipe.space
    found = {"the revision": release.revision.space, "the index": release.reader.key.space}
    if release.query_encoder is not None:
        found["the query encoder"] = release.query_encoder.card.space
    elif release.recipe.encoder is not None:
        found["the query encoder"] = "missing"
    for part, space in found.items():
        if space != wanted:
            raise SpaceMismatchError(
                f"Release {release.release_id}: its recipe searches in space `{wanted}`, {part} is of `{space}`.",
                "Build again, or roll back to another release (`jargonaut releases`).",
            )


def _check_parts(release: LoadedRelease) -> None:
    recipe, revision, key = release.recipe, release.revision, release.reader.key
    whitening = release.whitening.digest if release.whitening else ""
    pairs = {
        "owner": (
            (release.scope, revision.scope),
            (revision.scope, Scope(key.tenant, key.knowledge_base)),
        ),
        "chunker": ((recipe.chunker, revision.chunker), (recipe.chunker, key.chunker)),
        "analysis": ((recipe.analysis, revision.analysis), (recipe.analysis, key.analysis)),
        "whitening": ((recipe.fusion.whitening, whitening),),
        "token projection": ((recipe.fusion.tokens, release.late.projection.digest),) if release.late else (),
    }
    for what, compared in pairs.items():
        for wanted, found in compared:
            if wanted != found:
                raise IntegrityError(
                    f"Release {release.release_id}: the {what} should be `{wanted}` and is `{found}`.",
                    "Build again, or roll back to another release (`jargonaut releases`).",
                )
