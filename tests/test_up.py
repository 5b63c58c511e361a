"""`jargonaut up`: service and edge as users run them, asked with the real OpenAI SDK."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import openai
import pytest

from jargonaut.cli.demo_run import free_ports
from tests.command_line import CommandLine
from tests.handbook import write_handbook

BADGE = "What badge do visitors wear?"
TORQUE = "How tight must the bonnet be?"


class Running:
    """`jargonaut up` on a folder of documents."""

    def __init__(self, folder: Path, *more: str, settings: str = "") -> None:
        self.docs = folder / "docs" if (folder / "docs").exists() else write_handbook(folder / "docs")
        self.log = folder / "log"
        self.command_line = CommandLine(folder / "home")
        self.where: tuple[object, ...] = (self.docs,)
        if settings:
            (folder / "jargonaut.toml").write_text(settings, encoding="utf-8")
            self.where = ("--config", folder / "jargonaut.toml")
        service, edge = free_ports(2)
        self.origin, self.edge = f"http://127.0.0.1:{service}", f"http://127.0.0.1:{edge}"
        arguments = ["up", *self.where, "--port", service, "--edge-port", edge, "--no-tune", *more]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jargonaut", *map(str, arguments)],
                env=self.command_line.variables(),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.until(lambda: self.status(f"{self.edge}/readyz") == 200, 120)

    def status(self, url: str) -> int:
        try:
            return httpx.get(url, timeout=5).status_code
        except httpx.TransportError:
            return 0

    def until(self, happened, limit_s: float) -> float:
        started = time.monotonic()
        while not happened():
            assert time.monotonic() - started < limit_s, f"did not happen within {limit_s} s\n{self.log.read_text()}"
            assert self.process.poll() is None, f"`up` has ended\n{self.log.read_text()}"
            time.sleep(0.1)
        return time.monotonic() - started

    def recipe(self) -> str:
        return self.command_line.json("status", *self.where)["knowledge_bases"][0].get("recipe", "")

    def documents(self) -> int:
        return self.command_line.json("status", *self.where)["knowledge_bases"][0]["documents"]

    def builds(self) -> list[int]:
        """The processes that build for it, whoever their parent is by now."""
        found = subprocess.run(
            ["pgrep", "-f", f"jargonaut build.*{self.docs.parent}"], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("up"))
    running.until(lambda: running.recipe().startswith("base"), 120)
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()


def annotations_of(message):
    return [item["document_citation"]["document"] for item in message.model_dump()["annotations"]]


def test_the_second_time_is_a_hit_with_the_same_answer(running):
    client = openai.OpenAI(base_url=f"{running.edge}/v1", api_key="unused", max_retries=0)

    def ask():
        return client.chat.completions.with_raw_response.create(
            model="docs", messages=[{"role": "user", "content": BADGE}]
        )

    # Until the service has switched to the release that is live, its answers are not kept.
    running.until(lambda: ask().headers["x-jargonaut-cache"] == "HIT", 20)
    one, two = ask().parse(), ask().parse()
    assert one == two
    assert "yellow badge" in one.choices[0].message.content
    assert annotations_of(one.choices[0].message) == ["visitors.html"]
    assert one.model == "docs"


def test_streams_through_the_edge(running):
    client = openai.OpenAI(base_url=f"{running.edge}/v1", api_key="unused", max_retries=0)
    texts = []
    for _ in range(2):
        stream = client.chat.completions.create(
            model="docs",
            messages=[{"role": "user", "content": TORQUE}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
        assert chunks[-1].usage.total_tokens > 0
        texts.append("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))
    assert texts[0] == texts[1]
    assert "20 newton metres" in texts[0]


def test_models_and_search(running):
    client = openai.OpenAI(base_url=f"{running.edge}/v1", api_key="unused", max_retries=0)
    assert "docs" in [model.id for model in client.models.list()]
    found = httpx.post(f"{running.edge}/v1/search", json={"model": "docs", "query": "CP-40-E33"}, timeout=10).json()
    assert found["data"][0]["document"] == "cp-40.md"
    assert found["model"] == "docs", "as at the origin"


def test_unknown_model_and_path(running):
    client = openai.OpenAI(base_url=f"{running.edge}/v1", api_key="unused", max_retries=0)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="doc", messages=[{"role": "user", "content": BADGE}])
    assert running.status(f"{running.edge}/internal/grant") == 404
    assert running.status(f"{running.edge}/etc/passwd") == 404


def test_a_changed_file_is_answered_without_a_restart(running):
    (running.docs / "canteen.md").write_text("# Canteen\n\n## Hours\n\nThe canteen opens at half past eleven.\n")
    question = {"model": "docs", "messages": [{"role": "user", "content": "When does the canteen open?"}]}

    def answered() -> bool:
        # On a machine that is kept busy by the build, the edge may say 503 meanwhile: that is no answer yet.
        return "half past eleven" in httpx.post(f"{running.edge}/v1/chat/completions", json=question, timeout=60).text

    running.until(answered, 180)


def test_a_delete_is_in_force_at_once_and_at_the_edge_within_its_bound(running):
    def cites(url: str) -> bool:
        question = {"model": "docs", "messages": [{"role": "user", "content": "May I take off another's padlock?"}]}
        message = httpx.post(f"{url}/v1/chat/completions", json=question, timeout=10).json()["choices"][0]["message"]
        return any(item["document_citation"]["document"] == "safety.rst" for item in message["annotations"])

    assert cites(running.edge)
    assert cites(running.edge)
    deleted = httpx.delete(f"{running.origin}/v1/documents/safety.rst", params={"model": "docs"}, timeout=10)
    assert deleted.status_code == 200, deleted.text
    assert not cites(running.origin)
    assert running.until(lambda: not cites(running.edge), 6) <= 6
    # `up` may be building itself at this moment.
    running.until(lambda: running.command_line.run("build", *running.where, code=None).returncode == 0, 60)
    assert not cites(running.origin)
    assert (running.docs / "safety.rst").exists()


def test_killed_workerd_comes_back(running):
    listed = subprocess.run(
        ["pgrep", "-f", "workerd serve"], capture_output=True, text=True, check=False
    ).stdout.split()
    mine = [pid for pid in map(int, listed) if _descends(pid, running.process.pid)]
    assert mine
    for pid in mine:
        os.kill(pid, signal.SIGKILL)
    running.until(lambda: running.status(f"{running.edge}/readyz") == 200, 20)


def test_ctrl_c_leaves_nothing_running(tmp_path):
    running = Running(tmp_path, "--no-watch")
    children = _descendants(running.process.pid)
    assert running.stop() in (0, 130)
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in children):
        assert time.monotonic() < deadline, "something is left running"
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_killed_it_takes_its_builds_along_and_the_next_one_goes_on(tmp_path):
    running = Running(tmp_path)
    running.until(lambda: running.builds(), 120)
    children = _descendants(running.process.pid)
    running.process.kill()
    running.process.wait()
    deadline = time.monotonic() + 60
    while any(_alive(pid) for pid in [*children, *running.builds()]):
        assert time.monotonic() < deadline, "something is left running"
        time.sleep(0.1)
    again = Running(tmp_path)
    again.until(lambda: again.recipe().startswith("base"), 240)
    assert again.stop() in (0, 130)
    assert "exit code" not in again.log.read_text()


TWO = """
[encoder]
base = "none"
""" + "".join(
    f"""
[[knowledge_bases]]
name = "{name}"
[[knowledge_bases.sources]]
path = "docs"
include = ["{name}-*.md"]
"""
    for name in ("en", "zh")
)


def test_two_knowledge_bases_of_one_folder_follow_it_also_when_it_is_replaced(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("en", "zh"):
        (docs / f"{name}-pump.md").write_text("# Pump\n\nThe pump is greased with lithium soap.\n")
    running = Running(tmp_path, settings=TWO)

    def answers(name: str, text: str) -> bool:
        asked = {"model": name, "messages": [{"role": "user", "content": "When does the canteen open?"}]}
        return text in httpx.post(f"{running.origin}/v1/chat/completions", json=asked, timeout=30).text

    def both(text: str) -> bool:
        return answers("en", text) and answers("zh", text)

    try:
        for name in ("en", "zh"):
            (docs / f"{name}-canteen.md").write_text("# Canteen\n\nThe canteen opens at half past eleven.\n")
        running.until(lambda: both("half past eleven"), 120)
        other = tmp_path / "other"
        other.mkdir()
        for name in ("en", "zh"):
            (other / f"{name}-canteen.md").write_text("# Canteen\n\nThe canteen opens at noon.\n")
        docs.rename(tmp_path / "old")
        running.until(lambda: "is gone" in running.log.read_text(), 60)
        assert both("half past eleven"), "what was live goes on serving"
        other.rename(docs)
        running.until(lambda: both("at noon"), 120)
        assert "is back" in running.log.read_text()
        assert running.stop() in (0, 130)
    finally:
        running.process.kill()
        running.process.wait()


def test_a_change_during_the_first_encode_is_built_right_after_it(tmp_path):
    running = Running(tmp_path)
    try:
        running.until(lambda: running.builds(), 120)
        (running.docs / "canteen.md").write_text("# Canteen\n\nThe canteen opens at half past eleven.\n")
        running.until(lambda: running.recipe().startswith("base") and running.documents() == 15, 240)
        assert running.stop() in (0, 130)
    finally:
        running.process.kill()
        running.process.wait()


def test_keys_and_permissions_through_the_edge(tmp_path):
    settings = """
[service]
keys = "required"
[[knowledge_bases]]
name = "docs"
default_allow = ["public"]
[[knowledge_bases.sources]]
path = "docs"
[[knowledge_bases.rules]]
match = "hr/**"
allow = ["group:hr"]
"""
    running = Running(tmp_path, "--no-watch", settings=settings)
    try:
        issue = lambda name, *more: running.command_line.json("keys", "issue", name, *more, *running.where)  # noqa: E731
        hr, guest = issue("anna", "--principal", "group:hr"), issue("guest", "--principal", "user:guest")
        night = "How much is the night shift allowance?"
        assert httpx.post(f"{running.edge}/v1/chat/completions", json={"model": "docs"}, timeout=10).status_code == 401

        def cited(key: dict[str, str]) -> set[str]:
            client = openai.OpenAI(base_url=f"{running.edge}/v1", api_key=key["secret"], max_retries=0)
            answer = client.chat.completions.create(model="docs", messages=[{"role": "user", "content": night}])
            return set(annotations_of(answer.choices[0].message))

        for _ in range(2):
            assert "hr/salaries.md" in cited(hr)
            assert "hr/salaries.md" not in cited(guest)
        running.command_line.run("keys", "revoke", hr["id"], *running.where)

        def refused() -> bool:
            try:
                cited(hr)
            except openai.AuthenticationError:
                return True
            return False

        assert running.until(refused, 6) <= 6
    finally:
        running.process.kill()
        running.process.wait()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    return parents


def _descends(pid: int, ancestor: int) -> bool:
    parents = _parents()
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def _descendants(ancestor: int) -> list[int]:
    return [pid for pid in _parents() if pid != ancestor and _descends(pid, ancestor)]
