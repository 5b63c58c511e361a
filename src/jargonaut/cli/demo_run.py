"""What `jargonaut demo` does: the whole of it, on real documents, with nothing left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jargonaut.cli.demo_corpus import DELETED, KNOWLEDGE_BASE, OFF_TOPIC, QUESTIONS, DemoQuestion, fetch_corpus
from jargonaut.cli.output import as_lines, note, short
from jargonaut.core.errors import JargonautError, UnavailableError
from jargonaut.core.scope import LIVE

if TYPE_CHECKING:
    import httpx

    from jargonaut.wiring import KnowledgeBase

_EDGE_MARGIN_S = 1.0
_WIDTH = 80
_SHOWN = 300
"""Characters of an answer."""


@dataclass
class _Demo:
    """What has happened so far; it becomes `summary.json`."""

    base: KnowledgeBase
    environment: dict[str, str]
    started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def reached(self, stage: str) -> None:
        """Note when a stage was reached, in seconds since the start."""
        self.seconds[stage] = round(time.monotonic() - self.started, 1)
        note(f"[{self.seconds[stage]:7.1f} s] {stage}")


def run_demo(folder: Path, fresh: bool) -> None:
    """Run it in `folder`.

    Raises:
        JargonautError: A stage did not happen; the message says which.
    """
    import httpx

    from jargonaut.settings import settings_for_folder
    from jargonaut.wiring import Workspace

    home = (folder / "home").resolve()
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    note(f"The demo works in {folder}/ and needs about ten minutes.")
    corpus = fetch_corpus(folder.resolve() / "corpus")
    workspace = Workspace(settings_for_folder(corpus), home)
    run = _Demo(workspace.knowledge_base(KNOWLEDGE_BASE), {**os.environ, "JARGONAUT_HOME": str(home)})
    ports = free_ports(2)
    with _up(run, corpus, ports) as service, httpx.Client(timeout=60) as client:
        origin, edge = (f"http://127.0.0.1:{port}" for port in ports)
        _while_running(service, lambda: _is_up(client, origin) and _is_up(client, edge))
        run.reached("lexical release serving")
        first = _ask(client, origin, QUESTIONS[0].text)
        run.reached("first cited answer")
        run.facts["first_answer"] = first
        _while_running(service, lambda: _live_label(run.base) != "lexical")
        run.reached("base release, whole corpus encoded, live")
        before = _ranks(run.base)
        off_topic = _ask(client, edge, OFF_TOPIC)
        _prove(run, corpus)
        run.reached("tuned and proven")
        _until(lambda: _served_recipe(client, origin) == _live(run.base).recipe, 60, "the service did not switch")
        after = _ranks(run.base)
        asked = [_ask(client, edge, question.text) for question in QUESTIONS]
        again = [_ask(client, edge, question.text) for question in QUESTIONS]
        run.reached("asked twice through the edge")
        deleted = _delete(run, client, origin, edge, again[QUESTIONS.index(DELETED)])
        run.reached("deleted, and asked again")
    _finish(run, folder, before, after, asked, again, deleted, off_topic)


@contextmanager
def _up(run: _Demo, corpus: Path, ports: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "jargonaut", "up", str(corpus), "--no-tune", "--no-watch"]
    command += ["--port", str(ports[0]), "--edge-port", str(ports[1])]
    child = subprocess.Popen(command, env=run.environment, stdout=sys.stderr)
    run.facts["service_process"] = child.pid
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _prove(run: _Demo, corpus: Path) -> None:
    command = [sys.executable, "-m", "jargonaut", "prove", "--wait", "--dir", str(corpus), "--json"]
    done = subprocess.run(command, env=run.environment, stdout=subprocess.PIPE, text=True, check=False)
    # 5: refused, with the reason: an honest end of this stage too.
    if done.returncode not in (0, 5):
        raise JargonautError("The proof failed.", "Its message is above.")
    run.facts["proof"] = json.loads(done.stdout)


def _delete(run: _Demo, client: httpx.Client, origin: str, edge: str, cached: dict[str, Any]) -> dict[str, Any]:
    """Delete the document behind a cached answer; who still cites it, and for how long, is part of the record."""
    uri = (cached["cited"] or [DELETED.uri])[0]
    receipt = client.delete(f"{origin}/v1/documents/{uri}", params={"model": KNOWLEDGE_BASE})
    receipt.raise_for_status()
    at_once = _ask(client, origin, DELETED.text)
    bound = run.base.workspace.settings.edge.bound_s
    gone_s = _until(
        lambda: uri not in _ask(client, edge, DELETED.text)["cited"],
        bound + _EDGE_MARGIN_S,
        f"the edge still cited {uri} after its bound of {bound:g} s",
    )
    return {
        "uri": uri,
        "was_cited_from_the_cache": uri in cached["cited"] and cached["cache"] == "HIT",
        "receipt": receipt.json(),
        "origin_cites": at_once["cited"],
        "edge_clean_after_s": round(gone_s, 1),
        "edge_bound_s": bound,
    }


def _finish(
    run: _Demo,
    folder: Path,
    before: list[int | None],
    after: list[int | None],
    asked: list[dict[str, Any]],
    again: list[dict[str, Any]],
    deleted: dict[str, Any],
    off_topic: dict[str, Any],
) -> None:
    report = folder / "proof.html"
    report.write_bytes(Path(run.facts["proof"]["report"]).read_bytes())
    summary: dict[str, Any] = {
        "seconds": run.seconds,
        "proof": {**run.facts["proof"], "report": str(report)},
        "questions": [
            {
                "question": question.text,
                "answer": answer["text"],
                "cited": answer["cited"],
                "rank_before": was,
                "rank_after": now,
                "cache": [answer["cache"], second["cache"]],
            }
            for question, answer, second, was, now in zip(QUESTIONS, asked, again, before, after, strict=True)
        ],
        "off_topic": {"question": OFF_TOPIC, "answer": off_topic["text"], "cited": off_topic["cited"]},
        "deleted": deleted,
        "stages": _stages(run, asked, again, deleted, off_topic),
    }
    (folder / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2), encoding="utf-8")
    for item in summary["questions"]:
        print(_block(item))
    proof = run.facts["proof"]
    print(f"\nproof     {proof['verdict']}: {proof['reason']}")
    print(f"live      {proof['live_label']} recipe, release {short(proof['live'])}")
    print(f"deleted   {deleted['uri']}: origin at once, edge after {deleted['edge_clean_after_s']} s")
    print(f"off topic {OFF_TOPIC} -> {off_topic['text']}")
    print(f"report    {report}\nsummary   {folder / 'summary.json'}")
    failed = [stage for stage, happened in summary["stages"].items() if not happened]
    if failed:
        raise JargonautError(f"These stages did not happen: {', '.join(failed)}.", f"See {folder / 'summary.json'}.")


def _block(item: dict[str, Any]) -> str:
    """A question with what came of it, for a terminal of 80 columns."""
    ranks = (item["rank_before"], item["rank_after"])
    answer = textwrap.fill(
        textwrap.shorten(item["answer"], _SHOWN, placeholder=" …"), _WIDTH, initial_indent="  ", subsequent_indent="  "
    )
    facts = {
        "  cited": ", ".join(item["cited"][:2]),
        "  rank of the right section": " -> ".join(str(rank or "beyond 100") for rank in ranks),
        "  asked again": item["cache"][1],
    }
    return f"{textwrap.fill(item['question'], _WIDTH)}\n{answer}\n{as_lines(facts)}\n"


def _stages(
    run: _Demo,
    asked: list[dict[str, Any]],
    again: list[dict[str, Any]],
    deleted: dict[str, Any],
    off_topic: dict[str, Any],
) -> dict[str, bool]:
    return {
        "first answer is cited": bool(run.facts["first_answer"]["cited"]),
        "every answer is cited": all(answer["cited"] for answer in asked),
        "asked again is a cache hit": all(answer["cache"] == "HIT" for answer in again),
        "a hit is the same answer": all(one["text"] == two["text"] for one, two in zip(asked, again, strict=True)),
        "a proof was made": run.facts["proof"]["verdict"] in ("better", "not inferior", "worse", "cannot tell"),
        "the gate decided": run.facts["proof"]["promoted"] == (run.facts["proof"]["verdict"] == "better"),
        "the deleted was cited before": deleted["was_cited_from_the_cache"],
        "the deleted is gone at the origin": deleted["uri"] not in deleted["origin_cites"],
        "the deleted is gone at the edge": deleted["edge_clean_after_s"] <= deleted["edge_bound_s"] + _EDGE_MARGIN_S,
        "off topic is not answered": not off_topic["cited"],
    }


def _ask(client: httpx.Client, url: str, question: str) -> dict[str, Any]:
    body = {"model": KNOWLEDGE_BASE, "messages": [{"role": "user", "content": question}]}
    response = client.post(f"{url}/v1/chat/completions", json=body)
    response.raise_for_status()
    message = response.json()["choices"][0]["message"]
    return {
        "text": message["content"],
        "cited": list(dict.fromkeys(item["document_citation"]["document"] for item in message["annotations"])),
        "cache": response.headers.get("x-jargonaut-cache", ""),
    }


def _served_recipe(client: httpx.Client, origin: str) -> str:
    body = {"model": KNOWLEDGE_BASE, "query": "session"}
    return str(client.post(f"{origin}/v1/search", json=body).headers.get("x-jargonaut-recipe", ""))


def _ranks(base: KnowledgeBase) -> list[int | None]:
    """Rank of the first passage of the right section, for each question, in the live release."""
    import asyncio

    return asyncio.run(_ranks_of_live(base))


async def _ranks_of_live(base: KnowledgeBase) -> list[int | None]:
    from jargonaut.answering.retrieve import Question, retrieve
    from jargonaut.core.deadline import Deadline

    release, seen = await base.load_for_reading("", [])
    ranks: list[int | None] = []
    for question in QUESTIONS:
        found = await retrieve(release, Question(question.text, top_k=100), seen, Deadline.after(30))
        ranks.append(
            next((rank for rank, item in enumerate(found.passages, 1) if _is_right(question, item.chunk)), None)
        )
    return ranks


def _is_right(question: DemoQuestion, chunk: Any) -> bool:
    return chunk.uri == question.uri and question.heading in " › ".join(chunk.heading_path)


def _live(base: KnowledgeBase) -> Any:
    return base.follower.current().channels[LIVE]


def _live_label(base: KnowledgeBase) -> str:
    return str(base.registry.recipe(_live(base).recipe).label)


def _is_up(client: httpx.Client, url: str) -> bool:
    import httpx

    try:
        return client.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _while_running(service: subprocess.Popen[bytes], happened: Callable[[], bool]) -> None:
    """Wait for what the service does; however slow the machine, it shows its progress."""
    while not happened():
        if service.poll() is not None:
            raise UnavailableError("The service ended too early.", "What is above says why.")
        time.sleep(0.2)


def _until(happened: Callable[[], bool], limit_s: float, otherwise: str) -> float:
    started = time.monotonic()
    while not happened():
        if time.monotonic() - started > limit_s:
            raise UnavailableError(f"After {limit_s:g} s {otherwise}.", "What is above may say why; run it again.")
        time.sleep(0.2)
    return time.monotonic() - started


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
