"""Uploads over HTTP: stored, listed, read by a real build, replaced, deleted; and who may do what."""

import base64
import json
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from jargonaut.build import build
from jargonaut.core.progress import silent
from jargonaut.documents.permissions import Rules
from jargonaut.plans import build_plan
from jargonaut.services import create_service
from jargonaut.serving.uploads import UploadError, Uploads
from jargonaut.settings import load_settings
from jargonaut.state.keys import KeyRequest
from jargonaut.wiring import Workspace
from tests.serving.conftest import running

SETTINGS = """
[service]
upload_limit_mb = 1

[encoder]
base = "none"

[[knowledge_bases]]
name = "handbook"

[[knowledge_bases.sources]]
path = "docs"

[[knowledge_bases.rules]]
match = "uploads/hr/**"
allow = ["group:hr"]
"""
LEAVE = "# Leave\n\n## Carer's leave\n\nCarer's leave (form CL-7) lasts at most one week.\n"


class Site:
    """A service of a folder with real builds."""

    def __init__(self, folder, url, workspace, secrets):
        self.url, self.workspace, self.secrets = url, workspace, secrets
        self.uploads = folder / ".jargonaut" / "uploads" / "default" / "handbook"

    def http(self, key="writer"):
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.secrets[key]}"}, timeout=20)

    def build(self):
        """A build, until what came of it is loaded."""
        built = build(build_plan(self.workspace.knowledge_base(), True, lambda text: None), silent)
        with self.http() as client:
            until = time.monotonic() + 30
            while client.post("/v1/search", json={"query": "x"}).json()["release"] != built.release.id:
                assert time.monotonic() < until

    def found(self, query, key="writer"):
        with self.http(key) as client:
            return [hit["document"] for hit in client.post("/v1/search", json={"query": query}).json()["data"]]

    def status(self, uri, key="writer"):
        with self.http(key) as client:
            got = client.get(f"/v1/documents/{uri}")
        return got.json()["status"] if got.status_code == 200 else got.status_code


@pytest.fixture
def site(tmp_path):
    """A site of the test's own."""
    with _served(tmp_path) as own:
        yield own


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """One for all tests that change nothing."""
    with _served(tmp_path_factory.mktemp("quiet")) as one:
        yield one


@contextmanager
def _served(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "pumps.md").write_text("# Pumps\n\nThe pump P-200 is oiled every month.\n")
    (tmp_path / "jargonaut.toml").write_text(SETTINGS)
    workspace = Workspace(load_settings(tmp_path / "jargonaut.toml"), tmp_path / ".jargonaut")
    build(build_plan(workspace.knowledge_base(), True, lambda text: None), silent)
    issued = {
        "reader": KeyRequest("reader"),
        "writer": KeyRequest("writer", scopes=["write"]),
        "hr": KeyRequest("hr", ["group:hr"], ["write"]),
    }
    secrets = {name: workspace.keys.issue("default", request).secret for name, request in issued.items()}
    with running(create_service(workspace, "s")) as url:
        yield Site(tmp_path, url, workspace, secrets)


def test_an_upload_goes_live_with_the_next_build_and_is_gone_when_deleted(site):
    with site.http() as client:
        got = client.put("/v1/documents/manual/leave.md", content=LEAVE)
        assert got.status_code == 202, got.text
        receipt = got.json()
        assert (receipt["uri"], receipt["status"]) == ("uploads/manual/leave.md", "pending")
        listed = client.get("/v1/documents").json()
        assert [(item["uri"], item["status"]) for item in listed["data"]] == [
            ("pumps.md", "live"),
            ("uploads/manual/leave.md", "pending"),
        ]
        assert listed["total"] == 2
    assert site.status("uploads/manual/leave.md", "reader") == 404, "not before it is live"
    assert site.found("CL-7") == []
    site.build()
    assert site.status("uploads/manual/leave.md", "reader") == "live"
    assert site.found("CL-7", "reader") == ["uploads/manual/leave.md"]

    with site.http() as client:
        again = client.put("/v1/documents/uploads/manual/leave.md", content=LEAVE).json()
        assert again["status"] == "live", "the same again changes nothing"
        client.put("/v1/documents/uploads/manual/leave.md", content=LEAVE.replace("CL-7", "CL-8"))
        assert site.status("uploads/manual/leave.md") == "changed"
        site.build()
        assert site.found("CL-8", "reader") == ["uploads/manual/leave.md"]

        assert client.delete("/v1/documents/uploads/manual/leave.md").json()["deleted"] is True
    assert site.found("CL-8", "reader") == []
    assert not any(site.uploads.glob("manual/*")), "the file too, and what was said of it"
    with site.http() as client:
        got = client.put("/v1/documents/manual/leave.md", content=LEAVE)
        assert got.status_code == 409
        assert "Restore it first" in got.json()["error"]["message"]
        site.build()
        assert client.post("/v1/documents/restore", json={"uri": "uploads/manual/leave.md"}).status_code == 200
        assert client.put("/v1/documents/manual/leave.md", content=LEAVE).status_code == 202
    site.build()
    assert site.found("CL-7", "reader") == ["uploads/manual/leave.md"]


def test_json_says_who_may_read_it_and_more(site):
    body = {
        "uri": "pay.md",
        "text": "# Pay\n\nThe allowance PA-42 is 42 euros.\n",
        "allow": ["group:hr"],
        "metadata": {"title": "Pay", "tags": ["money"], "author": "Ann"},
    }
    with site.http("hr") as client:
        assert client.post("/v1/documents", json=body).status_code == 202
    assert site.status("uploads/pay.md", "hr") == "pending"
    assert site.status("uploads/pay.md", "writer") == 404, "whoever may not read it does not learn of it"
    with site.http("writer") as client:
        assert [item["uri"] for item in client.get("/v1/documents").json()["data"]] == ["pumps.md"]
        assert client.delete("/v1/documents/uploads/pay.md").status_code == 404
        taken = client.post("/v1/documents", json=body | {"text": "mine", "allow": None})
        assert taken.status_code == 409, "nor may replace it"
    site.build()
    assert site.found("PA-42", "hr") == ["uploads/pay.md"]
    assert site.found("PA-42", "reader") == site.found("PA-42", "writer") == []
    with site.http("hr") as client:
        found = client.post("/v1/search", json={"query": "PA-42", "filter": {"tags": "money"}}).json()
        assert found["data"][0]["metadata"]["author"] == "Ann"


def test_what_is_said_can_only_narrow(site):
    with site.http("hr") as client:
        client.put("/v1/documents/hr/plan.md", content="# Plan\n\nCode RED-77.\n", params={"allow": ["public"]})
    site.build()
    assert site.found("RED-77", "reader") == []
    assert site.found("RED-77", "hr") == ["uploads/hr/plan.md"]


def test_a_document_that_cannot_be_read_says_why(site):
    with site.http() as client:
        client.put("/v1/documents/broken.pdf", content=b"not a PDF at all")
    site.build()
    with site.http() as client:
        got = client.get("/v1/documents/uploads/broken.pdf").json()
    assert got["status"] == "unreadable"
    assert got["reason"]


def test_an_archive_is_live_when_its_contents_are(site):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside.md", "# Inside\n\nCode ZZ-901.\n")
    body = {"uri": "all.zip", "content_base64": base64.b64encode(buffer.getvalue()).decode()}
    with site.http() as client:
        assert client.post("/v1/documents", json=body).status_code == 202
    site.build()
    assert site.found("ZZ-901") == ["uploads/all.zip/inside.md"]
    assert site.status("uploads/all.zip") == "live"


@pytest.mark.parametrize(
    ("uri", "content", "status", "says"),
    [
        ("a.md", b"", 400, "empty"),
        ("a.exe", b"MZ", 400, "No parser reads `a.exe`"),
        (".hidden.md", b"x", 400, "cannot be the name"),
        ("a/%2e%2e/%2e%2e/b.md", b"x", 400, "cannot be the name"),
        ("a//b.md", b"x", 400, "cannot be the name"),
        ("a%00.md", b"x", 400, "cannot be the name"),
        ("a%5Cb.md", b"x", 400, "cannot be the name"),
        ("a.md.meta.yaml", b"allow: [public]", 400, "cannot be the name"),
        ("a.md.meta.json", b"{}", 400, "cannot be the name"),
        (f"{'x' * 250}.md", b"x", 400, "cannot be the name"),
        ("", b"x", 400, "cannot be the name"),
        ("a.md", b"x" * (1 << 20) + b"y", 413, "larger than"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_and_leaves_nothing(quiet, uri, content, status, says):
    with quiet.http() as client:
        got = client.put(f"/v1/documents/{uri}", content=content)
    assert got.status_code == status, got.text
    assert says in got.json()["error"]["message"]
    assert not [path for path in quiet.uploads.rglob("*") if path.name != ".lock"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"uri": "a.md"}, "either `text` or"),
        ({"uri": "a.md", "text": "a", "content_base64": "YQ=="}, "either `text` or"),
        ({"uri": "a.md", "content_base64": "%%"}, "not base64"),
        ({"uri": "a.md", "text": "\ud800"}, "surrogate"),
        ({"uri": "a.md", "text": "a", "allow": ["everyone"]}, "not a principal"),
        ({"uri": "a.md", "text": "a", "metadata": {"title": {"x": 1}}}, "metadata"),
    ],
)
def test_json_that_cannot_be_is_refused(quiet, body, says):
    with quiet.http() as client:
        content = json.dumps(body)
        got = client.post("/v1/documents", content=content, headers={"content-type": "application/json"})
    assert got.status_code == 400, got.text
    assert says in got.json()["error"]["message"]


def test_names_of_files_and_folders_do_not_mix(site):
    with site.http() as client:
        assert client.put("/v1/documents/a.md", content="x").status_code == 202
        assert client.put("/v1/documents/a.md/b.md", content="x").status_code == 409
        assert client.put("/v1/documents/c.md/b.md", content="x").status_code == 202
        assert client.put("/v1/documents/c.md", content="x").status_code == 409


def test_a_reader_uploads_nothing_and_a_stranger_is_not_even_read(quiet):
    with quiet.http("reader") as client:
        assert client.put("/v1/documents/a.md", content="x").status_code == 403
        assert client.post("/v1/documents", json={"uri": "a.md", "text": "a"}).status_code == 403
    read = []

    def endless():
        for number in range(64):
            read.append(number)
            yield b"x" * (1 << 14)

    with httpx.Client(base_url=quiet.url) as client:
        assert client.put("/v1/documents/a.md", content=endless()).status_code == 401
    assert not list(quiet.uploads.rglob("*.md"))


def test_a_file_of_the_sources_wins_over_an_upload_of_its_name(site, tmp_path):
    (tmp_path / "docs" / "uploads").mkdir()
    (tmp_path / "docs" / "uploads" / "x.md").write_text("# X\n\nOurs QQ-100.\n")
    site.build()
    with site.http() as client:
        assert client.put("/v1/documents/x.md", content="theirs").status_code == 409
    Uploads(site.uploads, 100, Rules()).put("uploads/x.md", b"# X\n\nTheirs QQ-200.\n", {})
    site.build()
    with site.http() as client:
        texts = [hit["text"] for hit in client.post("/v1/search", json={"query": "QQ-200"}).json()["data"]]
    assert "Ours QQ-100." in " ".join(texts)
    assert "Theirs" not in " ".join(texts)


def test_at_no_moment_may_be_read_what_should_not(tmp_path):
    """A build may look at any moment while a document takes the place of one that others may read."""
    uploads = Uploads(tmp_path, 1000, Rules())
    versions = {b"for a": ("user:a",), b"for b": ("user:b",), b"for all": ()}
    stop, wrong = threading.Event(), []

    def look():
        path, beside = tmp_path / "x.md", tmp_path / "x.md.meta.json"
        while not stop.is_set():
            # As a build does: what is said of a file, and its contents, and again whether that is still said.
            try:
                before, data, after = beside.read_bytes(), path.read_bytes(), beside.read_bytes()
            except FileNotFoundError:
                continue
            allow = json.loads(before).get("allow")
            if before == after and versions[data] and (allow is None or not set(allow) <= set(versions[data])):
                wrong.append((before, data))

    watcher = threading.Thread(target=look)
    watcher.start()
    for turn in range(60):
        data = list(versions)[turn % 3]
        uploads.put("uploads/x.md", data, {"allow": list(versions[data])} if versions[data] else {})
    stop.set()
    watcher.join()
    assert not wrong


def test_uploads_survive_a_full_disk(tmp_path, monkeypatch):
    import os

    uploads = Uploads(tmp_path, 1000, Rules())
    uploads.put("uploads/x.md", b"before", {"allow": ["user:a"]})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left"):
        uploads.put("uploads/x.md", b"after", {"allow": ["user:a"]})
    assert uploads.find("uploads/x.md").size_bytes == len(b"before")
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "x.md", "x.md.meta.json"}


def test_metadata_that_is_too_large_is_refused(tmp_path):
    uploads = Uploads(tmp_path, 1000, Rules())
    with pytest.raises(UploadError, match="What is said"):
        uploads.put("uploads/x.md", b"x", {f"name{number}": "x" * 2000 for number in range(600)})
