"""A story in pandoc's own notation (JSON), from which pandoc writes DOCX, ODT, EPUB, PPTX and HTML."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.golden.model import Code, Heading, Items, Paragraph, Story, Table

_NO_ATTRIBUTES: list[Any] = ["", [], []]
_API = [1, 23, 1]


def notation(story: Story, with_title: bool = False) -> str:
    """The document for `pandoc --from json`; its title as metadata too if wanted."""
    meta: dict[str, Any] = {"lang": {"t": "MetaString", "c": story.language}}
    if with_title:
        meta["title"] = {"t": "MetaInlines", "c": _words(story.title)}
    blocks = [block for part in story.parts for block in _blocks(part)]
    return json.dumps({"pandoc-api-version": _API, "meta": meta, "blocks": blocks}, ensure_ascii=False)


def _words(text: str) -> list[dict[str, Any]]:
    inlines: list[dict[str, Any]] = []
    for word in text.split(" "):
        inlines += [{"t": "Space"}, {"t": "Str", "c": word}] if inlines else [{"t": "Str", "c": word}]
    return inlines


def _paragraph(text: str, note: str = "") -> dict[str, Any]:
    inlines = _words(text)
    if note:
        inlines.append({"t": "Note", "c": [_paragraph(note)]})
    return {"t": "Para", "c": inlines}


def _blocks(part: Any) -> list[dict[str, Any]]:
    match part:
        case Heading(text, level):
            return [{"t": "Header", "c": [level, _NO_ATTRIBUTES, _words(text)]}]
        case Paragraph(text, note):
            return [_paragraph(text, note)]
        case Items(texts, True):
            style = [1, {"t": "Decimal"}, {"t": "Period"}]
            return [{"t": "OrderedList", "c": [style, [[_paragraph(text)] for text in texts]]}]
        case Items(texts):
            return [{"t": "BulletList", "c": [[_paragraph(text)] for text in texts]}]
        case Code(text):
            return [{"t": "CodeBlock", "c": [_NO_ATTRIBUTES, text]}]
    return [_table(part)]


def _table(table: Table) -> dict[str, Any]:
    spans = {(r, c): (height, width) for r, c, height, width in table.spans()}
    rows = [
        [
            _NO_ATTRIBUTES,
            [_cell(cell, *spans.get((r, c), (1, 1))) for c, cell in enumerate(row) if cell is not None],
        ]
        for r, row in enumerate(table.rows)
    ]
    width = len(table.rows[0])
    columns = [[{"t": "AlignDefault"}, {"t": "ColWidth", "c": 1 / width}]] * width
    caption = [None, [_paragraph(table.caption)] if table.caption else []]
    head, body = rows[: table.header_rows], rows[table.header_rows :]
    content = [_NO_ATTRIBUTES, caption, columns, [_NO_ATTRIBUTES, head]]
    return {"t": "Table", "c": [*content, [[_NO_ATTRIBUTES, 0, [], body]], [_NO_ATTRIBUTES, []]]}


def _cell(text: str, height: int, width: int) -> list[Any]:
    block = [{"t": "Plain", "c": _words(text)}] if text else []
    return [_NO_ATTRIBUTES, {"t": "AlignDefault"}, height, width, block]
