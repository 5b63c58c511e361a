"""Kinds of values that several settings have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from jargonaut.core.errors import InputError
from jargonaut.core.scope import checked_name, checked_principals
from jargonaut.documents.globs import compiled
from jargonaut.settings_file import Texts

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)


def _sorted_principals(names: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(checked_principals(names, "")))
    except InputError as error:
        raise ValueError(f"{error.message.removeprefix(': ')} {error.hint}") from None


def named(kind: str, name: str) -> str:
    """`name`, if a thing of this kind can be called so; else a `ValueError`."""
    try:
        return checked_name(kind, name)
    except InputError as error:
        raise ValueError(f"{error.message} {error.hint}") from None


def _pattern(text: str) -> str:
    try:
        compiled(text)
    except ValueError as error:
        raise ValueError(f"`{text}` is not a pattern of paths: {error}.") from None
    return text


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("must be the name of an environment variable, not the secret itself.")
    return name


Variable = Annotated[str, AfterValidator(_variable)]
"""Name of an environment variable, or empty."""
Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], Strict(False)]
Principals = Annotated[Texts, AfterValidator(_sorted_principals)]
Share = Annotated[float, Field(ge=0, le=1)]
