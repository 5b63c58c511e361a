"""`jargonaut releases`: what was built, what is live, and how to go back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName
from jargonaut.core.errors import RefusedError, UnknownNameError
from jargonaut.core.scope import CANARY, LIVE

app = typer.Typer(help="List, compare, promote and roll back releases.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="A release: the beginning of its id is enough.")]


@app.command("list")
def list_releases(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Every promotion, newest first, with its verdict."""
    from jargonaut.cli.output import print_json, print_table, short
    from jargonaut.cli.workspace import one_folder, open_knowledge_base

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    state = base.follower.current()
    rows: list[dict[str, Any]] = [
        {
            "at": pointer.at,
            "channel": channel,
            "release": pointer.release,
            "recipe": base.registry.recipe(pointer.recipe).label,
            "documents": base.registry.revision(pointer.revision).document_count,
            "verdict": pointer.verdict,
            "forced": pointer.forced,
            "reason": pointer.reason,
            "proof": pointer.proof,
            "current": state.channels[channel] == pointer,
        }
        for channel, pointer in reversed(state.history)
    ]
    if as_json:
        print_json(rows)
        return
    shown = [
        (
            "*" if row["current"] else "",
            row["channel"],
            short(row["release"]),
            row["recipe"],
            row["documents"],
            row["verdict"] + (" (forced)" if row["forced"] else ""),
            row["reason"],
            row["at"][:19],
        )
        for row in rows
    ]
    columns = ("", "channel", "release", "recipe", "documents", "verdict", "why", "when (UTC)")
    print_table(columns, shown, "Nothing was built yet: `jargonaut build`.")


@app.command("promote")
def promote(
    release: Named,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    channel: Annotated[str, typer.Option("--channel", help="`live` or `canary`.")] = LIVE,
    force: Annotated[bool, typer.Option("--force", help="Without a proof. It is recorded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a release live. Its recipe must be live already, or proven better; `--force` overrides and is recorded."""
    from jargonaut.cli.output import print_json, short
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.releases.channels import Promotion
    from jargonaut.releases.channels import promote as run_promote

    if channel not in (LIVE, CANARY):
        raise UnknownNameError("channel", channel, (LIVE, CANARY))
    base = open_knowledge_base(folder, config, knowledge_base)
    found = base.registry.find_release(release)
    state = base.follower.current()
    live = state.channels.get(LIVE)
    known = {pointer.recipe: pointer for name, pointer in state.history if name == LIVE}.get(found.recipe)
    if channel == LIVE and live and not known and not force:
        raise RefusedError(
            f"The recipe of release {short(found.id)} is not proven.",
            "`jargonaut prove` measures it; `--force` promotes it all the same, and that is recorded.",
        )
    base.check_release(found.id)
    pointer = run_promote(
        base.journal,
        base.registry,
        base.scope,
        Promotion(
            channel,
            found.id,
            verdict=known.verdict if known else "unproven",
            proof=known.proof if known else "",
            reason="promoted by hand",
            forced=force and not known,
            among_kept=True,
        ),
    )
    if as_json:
        print_json(
            {"channel": channel, "release": pointer.release, "verdict": pointer.verdict, "forced": pointer.forced}
        )
    else:
        print(
            f"Release {short(pointer.release)} is {channel} ({pointer.verdict}{', forced' if pointer.forced else ''})."
        )


@app.command("rollback")
def rollback(
    to: Annotated[str, typer.Option("--to", help="Release to go back to; else the one that was live before.")] = "",
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Make an earlier release live again, whole: encoder, index and ranking. What was deleted stays deleted."""
    from jargonaut.cli.output import print_json, short
    from jargonaut.cli.workspace import one_folder, open_knowledge_base
    from jargonaut.releases.channels import roll_back

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    pointer = roll_back(base.journal, base.registry, base.scope, base.check_release, to)
    if as_json:
        print_json({"channel": LIVE, "release": pointer.release, "verdict": pointer.verdict, "reason": pointer.reason})
    else:
        print(f"Release {short(pointer.release)} is live again. Deleted documents stay deleted.")


@app.command("diff")
def diff(
    before: Named,
    after: Named,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two releases: documents, who may read them, and recipe."""
    from dataclasses import asdict

    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.releases.channels import compare_documents

    base = open_knowledge_base(folder, config, knowledge_base)
    registry = base.registry
    old, new = registry.find_release(before), registry.find_release(after)
    documents = [registry.documents(registry.revision(item.revision).documents) for item in (old, new)]
    changes = compare_documents(documents[0], documents[1])
    readers = {
        uri: {"before": list(item.allow), "after": list(documents[1][uri].allow)}
        for uri, item in sorted(documents[0].items())
        if uri in documents[1] and documents[1][uri].allow != item.allow
    }
    recipes = [asdict(registry.recipe(item.recipe)) for item in (old, new)]
    differing = {
        name: (recipes[0][name], recipes[1][name]) for name in recipes[0] if recipes[0][name] != recipes[1][name]
    }
    if as_json:
        print_json({"documents": {**asdict(changes), "readers": readers}, "recipe": differing})
        return
    for title, uris in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
        print(f"{len(uris)} documents {title}")
        print("".join(f"  {uri}\n" for uri in uris), end="")
    print(f"{len(readers)} documents with other readers")
    for uri, allow in readers.items():
        print(f"  {uri}: {_names(allow['before'])} -> {_names(allow['after'])}")
    print("recipe: " + ("the same" if not differing else ""))
    for name, (was, now) in differing.items():
        print(f"  {name}: {was} -> {now}")


def _names(allow: list[str]) -> str:
    return " ".join(allow) or "nobody"
