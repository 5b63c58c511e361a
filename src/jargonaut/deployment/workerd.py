"""One workerd process: started on a socket of ours, watched, and ended for certain."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from jargonaut.core.errors import UnavailableError
from jargonaut.deployment.tether import tethered
from jargonaut.deployment.workerd_config import SOCKET, LocalWorker, write_config

_log = logging.getLogger(__name__)


class Workerd:
    """A running workerd.

    Args:
        binary: The program.
        worker: What it runs; on disk only until workerd has read it.
        listener: Where it accepts connections. It stays ours, so that the port is not lost and who connects while there
            is no workerd waits for the next one.
        on_exit: Called, in another thread, when the process has ended.

    Raises:
        UnavailableError: It could not be started; the error says what it wrote.
    """

    def __init__(self, binary: Path, worker: LocalWorker, listener: socket.socket, on_exit: Callable[[], None]) -> None:
        self._port: int = listener.getsockname()[1]
        self._host: str = listener.getsockname()[0]
        self._written: deque[str] = deque(maxlen=20)
        control, report = os.pipe()
        with tempfile.TemporaryDirectory(prefix="jargonaut-edge-") as folder, os.fdopen(control, "rb") as reports:
            try:
                config = write_config(worker, Path(folder))
                self._process = self._spawn(binary, config, listener.fileno(), report)
            finally:
                os.close(report)
            self._reader = threading.Thread(target=self._read_log, args=(on_exit,), name="edge-log", daemon=True)
            self._reader.start()
            self._await_ready(reports.fileno(), timeout_s=20)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there; it may hang all the same, see `answers`."""
        return self._process.poll() is None

    def answers(self, timeout_s: float) -> bool:
        """Whether the Worker answers a request for its health."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        try:
            connection.request("GET", "/healthz", headers={"connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def end(self, grace_s: float) -> None:
        """End it: asked first, killed after `grace_s`."""
        self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            _log.warning("workerd did not end within %g s, so it is killed.", grace_s)
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _spawn(self, binary: Path, config: Path, listener: int, report: int) -> subprocess.Popen[str]:
        serve = [str(binary), "serve", str(config), f"--socket-fd={SOCKET}={listener}", f"--control-fd={report}"]
        return subprocess.Popen(
            tethered(serve),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=(listener, report),
            # Ctrl-C is for us; we end it in order.
            start_new_session=True,
        )

    def _read_log(self, on_exit: Callable[[], None]) -> None:
        with self._process.stderr or contextlib.nullcontext(()) as lines:
            for line in lines:
                self._written.append(line.rstrip())
                _log.warning("workerd: %s", line.rstrip())
        on_exit()

    def _await_ready(self, reports: int, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        readable, _, _ = select.select([reports], [], [], timeout_s)
        message = os.read(reports, 4096) if readable else b""
        listening = message != b"" and json.loads(message.splitlines()[0]).get("event") == "listen"
        if listening and self.answers(max(0.1, until - time.monotonic())):
            return
        self.end(grace_s=0.5)
        said = " ".join(self._written) or "It wrote nothing."
        raise UnavailableError(f"The edge (workerd) could not be started: {said}", "Run `jargonaut doctor`.")
