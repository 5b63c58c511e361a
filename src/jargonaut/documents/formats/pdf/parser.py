"""The parser of PDF: pages one after the other, then blocks over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pypdfium2 as pdfium

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer
from jargonaut.documents.formats.pdf.blocks import BlockWriter
from jargonaut.documents.formats.pdf.furniture import without_furniture
from jargonaut.documents.formats.pdf.layout import Layout, lay_out
from jargonaut.documents.formats.pdf.opening import SAVE_ANEW, UNREADABLE, metadata_of, opened, outline_of
from jargonaut.documents.formats.pdf.page import Page, read_page
from jargonaut.documents.formats.pdf.recognition import EXTRA, Recogniser
from jargonaut.documents.formats.pdf.styles import styles_of
from jargonaut.documents.heartbeat import PAGES, beat

_WRITTEN = 20
"""How many times faster pages are written than read."""
UNREAD_PAGES = "unread_pages"
"""In the metadata: numbers of pages that are pictures of text and could not be recognised."""


class PdfParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        with opened(data) as pdf:
            pages = _Pages(pdf)
            layouts: list[Layout] = []
            for page in without_furniture(pages.read()):
                layouts.append(lay_out(page, layouts[-1] if layouts else None))
                if len(layouts) % PAGES == 0:
                    beat()
            pages.check(layouts)
            outline = outline_of(pdf)
            metadata = metadata_of(pdf)
        if pages.unread:
            metadata[UNREAD_PAGES] = _ranges(pages.unread)
        composer = Composer()
        writer = BlockWriter(composer, styles_of(layouts, outline))
        for number, layout in enumerate(layouts, start=1):
            writer.add(layout)
            if number % (_WRITTEN * PAGES) == 0:
                beat()
        writer.end()
        title = str(metadata.get("title", ""))
        return composer.document(uri, digest_bytes(data), "application/pdf", metadata, title)


@dataclass
class _Pages:
    pdf: pdfium.PdfDocument
    unread: list[int] = field(default_factory=list)
    """Those that are pictures of text, and stayed so."""
    recogniser: Recogniser = field(default_factory=Recogniser)

    def read(self) -> Iterator[Page]:
        """One after the other; a picture of text is recognised, if that can be done."""
        for index in range(len(self.pdf)):
            try:
                page = self.pdf[index]
            except pdfium.PdfiumError as error:
                raise InputError(f"{UNREADABLE}: page {index + 1}: {error}", SAVE_ANEW) from error
            try:
                yield self._read_page(page, index + 1)
            finally:
                page.close()

    def _read_page(self, page: pdfium.PdfPage, number: int) -> Page:
        found = read_page(page, number)
        if found.picture is None:
            return found
        recognised = self.recogniser.recognise(page, found)
        if recognised is not None:
            return recognised
        self.unread.append(number)
        return found.picture

    def check(self, layouts: Sequence[Layout]) -> None:
        """Refuse the document if too little of it could be read."""
        count, unread = len(layouts), len(self.unread)
        nothing = not any(layout.items or layout.notes for layout in layouts)
        if self.recogniser.out_of_time and (nothing or unread > count / 2):
            raise InputError(
                f"{unread} of its {count} pages look scanned, and there was no time to recognise their text.",
                f"A page takes {self.recogniser.seconds_a_page} s: raise `file_timeout_s` in [build], or split it.",
            )
        if not nothing:
            return
        if unread:
            raise InputError(
                f"It has {count} pages and next to no text: it looks scanned, "
                "and recognition of text in pictures (OCR) is not installed.",
                f"Install it with: pip install 'jargonaut[{EXTRA}]'",
            )
        raise InputError(
            f"It has {count} pages and no text that a reader would see.", "Check that it is the right file."
        )


def _ranges(numbers: Sequence[int]) -> str:
    """As `1, 3-5`."""
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after != before + 1)]
    stops = [*(before for before, after in pairwise(numbers) if after != before + 1), numbers[-1]]
    return ", ".join(
        str(start) if start == stop else f"{start}-{stop}" for start, stop in zip(starts, stops, strict=True)
    )
