"""JSON Lines: one section a record, headed by its title or id; long texts as prose, the other fields as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.tables import is_value

_TITLES = ("title", "question", "heading", "headline", "subject", "name", "标题", "问题", "题目", "主题", "名称")
_IDS = ("id", "_id", "uid", "uuid", "key", "doc_id", "docid", "code", "编号", "序号")
_TEXTS = frozenset(
    str.split(
        """
        text content body answer description abstract summary article passage document message response output
        completion context 正文 内容 答案 回答 摘要 描述 全文
        """
    )
)
"""Fields that hold prose, however short it is."""
_LONG = 120
"""Characters from which on any text is prose."""
_LONGEST_TITLE = 200
_LONGEST_ID = 20
"""Characters of an id that people use."""
_LONGEST_LABEL = 60
_MOST_DEPTH = 20
_MOST_BAD = 0.5
"""Share of lines that are no JSON, beyond which it is no JSON Lines file."""
_BAD_LINE = "line that is not JSON"
_MOST_TOLD = 20

_Field = tuple[str, str]
"""Path and text."""


class JsonlParser:
    """See `documents.port.Parser`. Lines that cannot be read are counted, and named in the metadata `bad_lines`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        composer = Composer()
        bad: list[int] = []
        lines = 0
        for number, line in enumerate(decode(data).split("\n"), start=1):
            if not line.strip():
                continue
            lines += 1
            try:
                record = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError):
                bad.append(number)
                composer.hide(_BAD_LINE, line)
                continue
            _add(composer, record, number)
        if len(bad) > _MOST_BAD * lines:
            raise InputError(
                f"{len(bad)} of its {lines} lines are not JSON, the first is line {bad[0]}.",
                "Write one JSON value a line, or give it the extension of its format.",
            )
        told = ", ".join(map(str, bad[:_MOST_TOLD])) + (", ..." if len(bad) > _MOST_TOLD else "")
        return composer.document(
            uri,
            digest_bytes(data),
            "application/jsonl",
            {"bad_lines": told} if bad else {},
            PurePosixPath(uri).stem,
        )


def _add(composer: Composer, record: Any, number: int) -> None:
    place = Place(line=number)
    fields = [(name, text) for name, text in _fields(record, "", 0) if text]
    heads = _heads(fields)
    composer.heading(_inline(" ".join(text for _, text in heads) or f"{number}"), 1, place)
    rest = [field for field in fields if field not in heads]
    for name, text in rest:
        if not _is_prose(name, text):
            composer.item(_inline(f"{name}: {text}" if name else text), "-", 0, place)
    prose = [(name, text) for name, text in rest if _is_prose(name, text)]
    for name, text in prose:
        # With several, a reader has to know which is which.
        if len(prose) > 1:
            composer.paragraph(_inline(f"{name}:"), place)
        for paragraph in text.split("\n\n"):
            composer.verbatim("paragraph", paragraph, place)


def _heads(fields: list[_Field]) -> list[_Field]:
    """Id and title of a record; else the first of its fields if that can name it."""
    title, identifier = _first(fields, _TITLES), _first(fields, _IDS)
    if title and identifier and (is_value(identifier[1]) or len(identifier[1]) > _LONGEST_ID):
        return [title]
    if title or identifier:
        return [field for field in (identifier, title) if field]
    name, text = fields[0] if len(fields) > 1 else ("", "")
    return (
        [(name, text)] if 0 < len(text) <= _LONGEST_LABEL and not is_value(text) and not _is_prose(name, text) else []
    )


def _fields(value: Any, name: str, depth: int) -> Iterator[_Field]:
    """Texts with the path to them; short lists of texts in one line."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        if all(isinstance(item, str) for item in value) and sum(map(len, value)) < _LONG:
            yield name, ", ".join(value)
            return
        for position, inner in enumerate(value, start=1):
            yield from _fields(inner, f"{name}[{position}]" if name else f"[{position}]", depth + 1)
    else:
        yield name, _shown(value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def _first(fields: list[_Field], names: tuple[str, ...]) -> _Field | None:
    """The field with the first of `names` that can stand in one line."""
    for wanted in names:
        for name, text in fields:
            if name.lower() == wanted and len(text) <= _LONGEST_TITLE and "\n" not in text:
                return name, text
    return None


def _is_prose(name: str, text: str) -> bool:
    return bool(text) and (name.lower() in _TEXTS or len(text) >= _LONG or "\n" in text)


def _inline(text: str) -> Inline:
    inline = Inline()
    inline.add(text)
    return inline
