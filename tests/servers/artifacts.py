"""What the servers are made of: fetched with Maven, checked against committed digests, unpacked once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "servers"
ELASTICSEARCH = "elasticsearch-8.19.4"
ELASTICSEARCH_ZIP = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:8.19.4:zip"
ELASTICSEARCH_SHA256 = "553088b4c0f60f04d7c63da609aaeae372c483159f4fb8013599e91233aab0de"
OPENSEARCH = "opensearch-3.5.0"
KNN_ZIP = "org.opensearch.plugin:opensearch-knn:3.5.0.0:zip"
DIGESTS = HERE / "opensearch.sha256"
PASSWORD = "only-for-tests"
"""Of the user `elastic` of the secured server."""
JAVA_OF_ELASTICSEARCH, JAVA_OF_OPENSEARCH = 17, 21
NOBODY = 65534


class NotHereError(Exception):
    """What a server needs is not on this machine: which part of it."""


class NotStartedError(Exception):
    """A server that should start did not; what it said."""


def fetch() -> None:
    """Everything that needs the network; what is there already is left alone.

    Raises:
        NotHereError: Java or Maven is missing.
        SystemExit: What came is not what is expected.
    """
    java_home(JAVA_OF_ELASTICSEARCH)
    if shutil.which("mvn") is None:
        raise NotHereError("Maven (`mvn`) is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not elasticsearch_home().is_dir():
        _fetch_elasticsearch()
    if not opensearch_home().is_dir():
        _fetch_opensearch()
    if not (CACHE / "tls").is_dir():
        _make_certificates()
    if not (CACHE / "elasticsearch.keystore").is_file():
        _make_keystore()


def java_home(oldest: int) -> Path:
    """A Java that is not older than `oldest`.

    Raises:
        NotHereError: There is none.
    """
    named = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    for home in [*named, *sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)]:
        release = home / "release"
        if release.is_file() and (home / "bin" / "java").exists():
            version = next((line for line in release.read_text().splitlines() if line.startswith("JAVA_VERSION=")), "")
            if int(version.partition("=")[2].strip('"').split(".")[0] or 0) >= oldest:
                return home
    raise NotHereError(f"there is no Java {oldest} or newer (JAVA_HOME, /usr/lib/jvm)")


def elasticsearch_home() -> Path:
    """Where Elasticsearch is unpacked. It refuses to run as root, so it must lie where others can read."""
    return _readable_by_all() / ELASTICSEARCH


def opensearch_home() -> Path:
    """The folder with OpenSearch's jars."""
    return CACHE / OPENSEARCH


def _readable_by_all() -> Path:
    closed = any(not folder.stat().st_mode & 1 for folder in CACHE.resolve().parents if folder.exists())
    return Path(tempfile.gettempdir()) / "jargonaut-servers" if closed and os.geteuid() == 0 else CACHE


def _fetch_elasticsearch() -> None:
    archive = _maven_file(ELASTICSEARCH_ZIP)
    if _sha256(archive) != ELASTICSEARCH_SHA256:
        raise SystemExit(f"{archive} is not the Elasticsearch that is expected: sha256 {_sha256(archive)}")
    into = elasticsearch_home().parent
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into) as partial, zipfile.ZipFile(archive) as packed:
        Path(partial).chmod(0o755)
        packed.extractall(partial)
        unpacked = Path(partial) / ELASTICSEARCH
        for program in (unpacked / "bin").iterdir():
            program.chmod(0o755)
        unpacked.rename(elasticsearch_home())


def _fetch_opensearch() -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as partial:
        jars = Path(partial) / "jars"
        _run("mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={jars}")
        with zipfile.ZipFile(_maven_file(KNN_ZIP)) as plugin:
            # Those that the server brings itself stay as they are.
            there = {_artifact(jar.name) for jar in jars.iterdir()}
            for name in plugin.namelist():
                if name.endswith(".jar") and _artifact(name) not in there:
                    plugin.extract(name, jars)
        found = "".join(f"{_sha256(jar)}  {jar.name}\n" for jar in sorted(jars.iterdir()))
        if not DIGESTS.is_file() or DIGESTS.read_text() != found:
            (CACHE / DIGESTS.name).write_text(found)
            raise SystemExit(f"The jars of OpenSearch are not those of {DIGESTS}; what came is in {CACHE}.")
        jars.rename(opensearch_home())


def _artifact(jar: str) -> str:
    """`guava-33.2.1-jre.jar` -> `guava`."""
    words = jar.removesuffix(".jar").split("-")
    return "-".join(words[: next((n for n, word in enumerate(words) if word[:1].isdigit()), len(words))])


def _make_certificates() -> None:
    """A private authority, and a certificate by it for the loopback addresses."""
    with tempfile.TemporaryDirectory(dir=CACHE) as partial:
        folder = Path(partial) / "tls"
        folder.mkdir()
        new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "3650")
        (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _run(*new, "-x509", "-subj", "/CN=tests", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
        _run(*new[:-2], "-subj", "/CN=localhost", "-keyout", folder / "server.key", "-out", folder / "server.csr")
        _run(
            *("openssl", "x509", "-req", "-days", "3650", "-CAcreateserial", "-in", folder / "server.csr"),
            *("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-extfile", folder / "san"),
            *("-out", folder / "server.pem"),
        )
        for file in folder.iterdir():
            file.chmod(0o644)
        folder.chmod(0o755)
        folder.rename(CACHE / "tls")


def _make_keystore() -> None:
    """With the password of `elastic` in it; making one takes two starts of Java, so it is kept."""
    with tempfile.TemporaryDirectory(dir=CACHE) as partial:
        config = Path(partial) / "config"
        shutil.copytree(elasticsearch_home() / "config", config)
        environment = {**os.environ, "ES_PATH_CONF": str(config), "ES_JAVA_HOME": str(java_home(JAVA_OF_ELASTICSEARCH))}
        program = elasticsearch_home() / "bin" / "elasticsearch-keystore"
        subprocess.run([program, "create"], env=environment, check=True, capture_output=True)
        subprocess.run(
            [program, "add", "-x", "bootstrap.password"],
            env=environment, check=True, capture_output=True, input=PASSWORD.encode(),
        )  # fmt: skip
        (config / "elasticsearch.keystore").rename(CACHE / "elasticsearch.keystore")


def _maven_file(artifact: str) -> Path:
    """A file of the local Maven repository, fetched if it is not there."""
    _run("mvn", "-q", "-B", "dependency:get", "-Dtransitive=false", f"-Dartifact={artifact}")
    with tempfile.TemporaryDirectory(dir=CACHE) as partial:
        _run("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={partial}")
        (found,) = Path(partial).iterdir()
        kept = CACHE / found.name
        found.rename(kept)
    return kept


def _run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(str(word) for word in command)}\n{done.stdout}{done.stderr}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
