"""What speaks of a document and cannot be read, or says something twice, lets nobody in that it may have kept out."""

import io
import os
import tarfile
from email.message import EmailMessage

import pytest

from jargonaut.core.document import Document, Quarantined
from jargonaut.core.errors import RuleError
from jargonaut.documents.metadata import split_front_matter
from jargonaut.documents.permissions import Rule, Rules
from tests.documents.formats.test_archive import read, zipped
from tests.documents.test_corpus import Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def beside(folder, name="a.txt.meta.yaml"):
    return folder.docs / name


@pytest.mark.parametrize("kind", ["fifo", "link", "endless", "large", "broken"])
def test_a_sidecar_that_cannot_be_read_keeps_its_document_out_and_holds_up_nothing(folder, kind):
    folder.write(a_txt="secret", b_txt="open")
    path = beside(folder)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind in ("link", "endless"):
        target = "/dev/zero" if kind == "endless" else str(folder.docs / "b.txt")
        path.symlink_to(target)
    else:
        path.write_text("x: y\n" * 400_000 if kind == "large" else "allow: [user:ann")
    corpus = folder.corpus()
    assert list(corpus.allow) == ["b.txt"]
    assert "a.txt.meta.yaml" in corpus.entries["a.txt"].quarantined
    assert "\n" not in corpus.entries["a.txt"].quarantined


def test_a_sidecar_changed_in_place_is_noticed(folder):
    folder.write(a_txt="text", a_txt_meta_yaml="allow: group:aaa\n")
    os.utime(beside(folder), (1_700_000_000, 1_700_000_000))
    assert folder.corpus().allow == {"a.txt": ("group:aaa",)}
    beside(folder).write_text("allow: group:bbb\n")
    os.utime(beside(folder), (1_700_000_000, 1_700_000_000))
    assert folder.corpus().allow == {"a.txt": ("group:bbb",)}


def test_two_sidecars_are_one_too_many(folder):
    folder.write(a_txt="text", b_txt="open", a_txt_meta_yaml="title: A\n", a_txt_meta_json='{"allow": "user:ann"}')
    assert list(folder.corpus().allow) == ["b.txt"]


def test_two_sidecars_in_archives_are_one_too_many(tmp_path):
    members = {"a.txt": "text", "a.txt.meta.yaml": "title: A", "a.txt.meta.json": '{"allow": "user:ann"}'}
    found = read(tmp_path, {"x.zip": zipped(members)})
    assert isinstance(found["x.zip/a.txt"], Quarantined)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_a_sidecar_that_is_a_link_in_a_tar_keeps_its_document_out(tmp_path, kind):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in (("a.txt", b"A"), ("b.txt", b"B"), ("a.txt.meta.yaml", b"allow: user:ann")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("b.txt.meta.yaml")
        link.type, link.linkname = kind, "a.txt.meta.yaml"
        archive.addfile(link)
    found = read(tmp_path, {"x.tar": data.getvalue()})
    assert found["x.tar/a.txt"].metadata["allow"] == ("user:ann",)
    assert isinstance(found["x.tar/b.txt"], Quarantined)


def test_a_sidecar_that_is_attached_speaks_of_what_is_attached(tmp_path):
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "x", "a"
    mail.set_content("body")
    for name, content in (("r.txt", b"report"), ("r.txt.meta.yaml", b"allow: [user:ann]")):
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    found = read(tmp_path, {"m.eml": bytes(mail)})
    assert found["m.eml/r.txt"].metadata["allow"] == ("user:ann",)


def test_what_is_packed_does_not_unsay_what_stands_beside_the_archive(tmp_path):
    (tmp_path / "sec.zip.meta.yaml").write_text("classification: secret\n")
    members = {"x.txt": "text", "x.txt.meta.yaml": "classification: harmless\ntitle: X"}
    found = read(tmp_path, {"sec.zip": zipped(members)})
    metadata = found["sec.zip/x.txt"].metadata
    rule = Rule("**", ("group:board",), (("Classification", ("secret",)),))
    assert Rules((rule,)).allow_for("sec.zip/x.txt", metadata) == ("group:board",)
    assert found["sec.zip/x.txt"].title == "X"


@pytest.mark.parametrize("value", ["secret", "Secret", " secret ", ("other", "SECRET")])
def test_rules_about_metadata_look_past_case_and_blanks(value):
    rule = Rule("**", ("group:board",), ((" Classification", ("secret ",)),))
    assert Rules((rule,)).allow_for("a.md", {"classification": value}) == ("group:board",)


@pytest.mark.parametrize(
    "text",
    [
        "---\nallow:[user:ann]\n---\nx",
        "---\n- allow: [user:ann]\n---\nx",
        "--- \nallow: [user:ann]\n\nx",
        "---\ntitle: x\n\nallow: [user:ann]\n\nx",
        "---\nallow: [user:ann]\nallow: [user:bob]\n---\nx",
        "+++ \nallow = ['user:ann']\nx",
    ],
)
def test_front_matter_that_may_have_said_who_reads_is_refused(text):
    with pytest.raises(RuleError):
        split_front_matter(text)


@pytest.mark.parametrize(("one", "other"), [("-5 degrees", "5 degrees"), ("C# guide", "C guide"), ("10² m", "102 m")])
def test_signs_that_say_something_are_no_layout(folder, one, other):
    folder.write(a_txt=f"It is {one}.", b_txt=f"It is {other}.")
    assert len(folder.corpus().allow) == 2


def test_a_copy_that_is_found_by_another_filter_is_none(folder):
    folder.write(a_md="# T\n\nText.", b_md="---\ntags: [pumps]\n---\n# T\n\nText.")
    assert len(folder.corpus().allow) == 2


def test_a_text_that_would_take_too_much_memory_later_is_refused(tmp_path):
    found = read(tmp_path, {"a.txt": b"0 " * 10_500_000, "b.txt": b"small"})
    assert "characters of text" in found["a.txt"].reason
    assert isinstance(found["b.txt"], Document)
