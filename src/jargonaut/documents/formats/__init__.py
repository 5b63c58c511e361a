"""One parser a format, loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from jargonaut.documents.port import Container, Parser

_PACKAGE = "jargonaut.documents.formats"
PARSERS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": f"{_PACKAGE}.csv_table:CsvParser",
        ".docm": f"{_PACKAGE}.docx:DocxParser",
        ".docx": f"{_PACKAGE}.docx:DocxParser",
        ".eml": f"{_PACKAGE}.mail:MailParser",
        ".epub": f"{_PACKAGE}.epub:EpubParser",
        ".htm": f"{_PACKAGE}.html:HtmlParser",
        ".html": f"{_PACKAGE}.html:HtmlParser",
        ".ipynb": f"{_PACKAGE}.notebook:NotebookParser",
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

CONTAINERS: Mapping[str, str] = MappingProxyType(
    {
        ".bz2": f"{_PACKAGE}.archive:CompressedFile",
        ".eml": f"{_PACKAGE}.mail:MailAttachments",
        ".gz": f"{_PACKAGE}.archive:CompressedFile",
        ".tar": f"{_PACKAGE}.archive:TarArchive",
        ".tbz2": f"{_PACKAGE}.archive:TarArchive",
        ".tgz": f"{_PACKAGE}.archive:TarArchive",
        ".txz": f"{_PACKAGE}.archive:TarArchive",
        ".xz": f"{_PACKAGE}.archive:CompressedFile",
        ".zip": f"{_PACKAGE}.archive:ZipArchive",
    }
)
"""Where that which opens an extension is, if it holds other files: `module:class`."""


def load_parser(path: str) -> Parser:
    """The parser at `module:class`."""
    parser: Parser = _made(path)
    return parser


def load_container(path: str) -> Container:
    """The container at `module:class`."""
    container: Container = _made(path)
    return container


def _made(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)()
