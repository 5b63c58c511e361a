"""Copies of documents, of which one is indexed: an answer is not better for being found five times.

Folding may neither take a fact away nor show anything to anybody. So copies differ in layout, case and punctuation only
(a price list of this year is no copy of last year's), and a document is folded only into one that everybody may read
who may read the folded one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Document
from jargonaut.core.scope import PUBLIC
from jargonaut.documents.catalog import Entry

_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff"
_BETWEEN_CJK = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])")
_CJK_MARKS = re.compile("[。，、；：！？（）【】《》「」『』“”‘’]")
_MARKS_AROUND = ".,;:!?()[]{}\"'“”‘’|*_`~•·"
"""Punctuation before and after words; any other sign says something: `-5`, `C#`, `12 %`."""
_WITH_WEIGHT = ("author", "date", "tags", "keywords", "categories")
"""Metadata by which a copy may be looked for."""


def fingerprint(document: Document) -> str:
    """The same for documents that differ in layout, case and punctuation only, and can be found by the same filters."""
    text = _CJK_MARKS.sub(" ", document.text.casefold())
    words = [word.strip(_MARKS_AROUND) for word in _BETWEEN_CJK.sub("", text).split()]
    said = " ".join(word for word in words if word and word not in ("-", "–", "—", "#"))
    about = [document.language, *(document.metadata.get(name, "") for name in _WITH_WEIGHT)]
    return digest_of([said, about])


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
