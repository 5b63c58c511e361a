import io
import struct
import zipfile

import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.formats import PARSERS, load_parser, package
from jargonaut.documents.formats.package import Package, parsed_xml
from tests.documents.formats.office_files import docx, p, zipped

OFFICE = (".docx", ".docm", ".pptx", ".pptm", ".xlsx", ".xlsm", ".odt", ".ods", ".odp")


def parse(extension, data):
    return load_parser(PARSERS[extension]).parse(data, f"a{extension}")


@pytest.mark.parametrize("extension", OFFICE)
def test_what_is_no_such_file_is_refused_with_the_reason(extension):
    for data in (b"", b"no zip", zipped({"a.txt": "x"}), docx(p("x"))[:300]):
        with pytest.raises(InputError, match=r"It is no [DPXO][A-Z]{2,3} (file|document)"):
            parse(extension, data)


def test_a_file_of_another_format_is_named():
    with pytest.raises(InputError, match=r"main part holds a document") as caught:
        parse(".xlsx", docx(p("x")))
    assert caught.value.hint


def test_protected_and_old_files_are_told_apart():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(InputError, match="Office 97 to 2003"):
        parse(".docx", ole)
    with pytest.raises(InputError, match="protected by a password"):
        parse(".docx", ole + "EncryptedPackage".encode("utf-16-le"))


def test_an_encrypted_opendocument_is_told():
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        "<m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    )
    with pytest.raises(InputError, match="protected by a password"):
        parse(".odt", zipped({"META-INF/manifest.xml": manifest, "content.xml": b"\x00\x01"}))


def test_a_zip_bomb_is_refused_while_reading():
    data = zipped({"word/document.xml": bytes(64 << 20)})
    assert len(data) < 100_000
    with pytest.raises(InputError, match="zip bomb"):
        Package(data, "DOCX").xml("word/document.xml")


def test_a_directory_that_is_damaged_makes_no_bomb():
    data = bytearray(zipped({"x.xml": "<x>text</x>"}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 0xF0000000)
    assert Package(bytes(data), "XLSX").xml("x.xml").text == "text"


@pytest.mark.parametrize("depth", [2, 9])
def test_a_bomb_of_entities_is_called_that(depth):
    declared = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, depth + 1))
    data = zipped({"x.xml": f"<!DOCTYPE x [{declared}]><x>&e{depth};</x>"})
    with pytest.raises(InputError, match="XML bombs") as refused:
        Package(data, "DOCX").xml("x.xml")
    assert "save" not in refused.value.hint


def test_a_zip_bomb_that_lies_about_its_size_is_refused_while_reading():
    data = bytearray(zipped({"x.xml": bytes(64 << 20)}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 100)
    lying = Package(bytes(data), "DOCX")
    with pytest.raises(InputError, match=r"zip bomb|damaged|not well-formed"):
        lying.xml("x.xml")


def test_too_many_members():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as file_of_many:
        for number in range(20_001):
            file_of_many.writestr(f"{number}", "")
    with pytest.raises(InputError, match="20,001 members"):
        Package(file.getvalue(), "DOCX")


def test_a_member_that_is_too_large_for_a_tree(monkeypatch):
    monkeypatch.setattr(package, "_MOST_TREE_BYTES", 1 << 20)
    with pytest.raises(InputError, match="more than 1 MB"):
        Package(zipped({"x.xml": f"<r>{'<a>1</a>' * 200_000}</r>"}), "DOCX").xml("x.xml")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_entities_are_refused(head):
    with pytest.raises(InputError, match=r"declares entities|not well-formed"):
        parsed_xml(f"{head}<x>&c;</x>".encode(), "x.xml")
    opened = Package(zipped({"x.xml": f"{head}<x><y>&c;</y></x>"}), "DOCX")
    with pytest.raises(InputError, match=r"document type|not well-formed"):
        list(opened.stream("x.xml", ("y",)))


def test_a_document_type_alone_does_no_harm():
    head = '<!DOCTYPE x PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "http://127.0.0.1:9/Manifest.dtd">'
    assert parsed_xml(f"{head}<x>text</x>".encode(), "x.xml").text == "text"


def test_broken_members_are_refused_with_their_name():
    data = docx(p("x"), parts={"word/comments.xml": "<w:comments"}, more=[("rId9", "comments", "comments.xml")])
    with pytest.raises(InputError, match=r"word/comments.xml is not well-formed"):
        parse(".docx", data)
    deep = "<w:p>" * 400 + "</w:p>" * 400
    with pytest.raises(InputError, match="not well-formed"):
        parse(".docx", docx(deep))


def test_the_strict_variant_is_read():
    data = docx(p("strict"))
    with zipfile.ZipFile(io.BytesIO(data)) as members_of:
        members = {name: members_of.read(name) for name in members_of.namelist()}
    body = members["word/document.xml"].replace(
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
    )
    assert parse(".docx", zipped({**members, "word/document.xml": body})).text == "strict"
