"""Rows of results: one for each target, met or not; kept as JSON and shown as a Markdown table."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jargonaut.cli.doctor import cpu_flags

RESULTS = Path(__file__).parent / "results"
_FLAGS = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx2")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Row:
    """One target and what was measured."""

    what: str
    value: float
    unit: str
    target: str
    """Such as `<= 15`; empty if it is only told."""
    met: bool | None
    peer: str
    peer_value: float | None
    command: str
    when: str
    cpu: str


def row(what: str, value: float, unit: str, target: str, command: str, peer: tuple[str, float] | None = None) -> Row:
    """A row as of now; whether the target is met follows from the value."""
    met = None
    if target:
        sign, _, bound = target.partition(" ")
        met = _COMPARE[sign](value, float(bound))
    name, number = peer or ("", None)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Row(what, round(value, 4), unit, target, met, name, number, command, now, cpu())


def cpu() -> str:
    """Model and the flags that decide how fast encoding is."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    cores = sum(line.startswith("processor") for line in lines)
    found = [flag for flag in _FLAGS if flag in cpu_flags()]
    return f"{model}, {cores} cores, {' '.join(found)}"


def write(topic: str, rows: list[Row]) -> None:
    """Merge `rows` into the topic's results (by `what`), so that an interrupted run keeps what it has."""
    path = RESULTS / f"{topic}.json"
    known: dict[str, dict[str, Any]] = {}
    if path.is_file():
        known = {item["what"]: item for item in json.loads(path.read_text(encoding="utf-8"))}
    known.update({item.what: asdict(item) for item in rows})
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(list(known.values()), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (RESULTS / f"{topic}.md").write_text(_markdown(topic, list(known.values())), encoding="utf-8")


def _markdown(topic: str, rows: list[dict[str, Any]]) -> str:
    lines = [f"# {topic}", "", "| what | value | target | met | peer | CPU | when |", "|---|---|---|---|---|---|---|"]
    for item in rows:
        met = {True: "yes", False: "**no**", None: ""}[item["met"]]
        peer = f"{item['peer']}: {item['peer_value']:g}" if item["peer"] else ""
        value = f"{item['value']:g} {item['unit']}"
        lines.append(
            f"| {item['what']} | {value} | {item['target']} | {met} | {peer} | {item['cpu']} | {item['when']} |"
        )
    return "\n".join(lines) + "\n"
