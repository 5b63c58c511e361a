"""What single commands say, over small lexical builds."""

import json
import re
import subprocess
import sys

import pytest

from jargonaut.cli import output
from jargonaut.cli.demo_run import _block
from tests.command_line import CommandLine

SETTINGS = """
[encoder]
base = "none"
[[knowledge_bases]]
name = "kb"
[[knowledge_bases.sources]]
path = "docs"
"""


def written(folder):
    (folder / "docs").mkdir()
    (folder / "docs" / "pump.md").write_text("# Pump\n\nThe pump is greased with lithium soap.\n")
    (folder / "docs" / "valve.md").write_text("# Valve\n\nThe valve opens at nine bar.\n")
    return folder / "docs"


@pytest.fixture
def built(tmp_path):
    """A folder with a settings file, and the command line with it."""
    written(tmp_path)
    (tmp_path / "jargonaut.toml").write_text(SETTINGS)
    command_line = CommandLine(tmp_path / "home")
    command_line.run("build", "--config", tmp_path / "jargonaut.toml")
    return command_line, ("--config", tmp_path / "jargonaut.toml"), tmp_path


class TestInit:
    """In a folder that was built without a settings file."""

    @pytest.fixture
    def before(self, tmp_path, monkeypatch):
        """The command line, where a document was deleted and a key issued."""
        monkeypatch.chdir(tmp_path)
        docs = written(tmp_path)
        command_line = CommandLine(tmp_path, {"JARGONAUT_HOME": "", "XDG_DATA_HOME": str(tmp_path / "my data")})
        command_line.run("build", docs, "--lexical")
        command_line.run("documents", "rm", "pump.md", "--dir", docs)
        command_line.run("keys", "issue", "ann", "--dir", docs)
        return command_line

    def test_says_how_to_take_over_what_was_done_before(self, before):
        said = before.run("init", "docs").stdout
        [command] = re.findall(r"^ +(mv .*)$", said, re.MULTILINE)
        subprocess.run(command, shell=True, check=True)
        assert before.json("status")["knowledge_bases"][0]["documents"] == 2
        assert {row["uri"]: bool(row["deleted"]) for row in before.json("documents", "list")} == {
            "pump.md": True,
            "valve.md": False,
        }
        assert [row["name"] for row in before.json("keys", "list")] == ["ann"]

    def test_says_so_if_the_knowledge_base_is_named_otherwise(self, before):
        assert 'name = "docs"' in before.run("init", "docs", "--name", "handbook").stdout

    def test_says_nothing_where_nothing_was_done(self, before, tmp_path):
        (tmp_path / "other").mkdir()
        assert before.run("init", "other").stdout == "Wrote jargonaut.toml. Next: jargonaut up\n"


class TestTenants:
    """Two tenants in one workspace."""

    @pytest.fixture
    def two(self, tmp_path):
        written(tmp_path)
        source = '[[knowledge_bases.sources]]\npath = "docs"\n'
        (tmp_path / "jargonaut.toml").write_text(
            "".join(f'[[knowledge_bases]]\nname = "kb"\ntenant = "{name}"\n{source}' for name in ("acme", "globex"))
        )
        return CommandLine(tmp_path / "home"), ("--config", tmp_path / "jargonaut.toml")

    def test_keys_of_all_are_listed_and_revoked_by_their_id(self, two):
        command_line, config = two
        assert "nobody may ask yet" in command_line.run("keys", "list", *config).stdout
        issued = [command_line.json("keys", "issue", "x", "--tenant", name, *config) for name in ("acme", "globex")]
        rows = command_line.json("keys", "list", *config)
        assert [(row["id"], row["tenant"]) for row in rows] == [(key["id"], key["tenant"]) for key in issued]
        assert len(command_line.json("keys", "list", "--tenant", "globex", *config)) == 1
        command_line.run("keys", "revoke", issued[1]["id"], *config)
        assert [row["state"] for row in command_line.json("keys", "list", *config)] == ["valid", "revoked"]

    def test_a_key_is_issued_for_one_that_there_is(self, two):
        command_line, config = two
        assert "--tenant acme or --tenant globex" in command_line.run("keys", "issue", "x", *config, code=2).stderr
        refused = command_line.run("keys", "issue", "x", "--tenant", "acne", *config, code=2).stderr
        assert "acme" in refused


class TestReleases:
    """What `releases` refuses and compares."""

    def test_there_are_two_channels(self, built):
        command_line, config, _ = built
        live = command_line.json("status", *config)["knowledge_bases"][0]["live"]
        refused = command_line.run("releases", "promote", live, "--channel", "foo", *config, code=2).stderr
        assert "`canary`" in refused
        assert command_line.json("releases", "promote", live, "--channel", "canary", *config)["channel"] == "canary"

    def test_other_readers_are_a_difference(self, built):
        command_line, config, folder = built
        before = command_line.json("status", *config)["knowledge_bases"][0]["live"]
        rule = '[[knowledge_bases.rules]]\nmatch = "pump.md"\nallow = ["group:pumps"]\n'
        (folder / "jargonaut.toml").write_text(SETTINGS + rule)
        command_line.run("build", *config)
        after = command_line.json("status", *config)["knowledge_bases"][0]["live"]
        said = command_line.run("releases", "diff", before, after, *config).stdout
        assert "0 documents changed" in said
        assert "1 documents with other readers\n  pump.md: public -> group:pumps" in said
        changes = command_line.json("releases", "diff", before, after, *config)["documents"]
        assert changes["readers"] == {"pump.md": {"before": ["public"], "after": ["group:pumps"]}}


@pytest.mark.parametrize("command", [("status",), ("documents", "list"), ("releases", "list"), ("keys", "list")])
def test_a_folder_is_an_argument_or_an_option(tmp_path, command):
    docs = written(tmp_path)
    command_line = CommandLine(tmp_path / "home")
    command_line.run("build", "--dir", docs, "--lexical")
    as_argument = command_line.json(*command, docs)
    assert as_argument == command_line.json(*command, "--dir", docs)
    assert "Two folders" in command_line.run(*command, docs, "--dir", tmp_path, code=2).stderr


ROW = ("3f9a1c5e77d0", "2026-11-24T15:39:20", "a sentence about it, " * 12, "a/very/long/path/" * 8)


def test_a_table_off_a_terminal_is_not_broken(capsys):
    output.print_table(("id", "when", "what", "where"), [ROW])
    _, line = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in re.split(r"\s{2,}|(?<=\d) (?=[2a])", line)][-1].endswith("path/")
    assert all(cell.strip() in line for cell in ROW)


def test_on_a_terminal_ids_and_times_are_not_broken(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    output.print_table(("id", "when", "what", "where"), [ROW])
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    assert ROW[0] in lines[1]
    assert ROW[1] in lines[1]


def test_the_closing_blocks_of_the_demo_fit_a_terminal():
    block = _block(
        {
            "question": "How does one make a query that joins two tables, " * 3,
            "answer": "Use select_related, which follows foreign keys. [1]\n\n" * 20,
            "cited": ["ref/models/querysets.txt", "topics/db/queries.txt"],
            "rank_before": None,
            "rank_after": 1,
            "cache": ["MISS", "HIT"],
        }
    )
    assert max(map(len, block.splitlines())) <= 80
    assert len(block.splitlines()) < 15
    assert "beyond 100 -> 1" in block


class TestDoctor:
    def findings(self, built, code=0, **environment):
        command_line, config, _ = built
        command_line.environment |= environment
        return {row["what"]: row for row in json.loads(command_line.run("doctor", *config, "--json", code=code).stdout)}

    def test_finds_nothing_wrong_with_what_was_built(self, built):
        found = self.findings(built)
        assert {row["state"] for row in found.values()} <= {"ok", "optional"}
        assert "kb" in str(found["live release of default/kb"])

    def test_says_which_secret_is_missing(self, built):
        (built[2] / "jargonaut.toml").write_text('[edge]\nsecret_env = "EDGE_SECRET"\n' + SETTINGS)
        missing = self.findings(built, code=1, EDGE_SECRET="")["secret of the edge"]
        assert (missing["state"], "EDGE_SECRET" in missing["detail"]) == ("wrong", True)
        assert self.findings(built, EDGE_SECRET="long and random")["secret of the edge"]["state"] == "ok"

    def test_a_folder_that_is_gone_and_a_typo_are_findings(self, built):
        path = built[2] / "jargonaut.toml"
        path.write_text(SETTINGS.replace("docs", "dcos"))
        assert self.findings(built, code=1)["source of default/kb"]["fix"]
        path.write_text(SETTINGS.replace("[encoder]", "[encodre]"))
        assert "did you mean `encoder`" in self.findings(built, code=1)["settings"]["detail"].lower()
