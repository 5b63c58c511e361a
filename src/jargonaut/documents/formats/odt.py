"""ODT: what a word processor shows of an OpenDocument text."""

from __future__ import annotations

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document
from jargonaut.documents.composing import Composer
from jargonaut.documents.formats.odf import OdfPackage
from jargonaut.documents.formats.odf_text import OdfText
from jargonaut.documents.formats.ooxml import meaningful_title

_MEDIA_TYPE = "application/vnd.oasis.opendocument.text"


class OdtParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OdfPackage(data, "ODT", "text")
        composer = Composer()
        text = OdfText(package, composer, uri)
        text.blocks(package.body)
        metadata = package.metadata()
        title = text.title or meaningful_title(metadata)
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, title)
