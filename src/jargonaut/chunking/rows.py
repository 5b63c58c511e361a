"""Every row of a table by itself, with its header said in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jargonaut.chunking.cutting import CuttingChunker, Path, Piece, Unit, header_of, header_words, indexed, place_in
from jargonaut.chunking.sections import sections
from jargonaut.chunking.tokenized import Span, TokenizedText
from jargonaut.core.document import Block, Document
from jargonaut.core.table_rows import cells_of


class RowChunker(CuttingChunker):
    """See `chunking.port.Chunker`. For sheets and tables whose rows are looked up; all else is cut by heading.

    A row is indexed as `Column: value; Column: value`; what is shown of it is the row as it stands in the document. The
    header rows stand before the first row, and at the end of the path of all others.
    """

    NAME = "rows-1"

    def _pieces(self, document: Document, text: TokenizedText) -> Iterator[Piece]:
        for section in sections(document, text, self.longest_heading):
            run: list[Block] = []
            for block in section.blocks:
                if block.kind != "table":
                    run.append(block)
                    continue
                yield from self._run(text, section, run)
                run = []
                yield from self._rows(text, section.path, block)
            yield from self._run(text, section, run)

    def _run(self, text: TokenizedText, section: Unit, blocks: Sequence[Block]) -> Iterator[Piece]:
        if blocks:
            yield from self.cut(text, replace(section, blocks=tuple(blocks)))

    def _rows(self, text: TokenizedText, path: Path, block: Block) -> Iterator[Piece]:
        lines = text.lines(block.start, block.end)
        header = header_of(text, block)
        rows = lines[block.header_lines :] if header else lines
        if not header or not rows:
            for row in lines:
                yield from self._row(text, path, block, row)
            return
        columns = _columns(text, lines[: block.header_lines])
        fitted, _ = self.fitted_path(path)
        for number, row in enumerate(rows):
            start = row[0] if number else block.start
            said = indexed(fitted, _in_words(columns, text.text[slice(*row)]))
            place = place_in(text, block, row[0])
            if self.count(said) > self._budget:
                yield from self._row(text, path, block, (start, row[1]))
            elif number:
                yield Piece(*row, (*path, header_words(text, header)), "table", place, said=said)
            else:
                yield Piece(start, row[1], path, "table", place, said=said)

    def _row(self, text: TokenizedText, path: Path, block: Block, row: Span) -> Iterator[Piece]:
        """A row as it stands, cut if it has to be."""
        part = replace(block, start=row[0], end=row[1], header_lines=0, lines=(), place=place_in(text, block, row[0]))
        yield from self.cut(text, Unit(path, (part,)))


def _columns(text: TokenizedText, header: Sequence[Span]) -> list[str]:
    """Names of the columns: what stands above each in the header rows, each word once."""
    rows = [cells_of(text.text[slice(*line)]) for line in header]
    width = max(len(row) for row in rows)
    stacked = [[row[at].strip() for row in rows if at < len(row)] for at in range(width)]
    return [" ".join(dict.fromkeys(name for name in names if name)) for names in stacked]


def _in_words(columns: Sequence[str], row: str) -> str:
    cells = [cell.strip() for cell in cells_of(row)]
    if len(cells) > len(columns):
        return row
    named = [f"{name}: {cell}" if name else cell for name, cell in zip(columns, cells, strict=False) if cell.strip()]
    return "; ".join(named) or row
