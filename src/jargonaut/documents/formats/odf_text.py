"""The text of OpenDocument files: paragraphs, lists, tables, notes, frames; as a reader sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from jargonaut.core.document import Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.colours import TRANSPARENT
from jargonaut.documents.formats.hidden import (
    ALTERNATIVE_TEXT,
    COMMENT,
    DELETION,
    NOT_DISPLAYED,
    TOO_SMALL,
    WHITE,
    suspicious_alternative,
)
from jargonaut.documents.formats.odf import (
    CHART,
    DRAW,
    OFFICE,
    PRESENTATION,
    STYLE,
    SVG,
    TABLE,
    TEXT,
    OdfPackage,
    OdfStyles,
    all_text,
    points,
    repeated,
)
from jargonaut.documents.formats.odf_inline import SHAPES, SKIPPED, Aside, OdfInline, annotation_text
from jargonaut.documents.formats.odf_lists import BULLET, OdfNumbering
from jargonaut.documents.formats.ooxml import whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.tables import Table, add_table

_CONTENTS = frozenset(
    TEXT + name
    for name in (
        "table-of-content",
        "illustration-index",
        "table-index",
        "object-index",
        "user-index",
        "alphabetical-index",
    )
)
_CAPTIONS = frozenset({"caption", "illustration", "table", "figure", "drawing", "题注", "插图", "表格", "图"})
_CODE = re.compile(r"preformatted text|source text|code|.*code block")
_TITLES = frozenset({"title", "标题"})
_HEADING = re.compile(r"(?:heading|标题) ([1-9]|10)")
_MOST_NESTED = 8
_OPAQUE = 95
"""Hundredths of opacity through which nothing is read."""
_MOST_REPEATED = 100
"""Rows or cells that a text document repeats."""


class OdfText:
    """Turns text content into blocks.

    Args:
        package: The file.
        composer: Takes the blocks.
        uri: Of the document, for links.
    """

    def __init__(self, package: OdfPackage, composer: Composer, uri: str) -> None:
        self._package = package
        self._composer = composer
        self._uri = uri
        self.styles = OdfStyles(package.styles, package.content)
        self._inline = OdfInline(package, self.styles, composer, uri)
        self._numbering = OdfNumbering(self.styles)
        self._continued: dict[str, dict[int, int]] = {}
        self._by_id: dict[str, dict[int, int]] = {}
        self._has_pages = next(package.body.iter(f"{TEXT}soft-page-break"), None) is not None
        self._list_style = ""
        self._code: list[str] = []
        self._depth = 0
        self.place: Place | None = None
        """Where things stand; None for the page that the text has got to."""
        self.title = ""

    def blocks(self, parent: Element, ground: str | None = WHITE) -> None:
        """All blocks in `parent`."""
        for child in parent:
            name = str(child.tag)
            if name in (f"{TEXT}p", f"{TEXT}h"):
                self._paragraph(child, ground)
                continue
            self._end_code()
            if name in _BLOCKS:
                _BLOCKS[name](self, child, ground)
            elif name in SHAPES:
                self.shape(child, ground)
            elif name == f"{TEXT}soft-page-break":
                self._inline.page += 1
            elif name not in _CONTENTS and name not in SKIPPED:
                self.blocks(child, ground)
        self._end_code()

    def note(self, paragraph: Element, place: Place) -> None:
        """A paragraph of a speaker's notes."""
        self._composer.note(self._inline.read(paragraph, None, Aside()), "", place)

    def shape(self, element: Element, ground: str | None) -> None:
        """A frame or another shape, as blocks."""
        description = element.find(f"{SVG}desc")
        if description is not None:
            self._composer.hide(ALTERNATIVE_TEXT, suspicious_alternative(all_text(description)))
        width, height = points(element.get(f"{SVG}width")), points(element.get(f"{SVG}height"))
        if (width is not None and width < 1) or (height is not None and height < 1 and width is not None):
            text = "".join(map(all_text, element.iter(f"{TEXT}p", f"{TEXT}h")))
            if str(element.tag) == f"{DRAW}frame":
                self._composer.hide(TOO_SMALL, text)
                return
        fill = self.fill_of(element)
        inside = ground if fill == TRANSPARENT else fill
        if self._depth >= _MOST_NESTED:
            return
        self._depth += 1
        for child in element:
            name = str(child.tag)
            if name == f"{DRAW}object":
                self._object(child)
                break
            if name in (f"{DRAW}text-box", f"{TABLE}table") or name in SHAPES or name.startswith(TEXT):
                holder = child if name == f"{DRAW}text-box" else [child]
                self.blocks(holder, inside)
        self._depth -= 1

    def said(self, element: Element, ground: str | None) -> Inline:
        """What a reader sees of the paragraphs in `element`, as one line."""
        inline = Inline()
        for paragraph in element.iter(f"{TEXT}p"):
            inline.add(" ")
            inline.include(self._inline.read(paragraph, ground, Aside()))
        return inline

    def fill_of(self, shape: Element) -> str | None:
        """The colour that a shape is filled with; `TRANSPARENT`, or None if it is more than one."""
        name = shape.get(f"{DRAW}style-name") or shape.get(f"{PRESENTATION}style-name")
        family = "graphic" if shape.get(f"{DRAW}style-name") else "presentation"
        fill, colour, opacity = (
            self.styles.property(family, name, "graphic", f"{DRAW}{each}") for each in ("fill", "fill-color", "opacity")
        )
        if fill in ("", "none"):
            return TRANSPARENT
        see_through = opacity.endswith("%") and opacity[:-1].isdecimal() and int(opacity[:-1]) < _OPAQUE
        return colour[1:].lower() if fill == "solid" and len(colour) == 7 and not see_through else None

    def here(self, page: int = 0) -> Place:
        """Where the text has got to."""
        return self.place or Place(page=(page or self._inline.page) if self._has_pages else None)

    def hide_deletions(self, element: Element) -> None:
        """Count what was deleted with changes tracked."""
        for region in element.iter(f"{TEXT}deletion"):
            for part in region:
                if not str(part.tag).startswith(OFFICE):
                    self._composer.hide(DELETION, all_text(part))

    def _paragraph(self, element: Element, ground: str | None, mark: str = "", depth: int | None = None) -> None:
        aside = Aside()
        if any(each.get(f"{TEXT}is-hidden") == "true" for each in element.iter(f"{TEXT}hidden-paragraph")):
            self._composer.hide(NOT_DISPLAYED, all_text(element))
            return
        inline = self._inline.read(element, ground, aside)
        names = self.styles.names("paragraph", element.get(f"{TEXT}style-name"))
        place = self.here(aside.page)
        if depth is None and any(map(_CODE.fullmatch, names)) and not aside.shapes:
            self._code.append("".join(aside.raw))
            return
        self._end_code()
        if inline.text:
            self._add(element, inline, names, aside, mark, depth, place)
        for note in aside.notes:
            self._note(note, place)
        for shape in aside.shapes:
            self.shape(shape, ground)

    def _add(
        self,
        element: Element,
        inline: Inline,
        names: list[str],
        aside: Aside,
        mark: str,
        depth: int | None,
        place: Place,
    ) -> None:
        level = self._heading_level(element, names)
        if level:
            restart = element.get(f"{TEXT}start-value") if element.get(f"{TEXT}restart-numbering") else None
            listed = element.get(f"{TEXT}is-list-header") == "true"
            number = mark if depth is not None else "" if listed else self._numbering.heading_mark(level, restart)
            heading = Inline()
            heading.add(f"{number} " if number and number[-1] not in "、。）】．" else number)
            heading.include(inline)
            self._composer.heading(heading, level, place)
        elif any(name in _TITLES for name in names):
            self.title = self.title or inline.text
            self._composer.heading(inline, 1, place)
        elif aside.numbers_itself or any(name in _CAPTIONS for name in names):
            self._composer.caption(inline, place)
        elif depth is not None:
            self._composer.item(inline, mark, depth, place)
        else:
            self._composer.paragraph(inline, place)

    def _heading_level(self, element: Element, names: list[str]) -> int:
        if str(element.tag) == f"{TEXT}h":
            return max(whole(element.get(f"{TEXT}outline-level"), 1), 1)
        outline = self.styles.attribute("paragraph", element.get(f"{TEXT}style-name"), f"{STYLE}default-outline-level")
        if outline:
            return whole(outline)
        return next((int(match[1]) for name in names if (match := _HEADING.fullmatch(name))), 0)

    def _list(
        self,
        element: Element,
        ground: str | None,
        style: str = "",
        level: int = 1,
        counters: dict[int, int] | None = None,
    ) -> None:
        style = element.get(f"{TEXT}style-name") or style
        if counters is None:
            counters = self._counters_of(element, style)
            # Impress writes each paragraph as a list of its own, the deeper ones as lists in lists.
            begins_inside = next(element.iterfind(f"{TEXT}list-item/{TEXT}list"), None) is not None
            if style != self._list_style and not begins_inside:
                self._composer.end_list()
            self._list_style = style
        for item in element:
            is_header = str(item.tag) == f"{TEXT}list-header"
            for child in item:
                name = str(child.tag)
                if name == f"{TEXT}list" and level < _MOST_NESTED:
                    self._list(child, ground, style, level + 1, counters)
                elif name in (f"{TEXT}p", f"{TEXT}h"):
                    mark = ""
                    if child is item[0] and not is_header:
                        restart = item.get(f"{TEXT}start-value")
                        mark = self._numbering.item_mark(style, counters, level, restart) or BULLET
                    self._paragraph(child, ground, mark, level - 1)
                else:
                    self.blocks([child], ground)

    def _counters_of(self, element: Element, style: str) -> dict[int, int]:
        counters: dict[int, int] = {}
        if named := element.get(f"{TEXT}continue-list"):
            counters = self._by_id.get(named, counters)
        elif element.get(f"{TEXT}continue-numbering") == "true":
            counters = self._continued.get(style, counters)
        self._continued[style] = counters
        identifier = element.get("{http://www.w3.org/XML/1998/namespace}id")
        if identifier:
            self._by_id[identifier] = counters
        return counters

    def _section(self, element: Element, ground: str | None) -> None:
        if element.get(f"{TEXT}display") in ("none", "condition") and element.get(f"{TEXT}is-hidden") != "false":
            self._composer.hide(NOT_DISPLAYED, all_text(element))
        else:
            self.blocks(element, ground)

    def table(self, element: Element, ground: str | None) -> None:
        """A table, or its content if it is one cell."""
        rows = list(_rows(element))
        cells = [cell for row, _ in rows for cell in row if str(cell.tag) == f"{TABLE}table-cell"]
        if len(cells) == 1 and self._depth < _MOST_NESTED:
            self._depth += 1
            self.blocks(cells[0], ground)
            self._depth -= 1
            return
        table, aside = Table(), Aside()
        place = self.here()
        headers = 0
        for row, is_header in rows:
            for _ in range(repeated(row, "number-rows-repeated", _MOST_REPEATED)):
                headers += is_header
                self._row(table, row, ground, aside)
        table.fill_down()
        if not headers and element.get(f"{TABLE}use-first-row-styles") == "true":
            headers = 1
        add_table(self._composer, table, place, headers if 0 < headers < len(table.rows) else None)
        for note in aside.notes:
            self._note(note, place)
        for shape in aside.shapes:
            self.shape(shape, ground)

    def _row(self, table: Table, row: Element, ground: str | None, aside: Aside) -> None:
        number, column = len(table.rows), 0
        table.rows.append([])
        for cell in row:
            name = str(cell.tag)
            count = repeated(cell, "number-columns-repeated", _MOST_REPEATED)
            if name == f"{TABLE}covered-table-cell":
                column += count
            elif name == f"{TABLE}table-cell":
                look = self.styles.look("table-cell", cell.get(f"{TABLE}style-name"))
                for _ in range(count):
                    inline = Inline()
                    self._fill(inline, cell, look.ground or ground, aside)
                    down = repeated(cell, "number-rows-spanned", 1 << 20)
                    across = repeated(cell, "number-columns-spanned", 1 << 10)
                    table.place(number, column, inline, down, across)
                    column += 1

    def _fill(self, inline: Inline, parent: Element, ground: str | None, aside: Aside) -> None:
        """Put all text of a cell into `inline`."""
        for child in parent:
            name = str(child.tag)
            if name in (f"{TEXT}p", f"{TEXT}h"):
                inline.add(" ")
                inline.include(self._inline.read(child, ground, aside))
            elif name == f"{TABLE}table":
                self._flatten(inline, child, ground, aside)
            elif name == f"{TEXT}list-item":
                inline.add(" - ")
                self._fill(inline, child, ground, aside)
            elif name in SHAPES:
                aside.shapes.append(child)
            elif name == f"{OFFICE}annotation":
                self._composer.hide(COMMENT, annotation_text(child))
            else:
                self._fill(inline, child, ground, aside)

    def _flatten(self, inline: Inline, table: Element, ground: str | None, aside: Aside) -> None:
        for number, (row, _) in enumerate(_rows(table)):
            if number:
                inline.add("; ")
            for position, cell in enumerate(row.iterfind(f"{TABLE}table-cell")):
                if position:
                    inline.add(", ")
                self._fill(inline, cell, ground, aside)

    def _object(self, element: Element) -> None:
        root = self._package.object_root(element)
        chart = root.find(f".//{CHART}chart") if root is not None else None
        if chart is None:
            return
        title = chart.find(f"{CHART}title")
        if title is not None:
            caption = Inline()
            caption.add(all_text(title))
            self._composer.caption(caption, self.here())
        for table in chart.iterfind(f"{TABLE}table"):
            self.table(table, None)

    def _note(self, note: Element, place: Place) -> None:
        citation, body = note.find(f"{TEXT}note-citation"), note.find(f"{TEXT}note-body")
        inline = Inline()
        for paragraph in body.iter(f"{TEXT}p") if body is not None else ():
            inline.add(" ")
            inline.include(self._inline.read(paragraph, WHITE, Aside()))
        self._composer.note(inline, all_text(citation) if citation is not None else "", place)

    def _end_code(self) -> None:
        if self._code:
            self._composer.code("\n".join(self._code), self.here())
            self._code = []


_BLOCKS: dict[str, Callable[[OdfText, Element, str | None], None]] = {
    f"{TEXT}list": lambda reader, element, ground: reader._list(element, ground),
    f"{TEXT}section": lambda reader, element, ground: reader._section(element, ground),
    f"{TABLE}table": lambda reader, element, ground: reader.table(element, ground),
    f"{TEXT}tracked-changes": lambda reader, element, _: reader.hide_deletions(element),
}


def _rows(table: Element, is_header: bool = False) -> Iterator[tuple[Element, bool]]:
    """Rows with whether they are header rows."""
    for child in table:
        name = str(child.tag)
        if name == f"{TABLE}table-row":
            yield child, is_header
        elif name in (f"{TABLE}table-header-rows", f"{TABLE}table-rows", f"{TABLE}table-row-group"):
            yield from _rows(child, is_header or name.endswith("header-rows"))
