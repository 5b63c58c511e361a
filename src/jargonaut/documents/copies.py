"""Copies of documents, of which one is indexed: an answer is not better for being found five times.

Folding may neither take a fact away nor show anything to anybody. So copies differ in layout, case and punctuation only
(a price list of this year is no copy of last year's), and a document is folded only into one that everybody may read
who may read the folded one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.scope import PUBLIC
from jargonaut.documents.catalog import Entry

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+(?:[.,:/'’\-][^\W{_CJK}]+)*|[^\w\s]")
_SIGNS = frozenset("%‰§&")
"""Punctuation that says something."""
_MARKS = frozenset("|`^~")
"""Symbols that are layout."""


def fingerprint(text: str) -> str:
    """The same for texts that differ in layout, case and punctuation only."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return digest_bytes(" ".join(word for word in words if not _is_layout(word)).encode())


def _is_layout(word: str) -> bool:
    if len(word) > 1 or word.isalnum() or word in _SIGNS:
        return False
    return word in _MARKS or unicodedata.category(word)[0] == "P"


def fold_copies(allow: Mapping[str, tuple[str, ...]], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Copies by URI, each with the document that is kept.

    Args:
        allow: The documents, with who may read them.
        entries: What is known of them.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for uri in allow:
        if entries[uri].fingerprint:
            alike[entries[uri].fingerprint].append(uri)
    folded = {}
    for uris in alike.values():
        kept: list[str] = []
        for uri in sorted(uris, key=lambda uri: _preference(uri, allow[uri], entries[uri])):
            wider = next((other for other in kept if _may_all_read(allow[uri], allow[other])), None)
            if wider is None:
                kept.append(uri)
            else:
                folded[uri] = wider
    return folded


def _preference(uri: str, allow: Sequence[str], entry: Entry) -> tuple[object, ...]:
    """The widest readers first, then files before what is packed in others, then the shortest path."""
    return (PUBLIC not in allow, -len(allow), bool(entry.inside), len(uri), uri)


def _may_all_read(copy: Sequence[str], kept: Sequence[str]) -> bool:
    return PUBLIC in kept or set(copy) <= set(kept)
