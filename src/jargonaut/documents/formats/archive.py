"""Zip and tar archives, and single compressed files. Nothing is written to the disk, and nothing leads out of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

from jargonaut.core.document import Quarantined
from jargonaut.core.errors import InputError
from jargonaut.documents.encodings import normalised
from jargonaut.documents.names import can_be_shown, shown, tidied
from jargonaut.documents.port import Allowance, Member, Sidecar
from jargonaut.documents.sidecar import SUFFIXES

_BLOCK = 1 << 20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, IndexError)
_COMPRESSIONS: Mapping[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""How what begins with a mark is opened."""
_ENCRYPTED = 0x1
_UTF8 = 0x800
Info = TypeVar("Info", zipfile.ZipInfo, tarfile.TarInfo)
_HINT = "Pack it anew, or unpack it."


class ZipArchive:
    """See `documents.port.Container`."""

    def members(self, data: bytes, name: str, allowance: Allowance) -> Iterator[Member | Quarantined]:
        """See `Container.members`."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except (*_BROKEN, RuntimeError) as error:
            raise InputError(f"It is not a zip archive that can be read: {error}", _HINT) from error
        with archive:
            infos = {tidied(_zip_name(info)): info for info in archive.infolist() if not info.is_dir()}
            folders = _folders(infos)
            for path in sorted(infos):
                if path.endswith(SUFFIXES) or not allowance.wanted(path):
                    continue
                beside, problem = _beside(path, infos)
                problem = problem or _clash(path, folders)
                try:
                    problem = problem or _zip_problem(infos[path], path)
                    sidecar = (
                        Sidecar(PurePosixPath(beside.filename).name, _unzipped(archive, beside, allowance))
                        if beside and not problem
                        else None
                    )
                    content = _unzipped(archive, infos[path], allowance) if not problem else b""
                except (*_BROKEN, RuntimeError) as error:
                    problem = f"It cannot be unpacked: {error}"
                yield Quarantined(_shown(path), "", problem, _HINT) if problem else Member(path, content, sidecar)


class TarArchive:
    """See `documents.port.Container`. Compressed or not."""

    def members(self, data: bytes, name: str, allowance: Allowance) -> Iterator[Member | Quarantined]:
        """See `Container.members`."""
        yield from _tar_members(_decompressed(data, allowance), allowance)


def _tar_members(unpacked: io.BytesIO, allowance: Allowance) -> Iterator[Member | Quarantined]:
    try:
        archive = tarfile.TarFile(fileobj=unpacked)
    except _BROKEN as error:
        raise InputError(f"It is not a tar archive that can be read: {error}", _HINT) from error
    with archive:
        infos = {_tar_name(info): info for info in _tar_infos(archive) if not info.isdir()}
        folders = _folders(infos)
        for path in sorted(infos):
            if path.endswith(SUFFIXES) or not allowance.wanted(path):
                continue
            info = infos[path]
            beside, problem = _beside(path, infos)
            problem = problem or _name_problem(path) or _clash(path, folders)
            if not info.isreg() or (beside is not None and not beside.isreg()):
                problem = problem or "It, or what speaks of it, is a link or a device, not a file."
            if problem:
                yield Quarantined(_shown(path), "", problem, _HINT)
                continue
            name = PurePosixPath(beside.name).name if beside else ""
            sidecar = Sidecar(name, _untarred(archive, beside, allowance)) if beside else None
            yield Member(path, _untarred(archive, info, allowance), sidecar)


class CompressedFile:
    """See `documents.port.Container`. A tar archive, or one file under the name without the extension."""

    def members(self, data: bytes, name: str, allowance: Allowance) -> Iterator[Member | Quarantined]:
        """See `Container.members`."""
        unpacked = _decompressed(data, allowance)
        if tarfile.is_tarfile(unpacked):
            unpacked.seek(0)
            yield from _tar_members(unpacked, allowance)
        elif allowance.wanted(inner := PurePosixPath(name).stem):
            allowance.take(unpacked.getbuffer().nbytes)
            yield Member(inner, unpacked.getvalue())


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Chinese archivers write GB18030 without saying so, and zipfile then reads code page 437."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            return normalised(name)
        for encoding in ("utf-8", "gb18030"):
            try:
                return normalised(raw.decode(encoding))
            except UnicodeDecodeError:
                continue
    return normalised(name)


def _beside(path: str, infos: Mapping[str, Info]) -> tuple[Info | None, str]:
    """The sidecar of `path`, and what is wrong about it."""
    found = [infos[path + suffix] for suffix in SUFFIXES if path + suffix in infos]
    return (found[0] if found else None), "Several files beside it speak of it." if len(found) > 1 else ""


def _zip_problem(info: zipfile.ZipInfo, name: str) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "It is encrypted with a password."
    return _name_problem(name)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> bytes:
    # zipfile never gives more than the size that is declared, so that it can be counted before.
    allowance.take(info.file_size)
    return archive.read(info)


def _tar_infos(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    try:
        return archive.getmembers()
    except _BROKEN as error:
        raise InputError(f"It is a broken tar archive: {error}", _HINT) from error


def _tar_name(info: tarfile.TarInfo) -> str:
    name = normalised(info.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return tidied(name)


def _untarred(archive: tarfile.TarFile, info: tarfile.TarInfo, allowance: Allowance) -> bytes:
    allowance.take(info.size)
    try:
        file = archive.extractfile(info)
        return file.read() if file else b""
    except _BROKEN as error:
        raise InputError(f"It is a broken tar archive: {error}", _HINT) from error


def _decompressed(data: bytes, allowance: Allowance) -> io.BytesIO:
    """`data` unpacked, counted as it comes: a bomb is given up before it fills the memory."""
    opened = next((opened for mark, opened in _COMPRESSIONS.items() if data.startswith(mark)), None)
    if opened is None:
        return io.BytesIO(data)
    unpacked = io.BytesIO()
    most = allowance.left_bytes
    try:
        with opened(io.BytesIO(data)) as stream:
            while part := stream.read(_BLOCK):
                if not unpacked.tell() and not tarfile.is_tarfile(io.BytesIO(part)):
                    most = min(most, allowance.largest_bytes)  # one file, not several
                unpacked.write(part)
                if unpacked.tell() > most:
                    allowance.take(unpacked.tell())
    except _BROKEN as error:
        raise InputError(f"It cannot be unpacked: {error}", _HINT) from error
    unpacked.seek(0)
    return unpacked


def _name_problem(name: str) -> str:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name[:3]:
        return "Its name leads out of the archive."
    return "" if can_be_shown(name) else "Its name cannot be shown."


def _folders(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(str(folder) for path in paths for folder in PurePosixPath(path).parents)


def _clash(path: str, folders: Collection[str]) -> str:
    """What is in a container and what is in a folder of the same name would have the same URIs."""
    return "It has the name of a folder beside it." if path in folders else ""


def _shown(name: str) -> str:
    """A name that can stand in a URI, whatever it was."""
    return shown(name).replace("..", "_").lstrip("/") or "_"
