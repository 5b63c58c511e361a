"""What single commands say, over small lexical builds."""

import json
import re
import subprocess
import sys
import unicodedata

import pytest

from jargonaut.cli import output
from jargonaut.cli.demo_run import _block
from jargonaut.core.errors import InputError
from tests.command_line import CommandLine
from tests.documents.test_source import refuse

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

    def test_says_it_as_json(self, before, tmp_path):
        said = before.json("init", "docs")
        assert (said["written"], said["knowledge_base"]) == (str(tmp_path / "jargonaut.toml"), "docs")
        assert said["left_behind"]["command"].startswith("mv ")
        assert json.loads(before.run("init", "docs", "--json", code=2).stdout)["error"]["exit_code"] == 2

    def test_a_build_with_the_file_says_it_again_until_something_was_built(self, before):
        before.run("init", "docs")
        before.run("status")
        said = before.run("build", "--lexical")
        [command] = re.findall(r"^ +(mv .*)$", said.stderr, re.MULTILINE)
        assert "what was deleted comes back" in said.stderr
        assert "built before" not in before.run("build", "--lexical").stderr
        subprocess.run(command, shell=True, check=True)
        deleted = {row["uri"] for row in before.json("documents", "list") if row["deleted"]}
        assert deleted == {"pump.md"}
        assert "built before" not in before.run("build", "--lexical").stderr

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

    def test_a_name_that_both_have_is_ambiguous(self, two):
        command_line, config = two
        said = command_line.run("build", "--kb", "kb", *config, code=2).stderr
        assert "Several tenants" in said
        assert "--kb acme/kb or --kb globex/kb" in said

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


class TestErrors:
    """What is said besides the text on stderr."""

    def test_an_error_is_an_object_where_json_is_asked_for(self, built):
        command_line, config, _ = built
        done = command_line.run("documents", "rm", "pmup.md", *config, "--json", code=2)
        error = json.loads(done.stdout)["error"]
        assert error == {
            "message": "There is no document `pmup.md`.",
            "hint": "Did you mean `pump.md`?",
            "exit_code": 2,
        }
        assert "There is no document `pmup.md`." in done.stderr
        assert command_line.run("documents", "rm", "pmup.md", *config, code=2).stdout == ""

    def test_so_is_a_wrong_option(self, built):
        done = built[0].run("status", "--jsno", "--json", code=2)
        assert "--jsno" in json.loads(done.stdout)["error"]["message"]
        assert "--jsno" in done.stderr

    def test_after_ctrl_c_it_is_said_that_the_next_build_goes_on(self, built, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("jargonaut.build.build", interrupted)
        command_line, config, _ = built
        assert "goes on next time" in command_line.run("build", *config, code=130).stderr

    def test_up_does_not_promise_an_encoder_where_there_is_none(self, tmp_path, monkeypatch):
        def stop(_):
            raise InputError("enough")

        monkeypatch.setattr("jargonaut.cli.rebuilding.run_build", stop)
        written(tmp_path)
        (tmp_path / "jargonaut.toml").write_text(SETTINGS)
        command_line = CommandLine(tmp_path / "home")
        up = ("up", "--config", tmp_path / "jargonaut.toml", "--port", 0)
        assert "answers at once.\n" in command_line.run(*up, code=2).stderr
        (tmp_path / "jargonaut.toml").write_text(SETTINGS.replace('"none"', '"auto"'))
        assert "; the encoder follows.\n" in command_line.run(*up, code=2).stderr


class TestNames:
    """As some systems write them: é as two characters."""

    def test_a_name_that_looks_the_same_is_the_same(self, built):
        command_line, config, folder = built
        composed, decomposed = (unicodedata.normalize(form, "résumé.md") for form in ("NFC", "NFD"))
        (folder / "docs" / decomposed).write_text("# Résumé\n\nAnn welds.\n")
        command_line.run("build", *config)
        assert command_line.json("documents", "rm", composed, *config)["deleted"] == [decomposed]
        assert command_line.json("documents", "restore", composed, *config)["restored"] == [decomposed]
        (folder / "docs" / composed).write_text("# Résumé\n\nBob welds too.\n")
        command_line.run("build", *config)
        assert command_line.json("documents", "rm", composed, *config)["deleted"] == [composed]


class TestClosedFolder:
    """A folder of documents that cannot be opened for a while."""

    def test_its_documents_stay_and_it_is_told(self, built, monkeypatch):
        command_line, config, folder = built
        (folder / "docs" / "hr").mkdir()
        (folder / "docs" / "hr" / "pay.md").write_text("# Pay\n\nThe bonus is paid in May.\n")
        before = command_line.json("build", *config)
        refuse(monkeypatch, folder / "docs" / "hr")
        done = command_line.run("build", *config)
        assert "hr: The folder cannot be opened: Permission denied." in done.stderr
        after = command_line.json("status", *config)["knowledge_bases"][0]
        assert (after["live"], after["quarantined"]) == (before["release"], 1)
        assert "May" in command_line.run("ask", "When is the bonus paid?", *config).stdout
        [refused] = command_line.json("documents", "quarantine", *config)
        assert (refused["uri"], "stays as it was" in refused["reason"]) == ("hr", True)


class TestDamagedIndex:
    """Wrong bytes on the disk."""

    @pytest.fixture
    def damaged(self, built):
        def damage(files):
            for path in (built[2] / "home" / "index").rglob(files):
                data, third = path.read_bytes(), path.stat().st_size // 3
                path.write_bytes(data[:third] + b"\xff" * third + data[2 * third :])
            return built[0], built[1]

        return damage

    @pytest.mark.parametrize("files", ["data/*.lance", "_indices/*/part_0_invert.lance", "_versions/*.manifest"])
    def test_is_told_with_what_to_do_and_found_by_verify(self, damaged, files):
        command_line, config = damaged(files)
        asked = command_line.run("ask", "What is the pump greased with?", *config, code=3).stderr
        verified = command_line.run("index", "verify", *config, code=3)
        assert "damaged" in verified.stdout
        for said in (asked, verified.stdout + verified.stderr):
            assert "chunks-lexical-" in said
            assert "jargonaut build --anew" in said
            assert ".rs:" not in said
        command_line.run("build", "--anew", *config)
        assert "lithium" in command_line.run("ask", "What is the pump greased with?", *config).stdout

    def test_an_index_of_permissions_that_is_damaged_is_not_whole(self, damaged):
        command_line, config = damaged("bitmap_page_lookup.lance")
        found = command_line.json("index", "verify", *config, code=3)["problems"]
        assert {problem["kind"] for problem in found} == {"damaged"}


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
