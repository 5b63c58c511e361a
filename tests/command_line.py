"""Runs the command line as a user does: in this process, or, to be killed, in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from jargonaut.cli import main


@dataclass
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class CommandLine:
    """`jargonaut` with a home of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, code: int | None = 0) -> Done:
        """Run a command to its end, in this process: starting Python anew would take most of the time."""
        out, err, left = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.object(sys, "argv", ["jargonaut", *map(str, arguments)]),
            mock.patch.dict(os.environ, self.variables()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                left = int(end.code or 0)
        done = Done(left, out.getvalue(), err.getvalue())
        assert code is None or left == code, f"exit code {left}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: object, code: int | None = 0):
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "jargonaut", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def variables(self) -> dict[str, str]:
        return {**os.environ, "JARGONAUT_HOME": str(self.home), **self.environment}
