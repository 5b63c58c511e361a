"""Files opened so that neither a pipe, a link nor their size can hold up or fill the process that reads them."""

from __future__ import annotations

import os
import stat

from jargonaut.core.errors import InputError


def read_regular(path: str, size_bytes: int) -> bytes:
    """The bytes of a regular file of at most `size_bytes`.

    Raises:
        InputError: It is something else, or larger.
        OSError: It cannot be opened; a link is not followed.
    """
    # O_NONBLOCK: opening a pipe that took the file's place since it was found must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("It is not a regular file.")
        if status.st_size > size_bytes:
            raise too_large(status.st_size, size_bytes)
        return file.read()


def too_large(size: int, limit: int) -> InputError:
    """The error of a file that is larger than allowed."""
    return InputError(
        f"It has {size / (1 << 20):,.0f} MB, more than the {limit / (1 << 20):,.0f} MB that are read.",
        "Split it, or raise `file_limit_mb` in [build].",
    )
