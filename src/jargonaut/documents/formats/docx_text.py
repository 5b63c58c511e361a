"""The text of one DOCX paragraph: its runs and fields as a reader sees them, and what hangs on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jargonaut.documents.composing import Composer, Inline, Script
from jargonaut.documents.formats.counting import counted
from jargonaut.documents.formats.docx_styles import VAL, RunLook, Styles
from jargonaut.documents.formats.equations import M, equation_text
from jargonaut.documents.formats.hidden import DELETION, WHITE
from jargonaut.documents.formats.ooxml import MC, OfficePackage, R, W, chosen
from jargonaut.documents.formats.package import Element
from jargonaut.documents.links import resolve_link

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s*(?:\"([^\"]*)\"|(\S+))?")
_DROPPED_FIELDS = frozenset({"TOC", "INDEX", "TOA", "RD", "TC", "XE"})
_UNTOLD_BOOKMARKS = ("_GoBack", "_Hlk", "_Toc", "OLE_LINK")
_TRANSPARENT = frozenset(
    W + name for name in ("ins", "moveTo", "smartTag", "customXml", "dir", "bdo", "sdtContent", "sdt", "rubyBase")
)
_DELETED = frozenset({f"{W}del", f"{W}moveFrom"})
_DRAWN = frozenset({f"{W}drawing", f"{W}pict", f"{W}object"})
_NOTES = {f"{W}footnoteReference": "footnote", f"{W}endnoteReference": "endnote"}
_SYMBOLS = {
    **dict.fromkeys(("F0FC", "F0FE", "F052"), "☑"),
    **dict.fromkeys(("F0A8", "F06F", "F0A3"), "☐"),
    **dict.fromkeys(("F0B7", "F06C", "F0A7", "F0D8"), "•"),
    **{"F0FB": "☒", "F0E0": "→", "F0E8": "⇒", "F0B0": "°", "F0B1": "±", "F0B4": "×", "F06D": "μ", "F061": "α"},
    **{"F062": "β", "F067": "γ", "F044": "Δ", "F057": "Ω", "F0B3": "≥", "F0B9": "≠"},
}


@dataclass(slots=True)
class _Field:
    """A complex field that is under way: its code, then its result."""

    code: str = ""
    in_result: bool = False
    dropped: bool = False


@dataclass(slots=True)
class Reading:
    """What was found in a paragraph."""

    inline: Inline = field(default_factory=Inline)
    raw: list[str] = field(default_factory=list)
    """The text with its tabs and line breaks."""
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """Footnote or endnote, its id and its mark."""
    drawings: list[Element] = field(default_factory=list)
    page: int = 0
    """On which its text begins; 0 until there is text."""
    numbers_itself: bool = False
    """Whether it holds a SEQ field, as captions do."""


class TextReader:
    """Reads paragraphs one after the other; fields and pages go on from one to the next.

    Args:
        package: The file.
        part: Name of the part that the text is in.
        styles: Of the document.
        composer: Counts what is hidden, and takes anchors.
        uri: Of the document, for links.
        note_styles: How footnotes and endnotes are numbered.
    """

    def __init__(
        self,
        package: OfficePackage,
        part: str,
        styles: Styles,
        composer: Composer,
        uri: str,
        note_styles: Mapping[str, str],
    ) -> None:
        self._relations = package.relations(part)
        self._styles = styles
        self._composer = composer
        self._uri = uri
        self._note_styles = note_styles
        self._fields: list[_Field] = []
        self._note_counts = {"footnote": 0, "endnote": 0}
        self.page = 1
        self._reading = Reading()
        self._look = RunLook()
        self._ground: str | None = WHITE

    @property
    def in_dropped_field(self) -> bool:
        """Whether a table of contents or the like is under way."""
        return any(each.dropped for each in self._fields)

    def end_dropped_fields(self) -> None:
        """A heading ends a table of contents whose end is missing."""
        self._fields = [each for each in self._fields if not each.dropped]

    def read(self, paragraph: Element, look: RunLook, ground: str | None, into: Reading | None = None) -> Reading:
        """The text of `paragraph`.

        Args:
            paragraph: A `w:p`.
            look: Of its text, where runs say nothing else.
            ground: Colour that it stands on; None if that is not known.
            into: Text that it continues.
        """
        outer = (self._reading, self._look, self._ground)
        self._reading = into or Reading()
        self._look, self._ground = look, ground
        self._walk(paragraph)
        # A field's code ends with its paragraph; else one broken field would swallow the document.
        while self._fields and not self._fields[-1].in_result:
            self._fields.pop()
        reading = self._reading
        self._reading, self._look, self._ground = outer
        return reading

    def _walk(self, element: Element) -> None:
        for child in element:
            tag = child.tag
            if tag == f"{W}r":
                self._run(child)
            elif tag in _TRANSPARENT:
                self._walk(child)
            elif tag == f"{W}hyperlink":
                self._link(child)
            elif tag in _DELETED:
                self._composer.hide(DELETION, deleted_text(child))
            elif tag == f"{W}fldSimple":
                self._simple_field(child)
            elif tag == f"{W}bookmarkStart":
                self._anchor(child.get(f"{W}name") or "")
            elif tag == f"{MC}AlternateContent":
                self._walk(chosen(child))
            elif isinstance(tag, str) and tag.startswith(M):
                self._text(equation_text(child), "")

    def _link(self, element: Element) -> None:
        relation = self._relations.get(element.get(f"{R}id") or "")
        anchor = element.get(f"{W}anchor")
        if relation is not None and relation.external:
            self._reading.inline.refer(resolve_link(relation.target + (f"#{anchor}" if anchor else ""), self._uri))
        elif anchor and not anchor.startswith(_UNTOLD_BOOKMARKS):
            self._reading.inline.refer(f"{self._uri}#{anchor}")
        self._walk(element)

    def _anchor(self, name: str) -> None:
        if not name.startswith(_UNTOLD_BOOKMARKS):
            self._composer.anchor(name)

    def _run(self, run: Element) -> None:
        properties = run.find(f"{W}rPr")
        look = self._look
        if properties is not None:
            named = properties.find(f"{W}rStyle")
            if named is not None:
                look = self._styles.run(named.get(VAL) or "").over(look)
            look = self._styles.look(properties).over(look)
        self._contents(run, look.hidden(self._ground), look.script or "")

    def _contents(self, run: Element, hidden: str, script: Script = "") -> None:
        for child in run:
            tag = child.tag
            if tag == f"{W}t":
                self._text(child.text or "", hidden, script)
            elif tag in _BLANKS:
                self._text(_BLANKS[tag], hidden)
            elif tag == f"{W}lastRenderedPageBreak":
                self.page += 1
            elif tag == f"{W}fldChar":
                self._field_mark(child.get(f"{W}fldCharType") or "")
            elif tag == f"{W}instrText":
                if self._fields and not self._fields[-1].in_result:
                    self._fields[-1].code += child.text or ""
            else:
                self._object(child, hidden, script)

    def _object(self, element: Element, hidden: str, script: Script) -> None:
        """What stands in a run and is no text."""
        tag = element.tag
        if tag in _NOTES:
            self._note(element, _NOTES[tag], hidden)
        elif tag in _DRAWN:
            self._reading.drawings.append(element)
        elif tag == f"{W}sym":
            self._text(_SYMBOLS.get((element.get(f"{W}char") or "").upper(), ""), hidden)
        elif tag == f"{MC}AlternateContent":
            self._contents(chosen(element), hidden, script)
        elif tag == f"{W}ruby":
            for base in element.iterfind(f"{W}rubyBase"):
                self._walk(base)

    def _text(self, text: str, hidden: str, script: Script = "") -> None:
        if not text or any(each.dropped or not each.in_result for each in self._fields):
            return
        if hidden:
            self._composer.hide(hidden, text)
            return
        reading = self._reading
        if not reading.page and not text.isspace():
            reading.page = self.page
        reading.raw.append(text)
        reading.inline.add(text.replace("\n", " "), script)

    def _note(self, element: Element, kind: str, hidden: str) -> None:
        if hidden:
            return
        if element.get(f"{W}customMarkFollows") in ("1", "true"):
            self._reading.notes.append((kind, element.get(f"{W}id") or "", ""))
            return
        self._note_counts[kind] += 1
        mark = counted(self._note_counts[kind], self._note_styles[kind])
        self._text(f"[{mark}]", "")
        self._reading.notes.append((kind, element.get(f"{W}id") or "", mark))

    def _field_mark(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            current = self._fields[-1]
            current.in_result = True
            current.dropped = self._begin_result(current.code)
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _simple_field(self, element: Element) -> None:
        if not self._begin_result(element.get(f"{W}instr") or ""):
            self._walk(element)

    def _begin_result(self, code: str) -> bool:
        """Note what the result of a field with that code is; whether it is to be dropped."""
        match = _INSTRUCTION.match(code)
        if match is None:
            return False
        name, argument = match[1].upper(), match[2] or match[3] or ""
        if name == "SEQ":
            self._reading.numbers_itself = True
        elif name == "REF" and argument:
            self._reading.inline.refer(f"{self._uri}#{argument}")
        return name in _DROPPED_FIELDS


_BLANKS = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
}


def deleted_text(element: Element) -> str:
    """All text in `element`, deleted or not."""
    return "".join(part.text or "" for part in element.iter(f"{W}t", f"{W}delText"))
