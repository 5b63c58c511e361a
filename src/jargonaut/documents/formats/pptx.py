"""PPTX: slides in their order, each as a section: title, text, tables, charts, and what the speaker notes say."""

from __future__ import annotations

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.colours import fill_of
from jargonaut.documents.formats.drawings import add_charts_and_diagrams
from jargonaut.documents.formats.hidden import ALTERNATIVE_TEXT, COMMENT, COVERED, HIDDEN_SLIDE, suspicious_alternative
from jargonaut.documents.formats.ooxml import A, OfficePackage, P, R, is_on, meaningful_title, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.pptx_shapes import (
    Backdrop,
    Look,
    Shape,
    covered,
    in_reading_order,
    look_of,
    shapes_of,
    why_unseen,
)
from jargonaut.documents.formats.pptx_text import Line, ShapeText
from jargonaut.documents.formats.tables import Table, add_table

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_USUAL_SIZE = (9_144_000, 6_858_000)
_DROPPED = frozenset({"ftr", "dt", "sldNum", "hdr", "sldImg"})
_LONGEST_TITLE = 100
_OPENING = frozenset({"title", "secHead"})
"""Layouts of slides that open a presentation or a part of it."""


class PptxParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OfficePackage(data, "PPTX", f"{P}presentation", "ppt/presentation.xml")
        composer = Composer()
        reader = _PresentationReader(package, composer, uri)
        relations = package.relations(package.main_name)
        for number, entry in enumerate(package.main.iterfind(f"{P}sldIdLst/{P}sldId"), start=1):
            relation = relations.get(entry.get(f"{R}id") or "")
            if relation is not None and not relation.external and relation.target in package:
                reader.slide(relation.target, number)
        metadata = package.metadata()
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, meaningful_title(metadata))


class _PresentationReader:
    def __init__(self, package: OfficePackage, composer: Composer, uri: str) -> None:
        self._package = package
        self._composer = composer
        self._uri = uri
        size = package.main.find(f"{P}sldSz")
        self._width, self._height = _USUAL_SIZE
        if size is not None:
            self._width = whole(size.get("cx"), self._width)
            self._height = whole(size.get("cy"), self._height)
        self._defaults = package.main.find(f"{P}defaultTextStyle")
        self._looks: dict[str, Look] = {}
        self._is_opened = False

    def slide(self, part: str, number: int) -> None:
        """Add a slide, or count it if it is hidden."""
        root = self._package.xml(part)
        self._count_comments(part)
        if root.get("show") in ("0", "false"):
            self._composer.hide(HIDDEN_SLIDE, _all_text(root))
            notes = self._package.related_xml(part, "notesSlide")
            self._composer.hide(HIDDEN_SLIDE, _all_text(notes) if notes is not None else "")
            return
        layout, master = self._looks_of(part)
        text = ShapeText(self._package, part, self._uri, master, self._defaults, self._composer.hide)
        roots = tuple(look.root for look in (layout, master) if look is not None)
        backdrop = Backdrop((root, *roots), master.scheme if master is not None else {})
        for below in reversed(roots):
            for shape in shapes_of(below, None, None):
                if shape.kind == "other":
                    backdrop.paint(shape)
        seen: list[Shape] = []
        lines: dict[int, list[Line]] = {}
        for shape in shapes_of(root, layout, master):
            self._count_alternative(shape)
            if shape.kind in _DROPPED:
                continue
            if reason := why_unseen(shape, self._width, self._height):
                self._composer.hide(reason, _all_text(shape.element))
                continue
            lines[id(shape)] = list(text.lines(shape, backdrop.ground(shape)))
            backdrop.paint(shape)
            seen.append(shape)
        for shape in covered(seen, backdrop, root):
            self._composer.hide(COVERED, _all_text(shape.element))
            seen.remove(shape)
        self._add(part, number, layout, text, in_reading_order(seen, self._height), lines)

    def _add(
        self,
        part: str,
        number: int,
        layout: Look | None,
        text: ShapeText,
        shapes: list[Shape],
        lines: dict[int, list[Line]],
    ) -> None:
        place = Place(page=number)
        titles = [shape for shape in shapes if shape.is_title and lines[id(shape)]]
        if not titles:
            titles = [shape for shape in shapes if lines[id(shape)]][:1]
            titles = [shape for shape in titles if _can_be_title(lines[id(shape)])]
        heading = Inline()
        for line in lines[id(titles[0])] if titles else ():
            heading.add(" ")
            heading.include(line.inline)
        if not titles:
            heading.add(f"Slide {number}")
        opens = layout is not None and layout.root.get("type") in _OPENING
        self._composer.heading(heading, 1 if opens or not self._is_opened else 2, place)
        self._is_opened = self._is_opened or opens
        for shape in shapes:
            if shape not in titles[:1]:
                self._add_lines(lines[id(shape)], place)
            if shape.element.tag == f"{P}graphicFrame":
                self._add_frame(part, shape.element, text, place)
        self._add_notes(part, place)

    def _add_lines(self, lines: list[Line], place: Place) -> None:
        self._composer.end_list()
        for line in lines:
            if line.mark:
                self._composer.item(line.inline, line.mark, line.depth, place)
            else:
                self._composer.paragraph(line.inline, place)

    def _add_frame(self, part: str, frame: Element, text: ShapeText, place: Place) -> None:
        for element in frame.iter(f"{A}tbl"):
            table = Table()
            for number, row in enumerate(element.iterfind(f"{A}tr")):
                table.rows.append([])
                for column, cell in enumerate(row.iterfind(f"{A}tc")):
                    self._add_cell(table, number, column, cell, text)
            table.fill_down()
            properties = element.find(f"{A}tblPr")
            first_row = properties is not None and bool(properties.get("firstRow")) and is_on(properties, "firstRow")
            add_table(self._composer, table, place, max(_depth(table), 1) if first_row else None)
        add_charts_and_diagrams(self._composer, self._package, part, frame, place)

    def _add_cell(self, table: Table, number: int, column: int, cell: Element, text: ShapeText) -> None:
        if cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true"):
            return
        stated, ground = fill_of(cell.find(f"{A}tcPr"), {})
        inline = Inline()
        for paragraph in cell.iterfind(f"{A}txBody/{A}p"):
            inline.add(" ")
            inline.include(text.inline(paragraph, ground if stated else None))
        table.place(number, column, inline, whole(cell.get("rowSpan"), 1), whole(cell.get("gridSpan"), 1))

    def _add_notes(self, part: str, place: Place) -> None:
        names = self._package.related(part, "notesSlide")
        if not names:
            return
        text = ShapeText(self._package, names[0], self._uri, None, None, self._composer.hide)
        for shape in shapes_of(self._package.xml(names[0]), None, None):
            if shape.kind == "body":
                for line in text.lines(shape, None):
                    self._composer.note(line.inline, "", place)

    def _looks_of(self, part: str) -> tuple[Look | None, Look | None]:
        layouts = self._package.related(part, "slideLayout")
        masters = self._package.related(layouts[0], "slideMaster") if layouts else []
        if not layouts or not masters:
            return None, None
        for name in (masters[0], layouts[0]):
            if name not in self._looks:
                scheme = None if name == masters[0] else self._looks[masters[0]].scheme
                self._looks[name] = look_of(self._package, name, scheme)
        return self._looks[layouts[0]], self._looks[masters[0]]

    def _count_alternative(self, shape: Shape) -> None:
        for properties in shape.element.iter(f"{P}cNvPr"):
            self._composer.hide(ALTERNATIVE_TEXT, suspicious_alternative(properties.get("descr") or ""))

    def _count_comments(self, part: str) -> None:
        for name in self._package.related(part, "comments"):
            self._composer.hide(COMMENT, "".join(self._package.xml(name).itertext()))


def _can_be_title(lines: list[Line]) -> bool:
    return len(lines) == 1 and not lines[0].mark and lines[0].inline.length <= _LONGEST_TITLE


def _depth(table: Table) -> int:
    """Rows that the cells of the first row reach down to."""
    return max((rows for (row, _), (rows, _) in table.spans.items() if row == 0), default=1)


def _all_text(root: Element) -> str:
    return "".join(part.text or "" for part in root.iter(f"{A}t"))
