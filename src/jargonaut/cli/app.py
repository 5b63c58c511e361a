"""The commands, in the order in which a newcomer needs them."""

from __future__ import annotations

from typing import Annotated

import typer

from jargonaut import __version__
from jargonaut.cli import (
    ask,
    build,
    chunks,
    demo,
    doctor,
    documents,
    edge,
    encoders,
    evaluate,
    index,
    init,
    keys,
    labels,
    prove,
    releases,
    search,
    status,
    train,
    up,
)

app = typer.Typer(
    name="jargonaut",
    help="Turn a folder of documents into a proven, cited, permission-aware RAG API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich would double the time until the help is there
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input, 3 damaged or newer data, 4 busy, 5 refused, 6 unavailable. "
    "`--debug` anywhere shows the traceback of an error.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"jargonaut {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command("up")(up.up)
app.command("init")(init.init)
app.command("build")(build.build)
app.command("ask")(ask.ask)
app.command("search")(search.search)
app.command("train")(train.train)
app.command("prove")(prove.prove)
app.command("evaluate")(evaluate.evaluate)
app.command("status")(status.status)
app.command("chunks")(chunks.chunks)
app.add_typer(documents.app, name="documents")
app.add_typer(labels.app, name="labels")
app.add_typer(releases.app, name="releases")
app.add_typer(encoders.app, name="encoders")
app.add_typer(index.app, name="index")
app.add_typer(keys.app, name="keys")
app.add_typer(edge.app, name="edge")
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
