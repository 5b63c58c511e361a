"""What comes of one file: a document, or the documents in it; whatever fails costs what failed, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Opened, Quarantined
from jargonaut.core.errors import InputError
from jargonaut.documents.formats import load_parser
from jargonaut.documents.opening import Leaf, OpenedBudget, leaves
from jargonaut.documents.sidecar import LARGEST_BYTES, described, digest_with
from jargonaut.documents.wire import Begun, Result, Task


def results(task: Task, budget: OpenedBudget, memory_bytes: int) -> Iterator[Begun | Result]:
    """What is read, before it is, and what came of it. The file itself comes last.

    Args:
        task: The file.
        budget: What may come out of it, if it holds others.
        memory_bytes: What this process may hold, to be named where that was too little.
    """
    try:
        for number, leaf in enumerate(leaves(_whole(task, budget), budget)):
            if number >= task.skip or leaf.uri == task.uri:
                yield Begun(leaf.uri)
                yield _result(leaf, memory_bytes)
    except Exception as error:  # noqa: BLE001 - as in `_result`
        yield _quarantined(error, task.uri, "", memory_bytes)


def too_large(size: int, limit: int) -> InputError:
    """The error of a file that is larger than allowed."""
    return InputError(
        f"It has {size / (1 << 20):,.0f} MB, more than the {limit / (1 << 20):,.0f} MB that are read.",
        "Split it, or raise `file_limit_mb` in [build].",
    )


def _whole(task: Task, budget: OpenedBudget) -> Leaf:
    data = _content(task.path, budget.largest_bytes)
    sidecars = (_content(task.sidecar, LARGEST_BYTES),) if task.sidecar else ()
    return Leaf(task.uri, data, budget.formats.parser_of(task.uri), sidecars)


def _content(path: str, size_bytes: int) -> bytes:
    # O_NONBLOCK: opening a pipe that took the file's place since it was found must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("It is not a regular file.")
        if status.st_size > size_bytes:
            raise too_large(status.st_size, size_bytes)
        return file.read()


def _result(leaf: Leaf | Quarantined, memory_bytes: int) -> Result:
    if isinstance(leaf, Quarantined):
        return leaf
    digest = digest_with(digest_bytes(leaf.data), leaf.sidecars)
    if not leaf.parser:
        return Opened(leaf.uri, digest)
    try:
        return described(load_parser(leaf.parser).parse(leaf.data, leaf.uri), leaf.sidecars)
    except Exception as error:  # noqa: BLE001 - a process boundary: whatever a parser does costs one file, not the build
        return _quarantined(error, leaf.uri, digest, memory_bytes)


def _quarantined(error: Exception, uri: str, digest: str, memory_bytes: int) -> Quarantined:
    match error:
        case InputError():
            reason, hint = error.message, error.hint
        case MemoryError():
            reason = f"Reading it takes more than {memory_bytes >> 20} MiB of memory."
            hint = "Raise `file_memory_mb` in [build], or split it."
        case OSError():
            reason, hint = f"It cannot be read: {error.strerror or error}.", "Check its permissions."
        case _:
            reason = f"Its parser failed: {type(error).__name__}: {str(error)[:200]}"
            hint = "Please report this file."
    return Quarantined(uri, digest, reason, hint)
