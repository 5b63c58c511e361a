"""The edge against its targets, and beside two gateways: same origin, same load tool, one run.

make bench-edge                         everything, going on where an interrupted run stopped
python -m benchmarks.edge hits misses   some parts, anew

It needs node (and npm, and a network, for the peers, which are skipped with a reason where they cannot be had). Figures
of a machine that does other things meanwhile are provisional; each row names the processor.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.rows import RESULTS, row, write
from jargonaut.deployment.edge import Edge
from jargonaut.deployment.edge_settings import Budget, EdgeSettings, Origin
from jargonaut.deployment.workerd_config import BUNDLES

HERE = Path(__file__).parent
WORK = HERE / ".cache" / "edge"
CHAT = "/v1/chat/completions"
RATES = (50, 200, 500)
STREAMS = 200
DELAY_MS = 20
PORTKEY, LITELLM = "@portkey-ai/gateway", "litellm[proxy]"
TOPIC = "edge"


@dataclass(frozen=True)
class Target:
    """Where the load goes."""

    name: str
    url: str
    headers: dict[str, str]
    model: str = "handbook"
    pid: int = 0
    """Of workerd."""

    def cpu_ms(self) -> float:
        """Processor time that it has used: says what it costs on a machine that does other things too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1000

    def question(self, text: str, **more: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": [{"role": "user", "content": text}], **more}


@contextlib.contextmanager
def origin() -> Iterator[Target]:
    """The origin, in a process of its own."""
    command = ["node", str(HERE / "edge_origin.mjs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Target("direct", f"http://127.0.0.1:{int(process.stdout.readline())}", {"authorization": "Bearer a"})
        finally:
            process.terminate()


@contextlib.contextmanager
def edge(direct: Target, **changes: Any) -> Iterator[Target]:
    """Ours, with authentication, brake, budget and key on."""
    everything = {"rate_limit": 100_000_000, "budgets": {"*": Budget(requests=100_000_000)}} | changes
    with Edge(EdgeSettings((Origin(direct.url),), "k1", "secret", **everything)) as running:
        yield Target("edge", running.url, {"authorization": "Bearer a"}, pid=running.pid or 0)


def load(target: Target, mode: str, text: str, *, unique: bool = False, stream: bool = False, **job: Any) -> Any:
    """The result of one load."""
    body = target.question(text, stream=True) if stream else target.question(text)
    job |= {"mode": mode, "url": target.url + CHAT, "body": body, "unique": unique, "headers": target.headers}
    job |= {"first": time.time_ns() // 1000}
    said = subprocess.run(
        ["node", str(HERE / "edge_load.mjs")], input=json.dumps(job), capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout)


def hits() -> None:
    """A stored answer, again and again."""
    with origin() as direct, edge(direct) as ours:
        load(ours, "closed", "a hit", connections=1, seconds=1)
        one = load(ours, "closed", "a hit", connections=1, seconds=8)
        many = [load(ours, "closed", "a hit", connections=32, seconds=8) for _ in range(3)]
        bare = load(direct, "closed", "a hit", connections=32, seconds=4)
    assert not one["failed"], one
    rate = median(item["rate"] for item in many)
    _write(
        ("hit, one connection, p50", one["p50"], "ms", "< 1", None),
        ("hit, one connection, p99", one["p99"], "ms", "", None),
        ("hits a second, 32 connections, authentication, limit and key on", rate, "1/s", ">= 3500", None),
        ("the origin alone, without delay, by the same load", bare["rate"], "1/s", "", None),
    )


def cost() -> None:
    """Processor time of workerd for a hit and for a miss: steady where clocks are not."""
    with origin() as direct, edge(direct) as ours:
        rows = []
        for what, text, unique in (("hit", "a hit", False), ("miss", "NUMBER", True)):
            load(ours, "closed", text, unique=unique, connections=8, seconds=1)
            before = ours.cpu_ms()
            got = load(ours, "closed", text, unique=unique, connections=8, seconds=8, warm=0)
            spent = (ours.cpu_ms() - before) / got["count"]
            rows.append((f"processor time of workerd for a {what}", spent, "ms", "", None))
        _write(*rows, ("hits a second that one core's time is enough for", 1000 / rows[0][1], "1/s", "", None))


def misses() -> None:
    """What the edge adds to an origin that takes 20 ms, in turns so that both see the same machine."""
    question = f"delay={DELAY_MS} NUMBER"
    with origin() as direct, edge(direct) as ours:
        load(ours, "closed", question, unique=True, connections=1, seconds=2)
        turns = [
            [load(target, "closed", question, unique=True, connections=1, seconds=5) for target in (direct, ours)]
            for _ in range(4)
        ]
    for percentile, target in (("p50", "<= 2.5"), ("p99", "<= 6")):
        added = median(through[percentile] - straight[percentile] for straight, through in turns)
        _write((f"miss, added to the origin, {percentile}", added, "ms", target, None))


def streams() -> None:
    """200 streams at once, a token each 50 ms."""
    with origin() as direct, edge(direct) as ours:
        turns = [
            [
                load(target, "streams", "tokens=40 gap=50 NUMBER", unique=True, stream=True, count=STREAMS)
                for target in both
            ]
            for both in [(direct, ours)] * 3
        ]
    for straight, through in turns:
        assert straight["whole"] == through["whole"] == STREAMS, (straight, through)
    ratio = median(through["total"]["p50"] / straight["total"]["p50"] for straight, through in turns)
    lag = median(through["lag"]["p95"] for _, through in turns)
    _write(
        (f"{STREAMS} streams at once, total time by that of direct", ratio, "x", "<= 1.05", None),
        (f"{STREAMS} streams at once, from the origin's write to the client, p95", lag, "ms", "<= 5", None),
        ("the same, direct", median(straight["lag"]["p95"] for straight, _ in turns), "ms", "", None),
    )


def size() -> None:
    """What is loaded, and how long it takes."""
    import tempfile

    from jargonaut.deployment.workerd import Workerd
    from jargonaut.deployment.workerd_binary import find_workerd
    from jargonaut.deployment.workerd_config import local_worker

    worker, binary, times = local_worker(EdgeSettings((Origin("http://127.0.0.1:1"),), "k", "s")), find_workerd(), []
    for _ in range(9):
        with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory():
            begun = time.perf_counter()
            process = Workerd(binary, worker, listener, on_exit=lambda: None)
            times.append((time.perf_counter() - begun) * 1000)
            process.end(1)
    bundle = (BUNDLES / "index.js").stat().st_size / 1024
    _write(
        ("bundle, minified", bundle, "KiB", "<= 40", None),
        ("workerd started, first answer to a request", median(times), "ms", "", None),
    )
    _write(("cold start of the Worker: first request minus the second", _cold_ms(), "ms", "<= 50", None))


def _cold_ms() -> float:
    """The first request loads the script; the process itself is not what Cloudflare starts."""
    times = []
    for _ in range(5):
        with origin() as direct, edge(direct) as ours, httpx.Client(base_url=ours.url) as client:
            body, took = ours.question("q"), []
            for _ in range(2):
                begun = time.perf_counter()
                client.post(CHAT, json=body, headers=ours.headers).raise_for_status()
                took.append((time.perf_counter() - begun) * 1000)
        times.append(took[0] - took[1])
    return median(times)


def peers() -> None:
    """What each gateway adds at the 99th percentile, at a rate, to the same origin."""
    for name, start in ((PORTKEY, portkey), (LITELLM, litellm)):
        with contextlib.ExitStack() as stack:
            direct = stack.enter_context(origin())
            ours = stack.enter_context(edge(direct))
            try:
                theirs = stack.enter_context(start(direct))
            except Unavailable as reason:
                print(f"{name} is left out: {reason}", file=sys.stderr)
                continue
            for target in (ours, theirs):
                load(target, "open", "delay=20 NUMBER", unique=True, rate=20, seconds=3)
            for rate in RATES:
                _compare(name, rate, direct, ours, theirs)
            _tenants(name, ours, theirs)


def _compare(name: str, rate: int, direct: Target, ours: Target, theirs: Target) -> None:
    added: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    lost = 0
    for _ in range(3):
        straight = load(direct, "open", "delay=20 NUMBER", unique=True, rate=rate, seconds=6)
        for target in (ours, theirs):
            got = load(target, "open", "delay=20 NUMBER", unique=True, rate=rate, seconds=6)
            added[target.name].append(max(0.05, got["p99"] - straight["p99"]) if got["p99"] is not None else 60_000)
            lost += sum(got["failed"].values()) if target is theirs else 0
    mine, other = median(added[ours.name]), median(added[theirs.name])
    _write(
        (f"added p99 of {name} by ours, at {rate} requests/s", other / mine, "x", ">= 5", (name, round(other, 2))),
        (f"added p99 of the edge, at {rate} requests/s, beside {name}", mine, "ms", "", (name, round(other, 2))),
    )
    if lost:
        _write((f"requests that failed at {name}, at {rate} requests/s", lost, "", "", None))


def _tenants(name: str, ours: Target, theirs: Target) -> None:
    """Two tenants ask the same: whose answer does the second get?"""
    crossed = {}
    for target in (ours, theirs):
        said = []
        for key in ("tenant-one", "tenant-two"):
            headers = {**target.headers, "authorization": f"Bearer {key}"} if target is ours else target.headers
            headers |= {"x-tenant": key}
            answer = httpx.post(target.url + CHAT, json=target.question("the same"), headers=headers, timeout=30)
            said.append(answer.json()["choices"][0]["message"]["content"])
        crossed[target.name] = float(said[0] == said[1])
    what = f"second tenant gets the first one's stored answer (1: yes), beside {name} with its cache on"
    _write((what, crossed[ours.name], "", "== 0", (name, crossed[theirs.name])))


class Unavailable(Exception):
    """A peer cannot be run here, and why."""


@contextlib.contextmanager
def portkey(direct: Target) -> Iterator[Target]:
    folder = WORK / "portkey"
    server = folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
    if not server.is_file():
        _install(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "@portkey-ai/gateway"])
    port = _free_port()
    headers = {
        "authorization": "Bearer a",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{direct.url}/v1",
        "x-portkey-config": json.dumps({"cache": {"mode": "simple"}}),
    }
    with _running(["node", str(server), f"--port={port}", "--headless"], {}, f"http://127.0.0.1:{port}/"):
        yield Target("portkey", f"http://127.0.0.1:{port}", headers)


@contextlib.contextmanager
def litellm(direct: Target) -> Iterator[Target]:
    folder = WORK / "litellm"
    if not (folder / "bin/litellm").is_file():
        _install([sys.executable, "-m", "venv", str(folder)])
        _install([str(folder / "bin/pip"), "install", "--quiet", LITELLM])
    config = folder / "config.yaml"
    # Their cache is on, as ours is; nothing is logged.
    config.write_text(
        "model_list:\n"
        "  - model_name: handbook\n"
        f"    litellm_params: {{model: openai/handbook, api_base: '{direct.url}/v1', api_key: a}}\n"
        "litellm_settings: {cache: true, cache_params: {type: local}, telemetry: false}\n"
    )
    port = _free_port()
    command = [str(folder / "bin/litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    with _running(command, {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}, f"http://127.0.0.1:{port}/health/liveliness"):
        yield Target("litellm", f"http://127.0.0.1:{port}", {"authorization": "Bearer a"})


def _install(command: list[str]) -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    if shutil.which(command[0]) is None:
        raise Unavailable(f"there is no {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it cannot be installed")


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], url: str) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, env={**os.environ, **environment}, **quiet) as process:  # type: ignore[call-overload]
        try:
            until = time.monotonic() + 120
            while True:
                if process.poll() is not None or time.monotonic() > until:
                    raise Unavailable(f"`{' '.join(command[:2])}` does not start")
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(url, timeout=2).status_code < 500:
                        break
                time.sleep(0.3)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _write(*measured: tuple[str, float, str, str, tuple[str, float] | None]) -> None:
    command = f"python -m benchmarks.edge {_part}"
    write(TOPIC, [row(what, value, unit, target, command, peer) for what, value, unit, target, peer in measured])
    for what, value, unit, target, peer in measured:
        beside = f"  ({peer[0]}: {peer[1]:g})" if peer else ""
        print(f"{value:10.3f} {unit:4} {target:8} {what}{beside}", flush=True)


PARTS: dict[str, Callable[[], None]] = {
    "hits": hits,
    "cost": cost,
    "misses": misses,
    "streams": streams,
    "size": size,
    "peers": peers,
}
_part = ""


def main() -> None:
    """Some parts anew, or all that this run has not done yet."""
    global _part
    if shutil.which("node") is None:
        raise SystemExit("`benchmarks.edge` needs node: its origin and its load tool run on it.")
    WORK.mkdir(parents=True, exist_ok=True)
    record = WORK / "done.json"
    chosen = sys.argv[1:]
    done: list[str] = json.loads(record.read_text()) if record.is_file() and not chosen else []
    for name in chosen or [part for part in PARTS if part not in done]:
        _part = name
        PARTS[name]()
        done.append(name)
        if not chosen:
            record.write_text(json.dumps(done))
    if not chosen:
        record.unlink(missing_ok=True)
        print(RESULTS / f"{TOPIC}.md")


if __name__ == "__main__":
    main()
