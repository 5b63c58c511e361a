"""Runs the command line in a process of its own, as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class CommandLine:
    """`jargonaut` with a home of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, code: int | None = 0, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert code is None or done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: object, code: int | None = 0):
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "jargonaut", *map(str, arguments)]

    def variables(self) -> dict[str, str]:
        return {**os.environ, "JARGONAUT_HOME": str(self.home), **self.environment}
