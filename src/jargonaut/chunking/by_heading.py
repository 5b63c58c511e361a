"""Chunks by heading path: sections, cut between blocks, then between sentences, rows or lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jargonaut.chunking.port import TokenSpans
from jargonaut.chunking.tokenized import Cut, Span, TokenizedText
from jargonaut.core.document import Block, BlockKind, Chunk, Document, Place
from jargonaut.core.errors import InputError

SPECIAL_TOKENS = 2
"""What an encoder of the BERT family puts around a text."""
LEAST_TOKENS = 16
_SEPARATOR = " › "
_PATH_SHARE = 0.4
"""Most of a chunk's tokens that the heading path may take."""
_HEADER_SHARE = 0.33
"""Most of a chunk's tokens that a repeated header row may take."""
_SHRINK = 0.75
"""How much smaller pieces are made when a chunk turns out too long."""

Path = tuple[str, ...]


class HeadingChunker:
    """See `chunking.port.Chunker`.

    A chunk is a span of one section. Its heading path stands apart: the document's title, then the headings down to its
    section. The path of a table that had to be cut ends with the table's header row. A heading with nothing under it is
    a chunk by itself.

    Args:
        token_spans: The encoder's own tokens.
        max_tokens: Most tokens of a chunk's `indexed_text`, special tokens included.
        tokenizer_id: Names the tokenizer, and is part of the chunker's id.

    Raises:
        InputError: `max_tokens` is too small to be of use.
    """

    def __init__(self, token_spans: TokenSpans, max_tokens: int, tokenizer_id: str) -> None:
        if max_tokens < LEAST_TOKENS:
            raise InputError(f"Chunks of {max_tokens} tokens are too small.", f"Allow at least {LEAST_TOKENS}.")
        self._token_spans = token_spans
        self._budget = max_tokens - SPECIAL_TOKENS
        self._id = f"heading-1/{max_tokens}/{tokenizer_id}"

    @property
    def id(self) -> str:
        """See `Chunker.id`."""
        return self._id

    def split(self, document: Document) -> list[Chunk]:
        """See `Chunker.split`."""
        text = TokenizedText(document.text, self._token_spans)
        chunks: list[Chunk] = []
        for section in _sections(document, text, int(_PATH_SHARE * self._budget)):
            path, path_tokens = self._fitting_path(section.path)
            for piece in self._pieces(text, replace(section, path=path), self._budget - path_tokens):
                for fitting in self._fitting(text, piece):
                    chunks.append(self._chunk(document, fitting, len(chunks)))
        return chunks

    def _fitting_path(self, path: Path) -> tuple[Path, int]:
        """`path` shortened from the left until it leaves enough room, and its tokens."""
        limit = int(_PATH_SHARE * self._budget)
        while path:
            tokens = len(self._token_spans(f"{_SEPARATOR.join(path)}\n"))
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

    def _pieces(self, text: TokenizedText, section: _Section, budget: int) -> Iterator[_Piece]:
        """Whole blocks put together, and what is too long cut, in order."""
        run: list[Block] = []
        for block in section.blocks:
            if text.count(block.start, block.end) <= budget:
                run.append(block)
                continue
            yield from _merged(text, section.path, run, budget)
            run = []
            yield from self._cut_block(text, section.path, block, budget)
        yield from _merged(text, section.path, run, budget)

    def _cut_block(self, text: TokenizedText, path: Path, block: Block, budget: int) -> Iterator[_Piece]:
        cuts = _cuts(text, block.kind)
        header = _header(text, block)
        # The separator is counted with the row, for it depends on the tokenizer.
        header_tokens = len(self._token_spans(_SEPARATOR + text.text[slice(*header)])) if header else 0
        if header is None or header_tokens > _HEADER_SHARE * budget:
            for start, end in text.packed([(block.start, block.end)], budget, cuts):
                place = block.place_at(text.text.count("\n", block.start, start))
                yield _Piece(start, end, path, block.kind, place)
            return
        row_path = (*path, text.text[slice(*header)].replace("\n", " / ").rstrip(" |"))
        for start, end in text.packed([(block.start, block.end)], budget - header_tokens, cuts):
            place = block.place_at(text.text.count("\n", block.start, start))
            yield _Piece(start, end, path if start == block.start else row_path, block.kind, place)

    def _fitting(self, text: TokenizedText, piece: _Piece) -> Iterator[_Piece]:
        """The piece if it fits as it is encoded, else smaller ones.

        Tokens of a text are not quite the sum of the tokens of its parts: a word that is cut has others.
        """
        body = text.text[piece.start : piece.end]
        tokens = len(self._token_spans(_indexed(piece.path, body)))
        if tokens <= self._budget:
            yield piece
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

    def _chunk(self, document: Document, piece: _Piece, ordinal: int) -> Chunk:
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
        )


@dataclass(frozen=True, slots=True)
class _Section:
    path: Path
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    path: Path
    kind: BlockKind
    place: Place


def _sections(document: Document, text: TokenizedText, longest: int) -> Iterator[_Section]:
    """Blocks under one heading, with the path to it. A heading of more than `longest` tokens is also a block."""
    open_headings: list[tuple[int, str]] = []
    blocks: list[Block] = []
    heading: Block | None = None
    for block in (*document.blocks, None):
        if block is not None and block.kind != "heading":
            blocks.append(block)
            continue
        path = _with_title(document.title, open_headings)
        if blocks:
            yield _Section(path, tuple(blocks))
        elif heading is not None and (block is None or block.level <= heading.level):
            yield _Section(_with_title(document.title, open_headings[:-1], path[-1]), (heading,))
        if block is not None:
            while open_headings and open_headings[-1][0] >= block.level:
                open_headings.pop()
            is_long = text.count(block.start, block.end) > longest
            span = text.prefix(block.start, block.end, longest) if is_long else (block.start, block.end)
            open_headings.append((block.level, text.text[slice(*span)]))
            blocks = [block] if is_long else []
            heading = block


def _with_title(title: str, headings: Sequence[tuple[int, str]], leaf: str = "") -> Path:
    """Headings after the title, which is not said twice."""
    path = tuple(heading for _, heading in headings)
    first = path[0] if path else leaf
    if not title or first.casefold() == title.casefold():
        return path
    return (title, *path)


def _merged(text: TokenizedText, path: Path, blocks: Sequence[Block], budget: int) -> Iterator[_Piece]:
    """Neighbouring blocks, each of which fits, put together."""
    position = 0
    for start, end in text.packed(_kept_together(text, blocks, budget), budget, ()):
        first = position
        while position < len(blocks) and blocks[position].start < end:
            position += 1
        kinds = {block.kind for block in blocks[first:position]}
        yield _Piece(start, end, path, kinds.pop() if len(kinds) == 1 else "paragraph", blocks[first].place)


def _kept_together(text: TokenizedText, blocks: Sequence[Block], budget: int) -> list[Span]:
    """Spans of blocks, one that announces the next ("For example:") together with it."""
    spans: list[Span] = []
    announced = False
    for block in blocks:
        if announced and text.count(spans[-1][0], block.end) <= budget:
            spans[-1] = (spans[-1][0], block.end)
        else:
            spans.append((block.start, block.end))
        announced = text.text.endswith((":", "："), block.start, block.end)
    return spans


def _header(text: TokenizedText, block: Block) -> Span | None:
    """The header rows of a table."""
    if block.kind != "table" or not block.header_lines:
        return None
    lines = text.lines(block.start, block.end)[: block.header_lines]
    return lines[0][0], lines[-1][1]


def _cuts(text: TokenizedText, kind: BlockKind) -> Sequence[Cut]:
    """How a block of this kind is cut, the coarsest way first."""
    if kind in ("table", "code"):
        return text.lines, text.words
    if kind == "list":
        return text.lines, text.sentences, text.words
    return text.sentences, text.words


def _indexed(path: Path, body: str) -> str:
    heading = _SEPARATOR.join(path)
    return f"{heading}\n{body}" if heading else body
