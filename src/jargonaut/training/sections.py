"""Sections of documents, and which of them a cross-reference points at."""

from __future__ import annotations

import posixpath
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from jargonaut.core.document import Block, Chunk, Document


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, subsections included."""

    document_id: str
    heading: str
    """Empty for a document without headings, or what comes before the first."""
    path: tuple[str, ...]
    """Headings above it, outermost first."""
    level: int
    start: int
    body_start: int
    """Where the heading ends."""
    own_end: int
    """Where the first subsection begins, or `end`."""
    end: int
    anchors: tuple[str, ...]


def sections_of(document: Document) -> list[Section]:
    """Sections in order; if text comes before the first heading, a section without heading is the first."""
    headings = [block for block in document.blocks if block.kind == "heading"]
    end = len(document.text)
    first = headings[0].start if headings else end
    sections = []
    if document.text[:first].strip():
        sections.append(Section(document.id, "", (), 0, 0, 0, first, first if headings else end, ()))
    above: list[Block] = []
    for number, block in enumerate(headings):
        while above and above[-1].level >= block.level:
            above.pop()
        later = headings[number + 1 :]
        section = Section(
            document_id=document.id,
            heading=_heading_text(document, block),
            path=tuple(_heading_text(document, other) for other in above),
            level=block.level,
            start=block.start,
            body_start=block.end,
            own_end=later[0].start if later else end,
            end=next((other.start for other in later if other.level <= block.level), end),
            anchors=block.anchors,
        )
        sections.append(section)
        above.append(block)
    return sections


@dataclass(frozen=True)
class DocumentSections:
    """A document, its sections and its chunks."""

    document: Document
    chunks: tuple[Chunk, ...]

    @cached_property
    def sections(self) -> list[Section]:
        """In order."""
        return sections_of(self.document)

    @cached_property
    def whole(self) -> Section:
        """The document as one section."""
        document = self.document
        end = len(document.text)
        return Section(document.id, document.title, (), 0, 0, 0, end, end, ())

    @cached_property
    def _spans(self) -> list[tuple[int, int, str]]:
        return sorted((chunk.start, chunk.end, chunk.id) for chunk in self.chunks)

    def chunks_in(self, start: int, end: int) -> tuple[str, ...]:
        """Ids of the chunks of which at least half stands in a span of the text, or that hold half of the span."""
        first = bisect_right(self._spans, start, key=lambda span: span[1])
        last = bisect_left(self._spans, end, key=lambda span: span[0])
        return tuple(
            name
            for at, to, name in self._spans[first:last]
            if 2 * (min(end, to) - max(start, at)) >= min(to - at, end - start) > 0
        )

    def section_at(self, offset: int) -> Section:
        """The innermost section around a place."""
        around = [section for section in self.sections if section.start <= offset < section.end]
        return around[-1] if around else self.whole


class Targets:
    """Looks up what cross-references point at."""

    def __init__(self, corpus: Iterable[DocumentSections]) -> None:
        self._by_uri: dict[str, DocumentSections] = {}
        self._by_tail: dict[str, list[DocumentSections]] = defaultdict(list)
        self._by_anchor: dict[str, list[tuple[DocumentSections, Section]]] = defaultdict(list)
        for item in corpus:
            self._by_uri[item.document.uri] = item
            for tail in _tails(item.document.uri):
                self._by_tail[tail].append(item)
            for section in item.sections:
                for anchor in section.anchors:
                    self._by_anchor[anchor].append((item, section))

    def find(self, target: str, origin: DocumentSections) -> tuple[DocumentSections, Section] | None:
        """The section that `target` in `origin` names; None if there is none, or several."""
        path, mark, anchor = target.partition("#")
        if not mark and target in self._by_anchor:
            return _only(self._by_anchor[target])
        item = self._document(path, origin) if path else origin
        if item is None or not mark:
            return (item, item.whole) if item else None
        return _only([(item, section) for section in item.sections if anchor in section.anchors])

    def _document(self, path: str, origin: DocumentSections) -> DocumentSections | None:
        if path in self._by_uri:
            return self._by_uri[path]
        tail = _stem(path)
        candidates = self._by_tail.get(tail, [])
        if len(candidates) > 1:
            candidates = [item for item in candidates if _stem(item.document.uri) == tail] or candidates
        if len(candidates) > 1:
            root = origin.document.uri.split("/", 1)[0]
            candidates = [item for item in candidates if item.document.uri.split("/", 1)[0] == root]
        return candidates[0] if len(candidates) == 1 else None


def _only(
    found: Sequence[tuple[DocumentSections, Section]],
) -> tuple[DocumentSections, Section] | None:
    return found[0] if len(found) == 1 else None


def _stem(uri: str) -> str:
    """Without extension, and without `index` or `README`: as sites' addresses are."""
    stem = posixpath.splitext(uri.strip("/"))[0]
    folder, _, name = stem.rpartition("/")
    return folder if folder and name.lower() in ("index", "readme", "_index") else stem


def _tails(uri: str) -> list[str]:
    """The stem and its ends of at least two names: a site may mount a folder elsewhere."""
    names = _stem(uri).split("/")
    return ["/".join(names[start:]) for start in range(max(1, len(names) - 1))]


def _heading_text(document: Document, block: Block) -> str:
    return " ".join(document.text[block.start : block.end].split())
