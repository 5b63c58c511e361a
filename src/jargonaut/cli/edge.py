"""`jargonaut edge`: the Worker beside the service."""

from __future__ import annotations

import typer

from jargonaut.cli.options import AsJson

app = typer.Typer(help="The edge that fronts the service.", no_args_is_help=True)


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
