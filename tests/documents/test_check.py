import json

import pytest

from tests.command_line import CommandLine
from tests.documents.formats.test_archive import zipped


@pytest.fixture
def command_line(tmp_path):
    return CommandLine(tmp_path / "home")


PAGE = """<title>Valves</title><h1>Valve list</h1><p style="display:none">poison</p>
<table><tr><th>Valve</th><th>bar</th></tr><tr><td>V-17</td><td>4.2 &lt; 5</td></tr></table>"""


def test_what_was_read_is_shown(tmp_path, command_line):
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "a.html.meta.yaml").write_text("allow: group:hr\n")
    shown = command_line.run("documents", "check", tmp_path / "a.html").stdout
    assert "Valve list" in shown
    assert "allow: group:hr" in shown
    assert "6 characters, not displayed" in shown
    assert "poison" not in shown
    assert "V-17" in shown
    (document,) = command_line.json("documents", "check", tmp_path / "a.html")
    assert document["hidden"] == {"not displayed": 6}
    assert document["text"] == "Valve list\n\nValve | bar\nV-17 | 4.2 < 5"


def test_as_a_page(tmp_path, command_line):
    (tmp_path / "x.zip").write_bytes(zipped({"a.html": PAGE, "b.pdf": "no pdf", "c.md": "# <script>alert(1)</script>"}))
    command_line.run("documents", "check", tmp_path / "x.zip", "--html", tmp_path / "page.html", code=1)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<td>4.2 &lt; 5</td>" in page
    assert "Cannot be read" in page
    assert "6 not displayed" in page
    assert "<script" not in page
    assert "http" not in page.replace("x.zip", "")


def test_only_what_a_build_would_read_is_read(tmp_path, command_line):
    deep = tmp_path / "deep"
    deep.mkdir()
    (deep / "a.md").write_text("# Deep")
    (tmp_path / "a.md").write_text("# Here")
    assert json.loads(command_line.run("documents", "check", tmp_path / "a.md", "--json").stdout)[0]["title"] == "Here"


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone.md", "does not exist"), ("folder", "is a folder"), ("a.exe", "Nothing reads files")],
)
def test_what_cannot_be_checked(tmp_path, command_line, name, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.exe").write_text("x")
    assert said in command_line.run("documents", "check", tmp_path / name, code=2).stderr


def test_formats(command_line):
    rows = {row["extension"]: row for row in command_line.json("documents", "formats")}
    assert rows[".md"] == {"extension": ".md", "read": True, "opened": False}
    assert rows[".eml"] == {"extension": ".eml", "read": True, "opened": True}
    assert ".zip" in command_line.run("documents", "formats").stdout
