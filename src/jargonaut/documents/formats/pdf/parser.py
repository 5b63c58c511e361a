"""The parser of PDF: pages one after the other, then blocks over all of them."""

from __future__ import annotations

from collections.abc import Iterator

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
from jargonaut.documents.formats.pdf.styles import styles_of


class PdfParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        with opened(data) as pdf:
            layouts = [lay_out(page) for page in without_furniture(_pages(pdf))]
            _check_text(layouts)
            outline = outline_of(pdf)
            metadata = metadata_of(pdf)
        composer = Composer()
        writer = BlockWriter(composer, styles_of(layouts, outline))
        for layout in layouts:
            writer.add(layout)
        writer.end()
        title = str(metadata.get("title", ""))
        return composer.document(uri, digest_bytes(data), "application/pdf", metadata, title)


def _pages(pdf: pdfium.PdfDocument) -> Iterator[Page]:
    for index in range(len(pdf)):
        try:
            page = pdf[index]
        except pdfium.PdfiumError as error:
            raise InputError(f"{UNREADABLE}: page {index + 1}: {error}", SAVE_ANEW) from error
        try:
            yield read_page(page, index + 1)
        finally:
            page.close()


def _check_text(layouts: list[Layout]) -> None:
    if not any(layout.items or layout.notes for layout in layouts):
        raise InputError(
            f"It has {len(layouts)} pages and next to no text: it looks scanned.",
            "Recognising text in images (OCR) is not available: run an OCR program that adds a text layer first.",
        )
