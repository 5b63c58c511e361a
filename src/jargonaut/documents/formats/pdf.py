"""PDF with a text layer, as PDFium reads it. A page is a place; headings come from the outline, else from type size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import normalised
from jargonaut.documents.metadata import Metadata, iso_date

_LEAST_CHARACTERS = 8
"""Characters a page must have on average; scanned pages have none or a stamp."""
_HEADING_SIZE = 1.15
"""Least size of a heading, in sizes of the body's type."""
_LONGEST_HEADING = 120
_LEAST_REPEATS = 3
_LEAST_SHARE = 0.1
"""Of pages whose first or last line is the same, for it to be a running head or foot."""
_LEADERS = re.compile(r"(?:\s?[.．·]){4,}")
_NUMBER = re.compile(r"[\dA-Z]{1,3}(?:\.\d{1,3})*\.?\s+")
_SOFT_HYPHEN = re.compile("[\u0002\ufffe\u00ad]")
"""What PDFium gives for a hyphen at the end of a line; it often joins the lines itself."""
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])(?:\u00ad\n?|-\n)(?=[a-zà-ÿ])")
_ENDS_SENTENCE = re.compile(r"[.!?:;。！？：；][\"'”’)）】」]*\Z")
_BULLET = re.compile(r"(?P<mark>[•◦▪‣●○■–·*-]|\d{1,3}[.)]|[(（]\d{1,3}[)）])\s+(?=\S)")
_DIGITS = re.compile(r"\d+")
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})")
_UNREADABLE = "PDFium cannot read it"


class PdfParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        with _opened(data) as pdf:
            pages = [_read_page(pdf, number) for number in range(len(pdf))]
            _check_text(pages)
            outline = _outline(pdf)
            metadata = _metadata(pdf)
        composer = Composer()
        running = _running_lines(pages)
        levels = _size_levels(pages) if not outline else {}
        for number, page in enumerate(pages, start=1):
            lines = [line for line in page if line.key not in running]
            _Page(composer, number, outline.get(number, {}), levels).add(lines)
        title = str(metadata.get("title", ""))
        return composer.document(uri, digest_bytes(data), "application/pdf", metadata, title)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    """Type size in points, rounded to halves."""

    @property
    def key(self) -> str:
        """The same for running heads that differ in the page number."""
        return _DIGITS.sub("#", self.text.strip())


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError("It is encrypted with a password.", "Save a copy without a password.") from error
        raise InputError(f"{_UNREADABLE}: {error}", "Open it in a PDF viewer and save it anew.") from error


def _read_page(pdf: pdfium.PdfDocument, number: int) -> list[_Line]:
    try:
        page = pdf[number]
        text_page = page.get_textpage()
    except pdfium.PdfiumError as error:
        raise InputError(
            f"{_UNREADABLE}: page {number + 1}: {error}", "Open it in a PDF viewer and save it anew."
        ) from error
    try:
        return list(_lines(text_page))
    finally:
        text_page.close()
        page.close()


def _lines(text_page: pdfium.PdfTextPage) -> Iterator[_Line]:
    position = 0
    for line in text_page.get_text_range().split("\n"):
        text = line.strip()
        if text:
            first = position + len(line) - len(line.lstrip())
            size = pdfium_c.FPDFText_GetFontSize(text_page.raw, first)
            yield _Line(_SOFT_HYPHEN.sub("\u00ad", text), round(size * 2) / 2)
        position += len(line) + 1


def _check_text(pages: Sequence[Sequence[_Line]]) -> None:
    characters = sum(len(line.text) for page in pages for line in page)
    if not pages or characters < _LEAST_CHARACTERS * len(pages):
        raise InputError(
            f"It has {len(pages)} pages and next to no text: it looks scanned.",
            "Recognising text in images (OCR) is not available: run an OCR program that adds a text layer first.",
        )


def _metadata(pdf: pdfium.PdfDocument) -> Metadata:
    values = pdf.get_metadata_dict(skip_empty=True)
    metadata: Metadata = {}
    for key, name in (("Title", "title"), ("Author", "author"), ("Subject", "description")):
        text = " ".join(normalised(values.get(key, "")).split())
        # Office programs leave the name of their own file here.
        if text and not text.lower().endswith((".doc", ".docx", ".dvi", ".tex", ".indd", ".ppt", ".pptx")):
            metadata[name] = text
    date = _PDF_DATE.match(values.get("ModDate", "") or values.get("CreationDate", ""))
    if date:
        metadata["date"] = iso_date("-".join(date.groups()))
    if values.get("Keywords"):
        metadata["tags"] = tuple(word.strip() for word in re.split(r"[,;]", values["Keywords"]) if word.strip())
    return metadata


def _outline(pdf: pdfium.PdfDocument) -> dict[int, dict[str, int]]:
    """By page (from 1), the headings that begin there, letters only, with their level."""
    outline: dict[int, dict[str, int]] = {}
    for bookmark in pdf.get_toc():
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        title = _letters(bookmark.get_title())
        if index is not None and title:
            outline.setdefault(index + 1, {})[title] = min(bookmark.level + 1, 6)
    return outline


def _running_lines(pages: Sequence[Sequence[_Line]]) -> frozenset[str]:
    """Keys of heads and feet that stand on many pages."""
    counts = Counter(key for page in pages if page for key in {page[0].key, page[-1].key})
    return frozenset(key for key, count in counts.items() if count >= max(_LEAST_REPEATS, _LEAST_SHARE * len(pages)))


def _size_levels(pages: Sequence[Sequence[_Line]]) -> dict[float, int]:
    """Levels of the type sizes that are larger than the body's."""
    characters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            characters[line.size] += len(line.text)
    body = characters.most_common(1)[0][0]
    larger = sorted((size for size in characters if size >= _HEADING_SIZE * body), reverse=True)
    return {size: min(level, 4) for level, size in enumerate(larger, start=1)}


def _joined(lines: Sequence[str]) -> str:
    """Lines as one text, words that were broken made whole."""
    return _BROKEN_WORD.sub("", "\n".join(lines)).replace("\u00ad\n", "-").replace("\u00ad", "-")


def _letters(text: str) -> str:
    return "".join(character for character in normalised(text).casefold() if character.isalnum())


class _Page:
    """Joins the lines of one page into blocks."""

    def __init__(self, composer: Composer, number: int, outline: dict[str, int], levels: dict[float, int]) -> None:
        self._composer = composer
        self._place = Place(page=number)
        self._outline = outline
        self._levels = levels
        self._lines: list[str] = []
        self._width = 0

    def add(self, lines: Sequence[_Line]) -> None:
        """Add all of them."""
        self._width = max((len(line.text) for line in lines), default=0)
        heading: list[str] = []
        level = 0
        for line in lines:
            found = self._heading_level(line)
            if heading and found != level:
                self._heading(heading, level)
                heading = []
            if found:
                self._flush()
                heading.append(line.text)
                level = found
            else:
                self._line(line.text.strip())
        if heading:
            self._heading(heading, level)
        self._flush()
        self._composer.end_list()

    def _heading_level(self, line: _Line) -> int:
        if self._outline:
            plain = _NUMBER.sub("", line.text, count=1)
            return self._outline.get(_letters(line.text)) or self._outline.get(_letters(plain)) or 0
        if len(line.text) > _LONGEST_HEADING or not any(character.isalpha() for character in line.text):
            return 0
        return self._levels.get(line.size, 0)

    def _heading(self, lines: list[str], level: int) -> None:
        inline = Inline()
        inline.add(_joined(lines))
        self._composer.heading(inline, level, self._place)

    def _line(self, text: str) -> None:
        if _BULLET.match(text):
            self._flush()
        self._lines.append(text)
        if _ENDS_SENTENCE.search(text) and len(text) < 0.8 * self._width:
            self._flush()

    def _flush(self) -> None:
        if not self._lines:
            return
        text = _LEADERS.sub(" … ", _joined(self._lines))
        self._lines = []
        inline = Inline()
        bullet = _BULLET.match(text)
        inline.add(text[bullet.end() :] if bullet else text)
        if bullet:
            mark = bullet["mark"] if bullet["mark"][-1] in ".)）" else "-"
            self._composer.item(inline, mark, 0, self._place)
        else:
            self._composer.paragraph(inline, self._place)
