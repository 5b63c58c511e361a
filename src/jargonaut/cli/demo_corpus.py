"""The corpus of the demo: the documentation in a pinned source package, and questions about it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jargonaut.core.errors import IntegrityError, UnavailableError

PACKAGE = "Django"
VERSION = "5.2.8"
SHA256 = "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f"
KNOWLEDGE_BASE = "django-docs"


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question in a user's words, and the section that answers it, for the table's ranks. Training never sees it."""

    text: str
    uri: str
    heading: str
    """Part of the heading path; empty if any section of the document will do."""


QUESTIONS = (
    DemoQuestion(
        "How long does a login session last before its cookie expires?", "ref/settings.txt", "SESSION_COOKIE_AGE"
    ),
    DemoQuestion("How do I keep other sites from showing my pages inside a frame?", "ref/clickjacking.txt", ""),
    DemoQuestion("How can I make several database changes succeed or fail together?", "topics/db/transactions.txt", ""),
    DemoQuestion("How are user passwords stored and hashed?", "topics/auth/passwords.txt", ""),
    DemoQuestion("Where does an uploaded file go when it is too large for memory?", "topics/http/file-uploads.txt", ""),
    DemoQuestion(
        "How do I fetch related objects in the same query instead of one query per row?",
        "ref/models/querysets.txt",
        "select_related",
    ),
    DemoQuestion("Which migration operation changes a field's name?", "ref/migration-operations.txt", "RenameField"),
    DemoQuestion("How do I limit which host names my site will answer to?", "ref/settings.txt", "ALLOWED_HOSTS"),
)
DELETED = QUESTIONS[3]
"""The document that its answer cites first is deleted at the end, and the question asked again."""
OFF_TOPIC = "How long should I boil an egg so that the yolk stays soft?"


def fetch_corpus(folder: Path) -> Path:
    """The documentation, unpacked below `folder`; downloaded with pip and checked against its digest.

    Raises:
        UnavailableError: The package index cannot be reached.
        IntegrityError: What came is not what is pinned.
    """
    target = folder / KNOWLEDGE_BASE
    if (target / ".complete").is_file():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        requirements = Path(temporary) / "requirements.txt"
        requirements.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        command += ["--require-hashes", "--dest", temporary, "--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            if "HASH" in done.stderr.upper() and "MISMATCH" in done.stderr.upper():
                raise IntegrityError(
                    f"{PACKAGE} {VERSION} is not what is pinned: its digest differs.", done.stderr.strip()
                )
            raise UnavailableError(f"{PACKAGE} {VERSION} could not be downloaded.", done.stderr.strip()[-500:])
        archive = next(Path(temporary).glob("*.tar.gz"))
        unpacked = Path(temporary) / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        docs = next(unpacked.glob("*/docs"))
        (docs / ".complete").touch()
        docs.rename(target)
    return target
