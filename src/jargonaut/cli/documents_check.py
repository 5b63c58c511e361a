"""`jargonaut documents check` and `formats`: how files are read, before anything is built from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson
from jargonaut.core.errors import InputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jargonaut.core.document import Document
    from jargonaut.documents.wire import Result

_SHOWN_CHARACTERS = 300
_SHOWN_ROWS = 12


def check(
    files: Annotated[list[Path], typer.Argument(help="Files to read.", show_default=False)],
    whole: Annotated[bool, typer.Option("--whole", help="Show long blocks and tables to their end.")] = False,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page to look at.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how files are read: blocks with their places, tables, metadata, and what was left out as hidden.

    Nothing is kept. Exit code 1 if a file, or a file in it, cannot be read.
    """
    from jargonaut.cli.output import print_json
    from jargonaut.core.document import Opened, Quarantined
    from jargonaut.documents.reading import read_documents
    from jargonaut.documents.wire import document_to_json

    results = list(read_documents(_source_files(files), workers=1))
    if page is not None:
        from jargonaut.documents.check_page import render_check

        try:
            page.write_text(render_check(results), encoding="utf-8")
        except OSError as error:
            raise InputError(f"Could not write {page}: {error.strerror}.", "Choose another place.") from error
    if as_json:
        print_json(
            [
                dataclasses.asdict(item) if isinstance(item, Quarantined) else document_to_json(item)
                for item in results
                if not isinstance(item, Opened)
            ]
        )
    elif page is not None:
        print(f"Written to {page}.")
    else:
        _print(results, whole)
    if any(isinstance(item, Quarantined) for item in results):
        raise typer.Exit(1)


def formats(as_json: AsJson = False) -> None:
    """List the formats that are read, by the extension of the file."""
    from jargonaut.cli.output import print_json, print_table
    from jargonaut.documents.formats import CONTAINERS, PARSERS

    rows: list[dict[str, Any]] = [
        {"extension": extension, "read": extension in PARSERS, "opened": extension in CONTAINERS}
        for extension in sorted(PARSERS.keys() | CONTAINERS.keys())
    ]
    if as_json:
        print_json(rows)
    else:
        said = [(row["extension"], "a document" * row["read"], "holds other files" * row["opened"]) for row in rows]
        print_table(("extension", "", ""), said)


def _source_files(paths: Sequence[Path]) -> list[Any]:
    from jargonaut.documents.opening import Formats
    from jargonaut.documents.source import source_file

    found = []
    for path in paths:
        if not path.is_file():
            what = "is a folder: name its files" if path.is_dir() else "does not exist"
            raise SourceError(f"{path} {what}.", "Give files, such as `docs/*.pdf`.")
        if path.suffix.lower() not in Formats().extensions:
            raise InputError(
                f"Nothing reads files like {path.name}.", "`jargonaut documents formats` lists what is read."
            )
        found.append(source_file(path, path.name))
    return found


def _print(results: Sequence[Result], whole: bool) -> None:
    from rich.text import Text

    from jargonaut.cli.output import stdout_console
    from jargonaut.core.document import Document, Quarantined

    console = stdout_console()
    for result in results:
        if isinstance(result, Quarantined):
            console.print(Text(result.uri, "bold"))
            console.print(Text(f"  cannot be read: {result.reason} {result.hint}\n", "red"))
        elif isinstance(result, Document):
            _print_document(console, result, whole)


def _print_document(console: Any, document: Document, whole: bool) -> None:
    from rich.text import Text

    console.print(Text(f"{document.uri}  {document.title}", "bold"))
    about = {"language": document.language, "format": document.media_type, **document.metadata}
    for name, value in about.items():
        if value:
            console.print(Text(f"  {name}: {value if isinstance(value, str) else ', '.join(value)}", "dim"))
    for why, count in document.hidden.items():
        console.print(Text(f"  left out: {count} characters, {why}", "yellow"))
    for block in document.blocks:
        text = document.text[block.start : block.end]
        console.print(Text(f"\n{block.kind}{f' {block.level}' if block.level else ''}  {block.place}", "cyan"))
        console.print(_table(text, block.header_lines, whole) if block.kind == "table" else Text(_cut(text, whole)))
    console.print()


def _table(text: str, header_lines: int, whole: bool) -> Any:
    from rich.table import Table
    from rich.text import Text

    from jargonaut.core.table_rows import cells_of

    lines = [cells_of(line) for line in text.split("\n")]
    table = Table(show_header=False, show_lines=False)
    for _ in range(max(map(len, lines))):
        table.add_column(overflow="fold")
    shown = lines if whole else lines[:_SHOWN_ROWS]
    for number, cells in enumerate(shown):
        style = "bold" if number < header_lines else ""
        table.add_row(*(Text(cell, style) for cell in cells), end_section=number + 1 == header_lines)
    if len(shown) < len(lines):
        table.add_row(Text(f"… and {len(lines) - len(shown)} rows", "dim"))
    return table


def _cut(text: str, whole: bool) -> str:
    return text if whole or len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} …"
