"""CSV and TSV: a table a line of which may go over several lines of the file; remarks above it are captions."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import PurePosixPath

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.tables import guessed_header_rows

_MEDIA_TYPES = {".tsv": "text/tab-separated-values", ".tab": "text/tab-separated-values"}
_DELIMITERS = "\t;|,"
"""Where two fit alike, the first: commas also stand in numbers and in prose."""
_SAMPLE = 64_000
"""Characters from which the dialect is told."""
_SAMPLE_ROWS = 200
_MOST_REMARKS = 20
_LONGEST_CELL = 200
"""Lines of a cell; longer ones mean that a quotation mark is only a character."""
_LONGEST_FIELD = 1 << 30
_EMPTY_LINE = re.compile(r"\n[ \t,;|\"]*\n")
_DECLARED = re.compile(r"sep=(.)\n")

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    quotes: bool = True
    escapes: bool = False

    def rows(self, text: str) -> Iterator[Row]:
        """Rows with the line that each begins in."""
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader(
            _lines(text),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            escapechar="\\" if self.escapes else None,
            doublequote=not self.escapes,
            skipinitialspace=True,
        )
        line = 1
        for row in reader:
            yield line, row
            line = reader.line_num + 1


class CsvParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        text = decode(data)
        extension = PurePosixPath(uri).suffix.lower()
        declared = _DECLARED.match(text)
        dialect = _Dialect(declared[1]) if declared else _dialect(text, tabs=extension in _MEDIA_TYPES)
        composer = Composer()
        rows = dialect.rows(text)
        if declared:
            next(rows, None)
        # Most files are one table, which is then never held as a whole.
        parts = _parts(list(rows)) if _EMPTY_LINE.search(text) else [rows]
        for part in parts:
            _add(composer, part)
        media_type = _MEDIA_TYPES.get(extension, "text/csv")
        return composer.document(uri, digest_bytes(data), media_type, {}, PurePosixPath(uri).stem)


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, without the copy of four bytes a character that `io.StringIO` makes."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start : end + 1]
        start = end + 1
    if start < len(text):
        yield text[start:]


def _dialect(text: str, tabs: bool) -> _Dialect:
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    escapes = '\\"' in sample and '""' not in sample.replace(',""', "")
    best, best_share = _Dialect("\t" if tabs else ",", escapes=escapes), 0.0
    for delimiter in _DELIMITERS:
        dialect = _Dialect(delimiter, escapes=escapes)
        widths = Counter(len(row) for _, row in islice(dialect.rows(sample), _SAMPLE_ROWS) if any(row))
        width, count = max(widths.items(), key=lambda item: item[1] if item[0] > 1 else 0, default=(0, 0))
        share = count / max(sum(widths.values()), 1) if width > 1 else 0.0
        if share > best_share + (0.05 if best_share else 0.0):
            best, best_share = dialect, share
    swallowed = any(cell.count("\n") > _LONGEST_CELL for _, row in best.rows(text[: 4 * _SAMPLE]) for cell in row)
    return _Dialect(best.delimiter, quotes=False) if swallowed or _ends_in_quotes(text, best) else best


def _ends_in_quotes(text: str, dialect: _Dialect) -> bool:
    """Whether a quotation mark is never closed, and so was none."""
    if text.count('"') % 2 == 0 or dialect.escapes:
        return False
    try:
        for _ in csv.reader(_lines(text), delimiter=dialect.delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _parts(rows: list[Row]) -> list[Iterator[Row]]:
    """Tables that empty lines separate; what goes on with the same columns and no new labels is one table."""
    parts: list[list[Row]] = []
    for is_empty, group in groupby(rows, key=lambda row: not any(map(str.strip, row[1]))):
        part = list(group)
        if is_empty:
            continue
        same_width = bool(parts) and max(len(row) for _, row in parts[-1]) == max(len(row) for _, row in part) > 1
        if same_width and not guessed_header_rows([row for _, row in part[:_SAMPLE_ROWS]], {}):
            parts[-1].extend(part)
        else:
            parts.append(part)
    return [iter(part) for part in parts]


def _add(composer: Composer, rows: Iterator[Row]) -> None:
    sample = list(islice(rows, _SAMPLE_ROWS))
    if not sample:
        return
    width = Counter(len(row) for _, row in sample if len(row) > 1).most_common(1)
    first = 0
    while width and first < min(len(sample) - 1, _MOST_REMARKS) and _is_remark(sample[first][1]):
        inline = Inline()
        inline.add(" ".join(sample[first][1]))
        composer.caption(inline, Place(line=sample[first][0]))
        first += 1
    sample = sample[first:]
    most = max(len(row) for _, row in sample)
    if most == 1 and len(sample) == 1:
        inline = Inline()
        inline.add(sample[0][1][0])
        composer.paragraph(inline, Place(line=sample[0][0]))
        return
    headers = guessed_header_rows([row + [""] * (most - len(row)) for _, row in sample], {})
    numbers: list[int] = []

    def cells() -> Iterator[list[str]]:
        for number, row in chain(sample, rows):
            numbers.append(number)
            yield row

    composer.table(cells(), Place(line=sample[0][0]), headers, numbers)


def _is_remark(row: list[str]) -> bool:
    return bool(row) and (sum(bool(cell.strip()) for cell in row) == 1 or row[0].startswith("#"))
