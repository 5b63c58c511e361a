"""Bulk requests: cut by bytes and count, several at once, only what was refused for now is sent again."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from jargonaut.core.errors import DeadlineError, InputError, JargonautError, SpaceMismatchError, UnavailableError
from jargonaut.index.lucene_rows import Line
from jargonaut.index.lucene_server import LuceneServer, ServerAnswerError, UnreachableError, bulk_item_error

MOST_BYTES = 5 << 20
MOST_LINES = 500
AT_ONCE = 4
PATIENCE_S = 120.0
"""How long a server that is busy, or being restarted, is waited for."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_SHOWN_DOCUMENTS = 5

Refused = tuple[Line, JargonautError]


def send_lines(server: LuceneServer, index: str, lines: Iterable[Line]) -> None:
    """Send all lines, in no particular order. Every operation can be repeated without harm.

    Raises:
        SpaceMismatchError: Vectors of another width than the index holds.
        InputError: The server will never take some of the documents; the error names them.
        UnavailableError: The server is gone, full or too busy for longer than `PATIENCE_S`.
    """
    refused: list[Refused] = []
    with ThreadPoolExecutor(AT_ONCE, "bulk") as pool:
        running: set[Future[list[Refused]]] = set()
        for batch in _batches(lines):
            if len(running) == AT_ONCE:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                refused += [item for future in done for item in future.result()]
            if refused:
                break
            running.add(pool.submit(_send, server, index, batch))
        for future in running:
            refused += future.result()
    if refused:
        raise _error_of(server, index, refused)


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == MOST_LINES or size + len(line.data) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.data)
    if batch:
        yield batch


def _send(server: LuceneServer, index: str, batch: Sequence[Line]) -> list[Refused]:
    """Send one request, as often as it takes; what the server will not take."""
    end = time.monotonic() + PATIENCE_S
    pause = _FIRST_PAUSE_S
    while True:
        later: list[Refused]
        try:
            later, refused = _try(server, index, batch)
        except UnavailableError as error:
            if not _passes(error):
                raise
            later, refused = [(line, error) for line in batch], []
        if refused or not later:
            return refused
        if time.monotonic() + pause > end:
            raise later[0][1]
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
        batch = [line for line, _ in later]


def _try(server: LuceneServer, index: str, batch: Sequence[Line]) -> tuple[list[Refused], list[Refused]]:
    """What may be taken later, and what will not be."""
    path = f"/{index}/_bulk?filter_path=errors,items.*.status,items.*.error"
    answer = server.send("POST", path, b"".join(line.data for line in batch))
    later: list[Refused] = []
    refused: list[Refused] = []
    if not answer["errors"]:
        return later, refused
    where = f"Index {index} in {server.where}"
    for line, outcome in zip(batch, answer["items"], strict=True):
        item = next(iter(outcome.values()))
        if "error" in item:
            error = bulk_item_error(where, item)
            (later if _passes(error) else refused).append((line, error))
    return later, refused


def _passes(error: JargonautError) -> bool:
    """Whether it makes sense to try again soon: the server is busy or not there, and not full."""
    if isinstance(error, ServerAnswerError):
        return error.status in (429, 502, 503, 504) and "disk is full" not in error.hint
    return isinstance(error, (UnreachableError, DeadlineError))


def _error_of(server: LuceneServer, index: str, refused: Sequence[Refused]) -> JargonautError:
    """One error for all: the gravest kind, and which documents it is about."""
    for _, error in refused:
        if isinstance(error, SpaceMismatchError) or not isinstance(error, ServerAnswerError):
            return error
    by_document = Counter(line.uri for line, _ in refused)
    names = ", ".join(f"`{uri}` ({count})" for uri, count in list(by_document.items())[:_SHOWN_DOCUMENTS])
    more = f" and {len(by_document) - _SHOWN_DOCUMENTS} more" if len(by_document) > _SHOWN_DOCUMENTS else ""
    first = refused[0][1]
    assert isinstance(first, ServerAnswerError)
    message = f"{server.where} refused {len(refused)} chunks for index {index}, of {names}{more}: {first.reason}"
    if first.status == 400:
        return InputError(message, "Correct these documents, or exclude them; nothing of this build is visible.")
    return UnavailableError(message, first.hint)
