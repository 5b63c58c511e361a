"""ODS: the tables of each visible sheet, with the text that the cells were saved with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document
from jargonaut.documents.composing import Composer
from jargonaut.documents.formats.hidden import COMMENT, HIDDEN_CELLS, UNCOMPUTED, WHITE
from jargonaut.documents.formats.odf import DRAW, OFFICE, TABLE, TEXT, OdfPackage, OdfStyles, all_text, repeated
from jargonaut.documents.formats.ooxml import meaningful_title
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.sheets import Sheet, add_sheets, check_cells

_MEDIA_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_GROUPS = frozenset(
    TABLE + name
    for name in ("table-header-rows", "table-rows", "table-row-group", "table-header-columns", "table-columns")
) | {f"{TABLE}table-column-group"}
_UNSEEN = frozenset({"collapse", "filter"})


class OdsParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OdfPackage(data, "ODS", "spreadsheet")
        composer = Composer()
        styles = OdfStyles(package.styles, package.content)
        reader = _WorkbookReader(composer, styles)
        add_sheets(composer, [reader.sheet(each) for each in package.body.iterfind(f"{TABLE}table")])
        metadata = package.metadata()
        title = meaningful_title(metadata) or PurePosixPath(uri).stem
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, title)


class _WorkbookReader:
    def __init__(self, composer: Composer, styles: OdfStyles) -> None:
        self._composer = composer
        self._styles = styles
        self._cells = 0

    def sheet(self, element: Element) -> Sheet:
        """What a sheet shows."""
        sheet = Sheet(element.get(f"{TABLE}name") or "")
        shown = self._styles.property("table", element.get(f"{TABLE}style-name"), "table", f"{TABLE}display")
        is_hidden = shown == "false"
        hidden_columns = self._hidden_columns(element, sheet)
        row_number = 0
        for row, is_header in _parts(element, f"{TABLE}table-row"):
            count = repeated(row, "number-rows-repeated", _LAST_ROW)
            row_hidden = row.get(f"{TABLE}visibility") in _UNSEEN
            cells = self._row(sheet, row, row_number + 1)
            # Rows without text are repeated to the end of the sheet; those with text are there one by one.
            for repetition in range(count if cells else 0):
                number = row_number + 1 + repetition
                shown_cells = {}
                for column, text in cells.items():
                    if is_hidden or row_hidden or column in hidden_columns:
                        self._composer.hide(HIDDEN_CELLS, text)
                    else:
                        shown_cells[column] = text
                self._cells += len(cells)
                check_cells(self._cells)
                if shown_cells:
                    sheet.rows[number] = shown_cells
                if row_hidden:
                    sheet.hidden_rows.append(number)
            if row_hidden and not cells and count < _LAST_COLUMN:
                sheet.hidden_rows.extend(range(row_number + 1, row_number + count + 1))
            row_number += count
            if is_header:
                sheet.header_bottom = row_number
        for shapes in element.iterfind(f"{TABLE}shapes"):
            texts = [all_text(each) for each in shapes.iter(f"{TEXT}p")]
            if is_hidden:
                self._composer.hide(HIDDEN_CELLS, "".join(texts))
            else:
                sheet.floating.extend(filter(str.strip, texts))
        return sheet

    def _hidden_columns(self, element: Element, sheet: Sheet) -> set[int]:
        number = 1
        found: set[int] = set()
        for column, _ in _parts(element, f"{TABLE}table-column"):
            count = repeated(column, "number-columns-repeated", _LAST_COLUMN)
            if column.get(f"{TABLE}visibility") in _UNSEEN:
                sheet.hidden_columns.append((number, number + count - 1))
                found.update(range(number, number + count))
            number += count
        return found

    def _row(self, sheet: Sheet, row: Element, number: int) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = 1
        for cell in row:
            count = repeated(cell, "number-columns-repeated", _LAST_COLUMN)
            if cell.tag == f"{TABLE}table-cell":
                text = self._text(cell, sheet)
                if text:
                    cells.update((place, text) for place in range(column, min(column + count, _LAST_COLUMN + 1)))
                    down = repeated(cell, "number-rows-spanned", _LAST_ROW)
                    across = repeated(cell, "number-columns-spanned", _LAST_COLUMN)
                    if down > 1 or across > 1:
                        sheet.spans[number, column] = (down, across)
            column += count
        return cells

    def _text(self, cell: Element, sheet: Sheet) -> str:
        lines = []
        for child in cell:
            name = str(child.tag)
            if name == f"{TEXT}p":
                lines.append(_line(child))
            elif name == f"{OFFICE}annotation":
                self._composer.hide(COMMENT, "".join(all_text(part) for part in child.iterfind(f"{TEXT}p")))
            elif name.startswith(DRAW):
                sheet.floating.extend(filter(str.strip, (all_text(each) for each in child.iter(f"{TEXT}p"))))
        text = " ".join(lines).strip()
        if not text:
            if (formula := cell.get(f"{TABLE}formula")) and cell.get(f"{OFFICE}value-type") is None:
                self._composer.hide(UNCOMPUTED, formula)
            return ""
        reason = self._styles.look("table-cell", cell.get(f"{TABLE}style-name")).hidden(WHITE)
        if reason:
            self._composer.hide(reason, text)
            return ""
        return text


def _line(paragraph: Element) -> str:
    for blank in paragraph.iter(f"{TEXT}s", f"{TEXT}tab", f"{TEXT}line-break"):
        blank.text = " "
    return all_text(paragraph)


def _parts(table: Element, tag: str, is_header: bool = False) -> Iterator[tuple[Element, bool]]:
    """Rows or columns, with whether they are repeated on every page."""
    for child in table:
        if child.tag == tag:
            yield child, is_header
        elif child.tag in _GROUPS:
            yield from _parts(child, tag, is_header or str(child.tag).endswith("table-header-rows"))
