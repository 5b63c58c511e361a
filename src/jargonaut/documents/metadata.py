"""What a document says about itself: front matter, meta elements, document properties."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from jargonaut.core.errors import RuleError
from jargonaut.core.scope import checked_principals
from jargonaut.documents.encodings import normalised

Metadata = dict[str, str | tuple[str, ...]]

ALLOW = "allow"
_LISTS = frozenset({ALLOW, "tags", "keywords", "categories"})
_TELLING = frozenset({ALLOW, "title", "author", "date", "language", "tags"})
"""What tells front matter from lines that merely stand between dashes."""
_LONGEST_VALUE = 2_000
"""Characters kept of a value."""
_FENCED = re.compile(r"\A(?P<blank>\s*)---[ \t]*\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TOML_FENCED = re.compile(r"\A\s*\+\+\+[ \t]*\n(?P<body>.*?)^\+\+\+[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TOML_OPENED = re.compile(r"\A\s*\+\+\+[ \t]*\n")
_OPENED = re.compile(r"\A\s*---[ \t]*\n")
_MAY_BE_FRONT_MATTER = 40
"""Lines after an opening that is not closed in which a word about readers is looked for."""
_MENTIONS_ALLOW = re.compile(r"^[ \t\"'{\-]*allow[\"']?[ \t]*[:=]", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)(?P<time>T[\d:.+Z-]+)?")
_HINT = 'Write `allow: ["group:hr", "user:ann"]`.'


def split_front_matter(text: str) -> tuple[Metadata, str]:
    """What stands between `---` (YAML) or `+++` (TOML) lines at the top, and `text` with those lines left empty.

    Line numbers hold.

    Raises:
        RuleError: It says who may read the document, in a way that cannot be read.
    """
    toml = _TOML_FENCED.match(text)
    if toml is not None or _TOML_OPENED.match(text):
        return _toml_front_matter(text, toml)
    match = _FENCED.match(text)
    if match is None:
        if _OPENED.match(text):
            _refuse_unclosed(text)
        return {}, text
    if len(_MENTIONS_ALLOW.findall(match["body"])) > 1:
        raise RuleError("Its front matter says twice who may read it.", _HINT)
    try:
        value = yaml.safe_load(match["body"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if _MENTIONS_ALLOW.search(match["body"]):
            why = yaml_problem(error)
            raise RuleError(f"Its front matter cannot be read, and says who may read it: {why}.", _HINT) from error
        value = None
    if value is not None and not isinstance(value, dict):
        if _MENTIONS_ALLOW.search(match["body"]):
            raise RuleError("Its front matter is no list of names with values, and says who may read it.", _HINT)
        return {}, text
    rest = "\n" * match[0].count("\n") + text[match.end() :]
    return metadata_of(value or {}), rest


def split_plain_front_matter(text: str) -> tuple[Metadata, str]:
    """As `split_front_matter`, for formats that have none by custom: only if it holds a name of `_TELLING`.

    Raises:
        RuleError: It says who may read the document, in a way that cannot be read.
    """
    metadata, rest = split_front_matter(text)
    return (metadata, rest) if metadata.keys() & _TELLING else ({}, text)


def yaml_problem(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem}, in line {error.problem_mark.line + 1}"
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__


def _refuse_unclosed(text: str) -> None:
    if _MENTIONS_ALLOW.search("\n".join(text.lstrip().split("\n")[:_MAY_BE_FRONT_MATTER])):
        raise RuleError("Its front matter is not closed, and seems to say who may read it.", _HINT)


def _toml_front_matter(text: str, match: re.Match[str] | None) -> tuple[Metadata, str]:
    if match is None:
        _refuse_unclosed(text)
        return {}, text
    try:
        value = tomllib.loads(match["body"])
    except tomllib.TOMLDecodeError as error:
        if _MENTIONS_ALLOW.search(match["body"]):
            raise RuleError(f"Its front matter cannot be read, and says who may read it: {error}", _HINT) from error
        value = {}
    rest = "\n" * match[0].count("\n") + text[match.end() :]
    return metadata_of(value), rest


def metadata_of(values: Mapping[Any, Any]) -> Metadata:
    """Texts and tuples of texts by lower-case name; nested values are left out.

    Raises:
        RuleError: `allow` is neither a principal nor a list of principals.
    """
    metadata: Metadata = {}
    for key, value in values.items():
        name = str(key).strip().lower()
        if name == ALLOW:
            metadata[ALLOW] = _allow(value)
        elif name in _LISTS or isinstance(value, list):
            metadata[name] = _texts(value)
        elif (text := _text(value)) is not None:
            metadata[name] = iso_date(text) if name == "date" else text
    return metadata


def iso_date(text: str) -> str:
    """`text` as ISO 8601 if it begins with year, month and day; unchanged otherwise."""
    match = _DATE.match(text.strip())
    if match is None:
        return text
    year, month, day = match.group(1, 2, 3)
    return f"{year}-{int(month):02d}-{int(day):02d}{match['time'] or ''}"


def _allow(value: Any) -> tuple[str, ...]:
    """Fails closed: what cannot be read lets nobody in, by keeping the document out."""
    items = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise RuleError(f"Its `allow` is not a list of principals: {str(value)[:100]}", _HINT)
    return tuple(sorted(checked_principals((item.strip() for item in items), "Its `allow`")))


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        items: list[Any] = [part.strip() for part in value.split(",")]
    else:
        items = value if isinstance(value, list) else [value]
    return tuple(text for item in items if (text := _text(item)))


def _text(value: Any) -> str | None:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return normalised(str(value))[:_LONGEST_VALUE]
    return None
