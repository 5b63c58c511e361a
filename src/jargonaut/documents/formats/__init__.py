"""One parser a format, loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from jargonaut.documents.port import Parser

_PACKAGE = "jargonaut.documents.formats"
PARSERS: Mapping[str, str] = MappingProxyType(
    {
        ".htm": f"{_PACKAGE}.html:HtmlParser",
        ".html": f"{_PACKAGE}.html:HtmlParser",
        ".csv": f"{_PACKAGE}.csv_table:CsvParser",
        ".docm": f"{_PACKAGE}.docx:DocxParser",
        ".docx": f"{_PACKAGE}.docx:DocxParser",
        ".odp": f"{_PACKAGE}.odp:OdpParser",
        ".ods": f"{_PACKAGE}.ods:OdsParser",
        ".odt": f"{_PACKAGE}.odt:OdtParser",
        ".pptm": f"{_PACKAGE}.pptx:PptxParser",
        ".pptx": f"{_PACKAGE}.pptx:PptxParser",
        ".xlsm": f"{_PACKAGE}.xlsx:XlsxParser",
        ".xlsx": f"{_PACKAGE}.xlsx:XlsxParser",
        ".jsonl": f"{_PACKAGE}.jsonl:JsonlParser",
        ".ndjson": f"{_PACKAGE}.jsonl:JsonlParser",
        ".tab": f"{_PACKAGE}.csv_table:CsvParser",
        ".tsv": f"{_PACKAGE}.csv_table:CsvParser",
        ".markdown": f"{_PACKAGE}.markdown:MarkdownParser",
        ".md": f"{_PACKAGE}.markdown:MarkdownParser",
        ".mdx": f"{_PACKAGE}.markdown:MarkdownParser",
        ".pdf": f"{_PACKAGE}.pdf:PdfParser",
        ".rst": f"{_PACKAGE}.restructuredtext:RestructuredTextParser",
        ".text": f"{_PACKAGE}.text:TextParser",
        ".txt": f"{_PACKAGE}.text:TextParser",
    }
)
"""Where the parser of an extension (lower case, with its dot) is: `module:class`."""


def load_parser(path: str) -> Parser:
    """The parser at `module:class`."""
    module, _, name = path.partition(":")
    parser: Parser = getattr(import_module(module), name)()
    return parser
