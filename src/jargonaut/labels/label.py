"""What a file of labels says, before anyone has looked whether such documents are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["auto", "beir", "judged", "answers", "clicks", "feedback"]
"""`judged`: question, document, grade. `answers`: question, answer. `clicks`: question, document, position, clicked.
`feedback`: question, document, rating."""

SHAPES: tuple[Shape, ...] = ("auto", "beir", "judged", "answers", "clicks", "feedback")

Split = Literal["", "train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Label:
    """A question, and one thing that answers it, or does not."""

    question: str
    document: str = ""
    """URI, path or name, as written."""
    heading: str = ""
    """Part of the heading path of the section that answers; empty for the whole document."""
    chunk: str = ""
    """Id of the chunk that answers."""
    passage: str = ""
    """Text that answers: to find the place by, where no document is named, or none of that name is there."""
    grade: float = 1.0
    """0: does not answer."""
    split: Split = ""
    """What the file itself says that the question is for."""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be used, and why."""

    file: str
    line: int
    """Counted from 1; 0 if it is about the whole file."""
    what: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.what} {self.hint}".rstrip()


@dataclass(frozen=True, slots=True)
class LabelFile:
    """Everything that a file, or folder, says."""

    path: str
    shape: Shape
    rows: int
    """Of data, bad ones included."""
    labels: tuple[Label, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    """What was assumed, in sentences."""
