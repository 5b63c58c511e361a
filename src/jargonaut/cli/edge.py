"""`jargonaut edge`: the Worker beside the service."""

from __future__ import annotations

import typer

from jargonaut.cli.options import AsJson

app = typer.Typer(help="The edge that fronts the service.", no_args_is_help=True)


@app.command("fetch")
def fetch(as_json: AsJson = False) -> None:
    """Fetch and verify the workerd binary now, so that `up` need not."""
    from jargonaut.cli.output import note, print_json
    from jargonaut.deployment.workerd_binary import find_workerd

    binary = find_workerd(say=note)
    if as_json:
        print_json({"workerd": str(binary)})
    else:
        print(binary)
