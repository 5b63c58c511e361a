"""Tuning and proof from the command line, on documents that nobody here wrote where they are at hand."""

import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.command_line import CommandLine
from tests.handbook import write_handbook

SETTINGS = """
[tuning]
budget_s = 20
[[knowledge_bases]]
name = "kb"
[[knowledge_bases.sources]]
path = "docs"
"""


@pytest.fixture
def handbook(tmp_path):
    write_handbook(tmp_path / "docs")
    (tmp_path / "jargonaut.toml").write_text(SETTINGS, encoding="utf-8")
    command_line = CommandLine(tmp_path / "home")
    command_line.run("build", "--config", tmp_path / "jargonaut.toml")
    return tmp_path, command_line


def test_too_little_to_prove_anything_keeps_what_is_live(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    before = command_line.json("status", *config)["knowledge_bases"][0]["live"]
    done = command_line.run("prove", *config, "--json", code=5)
    result = json.loads(done.stdout)
    assert result["verdict"] == "cannot tell"
    assert "fewer than 30 decide nothing" in result["reason"]
    assert "at least 100 are needed" in done.stderr
    assert command_line.json("status", *config)["knowledge_bases"][0]["live"] == before


def test_force_is_recorded(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    result = command_line.json("prove", *config, "--no-train", "--force")
    assert result["promoted"]
    assert result["forced"]
    newest = command_line.json("releases", "list", *config)[0]
    assert (newest["release"], newest["forced"], newest["verdict"]) == (result["release"], True, "cannot tell")
    assert newest["proof"]


def test_a_fitted_recipe_compares_tokens_and_builds_keep_them(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    (folder / "log.txt").write_text("\n".join(f"How tight is the gate valve {number}?" for number in range(60)))
    (folder / "jargonaut.toml").write_text(SETTINGS.replace("budget_s = 20", 'budget_s = 20\nqueries = "log.txt"'))
    command_line.run("prove", *config, "--no-train", "--force")
    (recipe,) = [
        recipe
        for path in command_line.home.rglob("recipes/*.json")
        if (recipe := json.loads(path.read_text()))["format"] == 2
    ]
    assert recipe["fusion"]["late_weight"] > 0

    def tokens():
        return sorted(command_line.home.rglob("tokens/*/*/*/tokens.json"))

    (first,) = tokens()
    (folder / "docs" / "canteen.md").write_text("# Canteen\n\nThe canteen opens at half past eleven.\n")
    assert command_line.json("build", *config)["outcome"] == "published"
    (second,) = set(tokens()) - {first}
    assert set(json.loads(first.read_text())["segments"]) < set(json.loads(second.read_text())["segments"])
    question = ("search", "When does the canteen open?", *config, "--json")
    found = json.loads(command_line.run(*question).stdout)
    assert found["passages"][0]["uri"] == "canteen.md"
    second.unlink()  # what was never written, or went: it is ranked without, and the next build writes it
    again = json.loads(command_line.run(*question).stdout)
    assert again["passages"][0]["uri"] == "canteen.md"
    assert again["passages"][0]["fused"] != found["passages"][0]["fused"]
    assert command_line.json("build", *config)["outcome"] == "unchanged"
    assert second.is_file()
    assert json.loads(command_line.run(*question).stdout)["passages"] == found["passages"]


def test_builds_go_on_beside_the_training_and_what_they_made_live_stays(handbook, monkeypatch):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")

    def train(*_):
        """As long as any training: a document comes, and is live before it ends."""
        (folder / "docs" / "canteen.md").write_text("# Canteen\n\nThe canteen opens at half past eleven.\n")
        assert command_line.json("build", *config)["outcome"] == "published"
        return []

    monkeypatch.setattr("jargonaut.plans._tuned", train)
    result = command_line.json("prove", *config, "--force")
    assert result["promoted"]
    assert command_line.json("status", *config)["knowledge_bases"][0]["live"] == result["release"]
    answer = command_line.json("ask", "When does the canteen open?", *config)
    assert "canteen.md" in [item["uri"] for said in answer["statements"] for item in said["citations"]]


def test_a_recipe_that_went_live_during_the_training_is_not_overwritten(handbook, monkeypatch):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    command_line.run("prove", *config, "--no-train", "--force")
    fitted, base = (row["release"] for row in command_line.json("releases", "list", *config))

    def train(*_):
        command_line.run("releases", "rollback", "--to", base, *config)
        return []

    monkeypatch.setattr("jargonaut.plans._tuned", train)
    done = command_line.run("prove", *config, "--force", code=4)
    assert "Another recipe went live while this one was being proven" in done.stderr
    assert command_line.json("status", *config)["knowledge_bases"][0]["live"] == base != fitted


def test_a_change_of_settings_waits_for_its_proof(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    text = (folder / "jargonaut.toml").read_text() + "[knowledge_bases.answer]\ntop_k = 3\n"
    (folder / "jargonaut.toml").write_text(text)
    assert "jargonaut prove" in command_line.run("build", *config).stderr
    result = json.loads(command_line.run("prove", *config, "--json", code=5).stdout)
    assert result["verdict"] == "cannot tell"
    assert "right answers" in result["reason"]


def test_labels_with_a_mistake_are_told_with_the_line_and_the_others_are_kept(handbook):
    folder, command_line = handbook
    labels = folder / "labels.jsonl"
    labels.write_text('{"query": "How tight?", "uri": "gv-17.md"}\n{"query": "x", "uri": "gv-18.md"}\n')
    text = SETTINGS.replace("budget_s = 20", 'budget_s = 20\nlabels = "labels.jsonl"')
    (folder / "jargonaut.toml").write_text(text)
    done = command_line.run("prove", "--no-train", "--config", folder / "jargonaut.toml", code=5)
    assert "2 rows, 1 question with 1 answer" in done.stderr
    assert "line 2: there is no document `gv-18.md`. Did you mean `gv-17.md`" in done.stderr
    assert "questions: headings" in done.stdout  # one label decides nothing


def test_labels_for_deleted_documents_alone_are_an_error(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    (folder / "labels.jsonl").write_text('{"query": "How tight?", "uri": "gv-17.md"}\n')
    (folder / "jargonaut.toml").write_text(SETTINGS.replace("budget_s = 20", 'labels = "labels.jsonl"'))
    command_line.run("documents", "rm", "gv-17.md", *config)
    done = command_line.run("prove", "--no-train", *config, code=2)
    assert "All 1 labels" in done.stderr
    assert "were deleted" in done.stderr


def test_two_releases_are_compared_for_a_ci_and_nothing_is_promoted(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    command_line.run("prove", *config, "--no-train", "--force")
    fitted, base = (row["release"] for row in command_line.json("releases", "list", *config))
    junit = folder / "junit.xml"
    done = command_line.run("prove", "--against", base[:12], "--junit", junit, "--json", *config, code=5)
    result = json.loads(done.stdout)
    assert (result["candidate"], result["baseline"], result["verdict"]) == (fitted, base, "cannot tell")
    assert result["proof"]["lineage"]["candidate query encoder"].startswith("trained elsewhere")
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("failures"), suite.find("testcase").get("name")) == ("1", "verdict: cannot tell")
    command_line.run("prove", "--against", base[:12], "--may-be-equal", "--junit", junit, *config)
    assert ElementTree.parse(junit).getroot().get("failures") == "0"
    assert command_line.json("status", *config)["knowledge_bases"][0]["live"] == fitted
    assert "There is no release" in command_line.run("prove", "--against", "zz", *config, code=2).stderr
    assert "--against only" in command_line.run("prove", "--may-be-equal", *config, code=2).stderr


def test_labels_are_checked_before_they_are_used(handbook):
    folder, command_line = handbook
    config = ("--config", folder / "jargonaut.toml")
    good = folder / "good.csv"
    good.write_text(
        "question,document,grade\nHow tight is it?,gv-17.md,2\n如何排气？,中文 手册.md,1\n", encoding="utf-8"
    )
    done = command_line.run("labels", "check", good, *config)
    assert "2 rows, 2 questions with 2 answers" in done.stdout
    assert f'labels = "{good}"' in done.stderr
    bad = folder / "bad.csv"
    bad.write_text("question,document\nHow tight?,gv-17.md\n,gv-17.md\nx,gv-71.md\n")
    result = json.loads(command_line.run("labels", "check", bad, *config, "--json", code=1).stdout)
    assert [problem["line"] for problem in result["problems"]] == [3, 4]
    assert result["questions"] == 1
    bad.write_text("question,document\nx,gv-71.md\n")
    assert "None of the 1 rows" in command_line.run("labels", "check", bad, *config, code=2).stderr
    assert "No labels were given" in command_line.run("labels", "check", *config, code=2).stderr


def test_real_documents_are_tuned_proven_and_reported(shared, tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    source = shared / "documents" / "prometheus_docs_en_md"
    if not source.is_dir():
        pytest.skip("shared/documents/prometheus_docs_en_md is not there")
    shutil.copytree(source / "docs", tmp_path / "docs")
    (tmp_path / "jargonaut.toml").write_text(SETTINGS, encoding="utf-8")
    config = ("--config", tmp_path / "jargonaut.toml")
    command_line = CommandLine(tmp_path / "home")
    built = command_line.json("build", *config)
    assert built["documents"] > 50
    result = json.loads(command_line.run("prove", *config, "--json", code=None).stdout)
    proof = result["proof"]
    assert [row["name"] for row in proof["rows"]] == ["bm25", "base", "tuned", "plain rrf", "fused base", "fused tuned"]
    assert result["promoted"] == (result["verdict"] == "better")
    assert proof["lineage"]["common_texts"] == "0"
    page = (command_line.home / "artifacts").rglob("proofs/*.html")
    assert "<svg" in next(page).read_text(encoding="utf-8")
    again = command_line.json("status", *config)["knowledge_bases"][0]
    assert again["live"] == result["live"]
