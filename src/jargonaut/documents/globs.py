"""Patterns of paths, in the manner of `.gitignore`.

* `*` and `?` stand for anything but `/`, `**` for any number of folders, `[a-z]` and `[!a-z]` for one character.
* A pattern with a `/` at its beginning or in its middle starts at the root; any other matches at every depth.
* What names a folder matches everything in it.
* Upper and lower case differ; é as one character and as two, as some systems write it, do not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PART = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[[!^]?\]?[^\]/]*\]|.")


def matches(pattern: str, uri: str) -> bool:
    """Whether the path `uri` matches; `ValueError` as in `compiled`."""
    return compiled(pattern).fullmatch(composed(uri)) is not None


def composed(path: str) -> str:
    """`path` as patterns look at it: in NFC."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""The regular expression for `pattern`, to be used with `fullmatch` on what is `composed`.

    Raises:
        ValueError: It is empty, has a `\`, leads upwards or has a `[` that is not closed.
    """
    body = composed(pattern).strip().removeprefix("./")
    anchored = "/" in body.rstrip("/")
    body = body.strip("/")
    if not body:
        raise ValueError("it is empty")
    if "\\" in body:
        raise ValueError("write `/` between folders, not `\\`")
    if ".." in body.split("/"):
        raise ValueError("`..` would lead out of the source")
    inner = "".join(_translated(part) for part in _PART.findall(body))
    try:
        return re.compile(rf"{'' if anchored else '(?:.*/)?'}{inner}(?:/.*)?", re.DOTALL)
    except re.error as error:
        raise ValueError(f"it cannot be read: {error.msg}") from error


def _translated(part: str) -> str:
    if part in ("**/", "/**/"):
        return f"{part[:-3]}(?:.*/)?"
    if part == "/**":
        return "/.*"
    if part in ("**", "*", "?"):
        return {"**": ".*", "*": "[^/]*", "?": "[^/]"}[part]
    if len(part) > 1:
        negated = part[1] in "!^"
        characters = "".join(c if c == "-" else re.escape(c) for c in part[2 if negated else 1 : -1])
        if not characters:
            raise ValueError("`[]` holds no character")
        return f"(?!/)[{'^' if negated else ''}{characters}]"
    if part == "[":
        raise ValueError("a `[` is not closed")
    return re.escape(part)
