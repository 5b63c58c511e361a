"""A PDF as a whole: opened, and what it says about itself."""

from __future__ import annotations

import re

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from jargonaut.core.errors import InputError
from jargonaut.documents.encodings import normalised
from jargonaut.documents.metadata import Metadata, iso_date

UNREADABLE = "PDFium cannot read it"
SAVE_ANEW = "Open it in a PDF viewer and save it anew."
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})")
_OWN_FILE = (".doc", ".docx", ".dvi", ".htm", ".html", ".indd", ".odt", ".ppt", ".pptx", ".rtf", ".tex", ".xlsx")
_NO_TITLE = frozenset(
    {"untitled", "about:blank", "unnamed", "anonymous", "unspecified", "(anonymous)", "(unspecified)"}
)
"""What programs write where nobody gave a title or an author."""


def opened(data: bytes) -> pdfium.PdfDocument:
    """The document; one that only its owner may change is read like any other.

    Raises:
        InputError: It is damaged, or cannot be opened without a password.
    """
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError("It is encrypted with a password.", "Save a copy without a password.") from error
        raise InputError(f"{UNREADABLE}: {error}", SAVE_ANEW) from error


def metadata_of(pdf: pdfium.PdfDocument) -> Metadata:
    """What the document's information says, but for the names of files that office programs leave there."""
    values = pdf.get_metadata_dict(skip_empty=True)
    metadata: Metadata = {}
    for key, name in (("Title", "title"), ("Author", "author"), ("Subject", "description")):
        text = " ".join(normalised(values.get(key, "")).removeprefix("Microsoft Word - ").split())
        if text and not text.lower().endswith(_OWN_FILE) and text.lower() not in _NO_TITLE:
            metadata[name] = text
    for key, name in (("CreationDate", "created"), ("ModDate", "date")):
        if date := _PDF_DATE.match(values.get(key, "")):
            metadata[name] = iso_date("-".join(date.groups()))
    created = metadata.pop("created", "")
    if created:
        metadata.setdefault("date", created)
    if values.get("Keywords"):
        metadata["tags"] = tuple(word.strip() for word in re.split(r"[,;]", values["Keywords"]) if word.strip())
    if language := _language(pdf):
        metadata["language"] = language
    return metadata


def _language(pdf: pdfium.PdfDocument) -> str:
    length = pdfium_c.FPDFCatalog_GetLanguage(pdf.raw, None, 0)
    if length <= 2:
        return ""
    buffer = (pdfium_c.FPDF_WCHAR * (length // 2))()
    pdfium_c.FPDFCatalog_GetLanguage(pdf.raw, buffer, length)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0").strip()


def outline_of(pdf: pdfium.PdfDocument) -> dict[int, dict[str, int]]:
    """By page (from 1), the headings that begin there, letters only, with their level."""
    outline: dict[int, dict[str, int]] = {}
    for bookmark in pdf.get_toc():
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        title = letters(bookmark.get_title())
        if index is not None and title:
            outline.setdefault(index + 1, {})[title] = min(bookmark.level + 1, 6)
    return outline


def letters(text: str) -> str:
    """Its letters and digits, whatever their case."""
    return "".join(character for character in normalised(text).casefold() if character.isalnum())
