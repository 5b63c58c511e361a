"""What LanceDB raises, told apart: a full disk, damaged files, and all else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jargonaut.core.disk import FULL_HINT, is_full
from jargonaut.core.errors import IntegrityError, JargonautError, UnavailableError

MEND_HINT = (
    "Make it again from the documents (`jargonaut build --anew`), restore the folder from a backup, or, if it "
    "is in another engine, copy it (`jargonaut index copy`)."
)
_FULL = re.compile(r"No space left|os error (?:28|122)\b")
_WHOLE = re.compile(
    r"(?:os error |\[Errno )(?!2\b)\d+|Permission denied|Too many open files|conflict|concurrent"
    r"|[Rr]esources exhausted|memory limit"
    r"|Schema error|Error parsing statement|Error resolving filter"
)
"""What is said where files need not be damaged: the system, another writer, or a question of ours is at fault.

Damage itself has no words of its own: a wrong byte shows as whatever the decoder stumbles over.
"""
_NOISE = re.compile(r"^lance error: |,? (?:/\S+)?/\S+\.rs:\d+(?::\d+)?|Please file a bug report at \S+\s?")
_PANICS = frozenset({"RustPanic", "PanicException"})


@contextmanager
def translated(what: str, folder: Path, table: str) -> Iterator[None]:
    """Turn what the engine raises into errors of ours: could not do `what` with `table` in `folder`.

    Raises:
        IntegrityError: The table is damaged, or gone.
        UnavailableError: The disk is full, or refuses.
    """
    try:
        yield
    except (TimeoutError, JargonautError):
        raise
    except (RuntimeError, ValueError, OSError) as error:
        raise _told_apart(error, what, folder, table) from error
    except BaseException as error:
        # The engine's decoders fail on some wrong bytes without an error of their own.
        if type(error).__name__ in _PANICS:
            raise _told_apart(error, what, folder, table) from error
        raise


def _told_apart(error: BaseException, what: str, folder: Path, table: str) -> JargonautError:
    detail = _NOISE.sub("", str(error).partition("\nstack backtrace")[0]).strip().rstrip(".")
    if _FULL.search(detail) or is_full(folder):
        return UnavailableError(f"Could not {what} (table {table} in {folder}): {detail}.", FULL_HINT)
    if _WHOLE.search(detail):
        return UnavailableError(f"Could not {what} (table {table} in {folder}): {detail}.")
    return IntegrityError(f"Table {table} in {folder} is damaged or gone: could not {what} ({detail}).", MEND_HINT)
