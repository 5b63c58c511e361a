"""Ways to spoil a document: some blind, some that know what hostile files do."""

from __future__ import annotations

import io
import random
import re
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

ESCAPE = "jargonaut-escaped"
"""In the name of every file that would be written if a path in an archive were followed."""
_PACKED = frozenset({".docx", ".pptx", ".xlsx", ".odt", ".epub", ".zip"})
_MARKUP = frozenset({".html", ".htm", ".md", ".eml"})
_HUGE = ("99999999", "2147483647", "4294967295", "-1", "18446744073709551616", "1e308", "0")
_BOMB = '<!DOCTYPE b [<!ENTITY a "{}">{}]>'
_OUTSIDE = '<!DOCTYPE b [<!ENTITY a SYSTEM "{}">]>'
Change = Callable[[bytes, random.Random], bytes]


def mutated(data: bytes, suffix: str, chance: random.Random) -> bytes:
    """`data` spoiled once or a few times."""
    changes: list[Change] = [flip, truncate, swap, insert, repeat, numbers, nothing_left]
    if suffix in _PACKED:
        changes += [member_changed] * 4 + [member_bomb, member_entities, member_renamed, member_nested, members_many]
    elif suffix in _MARKUP:
        changes += [nested, long_line, entities]
    elif suffix in (".csv", ".tsv", ".jsonl", ".ipynb", ".txt", ".rst"):
        changes += [brackets, long_line]
    elif suffix == ".tar":
        changes += [tar_outside] * 2
    elif suffix == ".pdf":
        changes += [pdf_claims] * 3 + [pdf_pages]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(changes)(data, chance)
    return data


def flip(data: bytes, chance: random.Random) -> bytes:
    """Bits here and there."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 4, 32, 256))):
        if spoiled:
            spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def truncate(data: bytes, chance: random.Random) -> bytes:
    """Only the beginning, or only the end."""
    at = chance.randrange(len(data) + 1)
    return data[:at] if chance.random() < 0.8 else data[at:]


def swap(data: bytes, chance: random.Random) -> bytes:
    """Two pieces change places."""
    a, b, c, d = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def insert(data: bytes, chance: random.Random) -> bytes:
    """Bytes that have no business there."""
    at = chance.randrange(len(data) + 1)
    strange = (
        chance.randbytes(chance.randrange(1, 64)),
        b"\0" * 400,
        b"\xff\xfe",
        "\u200b\u202e".encode(),
        b"%PDF-1.7\n",
    )
    return data[:at] + chance.choice(strange) + data[at:]


def repeat(data: bytes, chance: random.Random) -> bytes:
    """A piece again and again."""
    start = chance.randrange(len(data) + 1)
    piece = data[start : start + chance.choice((8, 200, 4000))]
    return data[:start] + piece * min(chance.choice((2, 50, 2000)), 2_000_000 // max(len(piece), 1)) + data[start:]


def numbers(data: bytes, chance: random.Random) -> bytes:
    """Some numbers become absurd."""
    return re.sub(
        rb"\d+", lambda found: found[0] if chance.random() < 0.95 else chance.choice(_HUGE).encode(), data[:500_000]
    )


def nothing_left(data: bytes, chance: random.Random) -> bytes:
    """An empty file, or noise."""
    return b"" if chance.random() < 0.3 else chance.randbytes(min(len(data), 4000))


def nested(data: bytes, chance: random.Random) -> bytes:
    """Elements in elements in elements, or spans of a whole sheet."""
    depth = chance.choice((300, 5_000, 60_000))
    pieces = (
        b"<div>" * depth,
        b"<table><tr><td>" * min(depth, 5_000),
        b"<ul><li>" * depth,
        b"<table><tr><td rowspan=65000 colspan=1000>x<td rowspan=65000 colspan=1000>y</table>" * 20,
        b"> " * depth,
        b"[" * depth,
        b"<b><i>" * depth,
        b"- " * min(depth, 5_000),
        b"|a" * depth + b"|\n" + b"|-" * depth + b"|\n",
    )
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(pieces) + data[at:]


def brackets(data: bytes, chance: random.Random) -> bytes:
    """Structures in structures, or fields without end."""
    many = chance.choice((1_000, 100_000))
    pieces = (b"[" * many, b'{"a":' * many, b"," * many, b'"' * (many + 1), b"\t" * many, b"=" * many + b"\n")
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(pieces) + data[at:]


def long_line(data: bytes, chance: random.Random) -> bytes:
    """A line as long as a book."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b"a", "章".encode(), b"a b ", b"`*_[x](y)")) * 60_000 + data[at:]


def entities(data: bytes, chance: random.Random) -> bytes:
    """Entities that grow without end, or come from elsewhere."""
    if chance.random() < 0.5:
        steps = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 12}">' for n in range(1, 12))
        head = _BOMB.format("lol" * 10, steps.replace("&a0;", "&a;"))
        name = "a11"
    else:
        where = chance.choice(("file:///etc/passwd", "http://192.0.2.7/x", "https://example.org/evil.dtd"))
        head, name = _OUTSIDE.format(where), "a"
    declaration = re.match(rb"\s*<\?xml[^>]*\?>", data)
    at = declaration.end() if declaration else 0
    body = re.sub(rb"<!DOCTYPE[^>\[]*(\[[^\]]*\])?>", b"", data[at:], count=1)
    spot = body.find(b">", len(body) // 2) + 1
    return data[:at] + head.encode() + body[:spot] + f"&{name};".encode() + body[spot:]


def _members(data: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist() if info.file_size < 5_000_000]
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        ValueError,
        RuntimeError,
        EOFError,
        struct.error,
    ):
        return []


def _packed(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # about names that are there already
        for name, content in members:
            info = zipfile.ZipInfo(name, (2025, 6, 1, 12, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def _with_one(data: bytes, chance: random.Random, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    members = _members(data)
    if not members:
        return flip(data, chance)
    number = chance.randrange(len(members))
    members[number] = change(*members[number])
    return _packed(members)


def member_changed(data: bytes, chance: random.Random) -> bytes:
    """One file in the archive is spoiled, the archive is whole."""
    changes = (flip, truncate, swap, insert, repeat, numbers, numbers, nested, entities)
    return _with_one(data, chance, lambda name, content: (name, chance.choice(changes)(content, chance)))


def member_entities(data: bytes, chance: random.Random) -> bytes:
    """One XML part gets a bomb."""
    return _with_one(data, chance, lambda name, content: (name, entities(content, chance)))


def member_renamed(data: bytes, chance: random.Random) -> bytes:
    """One file in the archive would be written elsewhere."""
    names = (
        f"../../../../../../tmp/{ESCAPE}.md", f"/tmp/{ESCAPE}.md", f"..\\..\\{ESCAPE}.md", f"C:\\{ESCAPE}.md",
        f"../{ESCAPE}.html", "a/" * 300 + f"{ESCAPE}.md", f"con.md\0{ESCAPE}.exe", "\u202egnp.md",
    )  # fmt: skip
    return _with_one(data, chance, lambda name, content: (chance.choice(names), content))


def member_bomb(data: bytes, chance: random.Random) -> bytes:
    """One file in the archive is a gigabyte when unpacked, or claims to be."""
    if chance.random() < 0.8:
        return _with_one(
            data, chance, lambda name, content: (name, content + b"\0" * chance.choice((1, 30)) * 1_000_000)
        )
    spoiled = bytearray(data)
    at = data.find(b"PK\x01\x02")
    if at >= 0:
        spoiled[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(spoiled)


def member_nested(data: bytes, chance: random.Random) -> bytes:
    """The archive in an archive in an archive, or a bomb in one."""
    inner = data if chance.random() < 0.5 else _bomb()
    for depth in range(chance.choice((2, 6, 40))):
        inner = _packed([(f"{depth}.zip", inner), ("read me.md", b"# Deeper")])
    return _packed([*_members(data), ("inner.zip", inner)])


def members_many(data: bytes, chance: random.Random) -> bytes:
    """Thousands of files, or one name many times."""
    many = chance.choice((500, 3_000))
    same = chance.random() < 0.3
    added = [("same.md" if same else f"{number}.md", b"# x") for number in range(many)]
    return _packed([*_members(data), *added])


@cache
def _bomb() -> bytes:
    return _packed([(f"{number}.md", b"\0" * 20_000_000) for number in range(3)])


def tar_outside(data: bytes, chance: random.Random) -> bytes:
    """Links out of the archive, names that climb, devices, and sizes that lie."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(chance.randrange(1, 6)):
            entry = tarfile.TarInfo(
                chance.choice((f"../../../tmp/{ESCAPE}", f"/tmp/{ESCAPE}", "a", "b.md")) + f"{number}.md"
            )
            entry.type = chance.choice(
                (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
            )
            entry.linkname = chance.choice(("/etc/passwd", "../../../../etc/passwd", "b.md"))
            content = b"# Out\n" if entry.type == tarfile.REGTYPE else b""
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    made = buffer.getvalue()
    return flip(made, chance) if chance.random() < 0.3 else made + data


def pdf_claims(data: bytes, chance: random.Random) -> bytes:
    """A page of a kilometre, a length that lies, a tree that is its own child, a picture without end."""
    claims = (
        (rb"/MediaBox ?\[[^\]]*\]", b"/MediaBox [0 0 99999999 99999999]"),
        (rb"/Length \d+", b"/Length 99999999"),
        (rb"/Kids ?\[ ?\d+", b"/Kids [ 1"),
        (rb"/Count \d+", b"/Count 2147483647"),
        (rb"/Width \d+", b"/Width 100000"),
        (rb"/Height \d+", b"/Height 100000"),
        (rb"/FlateDecode", b"/LZWDecode"),
        (rb"/Parent \d+", b"/Parent 3"),
        (rb"/Contents \d+", b"/Contents 1"),
        (rb"startxref\s+\d+", b"startxref\n7"),
    )
    wanted, claimed = chance.choice(claims)
    return re.sub(wanted, claimed, data, count=chance.choice((0, 1)))


def pdf_pages(data: bytes, chance: random.Random) -> bytes:
    """Thousands of pages that share one content."""
    del data
    pages = chance.choice((200, 5_000))
    content = b"BT /F1 12 Tf 50 700 Td (The same page again, and again, and again.) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % n for n in range(5, 5 + pages))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    shown = b"/MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R %s >>" % shown
    objects += [page] * pages
    body, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\n" % (size, table, size)
    return body + b"startxref\n%d\n%%%%EOF" % body.rindex(b"xref\n0 ")
