"""Takes what differs from run to run out of a file: times, random numbers, the order in an archive."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_DATE = (2025, 6, 1, 12, 0, 0)
_ISO = re.compile(rb"(?<![\d])20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?")
_PDF_DATE = re.compile(rb"D:20\d{12}(?=[+Z\-)])")
_PDF_ID = re.compile(rb"(?<=/ID)(\s*\[\s*)<[0-9A-Fa-f]{32}>(\s*)<[0-9A-Fa-f]{32}>")
_PDF_CHECKSUM = re.compile(rb"(?<=/DocChecksum /)[0-9A-F]{32}")
_UUID = re.compile(rb"urn:uuid:[0-9a-f-]{36}")
_DATED_PARTS = ("docProps/core.xml", "word/comments.xml", "meta.xml", ".opf", "toc.ncx")
"""Parts of an archive whose dates say when it was made; dates elsewhere are content."""


def settle_archive(path: Path) -> None:
    """Times in an archive's directory and in its metadata; `mimetype` stays first and stored."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, info.compress_type, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, how, data in members:
            if name.endswith(_DATED_PARTS):
                data = _ISO.sub(b"2025-06-01T12:00:00", data)
                data = _UUID.sub(b"urn:uuid:00000000-0000-4000-8000-000000000000", data)
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else how
            info.external_attr = 0o600 << 16
            archive.writestr(info, data)


def settle_pdf(path: Path) -> None:
    """Times and ids; nothing changes its length, so offsets stay right."""
    data = _PDF_DATE.sub(b"D:20250601120000", path.read_bytes())
    data = _PDF_ID.sub(rb"\g<1><" + b"0" * 32 + rb">\g<2><" + b"0" * 32 + b">", data)
    path.write_bytes(_PDF_CHECKSUM.sub(b"0" * 32, data))
