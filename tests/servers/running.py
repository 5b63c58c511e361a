"""Servers as processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers.artifacts import (
    CACHE,
    HERE,
    JAVA_OF_ELASTICSEARCH,
    JAVA_OF_OPENSEARCH,
    NOBODY,
    PASSWORD,
    NotHereError,
    NotStartedError,
    elasticsearch_home,
    java_home,
    opensearch_home,
)

START_TIMEOUT_S = 240
QUICK = "-Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""For servers that live for minutes: they start sooner, and answer somewhat slower."""
LASTING = "-Xms1g -Xmx1g"
CA_FILE = CACHE / "tls" / "ca.pem"


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    engine: str
    url: str
    user: str = ""
    password: str = ""
    ca_file: str = ""

    def request(self, method: str, path: str, body: object = None) -> object:
        """Send a request past every client, and read JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"}, method=method)
        if self.user:
            request.add_header("Authorization", f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}")
        context = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return json.loads(answer.read() or b"null")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def is_there(self) -> bool:
        """Whether it answers."""
        try:
            self.request("GET", "/_cluster/health")
        except OSError:
            return False
        return True


class Running:
    """A started server; its files are removed when it stops."""

    def __init__(self, server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.server = server
        self.process = process
        self._folder = folder

    def wait(self, nodes: int = 1) -> None:
        """Until it answers, in a cluster of so many nodes.

        Raises:
            NotStartedError: It does not.
        """
        end = time.monotonic() + START_TIMEOUT_S
        path = f"/_cluster/health?wait_for_status=yellow&wait_for_nodes=>={nodes}&timeout=1s"
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.server.request("GET", path)
                return
            except OSError:
                time.sleep(0.2)
        said = (self._folder / "out").read_text(errors="replace")[-2000:]
        self.stop()
        raise NotStartedError(f"{self.server.engine} did not start:\n{said}")

    def again(self) -> Running:
        """The same Elasticsearch, started again with its data where it was."""
        return start_elasticsearch(folder=self._folder, port=int(self.server.url.rpartition(":")[2]))

    def stop(self) -> None:
        self.kill(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the process, and those it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def start_elasticsearch(
    secured: bool = False, folder: Path | None = None, port: int = 0, options: str = QUICK
) -> Running:
    """Elasticsearch with one node; secured: with TLS by a private authority and a password.

    Args:
        secured: Whether who asks must say who it is.
        folder: Of an earlier one, to go on with its data.
        port: As before, too.
        options: Of Java.

    Raises:
        NotHereError: It was not fetched.
        NotStartedError: It does not start.
    """
    home = elasticsearch_home()
    if not home.is_dir():
        raise NotHereError("Elasticsearch was not fetched: `make servers-fetch`")
    port = port or free_port()
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="jargonaut-elasticsearch-"))
        _configure(folder, secured)
    environment = {
        **os.environ, "ES_JAVA_HOME": str(java_home(JAVA_OF_ELASTICSEARCH)), "ES_PATH_CONF": str(folder / "config"),
        "ES_JAVA_OPTS": options, "ES_TMPDIR": str(folder / "tmp"), "HOME": str(folder),
    }  # fmt: skip
    _give_away(folder)
    command = [*_tied(), str(home / "bin" / "elasticsearch"), f"-Ehttp.port={port}", f"-Epath.data={folder / 'data'}"]
    command += [f"-Etransport.port={free_port()}", f"-Epath.logs={folder / 'logs'}"]
    with (folder / "out").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    access = ("elastic", PASSWORD, str(CA_FILE)) if secured else ("", "", "")
    server = Server("elasticsearch", f"http{'s' if secured else ''}://localhost:{port}", *access)
    running = Running(server, process, folder)
    running.wait()
    return running


def start_opensearch(options: str = QUICK) -> Running:
    """OpenSearch with k-NN.

    Raises:
        NotHereError: It was not fetched.
        NotStartedError: It does not start.
    """
    (node,) = start_opensearch_cluster(1, options)
    return node


def start_opensearch_cluster(nodes: int, options: str = QUICK) -> list[Running]:
    """A cluster, each node a process of its own.

    Raises:
        NotHereError: It was not fetched.
        NotStartedError: It does not start.
    """
    if not opensearch_home().is_dir():
        raise NotHereError("OpenSearch was not fetched: `make servers-fetch`")
    transport = [free_port() for _ in range(nodes)]
    seeds = ",".join(f"127.0.0.1:{port}" for port in transport)
    started = []
    for number, port in enumerate(transport):
        folder = Path(tempfile.mkdtemp(prefix="jargonaut-opensearch-"))
        http = free_port()
        command = [
            *("setpriv", "--pdeathsig", "KILL", str(java_home(JAVA_OF_OPENSEARCH) / "bin" / "java"), *options.split()),
            *("--add-modules", "jdk.incubator.vector", "-cp", f"{opensearch_home()}/*"),
            *(str(HERE / "OpenSearchNode.java"), str(folder / "data"), f"node-{number}", str(http), str(port), seeds),
        ]
        with (folder / "out").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        started.append(Running(Server("opensearch", f"http://localhost:{http}"), process, folder))
    try:
        for node in started:
            node.wait(nodes)
    except NotStartedError:
        for node in started:
            node.stop()
        raise
    return started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tied() -> list[str]:
    """Ends with the process that started it, and is not root, which Elasticsearch refuses to be."""
    whom = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *whom, "--pdeathsig", "KILL"]


def _configure(folder: Path, secured: bool) -> None:
    config = folder / "config"
    shutil.copytree(elasticsearch_home() / "config", config)
    (folder / "tmp").mkdir()
    options = "-Djava.io.tmpdir=${ES_TMPDIR}\n20-:--add-modules=jdk.incubator.vector\n"
    (config / "jvm.options").write_text(options)
    settings = {
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "xpack.security.enabled": str(secured).lower(),
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    if secured:
        for file in (CACHE / "elasticsearch.keystore", CACHE / "tls" / "server.key", CACHE / "tls" / "server.pem"):
            shutil.copy(file, config)
        settings |= {
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.key": "server.key",
            "xpack.security.http.ssl.certificate": "server.pem",
        }
    (config / "elasticsearch.yml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
