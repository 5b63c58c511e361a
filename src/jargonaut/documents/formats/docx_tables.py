"""Tables of a DOCX file: merged and nested ones, and those that are only there for the layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from jargonaut.core.document import Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.docx_styles import VAL, ParagraphStyle, Styles
from jargonaut.documents.formats.docx_text import Reading, TextReader, deleted_text
from jargonaut.documents.formats.hidden import DELETION, HIDDEN_CELLS
from jargonaut.documents.formats.ooxml import MC, W, chosen, is_on, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.tables import Table, add_table

_WRAPPERS = frozenset({f"{W}sdt", f"{W}sdtContent", f"{W}customXml", f"{W}ins", f"{W}smartTag"})
_MOST_NESTED = 8


class BlockReader(Protocol):
    """What reads the rest of the document."""

    def blocks(self, parent: Element, ground: str | None) -> None:
        """Add all blocks in `parent`."""

    def read(
        self, paragraph: Element, ground: str | None, into: Reading | None = None
    ) -> tuple[ParagraphStyle, Reading]:
        """A paragraph's style and text."""

    def mark_of(self, paragraph: Element, style: ParagraphStyle) -> tuple[str | None, int, str]:
        """What is shown before a paragraph, at which depth, and the list that it is in."""

    def place(self, page: int = 0) -> Place:
        """The page that has been reached."""

    def add_notes(self, reading: Reading, place: Place) -> None:
        """The notes that something refers to."""

    def add_drawings(self, reading: Reading, place: Place) -> None:
        """What is drawn at something."""


class TableReader:
    """Reads tables.

    Args:
        reader: Reads what is in them where they are only layout.
        text: Knows the page.
        styles: Of the document.
        composer: Takes the tables.
    """

    def __init__(self, reader: BlockReader, text: TextReader, styles: Styles, composer: Composer) -> None:
        self._reader = reader
        self._text = text
        self._styles = styles
        self._composer = composer
        self._depth = 0

    def read(self, element: Element, ground: str | None) -> None:
        """Add the table, or its content if it is layout."""
        rows = [(row, list(_inside(row, f"{W}tc"))) for row in _inside(element, f"{W}tr")]
        named = element.find(f"{W}tblPr/{W}tblStyle")
        style = named.get(VAL) if named is not None else None
        if self._styles.table_colours(style):
            ground = None
        if self._is_layout(rows) and self._depth < _MOST_NESTED:
            self._depth += 1
            for _, cells in rows:
                for cell in cells:
                    self._reader.blocks(cell, self._ground(cell, ground))
            self._depth -= 1
            return
        table, aside = Table(), Reading()
        place = self._reader.place()
        headers = 0
        for row, cells in rows:
            if reason := _why_unseen(row):
                self._composer.hide(reason, deleted_text(row))
                continue
            number = len(table.rows)
            self._row(table, row, cells, ground, aside)
            if headers == number and is_on(row.find(f"{W}trPr/{W}tblHeader"), VAL):
                headers += 1
        table.fill_down()
        known = headers if 0 < headers < len(table.rows) else None
        if known is None and _marks_first_row(element) and self._styles.table_marks_first_row(style):
            known = max(_depth_of_first(table), 1) if len(table.rows) > 1 else None
        add_table(self._composer, table, place, known)
        self._reader.add_notes(aside, place)
        self._reader.add_drawings(aside, place)

    def _row(self, table: Table, row: Element, cells: list[Element], ground: str | None, aside: Reading) -> None:
        number = len(table.rows)
        table.rows.append([])
        column = _count(row.find(f"{W}trPr/{W}gridBefore"), 0)
        for cell in cells:
            properties = cell.find(f"{W}tcPr")
            width, merge, across = 1, None, None
            if properties is not None:
                width = _count(properties.find(f"{W}gridSpan"), 1)
                merge, across = properties.find(f"{W}vMerge"), properties.find(f"{W}hMerge")
            if merge is not None and (merge.get(VAL) or "continue") == "continue" and table.extend_down(number, column):
                column += width
                continue
            if across is not None and (across.get(VAL) or "continue") == "continue" and column:
                table.extend_right(number, column)
                column += 1
                continue
            inline = Inline()
            self._fill(inline, cell, self._ground(cell, ground), aside)
            column = table.place(number, column, inline, 1, width)

    def _fill(self, inline: Inline, parent: Element, ground: str | None, aside: Reading) -> None:
        """Put all text of a cell into `inline`."""
        for child in parent:
            tag = child.tag
            if tag == f"{W}p":
                style, reading = self._reader.read(child, ground)
                mark = self._reader.mark_of(child, style)[0] if reading.inline.text else None
                inline.add(f" {mark} " if mark else " ")
                inline.include(reading.inline)
                aside.notes.extend(reading.notes)
                aside.drawings.extend(reading.drawings)
            elif tag == f"{W}tbl":
                self._flatten(inline, child, ground, aside)
            elif tag in _WRAPPERS:
                self._fill(inline, child, ground, aside)
            elif tag == f"{MC}AlternateContent":
                self._fill(inline, chosen(child), ground, aside)
            elif tag in (f"{W}del", f"{W}moveFrom"):
                self._composer.hide(DELETION, deleted_text(child))

    def _flatten(self, inline: Inline, table: Element, ground: str | None, aside: Reading) -> None:
        """A table in a cell: its rows one after the other, so that the row around it can be read alone."""
        for number, row in enumerate(_inside(table, f"{W}tr")):
            if number:
                inline.add("; ")
            for position, cell in enumerate(_inside(row, f"{W}tc")):
                if position:
                    inline.add(", ")
                self._fill(inline, cell, self._ground(cell, ground), aside)

    def _ground(self, cell: Element, ground: str | None) -> str | None:
        return self._styles.shading(cell.find(f"{W}tcPr/{W}shd")) or ground

    def _is_layout(self, rows: list[tuple[Element, list[Element]]]) -> bool:
        """Whether it frames its content: one cell, or one row or column that holds tables or headings."""
        cells = [cell for _, row in rows for cell in row]
        if len(cells) <= 1:
            return True
        if len(rows) > 1 and any(len(row) > 1 for _, row in rows):
            return False
        return any(
            cell.find(f"{W}tbl") is not None or any(map(self._is_heading, cell.iterfind(f"{W}p"))) for cell in cells
        )

    def _is_heading(self, paragraph: Element) -> bool:
        named = paragraph.find(f"{W}pPr/{W}pStyle")
        return named is not None and self._styles.paragraph(named.get(VAL)).level > 0


def _inside(parent: Element, tag: str) -> Iterator[Element]:
    """Rows or cells in `parent`, also within content controls."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _inside(child, tag)


def _count(element: Element | None, default: int) -> int:
    return max(whole(element.get(VAL), default), 0) if element is not None else default


def _why_unseen(row: Element) -> str:
    properties = row.find(f"{W}trPr")
    if properties is None:
        return ""
    if properties.find(f"{W}del") is not None:
        return DELETION
    return HIDDEN_CELLS if is_on(properties.find(f"{W}hidden"), VAL) else ""


def _marks_first_row(table: Element) -> bool:
    look = table.find(f"{W}tblPr/{W}tblLook")
    if look is None:
        return False
    first_row = look.get(f"{W}firstRow")
    if first_row is not None:
        return first_row in ("1", "true")
    try:
        return bool(int(look.get(VAL) or "0", 16) & 0x20)
    except ValueError:
        return False


def _depth_of_first(table: Table) -> int:
    """Rows that the cells of the first row reach down to."""
    return max((rows for (row, _), (rows, _) in table.spans.items() if row == 0), default=1)
