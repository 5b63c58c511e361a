"""What comes of one file: a document, or the documents in it; whatever fails costs what failed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Opened, Quarantined
from jargonaut.core.errors import InputError, RuleError
from jargonaut.documents.formats import load_parser
from jargonaut.documents.opening import Leaf, OpenedBudget, leaves
from jargonaut.documents.port import Sidecar
from jargonaut.documents.regular import read_regular
from jargonaut.documents.sidecar import LARGEST_BYTES, described, digest_with
from jargonaut.documents.wire import Begun, Result, Task

LONGEST_TEXT = 20_000_000
"""Characters of one document. What comes after parsing, in the process of the build, takes memory by them."""


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


def _whole(task: Task, budget: OpenedBudget) -> Leaf:
    data = read_regular(task.path, budget.largest_bytes)
    sidecars = (_sidecar(task.sidecar),) if task.sidecar else ()
    return Leaf(task.uri, data, budget.formats.parser_of(task.uri), sidecars)


def _sidecar(path: str) -> Sidecar:
    """Where it cannot be read, nobody may read what it speaks of: it may have said who may."""
    try:
        return Sidecar(Path(path).name, read_regular(path, LARGEST_BYTES))
    except (InputError, OSError) as error:
        why = error.message if isinstance(error, InputError) else f"{error.strerror or error}."
        raise RuleError(
            f"{Path(path).name}, which speaks of it, cannot be read: {why}", "Mend or remove it."
        ) from error


def _result(leaf: Leaf | Quarantined, memory_bytes: int) -> Result:
    if isinstance(leaf, Quarantined):
        return leaf
    digest = digest_with(digest_bytes(leaf.data), (sidecar.data for sidecar in leaf.sidecars))
    if not leaf.parser:
        return Opened(leaf.uri, digest)
    try:
        document = load_parser(leaf.parser).parse(leaf.data, leaf.uri)
        if len(document.text) > LONGEST_TEXT:
            raise InputError(
                f"It holds {len(document.text):,} characters of text, more than the {LONGEST_TEXT:,} that are read.",
                "Split it.",
            )
        return described(document, leaf.sidecars)
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
