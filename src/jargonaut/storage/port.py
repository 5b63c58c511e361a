"""What every store of artifacts promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Immutable bytes by key. A key is a relative path with `/`; what has been put is never changed.

    Every method raises `UnavailableError` if the store cannot be reached or written (disk full, no permission),
    in which case nothing was changed.
    """

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store `data` whole or not at all; False if the key exists already (whose bytes then stay)."""

    def get(self, key: str) -> bytes:
        """The bytes at `key`.

        Raises:
            UnknownNameError: There are none.
        """

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, sorted."""

    def delete(self, key: str) -> None:
        """Remove `key`; silent if it is gone already."""

    def local_path(self, key: str) -> Path:
        """A file on this machine with the bytes at `key`, for readers that map it into memory.

        Raises:
            UnknownNameError: There is nothing at `key`.
        """
