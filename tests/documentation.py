"""Runs the fenced blocks of a page, so that what is documented is what happens.

A block is run if an HTML comment stands on the line above its fence:

* `<!-- run: NAME -->`: blocks of one name share a folder and run in order. In a `console` block, lines that begin
  with `$ ` are commands (continued by a backslash) and must succeed; the lines after one are its output, of which
  `...` stands for anything, within a line or for lines. `bash` and `python` blocks must succeed.
* `<!-- run: NAME file=PATH -->`: the block is the content of a file.
* `<!-- run: NAME until="TEXT" -->`: the block is one command that goes on (a service); the next block starts when it
  has printed TEXT, and it is interrupted at the end.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND_TIMEOUT_S = 120

_BLOCK = re.compile(
    r"^<!-- run: (?P<attributes>.+?) -->\n(?P<fence>`{3,})(?P<language>\w+)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is run."""

    name: str
    language: str
    text: str
    file: str = ""
    until: str = ""


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page that are run, in order."""
    return [_block(match) for match in _BLOCK.finditer(page)]


def run_blocks(blocks: list[Block], folder: Path, environment: Mapping[str, str]) -> None:
    """Run blocks in `folder`, in order; an `AssertionError` says which command did not do what the page says."""
    running: list[subprocess.Popen[str]] = []
    try:
        for block in blocks:
            if block.file:
                path = folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
            elif block.until:
                running.append(_start(commands_of(block.text)[0][0], block.until, folder, environment))
            elif block.language == "console":
                for command, expected in commands_of(block.text):
                    assert_matches(_run(["bash", "-c", command], command, folder, environment), expected, command)
            elif block.language in ("bash", "python"):
                program = ["bash", "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
                _run([*program, block.text], block.text, folder, environment)
            else:
                raise AssertionError(f"a block in `{block.language}` cannot be run")
    finally:
        for process in running:
            _stop(process)


def _block(match: re.Match[str]) -> Block:
    name, *attributes = shlex.split(match["attributes"])
    return Block(name, match["language"], match["text"], **dict(item.split("=", 1) for item in attributes))


def commands_of(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a `console` block, each with the lines that stand after it."""
    found: list[tuple[str, list[str]]] = []
    continued = False
    for line in text.splitlines():
        if continued:
            command, output = found[-1]
            found[-1] = (f"{command}\n{line}", output)
        elif line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
        continued = line.endswith("\\") and (continued or line.startswith("$ "))
    return found


def _run(program: list[str], shown: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, f"exit code {done.returncode} of\n{shown}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def assert_matches(output: str, expected: list[str], command: str) -> None:
    """Check that a command printed what stands after it, `...` being anything."""
    pattern = "".join(r"(.*\n)*?" if line == "..." else _line_pattern(line) for line in expected)
    if "".join(expected).strip():
        said = "\n".join(line.rstrip() for line in output.strip().splitlines()) + "\n"
        shown = "\n".join(expected)
        assert re.fullmatch(pattern, said), f"`{command}` printed\n{output}\nwhere the page says\n{shown}"


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"


def _start(command: str, until: str, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said, ready = [], threading.Event()

    def listen() -> None:
        for line in _lines_of(process):
            said.append(line)
            if until in line:
                ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    if not ready.wait(COMMAND_TIMEOUT_S) or until not in "".join(said):
        _stop(process)
        raise AssertionError(f"`{command}` did not print {until!r}, but\n{''.join(said)}")
    return process


def _lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    with process.stdout:
        yield from process.stdout


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
