"""`jargonaut edge`: the Worker, beside the service and at Cloudflare."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption
from jargonaut.core.errors import InputError, RefusedError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from jargonaut.deployment.cloudflare import Cloudflare, Share
    from jargonaut.deployment.cloudflare_plan import Deploying, Live, Place, Step
    from jargonaut.deployment.edge_settings import EdgeSettings
    from jargonaut.wiring import Workspace

app = typer.Typer(help="The edge that fronts the service.", no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
Message = Annotated[str, typer.Option("--message", "-m", help="Why, for the list of deployments.")]


@app.command("fetch")
def fetch(as_json: AsJson = False) -> None:
    """Fetch and verify the workerd binary now, so that `up` need not."""
    from jargonaut.cli.output import print_json, shown_progress
    from jargonaut.deployment.workerd_binary import find_workerd

    with shown_progress(quiet=as_json) as progress:
        binary = find_workerd(progress)
    if as_json:
        print_json({"workerd": str(binary)})
    else:
        print(binary)


@app.command("dev")
def dev(
    origin: Annotated[
        str | None,
        typer.Option("--origin", help="URL of a service, instead of those of [[edge.origins]].", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", help="Port; 0 takes a free one.", show_default=False)] = None,
    channel: Annotated[str, typer.Option("--channel", help="What a name without one means.")] = "live",
    folder: FolderOption = None,
    config: Config = None,
) -> None:
    """Run the edge on this machine as it would run at Cloudflare, before services that run elsewhere; until Ctrl-C."""
    import threading
    from contextlib import suppress
    from dataclasses import replace

    from jargonaut.cli.workspace import open_workspace
    from jargonaut.deployment.edge import Edge
    from jargonaut.deployment.edge_settings import Origin

    workspace = open_workspace(folder, config)
    chosen = workspace.settings.edge
    origins = (Origin(origin),) if origin else chosen.deployed_origins()
    worker = chosen.worker(origins, _secret(workspace), workspace.settings.service.limits_kb)
    edge = Edge(replace(worker, channel=channel), host=host, port=chosen.port if port is None else port)
    with edge:
        print(f"edge     {edge.url}", flush=True)
        for one in origins:
            print(f"origin   {one.name}  {one.url}", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


@app.command("deploy")
def deploy(
    percent: Annotated[
        float, typer.Option("--percent", min=0, max=100, help="Requests that the new version answers.")
    ] = 100,
    channel: Annotated[str, typer.Option("--channel", help="What a name without one means there.")] = "live",
    message: Message = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Upload the edge to Cloudflare and let it answer: all requests, or a part of them beside the version before."""
    from dataclasses import replace

    from jargonaut.cli.workspace import open_workspace

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        deploying, place = _deploying(workspace, api)
        live = deploying.look()
        settings = replace(_deployed(workspace, live), channel=channel, recipe=_recipes(workspace, channel))
        steps = deploying.deploy(live, settings, percent, message or f"{channel} by jargonaut")
        told = {"worker": place.script, "secret_id": settings.secret_id}
        _carry_out(steps, told, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command("status")
def status(folder: FolderOption = None, config: Config = None, as_json: AsJson = False) -> None:
    """Which versions answer at Cloudflare, under which names, and what else was deployed."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import open_workspace

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        deploying, place = _deploying(workspace, api)
        live = deploying.look()
    rows = list(_versions(live))
    if as_json:
        deployments = [
            {"id": item.id, "created": item.created, "message": item.message, "shares": _shares(item.shares)}
            for item in live.deployments
        ]
        names = {"domains": sorted(live.domains), "routes": sorted(live.routes)}
        print_json({"worker": place.script, **names, "versions": rows, "deployments": deployments})
        return
    print(f"{place.script}: {', '.join([*sorted(live.domains), *sorted(live.routes)]) or 'under no name of its own'}")
    columns = ("version", "requests", "channel", "recipe", "created", "message")
    shown = [[str(row[column]) for column in ("tag", "percent", *columns[2:])] for row in rows]
    print_table(columns, shown, empty="Nothing is deployed: `jargonaut edge deploy`.")


@app.command("promote")
def promote(
    percent: Annotated[
        float, typer.Option("--percent", min=0, max=100, help="Requests that the newer one answers.")
    ] = 100,
    yes: Yes = False,
    dry_run: DryRun = False,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give the newer of two versions a larger, or smaller, part of the requests."""
    from jargonaut.cli.workspace import open_workspace

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        deploying, place = _deploying(workspace, api)
        live = deploying.look()
        steps = deploying.shift(live, percent)
        _carry_out(steps, {"worker": place.script}, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command("rollback")
def rollback(
    version: Annotated[
        str, typer.Argument(help="Beginning of a version's id; else the version before.", show_default=False)
    ] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give all requests back to a version that answered before. It finds its cache warm."""
    from jargonaut.cli.workspace import open_workspace

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        deploying, place = _deploying(workspace, api)
        steps = deploying.roll_back(deploying.look(), version)
        _carry_out(steps, {"worker": place.script}, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command("tail")
def tail(folder: FolderOption = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show requests and errors at Cloudflare as they come; until Ctrl-C. Needs the extra `cloudflare`."""
    from contextlib import suppress

    from jargonaut.cli.output import note
    from jargonaut.cli.workspace import open_workspace
    from jargonaut.deployment.cloudflare_tail import events, shown

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        note(f"Requests to {workspace.settings.cloudflare.name}; Ctrl-C ends this.")
        with suppress(KeyboardInterrupt):
            for event in events(api, workspace.settings.cloudflare.name):
                print(event if as_json else shown(event), flush=True)


@app.command("destroy")
def destroy(
    yes: Yes = False,
    dry_run: DryRun = False,
    folder: FolderOption = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take the edge away from Cloudflare: names, versions, secrets. The service and its documents stay."""
    from jargonaut.cli.workspace import open_workspace

    workspace = open_workspace(folder, config)
    with _cloudflare(workspace) as api:
        deploying, place = _deploying(workspace, api)
        steps = deploying.destroy(deploying.look())
        _carry_out(steps, {"worker": place.script}, yes=yes, dry_run=dry_run, as_json=as_json)


def _cloudflare(workspace: Workspace) -> AbstractContextManager[Cloudflare]:
    import os

    from jargonaut.deployment.cloudflare import API, Cloudflare

    settings = workspace.settings.cloudflare
    account = settings.account or os.environ.get("CLOUDFLARE_ACCOUNT_ID", "")
    if not account:
        raise SettingsError(
            "Nobody said which account of Cloudflare.", "Set [cloudflare] account, or CLOUDFLARE_ACCOUNT_ID."
        )
    return Cloudflare(account, settings.api_token(), os.environ.get("CLOUDFLARE_API_BASE_URL") or API)


def _deploying(workspace: Workspace, api: Cloudflare) -> tuple[Deploying, Place]:
    from jargonaut.deployment.cloudflare_plan import Deploying, Place

    chosen = workspace.settings.cloudflare
    place = Place(chosen.name, chosen.domain, chosen.routes, chosen.zone_name, chosen.rate_namespace)
    return Deploying(api, place), place


def _deployed(workspace: Workspace, live: Live) -> EdgeSettings:
    """What the edge there has to know. What is secret and not known here is kept, if it is there."""
    import os

    settings = workspace.settings
    there = live.stable.secrets if live.stable is not None else frozenset()
    origins = settings.edge.deployed_origins(known="ORIGIN_TOKENS" in there)
    known = bool(os.environ.get(settings.edge.secret_env)) or "EDGE_SECRET" not in there
    secret = _secret(workspace) if known else ""
    return settings.edge.worker(origins, secret, settings.service.limits_kb)


def _secret(workspace: Workspace) -> str:
    from jargonaut.wiring import signing_secret

    if not workspace.settings.edge.secret_env:
        raise SettingsError(
            "Service and edge need a secret that both know.",
            "Name a variable in [edge] secret_env, and set it to a long random text where either of them runs.",
        )
    return signing_secret(workspace.settings)


def _recipes(workspace: Workspace, channel: str) -> str:
    """What is in the channel here now, for people who look at the version."""
    found = {
        base.scope.path: pointer.recipe
        for base in workspace.knowledge_bases.values()
        if (pointer := base.follower.current().channels.get(channel)) is not None
    }
    return " ".join(f"{path}={recipe[:12]}" for path, recipe in sorted(found.items()))


def _carry_out(steps: Sequence[Step], told: dict[str, str], *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Show the plan, ask, and do it."""
    from jargonaut.cli.output import note, print_json, shown_progress
    from jargonaut.deployment.cloudflare_plan import apply

    changes = [step for step in steps if step.do is not None]
    if not as_json:
        for step in steps:
            print(f"{step.sign} {step.text}", flush=True)
        if not changes:
            print("Nothing to do.")
    asking = bool(changes) and not (yes or dry_run)
    if asking and (as_json or not sys.stdin.isatty()):
        raise InputError("Nobody can be asked here whether to do this.", "Add --yes, or --dry-run.")
    if asking and not typer.confirm("Do this?"):
        raise RefusedError("Nothing was changed.")
    if changes and not dry_run:
        with shown_progress(quiet=as_json) as progress:
            apply(list(steps), progress)
    if as_json:
        listed = [{"sign": step.sign, "text": step.text} for step in steps]
        print_json({**told, "done": bool(changes) and not dry_run, "steps": listed})
    elif changes and not dry_run:
        note("Done. It takes seconds until every place knows.")


def _versions(live: Live) -> Iterator[dict[str, object]]:
    shares = {share.version: share.percent for share in live.shares}
    for version in sorted(live.versions.values(), key=lambda item: (-shares.get(item.id, -1), item.created)):
        yield {
            "id": version.id,
            "tag": version.tag or version.id[:8],
            "percent": f"{shares[version.id]:g} %" if version.id in shares else "-",
            "channel": version.texts.get("CHANNEL", ""),
            "recipe": version.texts.get("RECIPE", ""),
            "secret_id": version.texts.get("EDGE_SECRET_ID", ""),
            "created": version.created,
            "message": version.message,
        }


def _shares(shares: Sequence[Share]) -> list[dict[str, object]]:
    from dataclasses import asdict

    return [asdict(share) for share in shares]
