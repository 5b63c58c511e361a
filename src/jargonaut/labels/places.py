"""Where a text stands in the documents, told by its words."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from jargonaut.core.document import Chunk

FOUND_SHARE = 0.6
"""Share of a text's shingles that a document must hold (containment, Broder 1997)."""
FEWEST_SHINGLES = 3

_SHINGLE = 4
_TOKEN = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|[^\W_]+")


def find_places(texts: Sequence[str], chunks: Iterable[Chunk]) -> list[list[Chunk]]:
    """For each text the chunks of the one document that holds most of it; none if none holds enough.

    One pass over the chunks, which keeps no more of them than the texts name.
    """
    wanted: dict[str, list[int]] = defaultdict(list)
    sizes = []
    for number, text in enumerate(texts):
        shingles = _shingles(text)
        sizes.append(len(shingles))
        for shingle in shingles:
            wanted[shingle].append(number)
    held: list[dict[str, tuple[set[str], list[tuple[int, Chunk]]]]] = [{} for _ in texts]
    for chunk in chunks:
        of_text: dict[int, set[str]] = defaultdict(set)
        for shingle in _shingles(chunk.text) & wanted.keys():
            for number in wanted[shingle]:
                of_text[number].add(shingle)
        for number, found in of_text.items():
            union, parts = held[number].setdefault(chunk.document_id, (set(), []))
            union |= found
            parts.append((len(found), chunk))
    return [_best(held[number], size) for number, size in enumerate(sizes)]


def is_too_short(text: str) -> bool:
    """Whether it has too few words to be found by."""
    return len(_shingles(text)) < FEWEST_SHINGLES


def _best(held: dict[str, tuple[set[str], list[tuple[int, Chunk]]]], size: int) -> list[Chunk]:
    if size < FEWEST_SHINGLES or not held:
        return []
    union, parts = held[max(held, key=lambda document: (len(held[document][0]), document))]
    if len(union) < FOUND_SHARE * size:
        return []
    most = max(count for count, _ in parts)
    return [chunk for count, chunk in parts if 2 * count >= most]


def _shingles(text: str) -> set[str]:
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return {" ".join(tokens[at : at + _SHINGLE]) for at in range(len(tokens) - _SHINGLE + 1)}
