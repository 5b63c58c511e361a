"""One parser a format, loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from jargonaut.documents.port import Parser

_PACKAGE = "jargonaut.documents.formats"
PARSERS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": f"{_PACKAGE}.csv_table:CsvParser",
        ".docm": f"{_PACKAGE}.docx:DocxParser",
        ".docx": f"{_PACKAGE}.docx:DocxParser",
        ".htm": f"{_PACKAGE}.html:HtmlParser",
        ".html": f"{_PACKAGE}.html:HtmlParser",
        ".jsonl": f"{_PACKAGE}.jsonl:JsonlParser",
        ".markdown": f"{_PACKAGE}.markdown:MarkdownParser",
        ".md": f"{_PACKAGE}.markdown:MarkdownParser",
        ".mdx": f"{_PACKAGE}.markdown:MarkdownParser",
        ".ndjson": f"{_PACKAGE}.jsonl:JsonlParser",
        ".odp": f"{_PACKAGE}.odp:OdpParser",
        ".ods": f"{_PACKAGE}.ods:OdsParser",
        ".odt": f"{_PACKAGE}.odt:OdtParser",
        ".pdf": f"{_PACKAGE}.pdf:PdfParser",
        ".pptm": f"{_PACKAGE}.pptx:PptxParser",
        ".pptx": f"{_PACKAGE}.pptx:PptxParser",
        ".rst": f"{_PACKAGE}.restructuredtext:RestructuredTextParser",
        ".tab": f"{_PACKAGE}.csv_table:CsvParser",
        ".text": f"{_PACKAGE}.text:TextParser",
        ".tsv": f"{_PACKAGE}.csv_table:CsvParser",
        ".txt": f"{_PACKAGE}.text:TextParser",
        ".xlsm": f"{_PACKAGE}.xlsx:XlsxParser",
        ".xlsx": f"{_PACKAGE}.xlsx:XlsxParser",
    }
)
"""Where the parser of an extension (lower case, with its dot) is: `module:class`."""


def load_parser(path: str) -> Parser:
    """The parser at `module:class`."""
    module, _, name = path.partition(":")
    parser: Parser = getattr(import_module(module), name)()
    return parser
