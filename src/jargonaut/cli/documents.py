"""`jargonaut documents`: what is in a knowledge base, and what is not to be."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Annotated, Any

import typer

from jargonaut.cli import documents_check
from jargonaut.cli.options import AsJson, Config, Folder, FolderOption, KnowledgeBaseName
from jargonaut.core.errors import UnknownNameError
from jargonaut.core.scope import LIVE

app = typer.Typer(help="List, delete and restore documents; show what could not be read.", no_args_is_help=True)
app.command("check")(documents_check.check)
app.command("formats")(documents_check.formats)
Uris = Annotated[list[str], typer.Argument(help="URIs, as `jargonaut documents list` shows them.")]


@app.command("list")
def list_documents(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Documents of the live release, with who may read them."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import one_folder, open_knowledge_base

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    state = base.follower.current()
    live = state.channels.get(LIVE)
    documents = base.registry.documents(base.registry.revision(live.revision).documents) if live else {}
    entries = base.catalog.entries()
    rows: list[dict[str, Any]] = [
        {
            "uri": uri,
            "title": entries[uri].title if uri in entries else "",
            "allow": list(state.permitted.get(uri, item.allow)),
            "deleted": state.deleted.get(uri),
            "digest": item.content_digest,
            "hidden_characters": dict(entries[uri].hidden) if uri in entries else {},
            "copies": sorted(entry.uri for entry in entries.values() if entry.copy_of == uri),
        }
        for uri, item in documents.items()
    ]
    if as_json:
        print_json(rows)
    else:
        shown = [(r["uri"], " ".join(r["allow"]) or "nobody", _remarks(r)) for r in rows]
        print_table(("uri", "who may read it", ""), shown, "No documents yet: `jargonaut build`.")


def _remarks(row: dict[str, Any]) -> str:
    hidden = sum(row["hidden_characters"].values())
    return ", ".join(
        [
            *["deleted"] * bool(row["deleted"]),
            *[f"{hidden} hidden characters left out"] * bool(hidden),
            *[f"also {' and '.join(row['copies'])}"] * bool(row["copies"]),
        ]
    )


@app.command("rm")
def remove(
    uris: Uris,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Delete documents: at once, for every release, and whatever is on the disk. `restore` undoes it."""
    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.documents.opening import with_members
    from jargonaut.state.knowledge_base import delete_documents

    base = open_knowledge_base(folder, config, knowledge_base)
    state = base.follower.current()
    known = {uri for uri in base.catalog.entries() if uri not in state.deleted}
    live = state.channels.get(LIVE)
    held = base.registry.documents(base.registry.revision(live.revision).documents) if live else {}
    known |= held.keys() - state.deleted.keys()
    wanted = [item for uri in uris for item in with_members(_named("document", uri, known), known)]
    readers = {uri: state.permitted.get(uri, held[uri].allow) for uri in wanted if uri in held}
    receipt = delete_documents(base.journal, base.scope, wanted, readers)
    bound = base.workspace.settings.edge.bound_s
    copies = sorted(entry.uri for entry in base.catalog.entries().values() if entry.copy_of in receipt.uris)
    if as_json:
        print_json(
            {
                "deleted": list(receipt.uris),
                "copies_left": copies,
                "sequence": receipt.sequence,
                "generation": receipt.generation,
                "effective_at": receipt.effective_at,
                "edge_bound_s": bound,
            }
        )
    else:
        print(
            f"Deleted {', '.join(receipt.uris)}. In force since {receipt.effective_at}; at the edge within {bound:g} s."
        )
        if copies:
            print(f"Copies of it are left, and will be indexed with the next build: {', '.join(copies)}.")


@app.command("restore")
def restore(
    uris: Uris,
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    as_json: AsJson = False,
) -> None:
    """Undo a delete. The documents are back with the next build at the latest."""
    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_knowledge_base
    from jargonaut.documents.opening import with_members
    from jargonaut.state.knowledge_base import restore_documents

    base = open_knowledge_base(folder, config, knowledge_base)
    deleted = base.follower.current().deleted
    uris = [_named("deleted document", uri, deleted) for uri in uris]
    wanted = [item for uri in uris for item in with_members(uri, deleted)]
    receipt = restore_documents(base.journal, base.scope, wanted)
    if as_json:
        print_json({"restored": list(receipt.uris), "sequence": receipt.sequence, "effective_at": receipt.effective_at})
    else:
        print(f"Restored {', '.join(receipt.uris)}. Run `jargonaut build` to index what is not in the live release.")


def _named(kind: str, uri: str, known: Collection[str]) -> str:
    """`uri` as it is known: some systems write é in file names as one character, others as two, and both look the same.

    Raises:
        UnknownNameError: There is none, or there are several that look the same.
    """
    if uri in known:
        return uri
    looks = unicodedata.normalize("NFC", uri)
    same = [name for name in known if unicodedata.normalize("NFC", name) == looks]
    if len(same) != 1:
        raise UnknownNameError(kind, uri, known)
    return same[0]


@app.command("quarantine")
def quarantine(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Forget the verdicts, so that the next build tries again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Files that could not be read, and why."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import one_folder, open_knowledge_base

    base = open_knowledge_base(one_folder(folder, directory), config, knowledge_base)
    entries = base.catalog.entries()
    refused = [entry for _, entry in sorted(entries.items()) if entry.quarantined]
    if retry:
        again = {name for entry in refused for name in (entry.uri, entry.inside)}
        base.catalog.save({uri: entry for uri, entry in entries.items() if not {uri, entry.inside} & again})
    if as_json:
        print_json([{"uri": item.uri, "reason": item.quarantined, "hint": item.hint} for item in refused])
    else:
        rows = [(item.uri, item.quarantined, item.hint) for item in refused]
        print_table(("uri", "reason", "what to do"), rows, "Every file could be read.")
