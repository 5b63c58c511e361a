"""Rows of CSV, TSV, JSON and JSON Lines with the lines that they begin on. A bad row is told, and the next one read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jargonaut.core.errors import InputError
from jargonaut.documents.encodings import decode
from jargonaut.labels.label import Problem

Row = tuple[int, Mapping[str, Any]]
TABLES = (".csv", ".tsv", ".tab")
JSON = (".jsonl", ".ndjson", ".json")

_DELIMITERS = ",;\t|"
_LARGEST_FIELD = 16 << 20


def read_rows(path: Path) -> Iterator[Row | Problem]:
    """Rows in order, empty ones left out; or what is wrong with them.

    Raises:
        InputError: The file cannot be read at all.
    """
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"The labels in {path} cannot be read: {error.strerror}.") from error
    except InputError as error:
        raise InputError(f"The labels in {path} cannot be read: {error.message}", error.hint) from error
    if not text.strip():
        raise InputError(f"{path} is empty.", "One row for each question and what answers it.")
    if path.suffix.lower() in TABLES:
        yield from _table(path, text)
    elif path.suffix.lower() == ".json" and text.lstrip().startswith("["):
        yield from _list(path, text)
    else:
        yield from _lines(path, text)


def _lines(path: Path, text: str) -> Iterator[Row | Problem]:
    # Not `splitlines`: JSON may hold U+2028 and the like as they are.
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            value = json.loads(written)
        except ValueError as error:
            yield Problem(str(path), line, f"not JSON: {error}.", "One object a line.")
            continue
        if isinstance(value, dict):
            yield line, value
        else:
            yield Problem(str(path), line, f"a JSON {type(value).__name__}, not an object.", 'As {"query": ...}.')


def _list(path: Path, text: str) -> Iterator[Row | Problem]:
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    while True:
        while at < len(text) and text[at] in " \n\t\r,":
            at += 1
        if at >= len(text) or text[at] == "]":
            return
        line = text.count("\n", 0, at) + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as error:
            yield Problem(str(path), line, f"not JSON from here on: {error}.", "A list cannot be read beyond it.")
            return
        if isinstance(value, dict):
            yield line, value
        else:
            yield Problem(str(path), line, f"a JSON {type(value).__name__}, not an object.", 'As {"query": ...}.')


def _table(path: Path, text: str) -> Iterator[Row | Problem]:
    csv.field_size_limit(_LARGEST_FIELD)
    delimiter = "\t" if path.suffix.lower() != ".csv" else _delimiter(text)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(str(path), line, f"not a row of a table: {error}.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
        elif len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            hint = f"Put cells with `{delimiter}` in them into quotation marks."
            yield Problem(str(path), line, f"{len(cells)} cells under {len(header)} columns.", hint)
        else:
            yield line, dict(zip(header, [*cells, *[""] * len(header)], strict=False))


def _delimiter(text: str) -> str:
    """Of the signs that could be it, the one that is in the header most often."""
    header = next(line for line in text.split("\n") if line.strip())
    return max(_DELIMITERS, key=header.count)
