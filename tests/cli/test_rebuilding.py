"""What is built and tuned when, over real folders; the builds themselves end when the test says so."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from jargonaut.cli import rebuilding
from jargonaut.cli.rebuilding import Rebuilding
from jargonaut.settings import KnowledgeBaseSettings, Settings, SourceSettings
from jargonaut.wiring import Workspace

PATIENCE_S = 60
BUSY, REFUSED = 4, 5


@dataclass
class Process:
    """A `jargonaut` that runs until it is told to end."""

    name: str
    """As `build en`."""
    returncode: int | None = None
    signals: list[int] = field(default_factory=list)

    def poll(self):
        return self.returncode

    def send_signal(self, number):
        self.signals.append(number)
        self.returncode = 130

    def wait(self, timeout_s=None):
        return self.returncode


class Up:
    """A rebuilding thread, and the processes that it has begun."""

    def __init__(self, tmp_path, monkeypatch, tune=True, watch=True, **folders):
        self.begun: list[Process] = []
        self.wanting: set[str] = set()
        self.changed = threading.Condition()
        monkeypatch.setattr(rebuilding, "_start", self._start)
        monkeypatch.setattr(rebuilding, "_wants_tuning", lambda base: base.settings.name in self.wanting)
        bases = [
            KnowledgeBaseSettings(name=name, sources=(SourceSettings(path=tmp_path / folder),))
            for name, folder in folders.items()
        ]
        for folder in set(folders.values()):
            (tmp_path / folder).mkdir(exist_ok=True)
        workspace = Workspace(Settings(knowledge_bases=tuple(bases)), tmp_path / "home")
        self.rebuilding = Rebuilding(workspace, ["--config", "x.toml"], tune=tune, watch=watch)

    def _start(self, command, arguments):
        assert list(arguments[:-1]) == ["--config", "x.toml", "--kb"]
        with self.changed:
            self.begun.append(Process(f"{command} {arguments[-1].removeprefix('default/')}"))
            self.changed.notify_all()
            return self.begun[-1]

    def expect(self, *names):
        """The next processes that are begun, which are these."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= len(names), PATIENCE_S), (names, self.begun)
            begun, self.begun = self.begun[: len(names)], self.begun[len(names) :]
        assert sorted(process.name for process in begun) == sorted(names)
        return sorted(begun, key=lambda process: process.name)

    def expect_nothing(self):
        with self.changed:
            assert not self.changed.wait_for(lambda: self.begun, 1.5), self.begun


@pytest.fixture
def up(tmp_path, monkeypatch):
    ups = []

    def start(*wanting, **options):
        ups.append(Up(tmp_path, monkeypatch, **options))
        ups[-1].wanting.update(wanting)
        ups[-1].rebuilding.start()
        return ups[-1]

    yield start
    for each in ups:
        each.rebuilding.stop()


def test_every_knowledge_base_of_a_folder_follows_it(up, tmp_path):
    running = up(en="docs", zh="docs")
    for process in running.expect("build en", "build zh"):
        process.returncode = 0
    (tmp_path / "docs" / "a.md").write_text("a")
    running.expect("build en", "build zh")


def test_a_change_during_a_build_is_built_next_and_before_tuning(up, tmp_path):
    running = up("kb", kb="docs")
    [first] = running.expect("build kb")
    (tmp_path / "docs" / "a.md").write_text("a")
    running.expect_nothing()
    first.returncode = 0
    [second] = running.expect("build kb")
    second.returncode = 0
    running.expect("prove kb")


def test_changes_are_built_beside_a_proof(up, tmp_path):
    running = up("kb", kb="docs")
    running.expect("build kb")[0].returncode = 0
    running.expect("prove kb")
    (tmp_path / "docs" / "a.md").write_text("a")
    running.expect("build kb")[0].returncode = 0
    running.expect_nothing()


def test_after_every_build_it_is_asked_whether_tuning_is_wanted(up, tmp_path):
    running = up(kb="docs")
    running.expect("build kb")[0].returncode = 0
    running.expect_nothing()
    running.wanting.add("kb")
    (tmp_path / "docs" / "a.md").write_text("a")
    running.expect("build kb")[0].returncode = 0
    running.expect("prove kb")


def test_one_proof_at_a_time(up):
    running = up("a", "b", a="docs", b="more")
    for process in running.expect("build a", "build b"):
        process.returncode = 0
    with running.changed:
        assert running.changed.wait_for(lambda: running.begun, PATIENCE_S)
    [first] = running.expect(running.begun[0].name)
    running.expect_nothing()
    first.returncode = REFUSED
    running.expect("prove b" if first.name == "prove a" else "prove a")


def test_one_that_was_in_the_way_of_another_process_is_tried_again(up):
    running = up("kb", kb="docs")
    running.expect("build kb")[0].returncode = BUSY
    running.expect("build kb")[0].returncode = 0
    running.expect("prove kb")[0].returncode = BUSY
    running.expect("prove kb")


def test_a_build_that_fails_is_said_and_not_repeated(up, tmp_path, capsys):
    running = up(kb="docs")
    running.expect("build kb")[0].returncode = 3
    running.expect_nothing()
    assert "default/kb: `build` ended with exit code 3; what was live goes on serving." in capsys.readouterr().err


def test_a_folder_that_is_gone_is_built_once_it_is_back(up, tmp_path):
    running = up(kb="docs")
    running.expect("build kb")[0].returncode = 0
    (tmp_path / "docs").rmdir()
    running.expect_nothing()
    (tmp_path / "docs").mkdir()
    running.expect("build kb")


def test_without_watching_everything_is_built_once(up, tmp_path):
    running = up(kb="docs", watch=False)
    running.expect("build kb")[0].returncode = 0
    (tmp_path / "docs" / "a.md").write_text("a")
    running.expect_nothing()


def test_stopping_interrupts_what_runs(up):
    running = up(kb="docs")
    [process] = running.expect("build kb")
    started = time.monotonic()
    running.rebuilding.stop()
    assert process.signals
    assert time.monotonic() - started < PATIENCE_S
