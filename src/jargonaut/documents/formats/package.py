"""Zip packages as office formats are: members within limits, XML without entities. Nothing is written to disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from jargonaut.core.errors import InputError

Element = Any
"""An `lxml.etree._Element`; lxml has no types of its own."""

_MOST_MEMBERS = 20_000
_MOST_BYTES = 1 << 30
"""Read from one package, all members together."""
_MOST_TREE_BYTES = 64 << 20
"""Of XML that is held as a tree, which takes about ten times as much memory."""
_MOST_RATIO = 250
"""Expanded to packed. XML reaches 50; Deflate cannot do more than 1,032."""
_SMALL = 16 << 20
"""Bytes that may be expanded whatever the ratio."""
_BLOCK = 1 << 18
_FORGET_EVERY = 64
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_BOMB = "Look where it comes from: files that expand like this are made to do harm."
_STRICT = (b"http://purl.oclc.org/ooxml/", b"http://schemas.openxmlformats.org/")
_READING_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError)


class Package:
    """The members of a zip file, by name.

    Args:
        data: The file.
        format_name: For errors, as `DOCX`.

    Raises:
        InputError: It is no zip file, encrypted, or made to exhaust its reader.
    """

    def __init__(self, data: bytes, format_name: str) -> None:
        if data.startswith(_OLE):
            raise _ole_error(data, format_name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            members = self._zip.infolist()
        except _READING_ERRORS as error:
            raise InputError(
                f"It is no {format_name} file, or damaged: {error}.", "Open it in an office program and save it again."
            ) from error
        if len(members) > _MOST_MEMBERS:
            raise InputError(f"It has {len(members):,} members, more than the {_MOST_MEMBERS:,} that are read.", _BOMB)
        self._names = {_plain(member.filename): member for member in members}
        self._format_name = format_name
        self._packed = len(data)
        self._expanded = 0

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._names

    def xml(self, name: str) -> Element:
        """The root element of a member.

        Raises:
            InputError: It is missing, too large, not well-formed or declares entities.
        """
        blocks = []
        length = 0
        with self._open(name) as member:
            for block in self._blocks(member, name):
                blocks.append(block)
                length += len(block)
                if length > _MOST_TREE_BYTES:
                    raise InputError(f"Its member {name} has more than {_MOST_TREE_BYTES >> 20} MB.", "Split it.")
        return parsed_xml(b"".join(blocks), name)

    def stream(self, name: str, tags: tuple[str, ...]) -> Iterator[Element]:
        """Elements of a member as they are read, each forgotten afterwards.

        Raises:
            InputError: It is missing, not well-formed or declares entities.
        """
        with self._open(name) as member:
            source = _Source(self._blocks(member, name))
            try:
                reader = etree.iterparse(source, events=("end",), tag=tags, **_SAFE)
                for number, (_, element) in enumerate(reader):
                    if not number and element.getroottree().docinfo.doctype:
                        raise InputError(f"Its member {name} has a document type, which programs never write.", _BOMB)
                    yield element
                    element.clear()
                    if not number % _FORGET_EVERY:
                        while element.getprevious() is not None:
                            del element.getparent()[0]
            except etree.XMLSyntaxError as error:
                raise _xml_error(error, name) from error

    def _open(self, name: str) -> IO[bytes]:
        info = self._names.get(_plain(name))
        if info is None:
            raise InputError(
                f"It is no {self._format_name} file, or damaged: {name} is missing.",
                "Open it in an office program and save it again.",
            )
        if info.flag_bits & 1:
            raise _protected()
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"Its member {name} is packed in a way that {self._format_name} does not know.")
        try:
            return self._zip.open(info)
        except _READING_ERRORS as error:
            raise _damaged(error, name) from error

    def _blocks(self, member: IO[bytes], name: str) -> Iterator[bytes]:
        """What `member` really holds, whatever the directory says about it."""
        while True:
            try:
                block = member.read(_BLOCK)
            except _READING_ERRORS as error:
                raise _damaged(error, name) from error
            if not block:
                return
            self._expanded += len(block)
            _check_expansion(self._expanded, self._packed)
            if self._expanded > _MOST_BYTES:
                raise InputError(f"It expands to more than {_MOST_BYTES >> 20} MB.", "Split it.")
            yield block


class _Source:
    """Blocks as a file, for lxml; the namespaces of ISO's strict variant become the usual ones."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int = -1) -> bytes:
        return _transitional(next(self._blocks, b""))


_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def parsed_xml(data: bytes, name: str) -> Element:
    """The root element of `data`, which is called `name` in errors.

    Raises:
        InputError: It is not well-formed or declares entities.
    """
    try:
        root = etree.fromstring(_transitional(data), etree.XMLParser(**_SAFE))
    except etree.XMLSyntaxError as error:
        raise _xml_error(error, name) from error
    if root.getroottree().docinfo.doctype:
        _refuse_entities(root, name)
    return root


def _transitional(data: bytes) -> bytes:
    if _STRICT[0] not in data:
        return data
    head, *rest = data.split(_STRICT[0])
    parts = [head]
    for part in rest:
        family, slash, path = part.partition(b"/")
        parts.append(_STRICT[1] + family + slash + b"2006/" + path)
    return b"".join(parts)


def _refuse_entities(root: Element, name: str) -> None:
    """Old programs name a document type, which is never fetched; none declares entities."""
    declared = root.getroottree().docinfo.internalDTD
    if next(root.iter(etree.Entity), None) is not None or any(declared.iterentities() if declared is not None else ()):
        raise _entities(name)


def _entities(name: str) -> InputError:
    return InputError(
        f"Its member {name} declares entities, as XML bombs do and office programs never do.",
        "Look where it comes from: files like this are made to exhaust their readers.",
    )


def _xml_error(error: etree.XMLSyntaxError, name: str) -> InputError:
    if "emory" in str(error):
        raise MemoryError from error
    if "amplification" in str(error) or "entity" in str(error).lower():
        return _entities(name)
    return InputError(f"Its member {name} is not well-formed: {error}.", "Open it in an office program and save it.")


def _check_expansion(expanded: int, packed: int) -> None:
    if expanded > _SMALL and expanded > _MOST_RATIO * packed:
        raise InputError(
            f"It is a zip bomb: {packed / (1 << 20):,.1f} MB expand to more than {expanded / (1 << 20):,.0f} MB.", _BOMB
        )


def _ole_error(data: bytes, format_name: str) -> InputError:
    if _ENCRYPTED_PACKAGE in data:
        return _protected()
    return InputError(
        f"It is a file of Office 97 to 2003, not {format_name}.", "Save it in the present format, or convert it."
    )


def _protected() -> InputError:
    return InputError("It is protected by a password.", "Save it without one.")


def _damaged(error: Exception, name: str) -> InputError:
    return InputError(f"Its member {name} is damaged: {error}.", "Open it in an office program and save it again.")


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
