"""Lines to blocks: what goes on, over columns and pages too, and what begins something new."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Literal

from jargonaut.core.document import Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.pdf.hyphens import joined
from jargonaut.documents.formats.pdf.layout import Layout, Note, TextLine
from jargonaut.documents.formats.pdf.styles import Styles
from jargonaut.documents.formats.pdf.tables import Table
from jargonaut.documents.formats.pdf.words import is_wide

Kind = Literal["paragraph", "heading", "item", "caption", "code", "contents"]

_LEADERS = re.compile(r"(?:\s?[.．·…]){4,}|\s?…{2,}")
_CONTENTS = re.compile(r"(?:(?:\s?[.．·]){4,}|\s?…{2,})\s*(?:\d{1,4}|[ivxlc]+)\s*\Z")
_ENDS_SENTENCE = re.compile(r"[.!?:;。！？：；…][\"'”’)）】」]*(?:\[\d+\])*\Z")
_BULLET = re.compile(
    r"(?P<mark>[•◦▪‣●○■□❖➢✓–·*-]|o(?=\s)|(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]|[(（](?:\d{1,3}|[a-z]|[一二三四五六七八九十]{1,3})[)）])"
    r"\s*(?=\S)"
)
_SOLID_BULLETS = frozenset("•◦▪‣●○■□❖➢✓·")
"""That need no blank after them."""
_CAPTION = re.compile(
    r"(?:Fig(?:ure|\.)?|Tab(?:le|\.)|Listing|Chart|Abbildung|Tabelle)\s+[A-Z]?\d+(?:[.–-]\d+)*\s*[.:：—–-]\s*\S"
    r"|(?:图|表|圖)\s*\d+(?:[.．–-]\d+)*\s*[:：.．\s]\s*\S",
)
_INDENT = 0.8
"""Of the first line of a paragraph, in sizes, at least."""
_WIDER = 1.25
"""Distance between paragraphs, in distances of lines, at least."""
_SIZES_DIFFER = 0.12
_FORCED = 0.35
"""Share of the width left free at the end of a line that was ended on purpose."""


class BlockWriter:
    """Composes the blocks of a document from its pages, one after the other."""

    def __init__(self, composer: Composer, styles: Styles) -> None:
        self._composer = composer
        self._styles = styles
        self._kind: Kind = "paragraph"
        self._lines: list[TextLine] = []
        self._level = 0
        self._bullets: list[float] = []
        """Where the marks of the open list stand, by depth."""
        self._notes: list[tuple[Note, Place]] = []
        self._table: Table | None = None

    def add(self, layout: Layout) -> None:
        """All of a page."""
        for reason, text in layout.hidden:
            self._composer.hide(reason, text)
        items = layout.items
        right = _right_edges(items)
        for index, item in enumerate(items):
            if isinstance(item, Table):
                self._add_table(item, first=index == 0)
            else:
                before = items[index - 1] if index else None
                after = items[index + 1] if index + 1 < len(items) else None
                self._add_line(item, _as_line(before), _as_line(after), right[index])
        self._notes += [(note, Place(page=layout.number)) for note in layout.notes]
        if not self._lines:
            self._end_notes()

    def end(self) -> None:
        """Nothing comes any more."""
        self._end()
        self._end_table()
        self._end_notes()

    def _add_table(self, table: Table, first: bool) -> None:
        last = self._table
        if last is not None and first and _goes_on(last, table):
            repeated = last.header_rows if table.rows[: last.header_rows] == last.rows[: last.header_rows] else 0
            last.rows += table.rows[repeated:]
            last.box = table.box
            return
        self._end()
        self._end_table()
        self._table = table

    def _add_line(self, line: TextLine, before: TextLine | None, after: TextLine | None, right: float) -> None:
        self._end_table()
        level = self._styles.level(line, before, after)
        kind = self._kind_of(line, level)
        if kind == "paragraph" and self._lines and self._continues(line, after, right):
            self._lines.append(line)
            return
        if self._lines and kind == self._kind and self._is_more(kind, line, level):
            self._lines.append(line)
            return
        self._end()
        self._kind, self._level, self._lines = kind, level, [line]

    def _kind_of(self, line: TextLine, level: int) -> Kind:
        if level:
            return "heading"
        if line.fixed and self._styles.fixed_is_code:
            return "code"
        if _CONTENTS.search(line.text):
            return "contents"
        if _CAPTION.match(line.text) and len(line.text) < 400:
            return "caption"
        return "item" if self._is_item(line) else "paragraph"

    def _is_item(self, line: TextLine) -> bool:
        match = _BULLET.match(line.text)
        if match is None:
            return False
        mark = match["mark"]
        if mark[0] not in _SOLID_BULLETS and line.text[match.end("mark") : match.end()] == "":
            return mark[0] in "(（" or (mark[-1] in ".)" and mark[0].isdigit() and not line.text[match.end()].isdigit())
        last = self._lines[-1] if self._lines else None
        if last is None or mark[0] in _SOLID_BULLETS or self._kind != "paragraph" or line.above is None:
            return True
        # A line of prose may happen to begin with a number or a dash.
        runs_on = abs(line.box.x0 - last.box.x0) < 1 and line.above <= _WIDER * self._styles.leading * line.size
        return not runs_on or bool(_ENDS_SENTENCE.search(last.text))

    def _is_more(self, kind: Kind, line: TextLine, level: int) -> bool:
        """Whether a line of the same kind belongs to the same block."""
        last = self._lines[-1]
        if kind == "heading":
            near = line.above is not None and line.above <= 1.6 * self._styles.leading * line.size / 1.2
            same = (last.size, last.bold) == (line.size, line.bold)
            return level == self._level and near and same and len(self._lines) < 4 and not _numbered(line.text)
        return kind in {"code", "contents"}

    def _continues(self, line: TextLine, after: TextLine | None, right: float) -> bool:
        """Whether a line of prose is more of the open block."""
        last = self._lines[-1]
        if self._kind in {"heading", "code", "contents"} or last.aside != line.aside:
            return False
        if abs(last.size - line.size) > _SIZES_DIFFER * line.size:
            return False
        if line.above is None:
            return self._kind != "caption" and self._runs_on(last, line)
        if line.above > _WIDER * self._leading(line) * line.size:
            return False
        if self._kind == "item":
            return line.box.x0 > self._lines[0].box.x0 + 0.3 * line.size or not _ENDS_SENTENCE.search(last.text)
        if last.bold != line.bold and (last.bold or len(self._lines) > 1):
            return False
        return not self._is_indented(last, line, after) and not self._was_ended(last, line, right)

    def _leading(self, line: TextLine) -> float:
        """Distance of base lines in the open block, in sizes."""
        inner = [more.above / more.size for more in self._lines[1:] if more.above and more.size]
        return min(inner) if inner else max(self._styles.leading, 1.2)

    def _is_indented(self, last: TextLine, line: TextLine, after: TextLine | None) -> bool:
        """Whether the line begins a paragraph by where it begins."""
        step = _INDENT * line.size
        if line.box.x0 > last.box.x0 + step:
            back = after is not None and after.box.x0 < line.box.x0 - step
            return bool(_ENDS_SENTENCE.search(last.text)) or (back and len(self._lines) > 1)
        if line.box.x0 < last.box.x0 - step:
            return len(self._lines) > 1 and last.box.x0 > self._lines[0].box.x0 - step
        return False

    def _was_ended(self, last: TextLine, line: TextLine, right: float) -> bool:
        """Whether the last line had room for the first word of this one."""
        width = right - min(last.box.x0, line.box.x0)
        room = right - last.box.x1
        if room < min(line.first_width, 0.5 * width) + line.size:
            return False
        if _ENDS_SENTENCE.search(last.text) and room > 0.12 * width:
            return True
        return room > _FORCED * width and not line.text[0].islower()

    def _runs_on(self, last: TextLine, line: TextLine) -> bool:
        """Whether a paragraph goes on in the next column, or on the next page."""
        if _ENDS_SENTENCE.search(last.text) or last.bold != line.bold:
            return False
        first = line.text[0]
        return first.islower() or last.text[-1] in "-,，、" or is_wide(first) or first.isdigit() or first in '(（“"'

    def _end(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        place = Place(page=lines[0].page)
        if self._kind != "item":
            self._bullets = []
            self._composer.end_list()
        if self._kind == "code":
            self._composer.code(_code(lines), place)
        elif self._kind == "contents":
            self._composer.verbatim("paragraph", "\n".join(_plain(line.text) for line in lines), place)
        else:
            self._end_prose(lines, place)
        if self._kind not in {"heading", "item"}:
            self._end_notes()

    def _end_prose(self, lines: Sequence[TextLine], place: Place) -> None:
        text = _plain(joined([line.text for line in lines], self._styles.known))
        inline = Inline()
        if self._kind == "item":
            match = _BULLET.match(text)
            mark = match["mark"] if match else ""
            inline.add(text[match.end() :] if match else text)
            self._composer.item(inline, mark if mark[-1:] in {".", ")", "）"} else "-", self._depth(lines[0]), place)
            return
        inline.add(text)
        if self._kind == "heading":
            self._composer.heading(inline, self._level, place)
        elif self._kind == "caption":
            self._composer.caption(inline, place)
        else:
            self._composer.paragraph(inline, place)

    def _depth(self, line: TextLine) -> int:
        while self._bullets and line.box.x0 < self._bullets[-1] - 0.5 * line.size:
            self._bullets.pop()
        if not self._bullets or line.box.x0 > self._bullets[-1] + 0.5 * line.size:
            self._bullets.append(line.box.x0)
        return len(self._bullets) - 1

    def _end_table(self) -> None:
        table, self._table = self._table, None
        if table is None:
            return
        self._composer.end_list()
        self._bullets = []
        rows = [[_inline(text) for text in row] for row in table.rows]
        self._composer.table(rows, Place(page=table.page), table.header_rows)

    def _end_notes(self) -> None:
        notes, self._notes = self._notes, []
        for note, place in notes:
            self._composer.note(_inline(note.text), note.mark, place)


def _as_line(item: TextLine | Table | None) -> TextLine | None:
    return item if isinstance(item, TextLine) else None


def _inline(text: str) -> Inline:
    inline = Inline()
    inline.add(text)
    return inline


def _plain(text: str) -> str:
    return _LEADERS.sub(" … ", text)


def _numbered(text: str) -> bool:
    return bool(re.match(r"\d{1,3}(?:\.\d{1,3})*\.?\s|第\S{1,4}[章节条]", text))


def _code(lines: Sequence[TextLine]) -> str:
    """With its indents, and a blank line where there is room for one."""
    near = min((line.above for line in lines[1:] if line.above), default=0.0)
    text: list[str] = []
    for line in lines:
        if text and line.above and near and line.above > 1.6 * near:
            text += [""] * min(round(line.above / near) - 1, 3)
        text.append(line.spread)
    return textwrap.dedent("\n".join(text))


def _goes_on(table: Table, more: Table) -> bool:
    """Whether a table at the top of a page is more of the last one on the page before."""
    if more.places:
        return more.places == table.places
    same_place = abs(table.box.x0 - more.box.x0) < 12 and abs(table.box.x1 - more.box.x1) < 12
    return len(table.rows[0]) == len(more.rows[0]) and same_place


def _right_edges(items: Sequence[TextLine | Table]) -> list[float]:
    """For each line, how far lines of its kind reach: those around it at the same distance."""
    edges = [item.box.x1 for item in items]
    start = 0
    for index in range(1, len(items) + 1):
        item = items[index] if index < len(items) else None
        before = items[index - 1]
        together = (
            isinstance(item, TextLine)
            and isinstance(before, TextLine)
            and item.above is not None
            and item.above < 1.7 * item.size * 1.2
            and item.size == before.size
        )
        if not together:
            edges[start:index] = [max(edges[start:index])] * (index - start)
            start = index
    return edges
