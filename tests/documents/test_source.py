import os

import pytest

from jargonaut.core.errors import SourceError
from jargonaut.documents.source import scan


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def uris(found):
    return [file.uri for file in found.files]


def test_files_with_sizes_and_times_in_the_order_of_their_uris(tmp_path):
    put(tmp_path, "b/two words.md", "手册/配置 说明.html", "a.TXT", "b/x.rst")
    found = scan(tmp_path)
    assert uris(found) == ["a.TXT", "b/two words.md", "b/x.rst", "手册/配置 说明.html"]
    status = (tmp_path / "a.TXT").stat()
    assert (found.files[0].path, found.files[0].size_bytes) == (tmp_path.resolve() / "a.TXT", 4)
    assert found.files[0].modified_ns == status.st_mtime_ns
    assert found.problems == []


def test_a_name_is_put_before_every_uri(tmp_path):
    put(tmp_path, "a/b.md")
    assert uris(scan(tmp_path, "handbook")) == ["handbook/a/b.md"]


def test_hidden_and_foreign_folders_are_left_out(tmp_path):
    put(tmp_path, "a.md", ".hidden.md", ".git/a.md", ".jargonaut/a.md", "node_modules/a.md", "x/__pycache__/a.md")
    assert uris(scan(tmp_path)) == ["a.md"]


def test_files_that_no_parser_reads_are_counted(tmp_path):
    put(tmp_path, "a.md", "b.png", "c/d.PNG", "Makefile")
    assert scan(tmp_path).unknown == {"": 1, ".png": 2}


def test_include_and_exclude(tmp_path):
    put(tmp_path, "a.md", "a.txt", "drafts/b.md", "x/drafts/c.md", "x/d.md", "x/e.html")
    assert uris(scan(tmp_path, include=["*.md"], exclude=["drafts/"])) == ["a.md", "x/d.md"]
    assert uris(scan(tmp_path, include=["x/**"], exclude=["/x/*.html"])) == ["x/d.md", "x/drafts/c.md"]


def test_links_are_reported_and_never_followed(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    put(root, "hr/secret.md", "public/a.md")
    put(outside, "b.md")
    (root / "loop").symlink_to(root)
    (root / "public" / "loop").symlink_to(root / "public")
    (root / "self").symlink_to(root / "self")
    (root / "out").symlink_to(outside)
    (root / "file-out.md").symlink_to(outside / "b.md")
    (root / "public" / "leak.md").symlink_to(root / "hr" / "secret.md")
    (root / "public" / "hr").symlink_to(root / "hr")
    (root / "broken.md").symlink_to(root / "nowhere.md")
    found = scan(root)
    assert uris(found) == ["hr/secret.md", "public/a.md"]
    reasons = {item.uri: item.reason for item in found.skipped}
    assert "in itself" in reasons["loop"]
    assert "in itself" in reasons["public/loop"]
    assert "circle" in reasons["self"]
    assert "out of the source" in reasons["out"]
    assert "out of the source" in reasons["file-out.md"]
    assert "link to hr/secret.md" in reasons["public/leak.md"]
    assert "link to hr." in reasons["public/hr"]
    assert "nowhere" in reasons["broken.md"]
    assert len(found.problems) == 8


def test_the_root_itself_may_be_a_link(tmp_path):
    put(tmp_path / "real", "a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert uris(scan(tmp_path / "link")) == ["a.md"]


def test_pipes_are_reported_and_folders_named_like_files_entered(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    put(tmp_path, "folder.md/a.md")
    found = scan(tmp_path)
    assert uris(found) == ["folder.md/a.md"]
    assert "pipe" in found.skipped[0].reason


def test_names_that_are_no_text_are_reported(tmp_path):
    with open(os.fsencode(tmp_path) + b"/bad\xff.md", "wb"):
        pass
    found = scan(tmp_path)
    assert found.files == ()
    assert found.skipped[0].uri == "bad\\xff.md"
    found.problems[0].encode()


def refuse(monkeypatch, closed):
    """As the system does for a folder without permissions, which root would open anyway."""
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("jargonaut.documents.source.os.scandir", refusing)


def test_folders_that_cannot_be_opened_are_reported_and_not_taken_for_empty(tmp_path, monkeypatch):
    put(tmp_path, "a.md", "closed/b.md")
    refuse(monkeypatch, tmp_path / "closed")
    found = scan(tmp_path, "kb", include=["*.md"], exclude=["drafts/"])
    assert uris(found) == ["kb/a.md", "kb/closed"]
    assert [file.closed is not None for file in found.files] == [False, True]
    assert "cannot be opened: Permission denied" in found.problems[0]
    would_read = found.files[1].closed.would_read
    assert [would_read(f"kb/closed/{name}") for name in ("b.md", "b.txt", "drafts/b.md")] == [True, False, False]


def test_a_root_that_cannot_be_opened_is_an_error(tmp_path, monkeypatch):
    put(tmp_path, "a.md")
    refuse(monkeypatch, tmp_path)
    with pytest.raises(SourceError, match="cannot be opened"):
        scan(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="root may enter every folder")
def test_a_folder_that_can_be_listed_but_not_entered_is_closed(tmp_path):
    put(tmp_path, "a.md", "closed/b.md")
    (tmp_path / "closed").chmod(0o400)
    found = scan(tmp_path)
    (tmp_path / "closed").chmod(0o700)
    assert uris(found) == ["a.md", "closed"]


@pytest.mark.parametrize("name", ["missing", "file.md"])
def test_a_root_that_is_no_folder_is_an_error(tmp_path, name):
    put(tmp_path, "file.md")
    with pytest.raises(SourceError, match=name):
        scan(tmp_path / name)


def test_a_pattern_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"\[oops"):
        scan(tmp_path, exclude=["[oops"])


def test_a_name_that_holds_a_line_break_is_named_in_one_line(tmp_path):
    (tmp_path / "a\nb.md").write_text("x")
    (tmp_path / "gpj\u202efdp.md").write_text("x")
    (tmp_path / "产品\u3000手册.md").write_text("x")
    found = scan(tmp_path)
    assert [file.uri for file in found.files] == ["产品\u3000手册.md"]
    assert sorted(item.uri for item in found.skipped) == ["a\\nb.md", "gpj\\u202efdp.md"]
    assert "line break" in found.skipped[0].reason
