"""XLSX: the tables of each visible sheet, with numbers as the cells show them. Macros and links are not looked at."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document
from jargonaut.documents.composing import Composer
from jargonaut.documents.formats.hidden import (
    ALTERNATIVE_TEXT,
    COMMENT,
    HIDDEN_CELLS,
    NOT_DISPLAYED,
    suspicious_alternative,
)
from jargonaut.documents.formats.ooxml import A, OfficePackage, R, S, is_on, meaningful_title, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.sheets import Sheet, add_sheets
from jargonaut.documents.formats.xlsx_sheet import WorkbookParts, read_area, read_sheet, read_texts
from jargonaut.documents.formats.xlsx_styles import CellStyles

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_PRINTED_ROWS = re.compile(r"\$(\d{1,7}):\$(\d{1,7})\Z")
_TITLES = "_xlnm.Print_Titles"


class XlsxParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OfficePackage(data, "XLSX", f"{S}workbook", "xl/workbook.xml")
        composer = Composer()
        properties = package.main.find(f"{S}workbookPr")
        epoch_1904 = properties is not None and is_on(properties, "date1904") and bool(properties.get("date1904"))
        styles = CellStyles(package, epoch_1904)
        parts = WorkbookParts(package, styles, read_texts(package, styles), composer.hide)
        add_sheets(composer, _sheets(parts))
        metadata = package.metadata()
        title = meaningful_title(metadata) or PurePosixPath(uri).stem
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, title)


def _sheets(parts: WorkbookParts) -> list[Sheet]:
    """Sheets with something to see, in the order of their tabs."""
    package = parts.package
    relations = package.relations(package.main_name)
    printed = _printed_rows(package.main)
    sheets = []
    for number, element in enumerate(package.main.iterfind(f"{S}sheets/{S}sheet")):
        relation = relations.get(element.get(f"{R}id") or "")
        if relation is None or relation.kind != "worksheet" or relation.external:
            continue
        is_hidden = (element.get("state") or "visible") != "visible"
        sheet = read_sheet(parts, relation.target, (element.get("name") or "").strip(), is_hidden)
        sheet.header_bottom = max(sheet.header_bottom, printed.get(number, 0))
        _count_comments(parts, relation.target)
        for name in package.related(relation.target, "table"):
            root = package.xml(name)
            area = read_area(root.get("ref"), whole(root.get("headerRowCount"), 1))
            if area:
                sheet.declared.append(area)
        for text in _floating(parts, relation.target):
            if is_hidden:
                parts.hide(HIDDEN_CELLS, text)
            else:
                sheet.floating.append(text)
        sheets.append(sheet)
    return sheets


def _printed_rows(workbook: Element) -> dict[int, int]:
    """By number of the sheet, the last of the rows that are printed on every page."""
    rows = {}
    for name in workbook.iterfind(f"{S}definedNames/{S}definedName"):
        match = _PRINTED_ROWS.search(name.text or "")
        if name.get("name") == _TITLES and match:
            rows[whole(name.get("localSheetId"))] = int(match[2])
    return rows


def _count_comments(parts: WorkbookParts, part: str) -> None:
    for name in parts.package.related(part, "comments"):
        for comment in parts.package.xml(name).iter(f"{S}comment"):
            parts.hide(COMMENT, "".join(text.text or "" for text in comment.iter(f"{S}t")))


def _floating(parts: WorkbookParts, part: str) -> list[str]:
    """Text of shapes that lie over the cells."""
    found: list[str] = []
    for name in parts.package.related(part, "drawing"):
        root = parts.package.xml(name)
        for properties in root.iter(f"{_XDR}cNvPr"):
            parts.hide(ALTERNATIVE_TEXT, suspicious_alternative(properties.get("descr") or ""))
        for shape in root.iter(f"{_XDR}sp"):
            paragraphs = ["".join(text.text or "" for text in each.iter(f"{A}t")) for each in shape.iter(f"{A}p")]
            properties = shape.find(f"{_XDR}nvSpPr/{_XDR}cNvPr")
            if properties is not None and properties.get("hidden") and is_on(properties, "hidden"):
                parts.hide(NOT_DISPLAYED, "".join(paragraphs))
            else:
                found.extend(filter(str.strip, paragraphs))
    return found
