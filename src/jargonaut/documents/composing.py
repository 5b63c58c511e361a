"""How every parser makes a document: blocks in, one text with exact spans out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, Literal

from jargonaut.core.document import Block, BlockKind, CrossReference, Document, Place
from jargonaut.core.sentences import split_sentences
from jargonaut.core.table_rows import CELL_MARK, marked
from jargonaut.documents import scripts
from jargonaut.documents.encodings import normalised, visible
from jargonaut.documents.language import SAMPLE, detect_language
from jargonaut.documents.metadata import Metadata

CODE_INDENT = "    "
"""Before every line of code, so that code stays recognisable where it stands among prose."""

_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_BREAK_IN_CJK = re.compile(rf"(?<=[{_CJK}])[ \t]*\n\s*(?=[{_CJK}])")
_IS_CJK = re.compile(rf"[{_CJK}]")
_BLANKS = re.compile(r"\s+")
_ITEM_MARK = re.compile(r"\s*(?:[-*•]|\d{1,9}[.)])\s+")
_HIGHEST_LEVEL = 6
_LONGEST_LIST = 20_000
"""Characters after which a list goes on in another block, so that long ones take no longer to put together."""
_WITHOUT_WIDTH = "without width"
RAISED: Final = "raised"
LOWERED: Final = "lowered"
Script = Literal["", "raised", "lowered"]
"""How text stands to its line."""


class Inline:
    """A run of text under construction: white space collapsed, references remembered."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._break = False
        self._tail = " "
        self._length = 0
        self._script: Script = ""
        self._scripted: list[str] = []
        self.invisible = 0
        """Characters without width that were left out."""
        self.references: list[tuple[int, str]] = []
        """Offset into the text, and target."""

    @property
    def text(self) -> str:
        """What has been added, without blanks at the end."""
        self._end_script()
        return normalised("".join(self._parts)).rstrip()

    @property
    def length(self) -> int:
        """Characters that have been added."""
        self._end_script()
        return self._length

    def add(self, text: str, script: Script = "") -> None:
        """Add text; its line feeds are soft. What is raised or lowered is written as `scripts` says."""
        if script != self._script:
            self._end_script()
            self._script = script
        if script:
            self._scripted.append(text)
        else:
            self._add(text)

    def _add(self, text: str) -> None:
        text, invisible = visible(text)
        self.invisible += invisible
        if "\n" in text:
            text = _BREAK_IN_CJK.sub("", text)
        text = _BLANKS.sub(" ", text)
        if self._tail[-1] == " ":
            text = text.removeprefix(" ")
        if not text:
            return
        if self._break:
            self._break = False
            if not (_IS_CJK.match(self._tail[-1]) and _IS_CJK.match(text)):
                self._add(" ")
        self._parts.append(text)
        self._length += len(text)
        self._tail = (self._tail + text)[-scripts.TAIL :]

    def _end_script(self) -> None:
        script, self._script = self._script, ""
        if not script:
            return
        text, self._scripted = "".join(self._scripted), []
        shown = visible(text)[0].strip()
        before = " " if self._break or text[:1].isspace() else self._tail
        written = scripts.raised(before, shown) if script == RAISED else scripts.lowered(before, shown)
        self._add(text.replace(shown, written, 1) if shown else text)

    def soft_break(self) -> None:
        """A line ends: a blank, or nothing between two Chinese characters."""
        self._end_script()
        self._break = self._tail[-1] != " "

    def refer(self, target: str | None) -> None:
        """What is added next refers to `target`."""
        if target:
            self.references.append((self.length, target))

    def include(self, other: Inline) -> None:
        """Add all of `other`."""
        start = self.length
        self.add(other.text)
        self.invisible += other.invisible
        self.references.extend((start + offset, target) for offset, target in other.references)


@dataclass(slots=True)
class _Draft:
    kind: BlockKind
    text: str
    place: Place
    level: int
    anchors: list[str]
    references: list[tuple[int, str]]
    header_lines: int = 1
    lines: tuple[int, ...] = ()


@dataclass(slots=True)
class Composer:
    """Collects the blocks of one document, in order."""

    _drafts: list[_Draft] = field(default_factory=list)
    _anchors: list[str] = field(default_factory=list)
    _list_is_open: bool = False
    _hidden: Counter[str] = field(default_factory=Counter)

    @property
    def ends_with_heading(self) -> bool:
        """Whether nothing has come since the last heading."""
        return bool(self._drafts) and self._drafts[-1].kind == "heading"

    @property
    def last_text(self) -> str:
        """Text of the last block."""
        return self._drafts[-1].text if self._drafts else ""

    def anchor(self, name: str) -> None:
        """`name` refers to whatever block comes next."""
        if name and name not in self._anchors:
            self._anchors.append(name)

    def take_anchors(self) -> list[str]:
        """Names that wait for the next block, which do so no longer."""
        names, self._anchors = self._anchors, []
        return names

    def anchor_last(self, names: Iterable[str]) -> None:
        """`names` refer to the last block, or to the next if there is none."""
        known = self._drafts[-1].anchors if self._drafts else self._anchors
        known.extend(name for name in names if name not in known)

    def heading(self, inline: Inline, level: int, place: Place) -> None:
        """A heading of level 1 to 6; lower ones count as 6."""
        self._append("heading", self._shown(inline), inline.references, place, min(max(level, 1), _HIGHEST_LEVEL))

    def paragraph(self, inline: Inline, place: Place) -> None:
        """Prose."""
        self._append("paragraph", self._shown(inline), inline.references, place)

    def caption(self, inline: Inline, place: Place) -> None:
        """What is written at a figure or a table."""
        self._append("caption", self._shown(inline), inline.references, place)

    def note(self, inline: Inline, mark: str, place: Place) -> None:
        """A footnote, endnote or speaker's note, after what it belongs to; `mark` as the reader sees it, or empty."""
        prefix = f"[{mark}] " if mark else ""
        references = [(len(prefix) + offset, target) for offset, target in inline.references]
        text = self._shown(inline)
        self._append("note", prefix + text if text else "", references, place)

    def hide(self, why: str, text: str) -> None:
        """`text` was left out, for a reader would not have seen it; `why` in two or three words."""
        if length := len("".join(text.split())):
            self._hidden[why] += length

    def item(self, inline: Inline, mark: str, depth: int, place: Place) -> None:
        """A list item, or more of one if `mark` is empty. Items in a row are one block."""
        shown = self._shown(inline)
        if not shown:
            return
        prefix = "  " * depth + (f"{mark} " if mark else "  ")
        references = [(len(prefix) + offset, target) for offset, target in inline.references]
        text = prefix + shown
        if self._list_is_open and len(self._drafts[-1].text) < _LONGEST_LIST:
            last = self._drafts[-1]
            start = len(last.text) + 1
            last.text += "\n" + text
            last.anchors.extend(self._anchors)
            self._anchors.clear()
            last.references.extend((start + offset, target) for offset, target in references)
        else:
            self._append("list", text, references, place)
            self._list_is_open = True

    def end_list(self) -> None:
        """The next item begins a new list."""
        self._list_is_open = False

    def table(
        self, rows: Iterable[Sequence[Inline | str]], place: Place, header_rows: int = 1, numbers: Sequence[int] = ()
    ) -> None:
        """Rows of cells, header rows first; one line a row, rows without text left out.

        A merged cell's text stands in each of its places, so that every row can be read alone.

        Args:
            rows: Of cells; plain text serves for one without references.
            place: Of the first row.
            header_rows: How many of them are header rows.
            numbers: For each row, its line or row in the source; may grow as `rows` are taken.
        """
        lines: list[str] = []
        kept: list[int] = []
        references: list[tuple[int, str]] = []
        start = 0
        for number, row in enumerate(rows):
            cells: list[str] = []
            position = start
            for cell in row:
                if isinstance(cell, str):
                    cells.append(marked(self._shown_text(cell)))
                else:
                    references.extend((position + offset, target) for offset, target in cell.references)
                    cells.append(marked(self._shown(cell)))
                position += len(cells[-1]) + len(CELL_MARK)
            if any(cells):
                lines.append(CELL_MARK.join(cells))
                kept.append(number)
                start += len(lines[-1]) + 1
        self._append("table", "\n".join(lines), references, place)
        if lines:
            table = self._drafts[-1]
            table.header_lines = sum(number < header_rows for number in kept)
            table.lines = tuple(numbers[number] for number in kept) if numbers else ()

    def code(self, text: str, place: Place) -> None:
        """Code, verbatim but for an indent."""
        lines = self._shown_lines(text)
        self._append("code", "\n".join(f"{CODE_INDENT}{line}" if line else "" for line in lines).strip("\n"), [], place)

    def verbatim(self, kind: BlockKind, text: str, place: Place) -> None:
        """Text whose lines stay as they are."""
        self._append(kind, "\n".join(self._shown_lines(text)).strip("\n"), [], place)

    def document(self, uri: str, content_digest: str, media_type: str, metadata: Metadata, title: str = "") -> Document:
        """The document made of all blocks so far. Its title: `title`, the highest heading, or the file's name."""
        parts: list[str] = []
        blocks: list[Block] = []
        references: list[CrossReference] = []
        start = 0
        self.anchor_last(self._anchors[:])
        for draft in self._drafts:
            # Pieces in NFC may combine when joined; references then stay within a few characters.
            text = draft.text if unicodedata.is_normalized("NFC", draft.text) else normalised(draft.text)
            end = start + len(text)
            anchors = tuple(dict.fromkeys(map(normalised, draft.anchors)))
            blocks.append(
                Block(draft.kind, start, end, draft.place, draft.level, anchors, draft.header_lines, draft.lines)
            )
            references.extend(_sentence_references(text, start, draft.references))
            parts.append(text)
            start = end + 2
        return Document(
            uri=uri,
            content_digest=content_digest,
            text="\n\n".join(parts),
            blocks=tuple(blocks),
            title=" ".join(visible(normalised(title))[0].split()) or self._highest_heading() or PurePosixPath(uri).stem,
            language=self._language() or _declared_language(metadata),
            media_type=media_type,
            metadata=metadata,
            references=tuple(references),
            hidden=dict(sorted(self._hidden.items())),
        )

    def _shown(self, inline: Inline) -> str:
        self._hidden.update({_WITHOUT_WIDTH: inline.invisible} if inline.invisible else {})
        return inline.text

    def _shown_text(self, text: str) -> str:
        if not text.isascii() or not text.isprintable():
            text, invisible = visible(normalised(text))
            self._hidden.update({_WITHOUT_WIDTH: invisible} if invisible else {})
        return " ".join(text.split())

    def _shown_lines(self, text: str) -> list[str]:
        shown, invisible = visible(normalised(text))
        self._hidden.update({_WITHOUT_WIDTH: invisible} if invisible else {})
        return [line.rstrip() for line in shown.split("\n")]

    def _append(
        self, kind: BlockKind, text: str, references: list[tuple[int, str]], place: Place, level: int = 0
    ) -> None:
        self._list_is_open = False
        if text.strip():
            self._drafts.append(_Draft(kind, text, place, level, list(self._anchors), references[:]))
            self._anchors.clear()

    def _highest_heading(self) -> str:
        headings = [draft for draft in self._drafts if draft.kind == "heading"]
        return min(headings, key=lambda draft: draft.level).text if headings else ""

    def _language(self) -> str:
        prose, length = [], 0
        for draft in self._drafts:
            if draft.kind != "code":
                prose.append(draft.text)
                length += len(draft.text)
            if length > SAMPLE:
                break
        return detect_language(" ".join(prose))


def _sentence_references(text: str, start: int, references: list[tuple[int, str]]) -> Iterable[CrossReference]:
    """Each reference with the sentence that it stands in, without a list mark."""
    if not references:
        return
    sentences = split_sentences(text)
    number = 0
    for offset, target in sorted(references):
        while number + 1 < len(sentences) and sentences[number + 1][0] <= offset:
            number += 1
        first, last = sentences[number]
        mark = _ITEM_MARK.match(text, first, last)
        yield CrossReference(start + (mark.end() if mark else first), start + last, normalised(target))


def _declared_language(metadata: Metadata) -> str:
    declared = metadata.get("lang") or metadata.get("language") or ""
    return declared.lower().replace("_", "-").split("-")[0] if isinstance(declared, str) else ""
