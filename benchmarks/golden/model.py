"""What a document says, free of any format, and the truth that follows from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cells = tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Heading:
    """A heading, level 1 to 4."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Prose, maybe with a footnote at its end."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Items:
    """A list."""

    texts: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; `None` belongs to the cell on its left or above, as `spans` says."""

    rows: Cells
    caption: str = ""
    header_rows: int = 1

    def spans(self) -> Iterator[tuple[int, int, int, int]]:
        """Row, column, rows and columns of every merged cell."""
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell is None:
                    continue
                width = 1
                while c + width < len(row) and self._covered(r, c, 0, width):
                    width += 1
                height = 1
                while r + height < len(self.rows) and all(self._covered(r, c, height, w) for w in range(width)):
                    height += 1
                if width > 1 or height > 1:
                    yield r, c, height, width

    def _covered(self, r: int, c: int, down: int, right: int) -> bool:
        """Whether nothing is at that distance: a `None` belongs to the nearest cell on its left, else above."""
        row = self.rows[r + down]
        if row[c + right] is not None:
            return False
        if down == 0:
            return True
        # Below a cell only what no cell of that row, on the left, can claim.
        return all(cell is None for cell in row[: c + right + 1])


@dataclass(frozen=True)
class Code:
    """Lines as they are."""

    text: str


@dataclass(frozen=True)
class Story:
    """A document."""

    name: str
    title: str
    language: str
    parts: tuple[Heading | Paragraph | Items | Table | Code, ...]

    def tables(self) -> list[Table]:
        """All tables, in order."""
        return [part for part in self.parts if isinstance(part, Table)]


@dataclass
class Truth:
    """What is to be read from one file. See the package's docstring."""

    format: str
    language: str
    producer: str
    text: list[str] = field(default_factory=list)
    tables: list[list[list[str | None]]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)

    def table(self, rows: Cells) -> None:
        """Add a table, to `text` too."""
        self.tables.append([list(row) for row in rows])
        self.text += [line for row in rows if (line := " ".join(cell for cell in row if cell))]

    def heading(self, text: str, level: int) -> None:
        """Add a heading, to `text` too."""
        self.headings.append((level, text))
        self.text.append(text)


def truth_of(story: Story, suffix: str, producer: str, caption_below: bool = False) -> Truth:
    """What a file of that story says, when its producer writes all of it."""
    truth = Truth(suffix, story.language, producer)
    for part in story.parts:
        match part:
            case Heading(text, level):
                truth.heading(text, level)
            case Paragraph(text, note):
                truth.text.append(text)
                if note:
                    truth.notes.append(note)
            case Items(texts):
                truth.text += texts
            case Table(rows, caption):
                if caption and not caption_below:
                    truth.text.append(caption)
                truth.table(rows)
                if caption and caption_below:
                    truth.text.append(caption)
            case Code(text):
                truth.text.append(text)
    return truth


@dataclass(frozen=True)
class Shelf:
    """The folder that files and their truth are put into."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where the file of that name is written to."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def truth(self, name: str, truth: Truth) -> None:
        """Write the truth beside the file `name`."""
        fields: dict[str, Any] = {key: value for key, value in vars(truth).items() if value}
        text = json.dumps(fields, ensure_ascii=False, indent=1)
        self.path(f"{name}.truth.json").write_text(text + "\n", encoding="utf-8")
