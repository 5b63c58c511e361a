"""What a link in a document points at, as a path from the source root."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")


def resolve_link(link: str, uri: str) -> str | None:
    """`path` or `path#anchor` for a `link` in the document at `uri`; None if it leads elsewhere or nowhere.

    A path that begins with `/` is taken from the source root. It may lack its extension, as sites' addresses do.
    """
    link = link.strip()
    if not link or _SCHEME.match(link):
        return None
    path, _, anchor = link.partition("#")
    path, anchor = unquote(path.partition("?")[0]), unquote(anchor)
    if not path:
        return f"{uri}#{anchor}" if anchor else None
    if path.startswith("/"):
        target = posixpath.normpath(path).lstrip("/")
    else:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(uri), path))
    if target in ("", ".") or target.startswith("../") or target == "..":
        return None
    return f"{target}#{anchor}" if anchor else target
