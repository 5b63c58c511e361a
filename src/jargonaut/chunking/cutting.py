"""What all chunkers share: paths that leave room, blocks put together or cut, and every chunk within its limit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from jargonaut.chunking.port import LEAST_TOKENS, TokenSpans
from jargonaut.chunking.tokenized import Cut, Span, TokenizedText
from jargonaut.core.document import Block, BlockKind, Chunk, Document, Place
from jargonaut.core.errors import InputError

SPECIAL_TOKENS = 2
"""What an encoder of the BERT family puts around a text."""
_SEPARATOR = " › "
_PATH_SHARE = 0.4
"""Most of a chunk's tokens that the heading path may take."""
_HEADER_SHARE = 0.33
"""Most of a chunk's tokens that a repeated header row may take."""
_SHRINK = 0.75
"""How much smaller pieces are made when a chunk turns out too long."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """Neighbouring blocks that belong together: a chunk, if it fits."""

    path: Path
    blocks: tuple[Block, ...]
    name: str = ""
    """Ends the path of every chunk but the first, if the unit has to be cut."""

    @property
    def start(self) -> int:
        """Where its first block begins."""
        return self.blocks[0].start

    @property
    def end(self) -> int:
        """Where its last block ends."""
        return self.blocks[-1].end


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk to be."""

    start: int
    end: int
    path: Path
    kind: BlockKind
    place: Place
    parent: Span | None = None
    said: str = ""
    """See `Chunk.said`."""


class CuttingChunker(ABC):
    """A `chunking.port.Chunker` that says where to cut, and leaves it to this class that everything fits.

    Args:
        token_spans: The encoder's own tokens.
        max_tokens: Most tokens of a chunk's `indexed_text`, special tokens included.
        tokenizer_id: Names the tokenizer, and is part of the chunker's id.

    Raises:
        InputError: `max_tokens` is too small to be of use.
    """

    NAME: ClassVar[str]
    """With its version."""

    def __init__(self, token_spans: TokenSpans, max_tokens: int, tokenizer_id: str) -> None:
        if max_tokens < LEAST_TOKENS:
            raise InputError(f"Chunks of {max_tokens} tokens are too small.", f"Allow at least {LEAST_TOKENS}.")
        self._token_spans = token_spans
        self._budget = max_tokens - SPECIAL_TOKENS
        self._id = "/".join((self.NAME, *map(str, (max_tokens, *self._options())), tokenizer_id))

    @property
    def id(self) -> str:
        """See `Chunker.id`."""
        return self._id

    def split(self, document: Document) -> list[Chunk]:
        """See `Chunker.split`."""
        text = TokenizedText(document.text, self._token_spans)
        fitting = (piece for whole in self._pieces(document, text) for piece in self._fitting(text, whole))
        return [self._chunk(document, piece, ordinal) for ordinal, piece in enumerate(fitting)]

    @abstractmethod
    def _pieces(self, document: Document, text: TokenizedText) -> Iterable[Piece]:
        """Where to cut. A piece that turns out too long is cut again."""

    def _options(self) -> tuple[int, ...]:
        """What decides the cuts beside `max_tokens`, for the id."""
        return ()

    @property
    def longest_heading(self) -> int:
        """Tokens from which on a heading is text too, for it does not fit into a path."""
        return int(_PATH_SHARE * self._budget)

    def fitted_path(self, path: Path) -> tuple[Path, int]:
        """`path` shortened from the left until it leaves enough room, and its tokens."""
        limit = self.longest_heading
        while path:
            tokens = self.count(f"{_SEPARATOR.join(path)}\n")
            if tokens <= limit:
                return path, tokens
            if len(path) == 1:
                # Of a title that is no heading, or of a heading whose separate tokens are fewer: its beginning.
                spans = self._token_spans(path[0])
                path = (path[0][: spans[min(limit, len(spans)) // 2][0]].rstrip(),)
                path = path if path[0] else ()
            else:
                path = path[1:]
        return (), 0

    def count(self, text: str) -> int:
        """Tokens of a text by itself."""
        return len(self._token_spans(text))

    def fits(self, text: TokenizedText, unit: Unit) -> bool:
        """Whether a unit is one chunk."""
        return text.count(unit.start, unit.end) <= self._budget - self.fitted_path(unit.path)[1]

    def cut(self, text: TokenizedText, unit: Unit) -> Iterator[Piece]:
        """The blocks of a unit put together as far as they fit, and what is too long cut, in order."""
        path, tokens = self.fitted_path(unit.path)
        if not unit.name or self.fits(text, unit):
            yield from self._packed(text, replace(unit, path=path), self._budget - tokens)
            return
        named, tokens = self.fitted_path((*unit.path, unit.name))
        first, *others = self._packed(text, replace(unit, path=named), self._budget - tokens)
        yield replace(first, path=path if first.path == named else first.path)
        yield from others

    def _packed(self, text: TokenizedText, unit: Unit, budget: int) -> Iterator[Piece]:
        run: list[Block] = []
        for block in unit.blocks:
            if text.count(block.start, block.end) <= budget:
                run.append(block)
                continue
            yield from self._merged(text, unit.path, run, budget)
            run = []
            yield from self._cut_block(text, unit.path, block, budget)
        yield from self._merged(text, unit.path, run, budget)

    def _merged(self, text: TokenizedText, path: Path, blocks: Sequence[Block], budget: int) -> Iterator[Piece]:
        """Neighbouring blocks, each of which fits, put together."""
        position = 0
        for start, end in text.packed(self._kept_together(text, blocks, budget), budget, ()):
            first = position
            while position < len(blocks) and blocks[position].start < end:
                position += 1
            kinds = {block.kind for block in blocks[first:position]}
            yield Piece(start, end, path, kinds.pop() if len(kinds) == 1 else "paragraph", blocks[first].place)

    def _kept_together(self, text: TokenizedText, blocks: Sequence[Block], budget: int) -> list[Span]:
        spans: list[Span] = []
        for number, block in enumerate(blocks):
            joins = number and self._introduces(text, blocks[number - 1], block)
            if joins and text.count(spans[-1][0], block.end) <= budget:
                spans[-1] = (spans[-1][0], block.end)
            else:
                spans.append((block.start, block.end))
        return spans

    def _introduces(self, text: TokenizedText, block: Block, following: Block) -> bool:
        """Whether a block announces the next ("For example:"), and stays with it if both fit."""
        return text.text.endswith((":", "："), block.start, block.end)

    def _cut_block(self, text: TokenizedText, path: Path, block: Block, budget: int) -> Iterator[Piece]:
        cuts = _cuts(text, block.kind)
        header = header_of(text, block)
        # The separator is counted with the row, for it depends on the tokenizer.
        header_tokens = self.count(_SEPARATOR + text.text[slice(*header)]) if header else 0
        if header is None or header_tokens > _HEADER_SHARE * budget:
            for start, end in text.packed([(block.start, block.end)], budget, cuts):
                yield Piece(start, end, path, block.kind, place_in(text, block, start))
            return
        row_path = (*path, header_words(text, header))
        for start, end in text.packed([(block.start, block.end)], budget - header_tokens, cuts):
            place = place_in(text, block, start)
            yield Piece(start, end, path if start == block.start else row_path, block.kind, place)

    def _fitting(self, text: TokenizedText, piece: Piece) -> Iterator[Piece]:
        """The piece if it fits as it is encoded, else smaller ones.

        Tokens of a text are not quite the sum of the tokens of its parts: a word that is cut has others.
        """
        body = text.text[piece.start : piece.end]
        if self.count(piece.said or indexed(piece.path, body)) <= self._budget:
            yield piece
        elif piece.said:
            yield from self._fitting(text, replace(piece, said="", path=self.fitted_path(piece.path)[0]))
        elif len(body) < 2:
            yield replace(piece, path=())
        else:
            smaller = max(int(_SHRINK * text.count(piece.start, piece.end)), 1)
            spans = text.packed([(piece.start, piece.end)], smaller, _cuts(text, piece.kind))
            if len(spans) < 2:
                middle = (piece.start + piece.end) // 2
                spans = [(piece.start, middle), (middle, piece.end)]
            for start, end in spans:
                yield from self._fitting(text, replace(piece, start=start, end=end))

    def _chunk(self, document: Document, piece: Piece, ordinal: int) -> Chunk:
        return Chunk(
            document_id=document.id,
            uri=document.uri,
            title=document.title,
            heading_path=piece.path,
            text=document.text[piece.start : piece.end],
            start=piece.start,
            end=piece.end,
            ordinal=ordinal,
            kind=piece.kind,
            place=piece.place,
            chunker=self._id,
            parent=piece.parent,
            said=piece.said,
        )


def place_in(text: TokenizedText, block: Block, start: int) -> Place:
    """Where in the source the line of a block stands in which `start` is."""
    return block.place_at(text.text.count("\n", block.start, start))


def header_of(text: TokenizedText, block: Block) -> Span | None:
    """The header rows of a table."""
    if block.kind != "table" or not block.header_lines:
        return None
    lines = text.lines(block.start, block.end)[: block.header_lines]
    return lines[0][0], lines[-1][1]


def header_words(text: TokenizedText, header: Span) -> str:
    """The header rows of a table as the end of a path."""
    return text.text[slice(*header)].replace("\n", " / ").rstrip(" |")


def indexed(path: Path, body: str) -> str:
    """Path and text as `Chunk.indexed_text` puts them together."""
    heading = _SEPARATOR.join(path)
    return f"{heading}\n{body}" if heading else body


def _cuts(text: TokenizedText, kind: BlockKind) -> Sequence[Cut]:
    """How a block of this kind is cut, the coarsest way first."""
    if kind in ("table", "code"):
        return text.lines, text.words
    if kind == "list":
        return text.lines, text.sentences, text.words
    return text.sentences, text.words
