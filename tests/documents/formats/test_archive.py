import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import pytest

from jargonaut.core.document import Document, Opened, Quarantined
from jargonaut.documents import opening
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import scan

TEXT = "# {0}\n\nThe {0} is blue.\n"


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(members, mode="w"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in members.items():
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content.encode() if isinstance(content, str) else content))
    return data.getvalue()


def read(folder, files, limits=Limits()):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    found = list(read_documents(scan(folder).files, limits, 1))
    assert len({item.uri for item in found}) == len(found)
    return {item.uri: item for item in found}


MEMBERS = {
    "a.md": TEXT.format("ash"),
    "in/b.txt": "The birch.",
    "in/c.bin": "x",
    ".hidden.md": "x",
    "__MACOSX/a.md": "x",
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.zip", zipped(MEMBERS)),
        ("x.tar", tarred(MEMBERS)),
        ("x.tgz", tarred(MEMBERS, "w:gz")),
        ("x.tar.gz", gzip.compress(tarred(MEMBERS))),
        ("x.tar.bz2", bz2.compress(tarred(MEMBERS))),
        ("x.tar.xz", lzma.compress(tarred(MEMBERS))),
    ],
)
def test_what_is_in_an_archive_is_read(tmp_path, name, data):
    found = read(tmp_path, {name: data})
    assert list(found) == [f"{name}/a.md", f"{name}/in/b.txt", name]
    assert found[f"{name}/a.md"].title == "ash"
    assert isinstance(found[name], Opened)
    assert found[name].content_digest


def test_one_compressed_file(tmp_path):
    found = read(tmp_path, {"notes.md.gz": gzip.compress(TEXT.format("elm").encode())})
    assert found["notes.md.gz/notes.md"].text == "elm\n\nThe elm is blue."


def test_archives_in_archives_to_a_depth(tmp_path):
    data = zipped({"deep.md": "x"})
    for _ in range(opening.DEEPEST):
        data = zipped({"in.zip": data, "beside.md": "# beside"})
    found = read(tmp_path, {"x.zip": data})
    readable = [uri for uri, item in found.items() if isinstance(item, Document)]
    assert readable == ["x.zip/beside.md", "x.zip/in.zip/beside.md", "x.zip/in.zip/in.zip/beside.md"]
    assert "containers" in found["x.zip/in.zip/in.zip/in.zip"].reason
    assert isinstance(found["x.zip"], Opened)


def test_an_archive_that_holds_itself_ends(tmp_path):
    # As if each level held the next for ever: the depth ends it, whatever the content.
    data = zipped({"x.md": "end"})
    for _ in range(40):
        data = zipped({"again.zip": data})
    found = read(tmp_path, {"x.zip": data})
    assert "containers" in found["x.zip/again.zip/again.zip/again.zip"].reason


@pytest.mark.parametrize("name", ["../out.md", "/etc/out.md", "in/../../out.md", "..\\out.md", "C:\\out.md", "a\nb.md"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name, pack):
    folder = tmp_path / "folder"
    folder.mkdir()
    found = read(folder, {"x.zip" if pack is zipped else "x.tar": pack({name: "secret", "good.md": "good"})})
    assert [item.text for item in found.values() if isinstance(item, Document)] == ["good"]
    (refused,) = (item for item in found.values() if isinstance(item, Quarantined))
    assert "name" in refused.reason
    assert ".." not in refused.uri
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "x.zip" if pack is zipped else "x.tar"]


def test_links_in_a_tar_are_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    link, hard = tarfile.TarInfo("link.md"), tarfile.TarInfo("hard.md")
    link.type, link.linkname = tarfile.SYMTYPE, "../secret.txt"
    hard.type, hard.linkname = tarfile.LNKTYPE, "good.md"
    folder = tmp_path / "folder"
    folder.mkdir()
    found = read(folder, {"x.tar": tarred({link: "", hard: "", "good.md": "good"})})
    assert {uri: type(item) for uri, item in found.items()} == {
        "x.tar/good.md": Document,
        "x.tar/hard.md": Quarantined,
        "x.tar/link.md": Quarantined,
        "x.tar": Opened,
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.zip", zipped({"a.md": b"0" * (30 << 20)})),
        ("bomb.gz", gzip.compress(b"0" * (210 << 20), 1)),
        ("bomb.tgz", gzip.compress(b"0" * (210 << 20), 1)),
        ("bomb.tar.xz", lzma.compress(b"0" * (210 << 20), preset=0)),
    ],
)
def test_bombs_are_given_up(tmp_path, name, data):
    found = read(tmp_path, {name: data}, Limits(size_bytes=20 << 20, memory_bytes=450 << 20))
    assert list(found) == [name]
    assert "larger than 20 MB a file" in found[name].reason
    assert "file_limit_mb" in found[name].hint


def test_a_zip_that_lies_about_its_sizes_gives_no_more_than_it_says(tmp_path):
    data = bytearray(zipped({"a.md": b"0" * (1 << 20)}))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    found = read(tmp_path, {"x.zip": bytes(data)})
    assert "unpacked" in found["x.zip/a.md"].reason


def test_more_files_than_allowed():
    data = zipped({f"{n:05}.md": "x" for n in range(opening.MOST_MEMBERS + 3)}, zipfile.ZIP_STORED)
    budget = opening.OpenedBudget(opening.Formats(), 1 << 20)
    *members, whole = opening.leaves(opening.Leaf("x.zip", data, "", ()), budget)
    assert len(members) == opening.MOST_MEMBERS
    assert f"more than {opening.MOST_MEMBERS:,} files" in whole.reason


def test_encrypted_and_broken_members_cost_themselves_only(tmp_path):
    data = bytearray(zipped({"a.md": TEXT.format("ash") * 50, "b.md": "good", "c.md": "secret"}))
    at = data.index(b"a.md") + 10
    data[at : at + 4] = b"\xff\xff\xff\xff"
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(mark) + offset] |= 1
    found = read(tmp_path, {"x.zip": bytes(data)})
    assert "unpacked" in found["x.zip/a.md"].reason
    assert found["x.zip/b.md"].text == "good"
    assert "password" in found["x.zip/c.md"].reason


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz", "x.gz", "x.xz", "x.bz2"])
@pytest.mark.parametrize("data", [b"", b"garbage" * 100, os.urandom(3000), b"PK\x03\x04" + b"\0" * 50, b"\x1f\x8b\x08"])
def test_what_is_no_archive_says_so(tmp_path, name, data):
    found = read(tmp_path, {name: data})
    assert list(found) == [name]
    assert isinstance(found[name], Opened | Quarantined)


def test_chinese_names_written_without_saying_how(tmp_path):
    plain = zipped({"AAAA.md": "x"})
    data = plain.replace(b"AAAA.md", "手册".encode("gb18030") + b".md")
    found = read(tmp_path, {"x.zip": data, "y.zip": zipped({"手册.md": "x"})})
    assert {"x.zip/手册.md", "y.zip/手册.md"} < found.keys()


def test_reading_goes_on_behind_a_member_over_which_the_worker_dies(tmp_path, monkeypatch):
    from pathlib import Path

    from tests.documents.test_reading import HOSTILE, results_of

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    members = {"1.md": "one", "2.boom": "abort", "3.md": "three", "4.boom": "sleep", "5.md": "five", "6.boom": "exit"}
    (tmp_path / "x.zip").write_bytes(zipped(members))
    found = results_of(scan(tmp_path, extensions=HOSTILE.extensions).files, Limits(time_s=1.5), workers=1)
    assert [uri for uri, item in found.items() if isinstance(item, Document)] == [f"x.zip/{n}.md" for n in (1, 3, 5)]
    assert "crashed" in found["x.zip/2.boom"].reason
    assert "1.5 seconds" in found["x.zip/4.boom"].reason
    assert "status 3" in found["x.zip/6.boom"].reason
    assert isinstance(found["x.zip"], Opened)


def test_a_worker_that_has_grown_is_replaced_within_an_archive(tmp_path, monkeypatch):
    from pathlib import Path

    from tests.documents.test_reading import HOSTILE, results_of

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    members = {"1.boom": "whoami", "2.boom": "grow", "3.boom": "whoami"}
    (tmp_path / "x.zip").write_bytes(zipped(members))
    files = scan(tmp_path, extensions=HOSTILE.extensions).files
    found = results_of(files, Limits(memory_bytes=700 << 20), workers=1)
    assert found["x.zip/1.boom"].text != found["x.zip/3.boom"].text
    assert isinstance(found["x.zip"], Opened)


def test_what_stands_beside_a_member_speaks_of_it(tmp_path):
    members = {
        "a.md": TEXT.format("ash"),
        "a.md.meta.yaml": "title: Ash tree\nallow: [group:forest, user:ann]\n",
        "b.md": "---\nallow: group:forest\n---\nx",
        "b.md.meta.json": '{"allow": ["user:ann"]}',
        "c.md": "x",
        "c.md.meta.yaml": "allow: everyone at all",
    }
    (tmp_path / "x.zip.meta.yaml").write_text("allow: [group:forest, group:sea]\ntags: [trees]\n")
    found = read(tmp_path, {"x.zip": zipped(members)})
    ash = found["x.zip/a.md"]
    assert (ash.title, ash.metadata["tags"]) == ("Ash tree", ("trees",))
    assert ash.metadata["allow"] == ("group:forest",)
    assert found["x.zip/b.md"].metadata["allow"] == ()
    assert "allow" in found["x.zip/c.md"].reason


@pytest.mark.parametrize(("name", "packed"), [("x.zip", zipped), ("x.tar", tarred)])
def test_one_file_has_one_name(tmp_path, name, packed):
    found = read(tmp_path, {name: packed({"./y.txt": "one", "n//m.txt": "two", "n/./o.txt": "three"})})
    assert sorted(found) == [name, f"{name}/n/m.txt", f"{name}/n/o.txt", f"{name}/y.txt"]


def test_a_sidecar_is_found_under_any_spelling_of_its_name(tmp_path):
    found = read(tmp_path, {"x.zip": zipped({"a//y.txt": "text", "./a/y.txt.meta.yaml": 'allow: ["user:ann"]'})})
    assert found["x.zip/a/y.txt"].metadata["allow"] == ("user:ann",)


@pytest.mark.parametrize(("name", "packed"), [("o.zip", zipped), ("o.tar", tarred)])
def test_an_archive_and_a_folder_of_one_name_do_not_share_uris(tmp_path, name, packed):
    found = read(tmp_path, {name: packed({"x.zip": zipped({"in.txt": "inner"}), "x.zip/in.txt": "folder"})})
    assert found[f"{name}/x.zip/in.txt"].text == "folder"
    assert "folder" in found[f"{name}/x.zip"].reason


def test_names_in_archives_may_hold_any_blank_but_no_line_break(tmp_path):
    found = read(tmp_path, {"x.zip": zipped({"产品\u3000手册.txt": "one", "a\u00a0b.txt": "two", "c\nd.txt": "three"})})
    assert sorted(found) == ["x.zip", "x.zip/a\u00a0b.txt", "x.zip/c\\nd.txt", "x.zip/产品\u3000手册.txt"]
    assert isinstance(found["x.zip/c\\nd.txt"], Quarantined)
