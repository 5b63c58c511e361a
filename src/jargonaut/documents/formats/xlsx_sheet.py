"""The cells of one sheet of an XLSX workbook, read row by row: what the sheet claims of its size is not asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from jargonaut.core.errors import InputError
from jargonaut.documents import scripts
from jargonaut.documents.formats.hidden import HIDDEN_CELLS, NOT_DISPLAYED, TOO_SMALL, UNCOMPUTED, WHITE
from jargonaut.documents.formats.ooxml import OfficePackage, S, is_on, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.sheets import Area, Sheet, check_cells
from jargonaut.documents.formats.xlsx_styles import CellStyle, CellStyles

_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DIGITS = "0123456789"
_PLAIN_NUMBER = 11
"""Characters of a number that is shown as it is stored."""
_ROW, _CELL, _VALUE, _INLINE, _FORMULA = f"{S}row", f"{S}c", f"{S}v", f"{S}is", f"{S}f"
_COLUMN, _MERGED, _PANE, _FILTER = f"{S}col", f"{S}mergeCell", f"{S}pane", f"{S}autoFilter"


@dataclass(frozen=True, slots=True)
class SharedText:
    """A text that cells refer to."""

    text: str
    unseen: str = ""
    """What of it is not seen on white."""
    reason: str = ""


@dataclass(slots=True)
class WorkbookParts:
    """What the sheets of a workbook share."""

    package: OfficePackage
    styles: CellStyles
    texts: list[SharedText] = field(default_factory=list)
    hide: Callable[[str, str], None] = lambda _why, _text: None
    cells: int = 0


def read_texts(package: OfficePackage, styles: CellStyles) -> list[SharedText]:
    """The shared strings."""
    names = package.related(package.main_name, "sharedStrings")
    return [shared_text(item, styles) for item in package.stream(names[0], (f"{S}si",))] if names else []


def shared_text(item: Element, styles: CellStyles) -> SharedText:
    """The text of an `si` or `is` element: its runs, without the reading aids of East Asian text."""
    shown: list[str] = []
    unseen: list[str] = []
    why = ""
    for child in item:
        if child.tag == f"{S}t":
            shown.append(child.text or "")
        elif child.tag == f"{S}r":
            text = "".join(part.text or "" for part in child.iterfind(f"{S}t"))
            properties = child.find(f"{S}rPr")
            reason = styles.run_hidden(properties)
            why = why or reason
            (unseen if reason else shown).append(_written(text, properties, "".join(shown)))
    return SharedText(_unescaped("".join(shown)), "".join(unseen), why)


def _written(text: str, properties: Element | None, before: str) -> str:
    """A run as it is written in a line, where it may be raised or lowered."""
    place = properties.find(f"{S}vertAlign") if properties is not None else None
    match place.get("val") if place is not None else "":
        case "superscript":
            return scripts.raised(before[-scripts.TAIL :], text)
        case "subscript":
            return scripts.lowered(before[-scripts.TAIL :], text)
        case _:
            return text


def read_sheet(parts: WorkbookParts, part: str, name: str, is_hidden: bool) -> Sheet:
    """What the sheet in `part` shows; what it does not is counted.

    Raises:
        InputError: It is damaged, or there are too many cells in the workbook.
    """
    reader = _SheetReader(parts, Sheet(name), is_hidden)
    for element in parts.package.stream(part, (_COLUMN, _ROW, _MERGED, _PANE, _FILTER)):
        reader.take(element)
    return reader.finished()


def read_area(reference: str | None, header_rows: int = 0) -> Area | None:
    """`B2:D9` as an area."""
    match = _REFERENCE.fullmatch((reference or "").strip())
    if match is None:
        return None
    top, left = int(match[2]), column_number(match[1])
    bottom, right = int(match[4] or match[2]), column_number(match[3] or match[1])
    if not (1 <= top <= bottom <= _LAST_ROW and left <= right <= _LAST_COLUMN):
        return None
    return Area(top, left, bottom, right, header_rows)


def column_number(letters: str) -> int:
    """`C` as 3."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


class _SheetReader:
    def __init__(self, parts: WorkbookParts, sheet: Sheet, is_hidden: bool) -> None:
        self._parts = parts
        self._sheet = sheet
        self._is_hidden = is_hidden
        self._row = 0
        self._columns: dict[str, int] = {}
        self._hidden_columns: set[int] = set()
        self._unseen: Counter[str] = Counter()

    def take(self, element: Element) -> None:
        """One element of the sheet, in the order of the file: columns, rows, then the rest."""
        tag = element.tag
        if tag == _ROW:
            self._take_row(element)
        elif tag == _COLUMN:
            if (is_on(element, "hidden") and element.get("hidden")) or element.get("width") == "0":
                first, last = whole(element.get("min")), whole(element.get("max"))
                if 1 <= first <= last <= _LAST_COLUMN:
                    self._sheet.hidden_columns.append((first, last))
                    self._hidden_columns.update(range(first, last + 1))
        elif tag == _MERGED:
            area = read_area(element.get("ref"))
            if area:
                size = (area.bottom - area.top + 1, area.right - area.left + 1)
                self._sheet.spans[area.top, area.left] = size
        elif tag == _PANE and (element.get("state") or "").startswith("frozen"):
            self._sheet.header_bottom = max(self._sheet.header_bottom, whole(element.get("ySplit")))
        elif tag == _FILTER:
            area = read_area(element.get("ref"))
            self._sheet.header_bottom = max(self._sheet.header_bottom, area.top if area else 0)

    def finished(self) -> Sheet:
        """The sheet, its rows and hidden columns in order."""
        sheet = self._sheet
        sheet.hidden_columns.sort()
        sheet.hidden_rows.sort()
        if any(first > second for first, second in zip(sheet.rows, list(sheet.rows)[1:], strict=False)):
            sheet.rows = dict(sorted(sheet.rows.items()))
        return sheet

    def _take_row(self, row: Element) -> None:
        self._row = whole(row.get("r"), self._row + 1)
        if not 1 <= self._row <= _LAST_ROW:
            raise InputError(f"Its sheet {self._sheet.name} has a row {self._row:,}, which no spreadsheet has.")
        row_hidden = (bool(row.get("hidden")) and is_on(row, "hidden")) or row.get("ht") == "0"
        cells: dict[int, str] = {}
        column = 0
        for cell in row:
            if cell.tag != _CELL:
                continue
            reference = cell.get("r")
            column = self._column(reference) if reference else column + 1
            if not len(cell):
                continue
            text = self._text(cell)
            if not text or text.isspace():
                continue
            if self._is_hidden or row_hidden or column in self._hidden_columns:
                self._parts.hide(HIDDEN_CELLS, text)
            else:
                cells[column] = text
        if row_hidden:
            self._sheet.hidden_rows.append(self._row)
        if cells:
            self._parts.cells += len(cells)
            check_cells(self._parts.cells)
            self._sheet.rows[self._row] = cells

    def _column(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        number = self._columns.get(letters)
        if number is None:
            number = column_number(letters.upper()) if letters.isascii() and letters.isalpha() else 0
            if not 1 <= number <= _LAST_COLUMN or len(letters) > 3:
                raise InputError(f"Its sheet {self._sheet.name} has a cell {reference[:20]}, which no spreadsheet has.")
            self._columns[letters] = number
        return number

    def _text(self, cell: Element) -> str:
        """What a reader sees in `cell`, which is not empty."""
        style = self._parts.styles[cell.get("s")]
        kind = cell.get("t")
        value = cell[-1]
        if kind == "inlineStr":
            item = cell.find(_INLINE)
            text = self._seen(shared_text(item, self._parts.styles), style.ground) if item is not None else ""
        elif (value.tag != _VALUE and (value := cell.find(_VALUE)) is None) or not (raw := value.text):
            # A program would compute it; what was never computed cannot be read. A text may be empty.
            formula = cell.find(_FORMULA) if kind != "str" else None
            self._parts.hide(UNCOMPUTED, f"={formula.text or ''}" if formula is not None else "")
            return ""
        elif kind is None or kind == "n":
            return self._number(raw, style)
        elif kind == "s":
            text = self._shared(raw, style.ground)
        else:
            text = self._other(kind, raw)
        if style.text is not None and kind in ("s", "inlineStr", "str") and text:
            if "@" not in style.text:
                self._parts.hide(NOT_DISPLAYED, text)
            text = style.text.replace("@", text, 1)
        if style.hidden and text:
            self._parts.hide(style.hidden, text)
            return ""
        return text

    def _shared(self, raw: str, ground: str | None) -> str:
        texts = self._parts.texts
        number = int(raw) if raw.isdecimal() and len(raw) < 10 else len(texts)
        return self._seen(texts[number], ground) if number < len(texts) else ""

    def _number(self, raw: str, style: CellStyle) -> str:
        if style.is_general and len(raw) <= _PLAIN_NUMBER and "E" not in raw and "e" not in raw:
            text = raw
        else:
            try:
                text = style.number(float(raw))
            except (ValueError, OverflowError, ArithmeticError):
                text = raw
        if not text or style.hidden:
            self._parts.hide(style.hidden or NOT_DISPLAYED, text or raw)
            return ""
        return text

    def _other(self, kind: str, raw: str) -> str:
        if kind == "b":
            return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
        if kind == "d":
            return raw.removesuffix("T00:00:00").replace("T", " ")
        return _unescaped(raw)

    def _seen(self, shared: SharedText, ground: str | None) -> str:
        if not shared.unseen:
            return shared.text
        if ground == WHITE or shared.reason == TOO_SMALL:
            self._parts.hide(shared.reason, shared.unseen)
            return shared.text
        return shared.text + shared.unseen


def _unescaped(text: str) -> str:
    """`_x000D_` and the like as the characters that they stand for."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
