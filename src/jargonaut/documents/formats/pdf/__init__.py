"""PDF, as PDFium reads it. A page is a place.

The stages, a module each: a page's `glyphs` and `drawings`; `visibility`; `words` and `lines`; `furniture` dropped;
`tables` by `grids` of rules or by `alignment`; reading order by `regions`; `layout`; `styles` over all pages; `blocks`.
"""

from jargonaut.documents.formats.pdf.parser import PdfParser

__all__ = ["PdfParser"]
