"""The supervisor, over real processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from jargonaut.core.errors import InputError, SettingsError, UnavailableError
from jargonaut.deployment.edge import Edge, Supervision
from jargonaut.deployment.edge_settings import EdgeSettings, Origin

SETTINGS = EdgeSettings((Origin("http://127.0.0.1:1"),), "k1", "a secret of the tests")
QUICK = Supervision(probe_every_s=0.1, probe_timeout_s=0.3, missed_probes=2, grace_s=0.5)


def until(condition, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def alive(edge: Edge, timeout_s=10.0) -> bool:
    return httpx.get(f"{edge.url}/healthz", timeout=timeout_s).json() == {"status": "ok"}


@pytest.fixture
def edge(workerd):
    with Edge(SETTINGS, binary=workerd, supervision=QUICK) as edge:
        yield edge


def test_it_answers_once_started_and_is_gone_once_stopped(workerd):
    edge = Edge(SETTINGS, binary=workerd)
    assert not edge.healthy
    url = edge.start()
    assert (url, edge.healthy, edge.restarts) == (edge.url, True, 0)
    assert alive(edge)
    pid = edge.pid
    edge.stop()
    assert is_gone(pid)
    assert not edge.healthy
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")
    edge.stop()


def test_the_secret_is_nowhere_to_be_found_once_it_runs(edge, tmp_path):
    secret = SETTINGS.secret.encode()
    for file in ("cmdline", "environ"):
        assert secret not in Path(f"/proc/{edge.pid}/{file}").read_bytes()
    config = next(part for part in Path(f"/proc/{edge.pid}/cmdline").read_text().split("\0") if part.endswith(".capnp"))
    assert not Path(config).parent.exists()


def test_one_that_is_killed_is_replaced_and_no_connection_is_refused(edge):
    killed = edge.pid
    os.kill(killed, signal.SIGKILL)
    until(lambda: is_gone(killed))
    assert alive(edge)
    until(lambda: edge.healthy)
    assert edge.pid != killed
    assert edge.restarts == 1


def test_one_that_hangs_is_killed_and_replaced(edge):
    hanging = edge.pid
    os.kill(hanging, signal.SIGSTOP)
    until(lambda: is_gone(hanging))
    until(lambda: edge.healthy)
    assert alive(edge)


def test_one_that_does_not_mind_sigterm_is_killed(edge):
    # A stopped process takes no SIGTERM.
    pid = edge.pid
    os.kill(pid, signal.SIGSTOP)
    edge.stop()
    assert is_gone(pid)


def test_ctrl_c_in_the_terminal_is_not_for_workerd(edge):
    assert os.getpgid(edge.pid) != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_does_not_outlive_a_parent_that_is_killed(workerd):
    program = f"""
import time
from pathlib import Path
from jargonaut.deployment.edge import Edge
from jargonaut.deployment.edge_settings import EdgeSettings, Origin
edge = Edge(EdgeSettings((Origin("http://127.0.0.1:1"),), "k1", "s"), binary=Path({str(workerd)!r}))
edge.start()
print(edge.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
    until(lambda: is_gone(pid))


def test_a_port_in_use_is_named(workerd):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=str(port)) as caught:
            Edge(SETTINGS, port=port, binary=workerd).start()
    assert "choose another port" in caught.value.hint
    with Edge(SETTINGS, port=port, binary=workerd) as edge:
        assert edge.url == f"http://127.0.0.1:{port}"


def test_a_workerd_that_cannot_start_says_why(tmp_path):
    broken = tmp_path / "workerd"
    broken.write_text("#!/bin/sh\necho it has a cold >&2\nexit 3\n")
    broken.chmod(0o755)
    edge = Edge(SETTINGS, binary=broken)
    with pytest.raises(UnavailableError, match="it has a cold"):
        edge.start()
    assert not edge.healthy
    with pytest.raises(UnavailableError):
        Edge(SETTINGS, binary=tmp_path / "missing").start()


def test_settings_that_cannot_be_used_are_refused(workerd):
    with pytest.raises(SettingsError):
        Edge(EdgeSettings((), "k1", "s"), binary=workerd).start()


def test_it_is_started_once(edge):
    with pytest.raises(UnavailableError):
        edge.start()
