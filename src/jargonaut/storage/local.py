"""Storage in a folder of this machine."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jargonaut.core.errors import InputError, UnavailableError, UnknownNameError

_PARTIAL = ".partial-"


class LocalStorage:
    """A `Storage` in a folder.

    A file is written beside its place and then hard-linked to it: `link` fails if the name exists, so it is
    put-if-absent and all-or-nothing in one call, also when the process is killed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `Storage.put_if_absent`."""
        path = self._path(key)
        if path.exists():
            return False
        partial = path.with_name(f"{_PARTIAL}{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, path)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unavailable(f"write {path}", error) from error
        finally:
            with suppress(OSError):
                partial.unlink()
        return True

    def get(self, key: str) -> bytes:
        """See `Storage.get`."""
        try:
            return self.local_path(key).read_bytes()
        except OSError as error:
            raise _unavailable(f"read {self._path(key)}", error) from error

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Storage.keys`."""
        folder = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self._root
        found = (path.relative_to(self._root).as_posix() for path in folder.rglob("*") if path.is_file())
        yield from sorted(key for key in found if key.startswith(prefix) and _PARTIAL not in key)

    def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(f"delete {self._path(key)}", error) from error

    def local_path(self, key: str) -> Path:
        """See `Storage.local_path`."""
        path = self._path(key)
        if not path.is_file():
            raise UnknownNameError("artifact", key, ())
        return path

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if key.startswith("/") or "\\" in key or "\0" in key or ".." in parts:
            raise InputError(f"`{key}` cannot be the key of an artifact.")
        return self._root / key


def _unavailable(what: str, error: OSError) -> UnavailableError:
    hints = {
        errno.ENOSPC: "The disk is full: free some space and run the same command again.",
        errno.EDQUOT: "Your disk quota is used up: free some space and run the same command again.",
        errno.EACCES: "Give this user permission to write there, or choose another folder with JARGONAUT_HOME.",
        errno.EROFS: "That file system is read-only: choose another folder with JARGONAUT_HOME.",
    }
    return UnavailableError(f"Could not {what}: {error.strerror}.", hints.get(error.errno or 0, ""))
