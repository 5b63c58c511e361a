"""`jargonaut keys`: who may ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption

app = typer.Typer(help="Issue, list and revoke API keys.", no_args_is_help=True)
Tenant = Annotated[str, typer.Option("--tenant", help="Whose keys.")]


@app.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="For people: whose key it is, what for.")],
    principal: Annotated[
        list[str],
        typer.Option("--principal", "-p", help="What its holder may read as: user:NAME, group:NAME, service:NAME."),
    ] = [],  # noqa: B006 typer wants a plain default
    scope: Annotated[list[str], typer.Option("--scope", help="read, write or admin.")] = ["read"],  # noqa: B006
    days: Annotated[int | None, typer.Option("--days", min=1, help="Days until it expires; else never.")] = None,
    tenant: Tenant = "default",
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key. It is shown once and stored only as a digest."""
    from jargonaut.cli.output import note, print_json
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.state.keys import KeyRequest, KeyRing

    workspace = open_workspace(folder, config)
    request = KeyRequest(name, principal, scope, timedelta(days=days) if days else None)
    issued = KeyRing(workspace.journal, [tenant]).issue(tenant, request)
    if as_json:
        print_json({"id": issued.key.id, "secret": issued.secret, "principals": sorted(issued.key.principals)})
    else:
        note(f"Key {issued.key.id} for {name}; it is shown only now:")
        print(issued.secret)


@app.command("list")
def list_keys(
    tenant: Tenant = "default", folder: FolderOption = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Keys, without their secrets."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.state.keys import KeyRing

    keys = KeyRing(open_workspace(folder, config).journal, [tenant]).issued(tenant)
    now = datetime.now(UTC)
    rows = [
        (
            key.id,
            key.name,
            " ".join(sorted(key.principals)),
            " ".join(sorted(key.scopes)),
            key.issued_at[:10],
            (key.expires_at or "never")[:10],
            "valid" if key.is_valid(now) else "revoked" if key.revoked_at else "expired",
        )
        for key in keys
    ]
    names = ("id", "name", "principals", "scopes", "issued", "expires", "state")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(names, rows, "No keys: everyone on this machine may ask. `jargonaut keys issue NAME` changes that.")


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    tenant: Tenant = "default",
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: at once at the service, within [edge] bound_s at the edge."""
    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.state.keys import KeyRing

    revoked = KeyRing(open_workspace(folder, config).journal, [tenant]).revoke(tenant, key)
    if as_json:
        print_json({"revoked": revoked.id})
    else:
        print(f"Revoked {revoked.id} ({revoked.name}).")
