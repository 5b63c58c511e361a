"""Names of files: what can be said in a line, and paths inside archives."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp", "Cn"})
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what comes after them, so that `exe.pdf` reads as `fdp.exe`."""


def can_be_shown(name: str) -> bool:
    """Whether a name stands in one line as what it is: no line breaks, control characters or turned direction."""
    if name.isascii():
        return name.isprintable()
    return not _TURNS.search(name) and not any(unicodedata.category(character) in _UNSEEN for character in name)


def shown(name: str) -> str:
    """A name that can be shown, whatever it was: what cannot is written as Python writes it."""
    if can_be_shown(name):
        return name
    return "".join(each if can_be_shown(each) else each.encode("unicode_escape").decode() for each in name)


def tidied(path: str) -> str:
    """A path inside an archive without `./` and `//`, so that one file has one name; `..` stays, to be refused."""
    path = path.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(parts)
