"""Metadata filters: a small expression tree that every engine translates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jargonaut.core.errors import InputError

FIELDS = ("uri", "title", "language", "media_type", "kind", "author", "date", "tags")
"""Fields that can be filtered on; `date` is ISO 8601 text, `tags` holds several values."""
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Equals:
    """`field` is `value`, or, for `tags`, holds it."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """`field` is one of `values`, or, for `tags`, holds one of them."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartsWith:
    """`field` begins with `prefix`."""

    field: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Between:
    """`low` <= `field` <= `high`, in the order of text; an empty bound is open."""

    field: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: Filter


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every operand holds; true if there is none."""

    operands: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One operand holds; false if there is none."""

    operands: tuple[Filter, ...]


Filter = Equals | OneOf | StartsWith | Between | Not | AllOf | AnyOf


def parse_filter(value: Any, depth: int = 0) -> Filter:
    """Read a filter from JSON.

    `{"language": "zh"}`, `{"tags": ["a", "b"]}` (one of), `{"uri": {"starts_with": "ref/"}}`,
    `{"date": {"from": "2024", "to": "2025"}}`, `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`;
    several keys in one object must all hold.

    Raises:
        InputError: It is not of that form, or names an unknown field.
    """
    if depth > _MAX_DEPTH:
        raise InputError(f"The filter is nested more than {_MAX_DEPTH} deep.")
    if not isinstance(value, Mapping) or not value:
        raise InputError("A filter is a JSON object with at least one key.", 'For example {"language": "zh"}.')
    parts = tuple(_parse_entry(str(key), entry, depth) for key, entry in value.items())
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _parse_entry(key: str, entry: Any, depth: int) -> Filter:
    if key in ("all", "any"):
        if not isinstance(entry, list):
            raise InputError(f"Filter `{key}` takes a list of filters.")
        operands = tuple(parse_filter(item, depth + 1) for item in entry)
        return AllOf(operands) if key == "all" else AnyOf(operands)
    if key == "not":
        return Not(parse_filter(entry, depth + 1))
    if key not in FIELDS:
        raise InputError(f"Cannot filter on `{key}`.", f"Fields: {', '.join(FIELDS)}.")
    if isinstance(entry, str):
        return Equals(key, entry)
    if isinstance(entry, list) and all(isinstance(item, str) for item in entry):
        return OneOf(key, tuple(entry))
    if isinstance(entry, Mapping):
        return _parse_condition(key, entry)
    raise InputError(f"Filter on `{key}`: give a text, a list of texts, or an object.")


def _parse_condition(key: str, entry: Mapping[str, Any]) -> Filter:
    if key == "tags":
        raise InputError("Filter on `tags`: give a tag, or a list of tags of which one must be there.")
    if not all(isinstance(item, str) for item in entry.values()):
        raise InputError(f"Filter on `{key}`: bounds and prefixes are texts.")
    if set(entry) == {"starts_with"}:
        return StartsWith(key, entry["starts_with"])
    if entry and set(entry) <= {"from", "to"}:
        return Between(key, entry.get("from", ""), entry.get("to", ""))
    raise InputError(f"Filter on `{key}`: use `starts_with`, or `from` and `to`.")
