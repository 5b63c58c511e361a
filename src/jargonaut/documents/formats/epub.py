"""Books in EPUB: the chapters in the order of reading, one document."""

from __future__ import annotations

import io
import posixpath
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Collection, Iterator
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer
from jargonaut.documents.encodings import decode, normalised
from jargonaut.documents.formats.html import HtmlWalker, without_empty_tags
from jargonaut.documents.formats.html_visibility import Styling
from jargonaut.documents.metadata import Metadata, iso_date

_CONTAINER = "META-INF/container.xml"
_PAGES = ("application/xhtml+xml", "text/html")
_MOST_BYTES = 200 << 20
_LARGEST_SHEET = 1 << 20
_HINT = "Open it in an e-book program and save it anew."


class EpubParser:
    """See `documents.port.Parser`. The number of a chapter stands for the page."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                if sum(info.file_size for info in book.infolist()) > _MOST_BYTES:
                    raise InputError(f"Unpacked it has more than {_MOST_BYTES >> 20} MB.", "Split it.")
                return _read(book, data, uri)
        except (
            zipfile.BadZipFile,
            zlib.error,
            KeyError,
            EOFError,
            OSError,
            RuntimeError,
        ) as error:
            raise InputError(f"It is not an EPUB that can be read: {error}", _HINT) from error


def _read(book: zipfile.ZipFile, data: bytes, uri: str) -> Document:
    names = set(book.namelist())
    package_path = _package_path(book)
    package = _xml(book, package_path)
    composer = Composer()
    for number, path in enumerate(_spine(package, package_path), start=1):
        if path not in names:
            continue
        page = without_empty_tags(decode(book.read(path)))
        tree = LexborHTMLParser(page)
        if tree.body is not None:
            composer.anchor(posixpath.basename(path))
            styling = Styling(tree, _sheets(book, names, tree, path))
            HtmlWalker(composer, uri, page, styling, place=Place(page=number)).walk(tree.body)
            composer.end_list()
    metadata = _metadata(package)
    return composer.document(uri, digest_bytes(data), "application/epub+zip", metadata, str(metadata.get("title", "")))


def _sheets(book: zipfile.ZipFile, names: Collection[str], tree: LexborHTMLParser, path: str) -> Iterator[str]:
    """The style sheets in the book that a page names."""
    for link in tree.css("link[href]"):
        if "stylesheet" in (link.attributes.get("rel") or "").lower().split():
            target = unquote(link.attributes.get("href") or "").partition("#")[0]
            name = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if name in names and book.getinfo(name).file_size <= _LARGEST_SHEET:
                yield decode(book.read(name))


def _xml(book: zipfile.ZipFile, path: str) -> ElementTree.Element:
    # The parser refuses entities that grow without end, and fetches nothing.
    try:
        return ElementTree.fromstring(book.read(path))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path} in it is not XML that can be read: {error}", _HINT) from error


def _package_path(book: zipfile.ZipFile) -> str:
    for element in _xml(book, _CONTAINER).iter():
        if _name(element) == "rootfile" and (path := element.get("full-path")):
            return path
    raise InputError("It does not say which chapters it has.", _HINT)


def _spine(package: ElementTree.Element, package_path: str) -> Iterator[str]:
    """Paths of the pages, in the order of reading, without the list of contents."""
    pages: dict[str, str] = {}
    contents = set()
    for element in package.iter():
        name = element.get("id") or ""
        if _name(element) == "item" and element.get("media-type") in _PAGES:
            pages[name] = posixpath.normpath(
                posixpath.join(posixpath.dirname(package_path), unquote(element.get("href") or ""))
            )
            if "nav" in (element.get("properties") or "").split():
                contents.add(name)
    for element in package.iter():
        name = element.get("idref") or ""
        if _name(element) == "itemref" and name in pages and name not in contents:
            yield pages[name]


def _metadata(package: ElementTree.Element) -> Metadata:
    metadata: Metadata = {}
    tags = []
    fields = {"title": "title", "creator": "author", "date": "date", "language": "lang", "description": "description"}
    for element in package.iter():
        text = " ".join(normalised(element.text or "").split())
        if not text or "purl.org/dc" not in element.tag:
            continue
        if _name(element) == "subject":
            tags.append(text)
        elif field := fields.get(_name(element)):
            metadata.setdefault(field, iso_date(text) if field == "date" else text)
    if tags:
        metadata["tags"] = tuple(tags)
    return metadata


def _name(element: ElementTree.Element) -> str:
    """Its tag without the namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
