"""ZIP and TAR of documents of the set; what is in them counts, in whichever document it comes out."""

from __future__ import annotations

import io
import tarfile
import zipfile

from benchmarks.golden.manuals import PUMP, SUPPLY
from benchmarks.golden.manuals_zh import STATUTE
from benchmarks.golden.model import Shelf, Story, Truth, truth_of
from benchmarks.golden.settling import settle_archive
from benchmarks.golden.web import html_of, markdown_of


def write(shelf: Shelf) -> None:
    """A ZIP with Chinese names, and a compressed TAR."""
    members = {
        "manuals/pump.md": markdown_of(PUMP).encode(),
        "条例/管廊.html": f'<html lang="zh"><meta charset="utf-8"><body>{html_of(STATUTE)}</body></html>'.encode(),
    }
    path = shelf.path("mixed.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    settle_archive(path)
    shelf.truth(path.name, _truth("zip", "zipfile", (PUMP, STATUTE), list(members)))
    path = shelf.path("mixed.tar")
    member = markdown_of(SUPPLY).encode()
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("contracts/supply.md")
        entry.size = len(member)
        archive.addfile(entry, io.BytesIO(member))
    shelf.truth(path.name, _truth("tar", "tarfile", (SUPPLY,), ["contracts/supply.md"]))


def _truth(suffix: str, producer: str, stories: tuple[Story, ...], names: list[str]) -> Truth:
    whole = Truth(suffix, stories[0].language, producer, optional=[*names, "Content from the zip file", "File:"])
    for story in stories:
        part = truth_of(story, suffix, producer)
        for field in ("text", "tables", "headings", "notes"):
            getattr(whole, field).extend(getattr(part, field))
    return whole
