"""What a model writes, cut into sentences as it comes, each with the numbers that it cites."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jargonaut.generation.port import Statement
from jargonaut.generation.prompt import NO_ANSWER

_MARK = re.compile(r"[ \t]*[\[【]\s*(?:document\s*|文档\s*)?(\d{1,3}(?:\s*[,,、]\s*\d{1,3})*)\s*[\]】]", re.IGNORECASE)
_END = re.compile(r"[.!?](?=\s|[\[【]|$)|[。!?]|\n")
"""Where a sentence ends; its marks may follow."""
_MARKS = re.compile(r"(?:[ \t]*[\[【][^\]】\n]{1,40}[\]】])*")
_HALF_A_MARK = re.compile(r"\s*(?:[\[【][^\]】\n]{0,40})?$")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|etc|vs|No|Nr|Fig|Sec|approx|Dr|Mr|Mrs|Ms|St)|\b[A-Z]|(?:^|\s)\d{1,3})\.$"
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
LONGEST = 2_000
"""Characters after which what has no end is taken as a sentence."""


class CitedText:
    """Collects what a model writes; `add` and `end` give the sentences that are whole."""

    def __init__(self) -> None:
        self._rest = ""
        self._said_no = False

    def add(self, text: str) -> Iterator[Statement]:
        """The sentences that `text` completes."""
        self._rest += text
        while True:
            found = self._next()
            if found is None:
                return
            yield from self._statement(found)

    def end(self) -> Iterator[Statement]:
        """What is left, whole or not."""
        while (found := self._next(final=True)) is not None:
            yield from self._statement(found)
        rest, self._rest = self._rest, ""
        yield from self._statement(rest)

    def _next(self, final: bool = False) -> str | None:
        for match in _END.finditer(self._rest):
            marks = _MARKS.match(self._rest, match.end())
            end = marks.end() if marks else match.end()
            if not final and _HALF_A_MARK.match(self._rest, end) and len(self._rest) < LONGEST:
                return None  # more marks, or the other half of one, may be on their way
            if end > match.end() or not _ABBREVIATED.search(self._rest[: match.end()]):
                return self._taken(end)
        return self._taken(len(self._rest)) if len(self._rest) >= LONGEST else None

    def _taken(self, end: int) -> str:
        sentence, self._rest = self._rest[:end], self._rest[end:]
        return sentence

    def _statement(self, sentence: str) -> Iterator[Statement]:
        if NO_ANSWER in sentence:
            self._said_no = True
        cites = [int(number) for match in _MARK.finditer(sentence) for number in re.findall(r"\d+", match[1])]
        text = _LIST_MARK.sub("", _MARK.sub("", sentence)).replace("**", "").strip()
        if text and not self._said_no and any(character.isalnum() for character in text):
            yield Statement(text, tuple(dict.fromkeys(cites)))
