"""DOCX: what Word shows of a document, numbering included. Headers, footers and tables of contents are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.colours import theme_scheme
from jargonaut.documents.formats.docx_numbering import Numbering
from jargonaut.documents.formats.docx_styles import VAL, ParagraphStyle, RunLook, Styles, indent_of
from jargonaut.documents.formats.docx_tables import TableReader
from jargonaut.documents.formats.docx_text import Reading, TextReader, deleted_text
from jargonaut.documents.formats.drawings import add_charts_and_diagrams
from jargonaut.documents.formats.hidden import (
    ALTERNATIVE_TEXT,
    COMMENT,
    DELETION,
    NOT_DISPLAYED,
    OFF_THE_PAGE,
    TOO_SMALL,
    WHITE,
    suspicious_alternative,
)
from jargonaut.documents.formats.ooxml import MC, OfficePackage, W, chosen, is_on, meaningful_title, whole
from jargonaut.documents.formats.package import Element

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_LONGEST_HEADING = 300
_TITLE_LEVEL = 1
_LOWEST_HEADING = 9
_NO_BLANK_AFTER = re.compile(r"[、。）】．：]\Z")
_CONTENTS_GALLERIES = frozenset({"Table of Contents", "目录"})
_UNWRAPPED = frozenset({f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag", f"{W}sdtContent"})
_USUAL_WIDTH = 11_906
"""Of a page, in twips."""
_EMU_A_TWIP = 635
_VML_HIDDEN = re.compile(r"visibility\s*:\s*hidden|display\s*:\s*none")


class DocxParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OfficePackage(data, "DOCX", f"{W}document", "word/document.xml")
        composer = Composer()
        reader = _DocumentReader(package, composer, uri)
        body = package.main.find(f"{W}body")
        if body is not None:
            reader.blocks(body, WHITE)
        reader.finish()
        comments = package.related_xml(package.main_name, "comments")
        for comment in comments if comments is not None else ():
            composer.hide(COMMENT, deleted_text(comment))
        metadata = package.metadata()
        return composer.document(
            uri, digest_bytes(data), _MEDIA_TYPE, metadata, reader.title or meaningful_title(metadata)
        )


class _DocumentReader:
    """Turns the body into blocks, from top to bottom."""

    def __init__(self, package: OfficePackage, composer: Composer, uri: str) -> None:
        main = package.main_name
        self._package = package
        self._composer = composer
        self._styles = Styles(package.related_xml(main, "styles"), theme_scheme(package, main))
        self._numbering = Numbering(package.related_xml(main, "numbering"), self._styles)
        self._text = TextReader(package, main, self._styles, composer, uri, _note_style(package))
        self._notes = {kind: _notes(package.related_xml(main, f"{kind}s"), kind) for kind in ("footnote", "endnote")}
        self._tables = TableReader(self, self._text, self._styles, composer)
        self._has_pages = next(package.main.iter(f"{W}lastRenderedPageBreak"), None) is not None
        self._page_width = max((whole(size.get(f"{W}w")) for size in package.main.iter(f"{W}pgSz")), default=0)
        self._carried: Reading | None = None
        self._code: list[str] = []
        self._code_place = Place()
        self._list = ""
        self.title = ""

    def blocks(self, parent: Element, ground: str | None) -> None:
        """All blocks in `parent`."""
        for child in parent:
            tag = child.tag
            if tag == f"{W}p":
                self._paragraph(child, ground)
            elif tag == f"{W}tbl":
                self.finish()
                self._tables.read(child, ground)
            elif tag == f"{W}sdt":
                if not _is_contents(child):
                    self.blocks(child, ground)
            elif tag in _UNWRAPPED:
                self.blocks(child, ground)
            elif tag in (f"{W}del", f"{W}moveFrom"):
                self._composer.hide(DELETION, deleted_text(child))
            elif tag == f"{MC}AlternateContent":
                self.blocks(chosen(child), ground)

    def finish(self) -> None:
        """What waits for more of its kind is complete."""
        if self._code:
            self._composer.code("\n".join(self._code), self._code_place)
            self._code = []
        if self._carried is not None:
            reading, self._carried = self._carried, None
            self._add(reading, ParagraphStyle(), None)

    def place(self, page: int = 0) -> Place:
        """The page that has been reached, where the file tells."""
        return Place(page=(page or self._text.page) if self._has_pages else None)

    def mark_of(self, paragraph: Element, style: ParagraphStyle) -> tuple[str | None, int, str]:
        """What is shown before a paragraph, at which depth, and the list that it is in."""
        found = paragraph.find(f"{W}pPr/{W}numPr")
        number, depth = style.number, style.number_level
        if found is not None:
            identifier, level = found.find(f"{W}numId"), found.find(f"{W}ilvl")
            number = (identifier.get(VAL) or "") if identifier is not None else number
            depth = whole(level.get(VAL)) if level is not None else depth
        if number in ("", "0"):
            return None, 0, ""
        if depth is None:
            depth = self._numbering.level_of(number, style.numbered_by)
        mark = self._numbering.mark(number, depth)
        return mark, depth + style.depth, self._numbering.list_of(number)

    def add_notes(self, reading: Reading, place: Place) -> None:
        """The notes that a paragraph or a table refers to."""
        for kind, identifier, mark in reading.notes:
            note = self._notes[kind].pop(identifier, None)
            if note is None:
                continue
            inline = Inline()
            for paragraph in note.iter(f"{W}p"):
                inline.add(" ")
                inline.include(self._text.read(paragraph, self._look_of(paragraph)[1], WHITE).inline)
            self._composer.note(inline, mark, place)

    def add_drawings(self, reading: Reading, place: Place) -> None:
        """Text boxes, charts and SmartArt that hang on a paragraph."""
        for drawing in reading.drawings:
            for properties in drawing.iter(f"{_WP}docPr"):
                self._composer.hide(ALTERNATIVE_TEXT, suspicious_alternative(properties.get("descr") or ""))
            boxes = list(_boxes(drawing))
            reason = self._why_unseen(drawing)
            if reason:
                self._composer.hide(reason, "".join(map(deleted_text, boxes)))
                continue
            for box in boxes:
                self.finish()
                self.blocks(box, _ground_of_box(drawing))
                self.finish()
            add_charts_and_diagrams(self._composer, self._package, self._package.main_name, drawing, place)

    def _look_of(self, paragraph: Element) -> tuple[ParagraphStyle, RunLook]:
        named = paragraph.find(f"{W}pPr/{W}pStyle")
        style = self._styles.paragraph(named.get(VAL) if named is not None else None)
        return style, style.look

    def read(
        self, paragraph: Element, ground: str | None, into: Reading | None = None
    ) -> tuple[ParagraphStyle, Reading]:
        """A paragraph's style and text."""
        style, look = self._look_of(paragraph)
        if abs(indent_of(paragraph.find(f"{W}pPr"), style.indent)) >= (self._page_width or _USUAL_WIDTH):
            self._composer.hide(OFF_THE_PAGE, deleted_text(paragraph))
            return style, into or Reading()
        shading = self._styles.shading(paragraph.find(f"{W}pPr/{W}shd"))
        return style, self._text.read(paragraph, look, shading or ground, into)

    def _paragraph(self, paragraph: Element, ground: str | None) -> None:
        carried, self._carried = self._carried, None
        dropped_before = self._text.in_dropped_field
        style = self._look_of(paragraph)[0]
        level = _level_of(paragraph, style)
        if dropped_before and 0 < level <= _LOWEST_HEADING and style.kind != "contents":
            self._text.end_dropped_fields()
        style, reading = self.read(paragraph, ground, carried)
        if style.kind == "contents":
            return
        if paragraph.find(f"{W}pPr/{W}rPr/{W}del") is not None:
            # Its mark was deleted: it goes on with the next paragraph.
            self._carried = reading
            return
        self._add(reading, style, paragraph)
        if paragraph.find(f"{W}pPr/{W}sectPr") is not None:
            self._composer.end_list()

    def _add(self, reading: Reading, style: ParagraphStyle, paragraph: Element | None) -> None:
        place = self.place(reading.page)
        if style.kind == "code" and not reading.drawings:
            self._code_place = self._code_place if self._code else place
            self._code.extend("".join(reading.raw).split("\n"))
            self.add_notes(reading, place)
            return
        self.finish()
        if reading.inline.text:
            self._add_text(reading, style, paragraph, place)
        self.add_notes(reading, place)
        self.add_drawings(reading, place)

    def _add_text(self, reading: Reading, style: ParagraphStyle, paragraph: Element | None, place: Place) -> None:
        inline = reading.inline
        level = _level_of(paragraph, style) if inline.length <= _LONGEST_HEADING else 0
        mark, depth, belongs = self.mark_of(paragraph, style) if paragraph is not None else (None, 0, "")
        if style.kind == "title":
            self.title = self.title or inline.text
            self._composer.heading(inline, _TITLE_LEVEL, place)
        elif level:
            self._composer.heading(_marked(mark, inline), level, place)
        elif style.kind == "caption" or reading.numbers_itself:
            self._composer.caption(_marked(mark, inline), place)
        elif mark:
            if belongs != self._list and not depth:
                self._composer.end_list()
            self._list = belongs
            self._composer.item(inline, mark, depth, place)
        else:
            self._composer.paragraph(inline, place)

    def _why_unseen(self, drawing: Element) -> str:
        for properties in drawing.iter(f"{_WP}docPr"):
            if properties.get("hidden") and is_on(properties, "hidden"):
                return NOT_DISPLAYED
        for extent in drawing.iter(f"{_WP}extent"):
            if whole(extent.get("cx")) <= _EMU_A_TWIP * 20 or whole(extent.get("cy")) <= _EMU_A_TWIP * 20:
                return TOO_SMALL
        for anchor in drawing.iter(f"{_WP}anchor"):
            if self._is_off_page(anchor):
                return OFF_THE_PAGE
        hidden = any(_VML_HIDDEN.search(element.get("style") or "") for element in drawing.iter())
        return NOT_DISPLAYED if hidden else ""

    def _is_off_page(self, anchor: Element) -> bool:
        offset, extent = anchor.find(f"{_WP}positionH/{_WP}posOffset"), anchor.find(f"{_WP}extent")
        if offset is None or extent is None or not self._page_width:
            return False
        left, width = whole(offset.text), whole(extent.get("cx"))
        page = self._page_width * _EMU_A_TWIP
        # From whatever it is measured, a margin or the page: that far off, it is off.
        return left + width < -page / 4 or left > page * 1.25


def _level_of(paragraph: Element | None, style: ParagraphStyle) -> int:
    """1 to 9 for a heading, 0 for text."""
    outline = paragraph.find(f"{W}pPr/{W}outlineLvl") if paragraph is not None else None
    if outline is None:
        return style.level
    stated = whole(outline.get(VAL), _LOWEST_HEADING)
    return stated + 1 if 0 <= stated < _LOWEST_HEADING else 0


def _marked(mark: str | None, inline: Inline) -> Inline:
    """Text with its number before it."""
    if not mark or mark == "-":
        return inline
    marked = Inline()
    marked.add(mark if _NO_BLANK_AFTER.search(mark) else f"{mark} ")
    marked.include(inline)
    return marked


def _note_style(package: OfficePackage) -> dict[str, str]:
    """How footnotes and endnotes are numbered."""
    settings = package.related_xml(package.main_name, "settings")
    styles = {"footnote": "decimal", "endnote": "lowerRoman"}
    for kind in styles:
        for root in (package.main, settings):
            found = root.find(f".//{W}{kind}Pr/{W}numFmt") if root is not None else None
            if found is not None:
                styles[kind] = found.get(VAL) or styles[kind]
                break
    return styles


def _notes(root: Element | None, kind: str) -> dict[str, Element]:
    """Notes by their id, without the lines that separate them from the text."""
    if root is None:
        return {}
    return {note.get(f"{W}id") or "": note for note in root.iterfind(f"{W}{kind}") if not note.get(f"{W}type")}


def _is_contents(sdt: Element) -> bool:
    gallery = sdt.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return gallery is not None and gallery.get(VAL) in _CONTENTS_GALLERIES


def _boxes(drawing: Element) -> Iterator[Element]:
    """Text boxes in `drawing`, not those within them."""
    for child in drawing:
        if child.tag == f"{W}txbxContent":
            yield child
        elif child.tag == f"{MC}AlternateContent":
            yield from _boxes(chosen(child))
        else:
            yield from _boxes(child)


def _ground_of_box(drawing: Element) -> str | None:
    """The page's, unless the box has a fill or lies among other shapes."""
    for element in drawing.iter():
        name = str(element.tag).rpartition("}")[2]
        if name in ("solidFill", "gradFill", "blipFill", "pattFill", "grpSp", "wgp", "fillRef", "fill", "pic"):
            return None
    return WHITE
