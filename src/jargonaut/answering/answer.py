"""Question to answer: retrieve, decide whether the documents say it, generate, keep what its citations support."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from jargonaut.answering.citations import is_supported
from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.answering.retrieve import Question, Retrieval, retrieve
from jargonaut.core.deadline import Deadline
from jargonaut.generation.port import Generator, Passage, Statement
from jargonaut.index.parents import Parent
from jargonaut.index.port import StoredChunk, Visibility

ABSTENTION = "The documents do not say."
ABSTENTION_ZH = "文档中没有说明。"

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from."""

    number: int
    """As it stands in the answer: passages are numbered in the order in which they are first cited."""
    chunk: StoredChunk
    """What was found, or the parent around it; its place is that of the part that supports the statement."""
    start: int
    end: int
    """Character offsets into the document's text of what supports the statement."""
    score: float
    """Of the passage, in the ranking."""

    @property
    def quote(self) -> str:
        """The supporting text, verbatim."""
        return self.chunk.text[self.start - self.chunk.start : self.end - self.chunk.start]


@dataclass(frozen=True, slots=True)
class CitedStatement:
    """A piece of an answer whose citations were checked."""

    text: str
    citations: tuple[Citation, ...]
    """Empty for an abstention, and for a statement marked as unsupported."""
    kind: Literal["supported", "unsupported", "abstention"] = "supported"


async def answer(
    release: LoadedRelease,
    question: Question,
    visibility: Visibility,
    generator: Generator,
    deadline: Deadline,
) -> AsyncGenerator[CitedStatement]:
    """Answer from what the asker may see, statement by statement; a single abstention if the documents do not say.

    Raises:
        UnavailableError: Index or generator cannot be reached.
        DeadlineError: It took too long.
    """
    limited = replace(question, max_per_document=release.recipe.chunks_per_document, by_parent=True)
    retrieval = await retrieve(release, limited, visibility, deadline)
    said = False
    if retrieval.answers:
        passages = _numbered(retrieval)
        checker = _CitationChecker(passages, retrieval.parents, release.recipe.unsupported)
        async for statement in generator.generate(question.text, passages, deadline):
            checked = checker.check(statement)
            if checked is not None:
                said = True
                yield checked
    if not said:
        yield CitedStatement(_abstention(question.text), (), "abstention")


def _numbered(retrieval: Retrieval) -> list[Passage]:
    # `by_parent` makes them as many as there are passages.
    pairs = zip(retrieval.parents, retrieval.passages, strict=True)
    return [
        Passage(number, parent.passage, found.scores.fused) for number, (parent, found) in enumerate(pairs, start=1)
    ]


def _abstention(question: str) -> str:
    return ABSTENTION_ZH if _HAN.search(question) else ABSTENTION


@dataclass(slots=True)
class _CitationChecker:
    """Checks the statements of one answer, and numbers the passages that remain cited."""

    passages: Sequence[Passage]
    parents: Sequence[Parent]
    """Of the passages, in their order."""
    unsupported: Literal["remove", "mark"]
    shown: dict[int, int] = field(default_factory=dict)
    """Number of a passage -> number in the answer."""

    def check(self, statement: Statement) -> CitedStatement | None:
        """The statement with the citations that support it; None if it has to go."""
        by_number = {passage.number: passage for passage in self.passages}
        spans = statement.spans or ((0, 0),) * len(statement.cites)
        citations = []
        for number, span in zip(statement.cites, spans, strict=True):
            citation = self._citation(statement.text, by_number.get(number), span)
            if citation is not None:
                citations.append(citation)
        if citations:
            return CitedStatement(statement.text, tuple(citations))
        if self.unsupported == "mark":
            return CitedStatement(statement.text, (), "unsupported")
        return None

    def _citation(self, text: str, passage: Passage | None, span: tuple[int, int]) -> Citation | None:
        """None if the passage was not retrieved, or does not say it where it is said to."""
        if passage is None:
            return None
        chunk = passage.chunk
        start, end = span if span != (0, 0) else (chunk.start, chunk.end)
        if not chunk.start <= start < end <= chunk.end:
            return None
        if not is_supported(text, chunk.text[start - chunk.start : end - chunk.start]):
            return None
        number = self.shown.setdefault(passage.number, len(self.shown) + 1)
        # A parent is long: the place is that of the part that says it.
        chunk = replace(chunk, place=self.parents[passage.number - 1].place_of(start))
        return Citation(number, chunk, start, end, passage.score)
