"""`jargonaut keys`: who may ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, Folder, FolderOption
from jargonaut.core.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from jargonaut.wiring import Workspace

app = typer.Typer(help="Issue, list and revoke API keys.", no_args_is_help=True)
Tenant = Annotated[str | None, typer.Option("--tenant", help="Whose keys, if there are several.", show_default=False)]


@app.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="For people: whose key it is, what for.")],
    principal: Annotated[
        list[str],
        typer.Option("--principal", "-p", help="What its holder may read as: user:NAME, group:NAME, service:NAME."),
    ] = [],  # noqa: B006 typer wants a plain default
    scope: Annotated[list[str], typer.Option("--scope", help="read, write or admin.")] = ["read"],  # noqa: B006
    days: Annotated[int | None, typer.Option("--days", min=1, help="Days until it expires; else never.")] = None,
    tenant: Tenant = None,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key. It is shown once and stored only as a digest."""
    from jargonaut.cli.output import note, print_json
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.state.keys import KeyRequest

    workspace = open_workspace(folder, config)
    request = KeyRequest(name, principal, scope, timedelta(days=days) if days else None)
    owner = _only_tenant(workspace) if tenant is None else tenant
    if owner not in workspace.tenants:
        raise UnknownNameError("tenant", owner, workspace.tenants)
    issued = workspace.keys.issue(owner, request)
    if as_json:
        print_json(
            {"id": issued.key.id, "tenant": owner, "secret": issued.secret, "principals": sorted(issued.key.principals)}
        )
    else:
        note(f"Key {issued.key.id} for {name}; it is shown only now:")
        print(issued.secret)


@app.command("list")
def list_keys(
    folder: Folder = None,
    directory: FolderOption = None,
    config: Config = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Keys, without their secrets."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import one_folder, open_workspace
    from jargonaut.state.keys import KeyRing

    workspace = open_workspace(one_folder(folder, directory), config)
    tenants = workspace.tenants if tenant is None else [tenant]
    ring = KeyRing(workspace.journal, tenants)
    now = datetime.now(UTC)
    rows = [
        (
            key.id,
            key.tenant,
            key.name,
            " ".join(sorted(key.principals)),
            " ".join(sorted(key.scopes)),
            key.issued_at[:10],
            (key.expires_at or "never")[:10],
            "valid" if key.is_valid(now) else "revoked" if key.revoked_at else "expired",
        )
        for name in tenants
        for key in ring.issued(name)
    ]
    names = ("id", "tenant", "name", "principals", "scopes", "issued", "expires", "state")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        asked = "everyone on this machine may ask" if workspace.is_open else "nobody may ask yet"
        print_table(names, rows, f"No keys: {asked}. `jargonaut keys issue NAME` changes that.")


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    tenant: Tenant = None,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: at once at the service, within [edge] bound_s at the edge."""
    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.state.keys import KeyRing

    workspace = open_workspace(folder, config)
    tenants = workspace.tenants if tenant is None else [tenant]
    ring = KeyRing(workspace.journal, tenants)
    known = {item.id: name for name in tenants for item in ring.issued(name)}
    if key not in known:
        raise UnknownNameError("key", key, known)
    revoked = ring.revoke(known[key], key)
    if as_json:
        print_json({"revoked": revoked.id})
    else:
        print(f"Revoked {revoked.id} ({revoked.name}).")


def _only_tenant(workspace: Workspace) -> str:
    if len(workspace.tenants) > 1:
        raise InputError(
            "There are several tenants, and a key belongs to one.",
            f"Say which: --tenant {' or --tenant '.join(workspace.tenants)}.",
        )
    return workspace.tenants[0]
