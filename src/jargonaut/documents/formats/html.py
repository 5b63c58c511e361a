"""HTML: what a reader sees of a page, without navigation."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline, Script
from jargonaut.documents.encodings import decode, normalised
from jargonaut.documents.formats.html_elements import (
    BLOCKS,
    SCRIPTS,
    is_data_table,
    is_dropped,
    is_header,
    is_note_mark,
    leaves_of,
    numbers_of,
    script_around,
    span_of,
)
from jargonaut.documents.formats.html_visibility import Styling
from jargonaut.documents.links import resolve_link
from jargonaut.documents.metadata import Metadata, metadata_of
from jargonaut.documents.scripts import note_mark
from jargonaut.documents.spans import Spanning, spread

_BODY = re.compile(r"<body\b", re.IGNORECASE)
_DECLARED_ENCODING = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_META = {
    "author": "author",
    "article:author": "author",
    "date": "date",
    "dc.date": "date",
    "dcterms.date": "date",
    "article:published_time": "date",
    "article:modified_time": "modified",
    "description": "description",
    "keywords": "tags",
    "tags": "tags",
    "allow": "allow",
}
_LOOK_AHEAD = 100_000
"""Characters of source in which the next text is looked for."""
_MAX_NESTING = 150
"""Elements in elements; deeper ones give their text only."""
_IS_XHTML = re.compile(r"\A\s*<\?xml\b|xmlns\s*=\s*[\"']http://www\.w3\.org/1999/xhtml", re.IGNORECASE)
_LOOK_FOR_XHTML = 2_000
_EMPTY_TAG = re.compile(r"<([A-Za-z][\w:.\-]*)((?:\s+[\w:.\-]+(?:\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))?)*)\s*/>")
_VOID = frozenset(str.split("area base br col embed hr img input link meta source track wbr"))
LONGEST_LABEL = 20
"""Characters of the alternative text of a picture that is read as a label."""
_PILCROW = re.compile(r"\s*[¶#🔗]\s*\Z")


class HtmlParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        source = without_empty_tags(_decoded(data))
        tree = LexborHTMLParser(source)
        styling = Styling(tree)
        metadata = _metadata(tree)
        composer = Composer()
        body = _main_part(tree, styling)
        if body is not None:
            found = _BODY.search(source)
            HtmlWalker(composer, uri, source, styling, begin=found.end() if found else 0).walk(body)
        heading = tree.css_first("title")
        declared_title = heading.text() if heading is not None and tree.css_first("h1") is None else ""
        return composer.document(uri, digest_bytes(data), "text/html", metadata, declared_title)


class HtmlWalker:
    """Turns elements into blocks.

    Args:
        composer: Takes the blocks.
        uri: Of the document, for relative links.
        source: The HTML, to find lines in.
        styling: How its elements look.
        first_line: Line of the document at which `source` begins.
        begin: Where in `source` to look for the first text.
        place: Where all of it is, instead of the lines.
    """

    def __init__(
        self,
        composer: Composer,
        uri: str,
        source: str,
        styling: Styling,
        first_line: int = 1,
        begin: int = 0,
        place: Place | None = None,
    ) -> None:
        self._composer = composer
        self._uri = uri
        self._source = source
        self._styling = styling
        self._cursor = begin
        self._line = first_line + source.count("\n", 0, begin)
        self._depth = 0
        self._inline = Inline()
        self._place = place or Place()
        self._is_placed = place is not None
        self._marks: list[str] = []
        self._mark_is_due = False
        self._script: Script = ""

    def walk(self, root: LexborNode) -> None:
        """Add everything in `root`."""
        self._children(root)
        self._flush()

    def _children(self, node: LexborNode) -> None:
        if self._depth >= _MAX_NESTING:
            self._texts(node)
            return
        self._depth += 1
        for child in node.iter(include_text=True):
            self._visit(child)
        self._depth -= 1

    def _visit(self, node: LexborNode) -> None:
        if node.is_text_node:
            if not self._is_unseen(node):
                self._text(node.text_content or "")
            return
        if node.is_comment_node:
            self._composer.hide("comment", node.comment_content or "")
            return
        if not node.is_element_node or is_dropped(node) or self._is_hidden(node):
            return
        self._anchor(node)
        tag = node.tag or ""
        if tag in ("ul", "ol"):
            self._list(node, ordered=tag == "ol")
        elif tag == "table" and is_data_table(node):
            self._table(node)
        elif tag == "pre":
            self._flush()
            text = self._verbatim(node)
            self._locate(text.strip())
            self._composer.code(text, self._place)
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._heading(node, int(tag[1]))
        elif tag in BLOCKS or tag == "table":
            self._block(node, tag)
        else:
            self._inline_element(node, tag)

    def _text(self, text: str) -> None:
        if not self._inline.length:
            self._locate(text.strip())
        self._inline.add(text, self._script)

    def _anchor(self, node: LexborNode) -> None:
        attributes = node.attributes
        for name in (attributes.get("id"), attributes.get("name") if node.tag == "a" else None):
            if name:
                self._composer.anchor(name)

    def _inline_element(self, node: LexborNode, tag: str) -> None:
        if tag in ("br", "wbr"):
            self._inline.soft_break()
        elif tag == "img":
            self._alternative(node)
        else:
            if tag == "a":
                self._inline.refer(resolve_link(node.attributes.get("href") or "", self._uri))
            is_first = not self._inline.length
            if not is_first and is_note_mark(node):
                self._inline.add(note_mark(node.text()))
                return
            outer, self._script = self._script, SCRIPTS.get(tag, self._script)
            self._children(node)
            self._script = outer
            if is_first and self._inline.text.isdecimal():
                self._inline.add(" ")  # the mark of a note, which a style sets apart

    def _alternative(self, node: LexborNode) -> None:
        """What stands for a picture: a label is read, what is longer was not meant to be seen."""
        text = node.attributes.get("alt") or ""
        if len(text) <= LONGEST_LABEL:
            self._inline.add(text)
        else:
            self._composer.hide("alternative text", text)

    def _is_hidden(self, node: LexborNode) -> bool:
        why = self._styling.why_hidden(node)
        if why:
            self._composer.hide(why, node.text())
        return bool(why)

    def _is_unseen(self, text: LexborNode) -> bool:
        why = self._styling.why_unseen(text)
        if why:
            self._composer.hide(why, text.text_content or "")
        return bool(why)

    def _verbatim(self, node: LexborNode) -> str:
        leaves = leaves_of(node, self._is_hidden)
        texts = (leaf.text_content or "" for leaf in leaves if leaf.is_text_node and not self._is_unseen(leaf))
        return "".join(texts)

    def _block(self, node: LexborNode, tag: str) -> None:
        self._flush()
        if tag == "dt":
            self._marks.append("-")
            self._mark_is_due = True
        elif tag == "dd":
            self._marks.append("")
        self._children(node)
        self._flush()
        if tag in ("dt", "dd"):
            self._marks.pop()

    def _heading(self, node: LexborNode, level: int) -> None:
        self._flush()
        marks, self._marks = self._marks, []
        self._children(node)
        inline, self._inline = self._inline, Inline()
        heading = Inline()
        heading.add(_PILCROW.sub("", inline.text))
        self._composer.heading(heading, level, self._place)
        self._marks = marks

    def _list(self, node: LexborNode, ordered: bool) -> None:
        self._flush()
        items = numbers_of(node) if ordered else ((child, "-") for child in node.iter(include_text=True))
        for child, mark in items:
            if child.tag != "li":
                self._visit(child)
                continue
            if is_dropped(child) or self._is_hidden(child):
                continue
            self._anchor(child)
            self._marks.append(mark)
            self._mark_is_due = True
            self._children(child)
            self._flush()
            self._marks.pop()
        if not self._marks:
            self._composer.end_list()

    def _table(self, node: LexborNode) -> None:
        self._flush()
        caption = node.css_first("caption")
        if caption is not None and not self._is_hidden(caption):
            self._composer.caption(self._cell(caption), self._place)
        rows: list[list[Spanning]] = []
        numbers: list[int] = []
        place = None
        header_rows = 0
        for row in node.css("tr"):
            if is_dropped(row) or self._is_hidden(row):
                continue
            cells = []
            for cell in row.iter():
                if cell.tag in ("td", "th") and not is_dropped(cell) and not self._is_hidden(cell):
                    self._anchor(cell)
                    columns, down = span_of(cell, "colspan"), span_of(cell, "rowspan")
                    cells.append(Spanning(self._cell(cell), columns, down))
                    place = place or (self._place if cells[-1].content.text else None)
            header_rows += len(rows) == header_rows and is_header(row)
            rows.append(cells)
            numbers.append(self._place.line or 0)
        known = numbers if all(numbers) else []
        self._composer.table(spread(rows), place or self._place, header_rows or 1, known)

    def _cell(self, node: LexborNode) -> Inline:
        outer, self._inline = self._inline, Inline()
        self._texts(node)
        cell, self._inline = self._inline, outer
        return cell

    def _texts(self, node: LexborNode) -> None:
        """Add the text in `node`, with blanks between blocks."""
        for part in leaves_of(node, self._is_hidden):
            if part.is_text_node:
                if self._is_unseen(part):
                    continue
                self._script, mark = script_around(part)
                self._text(part.text_content or "") if not mark else self._inline.add(mark)
                self._script = ""
                continue
            self._anchor(part)
            if part.tag in BLOCKS or part.tag in ("br", "pre"):
                self._inline.soft_break()
            elif part.tag == "img":
                self._alternative(part)
            elif part.tag == "a":
                self._inline.refer(resolve_link(part.attributes.get("href") or "", self._uri))

    def _flush(self) -> None:
        inline, self._inline = self._inline, Inline()
        if not inline.text:
            return
        if self._marks:
            mark = self._marks[-1] if self._mark_is_due else ""
            self._mark_is_due = False
            self._composer.item(inline, mark, len(self._marks) - 1, self._place)
        else:
            self._composer.paragraph(inline, self._place)

    def _locate(self, text: str) -> None:
        """Find the line of `text`: the parser does not tell, so it is looked for after what came before."""
        if self._is_placed:
            return
        probe = text[:40].partition("\n")[0]
        found = self._source.find(probe, self._cursor, self._cursor + _LOOK_AHEAD) if probe else -1
        if found >= 0:
            self._line += self._source.count("\n", self._cursor, found)
            self._cursor = found
            self._place = Place(line=self._line)


def without_empty_tags(source: str) -> str:
    """XHTML for a parser of HTML, to which `<title/>` is the beginning of a title that never ends."""
    if not _IS_XHTML.search(source[:_LOOK_FOR_XHTML]):
        return source
    return _EMPTY_TAG.sub(lambda tag: tag[0] if tag[1].lower() in _VOID else f"<{tag[1]}{tag[2]}></{tag[1]}>", source)


def _decoded(data: bytes) -> str:
    declared = _DECLARED_ENCODING.search(data[:2048])
    name = declared[1].decode("ascii").lower() if declared else ""
    if name and name not in ("utf-8", "utf8", "utf-16"):
        name = "gb18030" if name in ("gb2312", "gbk") else name
        try:
            return normalised(data.decode(name))
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data)


def _metadata(tree: LexborHTMLParser) -> Metadata:
    found: dict[str, str] = {}
    for meta in tree.css("meta"):
        attributes = meta.attributes
        name = _META.get((attributes.get("name") or attributes.get("property") or "").lower())
        content = normalised(attributes.get("content") or "").strip()
        # A document without readable `allow` must not pass as one that says nothing, so an empty one is kept.
        if name and (content or name == "allow"):
            found.setdefault(name, content)
    language = tree.css_first("html[lang]")
    if language is not None and language.attributes.get("lang"):
        found["lang"] = language.attributes["lang"] or ""
    title = tree.css_first("title")
    if title is not None and title.text().strip():
        found["title"] = " ".join(normalised(title.text()).split())
    return metadata_of(found)


def _main_part(tree: LexborHTMLParser, styling: Styling) -> LexborNode | None:
    """The one `main` element if it holds most of the page, else the body."""
    body = tree.body
    mains = tree.css("main, [role=main]")
    if (
        body is not None
        and len(mains) == 1
        and _visible_length(mains[0], styling) > 0.5 * _visible_length(body, styling)
    ):
        return mains[0]
    return body


def _visible_length(node: LexborNode, styling: Styling) -> int:
    shown = leaves_of(node, lambda child: bool(styling.why_hidden(child)))
    texts = (leaf for leaf in shown if leaf.is_text_node and not styling.why_unseen(leaf))
    return sum(len((leaf.text_content or "").strip()) for leaf in texts)
