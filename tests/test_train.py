"""Training from the command line, on a tiny encoder: tuned, proven, promoted, built upon, rolled back, exported."""

import json
import random

import pytest

from tests.command_line import CommandLine
from tests.encoding.tiny_encoders import write_tiny_encoder

pytest.importorskip("torch", reason="the extra `train` is not installed")

SPLITS = ("train", "train", "test")
WORDS = ("session", "cookie", "age", "model", "field", "query", "index", "cache")
SETTINGS = """
[tuning]
budget_s = 1
labels = "labels.jsonl"
method = "{method}"
[encoder]
base = "{base}"
[[knowledge_bases]]
name = "kb"
[[knowledge_bases.sources]]
path = "docs"
"""


@pytest.fixture
def plant(tmp_path):
    """Pages of 336 sections in the words that a tiny encoder knows, built with it."""
    (tmp_path / "docs").mkdir()
    chance, labels = random.Random(1), []
    for first in WORDS:
        for second in sorted(set(WORDS) - {first}):
            sections, split = "", chance.choice(SPLITS)
            for third in sorted(set(WORDS) - {first, second}):
                sections += f"\n## {first} {second} {third}\n\n{' '.join(chance.choices(WORDS, k=14))} {third}.\n"
                label = {"query": f"how do i {third} the {second} of {first}", "uri": f"{first}-{second}.md"}
                labels.append({**label, "heading": f"{first} {second} {third}", "split": split})
            (tmp_path / "docs" / f"{first}-{second}.md").write_text(f"# the {first}\n{sections}")
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))
    write_tiny_encoder(tmp_path / "tiny")
    write_settings(tmp_path, "auto")
    command_line = CommandLine(tmp_path / "home")
    command_line.run("build", "--config", tmp_path / "jargonaut.toml")
    return tmp_path, command_line


def write_settings(folder, method):
    (folder / "jargonaut.toml").write_text(SETTINGS.format(method=method, base=folder / "tiny"), encoding="utf-8")


def live(command_line, config):
    return command_line.json("status", *config)["knowledge_bases"][0]["live"]


def test_a_fully_tuned_encoder_becomes_a_release_and_what_follows_stands_on_it(plant):
    folder, command_line = plant
    config = ("--config", folder / "jargonaut.toml")
    base = live(command_line, config)
    trained = command_line.json("train", *config)
    assert (trained["method"], len(trained["encoders"])) == ("full", 1)
    assert trained["steps"] >= 1
    assert live(command_line, config) == base  # nothing goes live by training
    recorded = command_line.json("train", *config)  # the same material: nothing is trained again
    assert (recorded["encoders"], recorded["seconds"]) == (trained["encoders"], trained["seconds"])

    proven = command_line.json("prove", *config, "--force")
    assert proven["promoted"]
    encoders = {item["card"]["id"]: item for item in command_line.json("encoders", "list", *config)}
    tuned = encoders[trained["encoders"][0]]
    assert (tuned["kind"], tuned["steps"]) == ("full", trained["steps"])
    if proven["candidate_label"] == "tuned":  # else the base was better on the choosing half
        assert tuned["serves"] == ["documents", "questions"]
    (folder / "docs" / "lift.md").write_text("# The lift\n\n## Lift\n\nPull the red cord.\n")
    built = command_line.json("build", *config)
    assert built["outcome"] == "published"
    assert "lift.md" in command_line.run("search", "red cord", *config).stdout
    command_line.run("releases", "rollback", "--to", base, *config)
    assert live(command_line, config) == base


def test_any_encoder_is_exported_and_compared(plant):
    folder, command_line = plant
    config = ("--config", folder / "jargonaut.toml")
    write_settings(folder, "query-side")
    trained = command_line.json("train", *config)
    assert trained["method"] == "query-side"
    compared = command_line.json("encoders", "compare", "live", trained["encoders"][0][:12], *config)
    assert compared["questions"] > 50
    assert 0 < compared["cosine"] <= 1.0001
    assert all(0 < side["reciprocal_rank"] <= 1 for side in compared["sides"])
    done = command_line.json("encoders", "export", trained["encoders"][0][:12], folder / "plain", *config)
    assert (folder / "plain" / "model.safetensors").is_file()
    assert done["encoder"] == trained["encoders"][0]
    refused = command_line.run("encoders", "export", "live", folder / "plain", *config, code=2)
    assert "not empty" in refused.stderr
    unknown = command_line.run("encoders", "export", "zzz", folder / "other", *config, code=2)
    assert "There is no encoder `zzz`" in unknown.stderr
