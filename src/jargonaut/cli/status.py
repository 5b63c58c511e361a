"""`jargonaut status`: what is live, and what it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    from jargonaut.wiring import KnowledgeBase


def status(
    folder: Folder = None, directory: FolderOption = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Show what is live in each knowledge base."""
    from jargonaut.cli.output import as_lines, print_json
    from jargonaut.cli.workspace import one_folder, open_workspace

    workspace = open_workspace(one_folder(folder, directory), config)
    records = [_record(base) for base in workspace.knowledge_bases.values()]
    if as_json:
        print_json({"home": str(workspace.home), "knowledge_bases": records})
        return
    print(f"home  {workspace.home}")
    for record in records:
        print(f"\n{as_lines({key: value for key, value in record.items() if value != ''})}")


def _record(base: KnowledgeBase) -> dict[str, Any]:
    state = base.follower.current()
    live = state.channels.get(LIVE)
    quarantined = sum(bool(entry.quarantined) for entry in base.catalog.entries().values())
    about: dict[str, Any] = {"knowledge base": base.scope.path, "live": "nothing yet: run `jargonaut build`"}
    if live:
        recipe, revision = base.registry.recipe(live.recipe), base.registry.revision(live.revision)
        about |= {
            "live": live.release,
            "recipe": f"{recipe.label} ({live.verdict}{', forced' if live.forced else ''})",
            "encoder": base.encoder_name(recipe),
            "documents": revision.document_count,
            "chunks": revision.chunk_count,
            "since": live.at,
            "proof": live.proof,
        }
    return about | {
        "generation": state.generation,
        "deleted": len(state.deleted),
        "quarantined": quarantined,
    }
