"""Jupyter notebooks: what is written between the code, the code, and what it printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.html import HtmlWalker
from jargonaut.documents.formats.html_visibility import Styling
from jargonaut.documents.formats.markdown import add_markdown
from jargonaut.documents.metadata import Metadata, metadata_of, split_front_matter

_LONGEST_OUTPUT = 20_000
"""Characters kept of what one cell printed."""


class NotebookParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        notebook = _loaded(data)
        composer = Composer()
        metadata = _metadata(notebook)
        for number, cell in enumerate(_cells(notebook), start=1):
            place = Place(cell=f"cell {number}")
            source = _joined(cell.get("source"))
            if cell.get("cell_type") == "markdown":
                own, text = split_front_matter(source) if number == 1 else ({}, source)
                metadata |= own
                add_markdown(composer, uri, text, place)
            elif cell.get("cell_type") == "code":
                composer.code(source, place)
                for output in _mappings(cell.get("outputs")):
                    _add_output(composer, uri, output, place)
            elif source.strip():
                composer.verbatim("paragraph", source, place)
            composer.end_list()
        title = metadata.get("title", "")
        return composer.document(
            uri, digest_bytes(data), "application/x-ipynb+json", metadata, title if isinstance(title, str) else ""
        )


def _loaded(data: bytes) -> Mapping[str, Any]:
    try:
        notebook = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise InputError(f"It is not a notebook that can be read: {error}", "Save it anew in Jupyter.") from error
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        raise InputError("It is not a notebook: it has no cells.", "Save it anew in Jupyter.")
    return notebook


def _cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of format 4, or of the sheets of format 3."""
    cells = _mappings(notebook.get("cells"))
    for sheet in _mappings(notebook.get("worksheets")):
        cells += [{**cell, "source": cell.get("source", cell.get("input"))} for cell in _mappings(sheet.get("cells"))]
    return cells


def _metadata(notebook: Mapping[str, Any]) -> Metadata:
    known = notebook.get("metadata")
    about: dict[str, Any] = dict(known) if isinstance(known, Mapping) else {}
    authors = about.pop("authors", None)
    if isinstance(authors, list):
        names = [item.get("name") if isinstance(item, Mapping) else item for item in authors]
        about["author"] = ", ".join(name for name in names if isinstance(name, str))
    kept = {name: about[name] for name in ("title", "author", "date", "tags", "keywords", "allow") if name in about}
    return metadata_of(kept)


def _add_output(composer: Composer, uri: str, output: Mapping[str, Any], place: Place) -> None:
    if output.get("output_type") == "error":
        composer.code(f"{output.get('ename', '')}: {_joined(output.get('evalue'))}", place)
        return
    known = output.get("data")
    data: Mapping[str, Any] = known if isinstance(known, Mapping) else {}
    page = _joined(data.get("text/html"))
    if "<table" in page:
        tree = LexborHTMLParser(page)
        if tree.body is not None:
            HtmlWalker(composer, uri, page, Styling(tree), place=place).walk(tree.body)
    elif written := _joined(data.get("text/markdown")):
        add_markdown(composer, uri, written, place)
    elif printed := _joined(output.get("text")) or _joined(data.get("text/plain")):
        composer.code(printed[:_LONGEST_OUTPUT], place)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    """Those in a list; none if it is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _joined(source: object) -> str:
    """Notebooks keep texts whole or as lists of lines."""
    if isinstance(source, list):
        return "".join(item for item in source if isinstance(item, str))
    return source if isinstance(source, str) else ""
