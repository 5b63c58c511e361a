"""A TOML file and the types it is read into: where a key stands, what is wrong with it, an example of all keys.

Nothing here knows what the settings are.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo

from jargonaut.core.errors import SettingsError

Location = tuple[str | int, ...]
"""A place in the data: keys, and positions in arrays."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_HINT = "`jargonaut init` writes a file that explains every key."


def anchored(path: Path, info: ValidationInfo) -> Path:
    """`path`, relative to the folder of the file that is being read (`folder` in the context of validation)."""
    folder = (info.context or {}).get("folder", Path.cwd())
    return Path(os.path.normpath(folder / path.expanduser()))


def _anchored_file(path: str, info: ValidationInfo) -> str:
    return str(anchored(Path(path), info)) if path else ""


Texts = Annotated[tuple[str, ...], Strict(False)]
Folder = Annotated[Path, Strict(False), AfterValidator(anchored)]
LocalFile = Annotated[str, AfterValidator(_anchored_file)]
"""An absolute path, or empty."""


class Table(BaseModel):
    """A table of the file: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file says, and where."""

    path: Path
    data: Mapping[str, Any]
    text: str

    def line_of(self, location: Location) -> int | None:
        """1-based line of the longest beginning of `location` that can be found, or None."""
        found = {place: line for place, line in _places(self.text) if place == location[: len(place)]}
        return found[max(found, key=len)] if found else None


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file.

    Raises:
        SettingsError: It is not there, cannot be read, or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"There is no settings file {path}.", "Write one with `jargonaut init`.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return TomlFile(path, tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as error:
        message, _, where = str(error).partition(" (at ")
        line = re.match(r"line \d+", where)
        place = f", {line[0]}" if line else ", at its end"
        raise SettingsError(
            f"{path}{place}: this is not TOML: {message}.", "Texts stand in quotes; lists in [ ]."
        ) from None


def explain(error: ValidationError, file: TomlFile | None, model: type[BaseModel]) -> SettingsError:
    """What is wrong, a line for each mistake in the order of the file; `model` is what `file` was read into."""
    details = error.errors(include_url=False)
    mistakes: dict[str, int] = {}
    for detail in details:
        location: Location = detail["loc"]
        inside = [other for other in details if other is not detail and other["loc"][: len(location)] == location]
        if inside and detail["type"] == "too_short":
            continue  # the list is short because an item of it is wrong, which is said anyway
        line = file.line_of(location) if file else None
        where = f"{file.path}{f', line {line}' if line else ''}: " if file else ""
        mistakes[f"{where}{_mistake(location, detail, model)}"] = line or 0
    return SettingsError("\n".join(sorted(mistakes, key=lambda mistake: mistakes[mistake])), _HINT)


def commented_example(model: type[BaseModel], required: Mapping[str, str]) -> str:
    """A file with every key of `model`: its description, and its default as a comment that can be switched on.

    Args:
        model: The whole file.
        required: Values of keys without a default, by key; the examples in the types stand for the others.
    """
    lines = [
        f"# {(model.__doc__ or '').strip()} Everything below that begins with `#` and no blank is the default.",
        "# Secrets never stand here: a key that ends in `_env` names an environment variable.",
        *_example_of(model, "", required, off=False),
    ]
    return "\n".join(lines) + "\n"


def _places(text: str) -> Iterator[tuple[Location, int]]:
    """Where each table and key of `text` stands. Good enough to point at a line; inline tables count as one place."""
    table: Location = ()
    counts: dict[Location, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = ()
            *parents, last = _keys(header[2])
            for key in parents:
                table += (key,)
                table += (counts[table] - 1,) if table in counts else ()
            table += (last,)
            if header[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table += (counts[table] - 1,)
            yield table, number
        elif assignment := _KEY.match(line):
            yield (*table, *_keys(assignment[1])), number


def _keys(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _mistake(location: Location, detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        *table, key = location
        return _unknown_key(str(key), tuple(table), model)
    subject = _subject(location, model)
    if kind == "value_error":
        said = str(context["error"])
        return f"{subject.rstrip()}: {said}" if subject and said.startswith("`") else f"{subject}{said}"
    if kind == "missing":
        return f"{subject}is missing."
    if kind == "literal_error":
        near = difflib.get_close_matches(str(value), re.findall(r"'([^']*)'", context["expected"]), n=1)
        question = f' Did you mean "{near[0]}"?' if near else ""
        expected = context["expected"].replace("'", '"')
        return f"{subject}must be {expected}, not {_shown(value)}.{question}"
    wanted = _WANTED.get(kind)
    if wanted is None:
        return f"{subject}is wrong: {detail['msg']}."
    return f"{subject}must be {wanted.format(**context)}, not {_shown(value)}."


_WANTED = {
    "bool_type": "true or false",
    "float_type": "a number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_type": "a whole number",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "model_type": "a table",
    "path_type": "a path in quotes",
    "string_pattern_mismatch": "64 hexadecimal digits in lower case, or empty",
    "string_too_short": "a text that is not empty",
    "string_type": "a text in quotes",
    "too_short": "a list that is not empty",
    "tuple_type": "a list",
}
"""What each kind of mistake should have been."""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(key: str, table: Location, model: type[BaseModel]) -> str:
    inside = _table_at(model, table)
    known = list(inside.model.model_fields) if inside else []
    near = difflib.get_close_matches(key, known, n=1)
    advice = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(f'`{name}`' for name in known)}."
    return f"{_subject(table, model)}has no key `{key}`. {advice}" if table else f"There is no `{key}`. {advice}"


def _subject(location: Location, model: type[BaseModel]) -> str:
    """The table and the key at `location`, to begin a message with."""
    while location and isinstance(location[-1], int):
        location = location[:-1]
    if not location:
        return ""
    table = _table_at(model, location)
    if not table:
        return f"{_subject(location[:-1], model)}`{location[-1]}` "
    name = ".".join(part for part in location if isinstance(part, str))
    return f"[[{name}]] " if table.repeated else f"[{name}] "


@dataclass(frozen=True, slots=True)
class _Table:
    model: type[BaseModel]
    repeated: bool = False


def _table_at(model: type[BaseModel], location: Location) -> _Table | None:
    table: _Table | None = _Table(model)
    for key in (part for part in location if isinstance(part, str)):
        field = table.model.model_fields.get(key) if table else None
        table = _table_of(field) if field else None
    return table


def _table_of(field: FieldInfo) -> _Table | None:
    """The table that `field` holds, if it holds one, or several of a kind."""
    item = get_args(field.annotation)[:1]
    for candidate, repeated in ((field.annotation, False), *((one, True) for one in item)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return _Table(candidate, repeated)
    return None


def _example_of(model: type[BaseModel], name: str, required: Mapping[str, str], off: bool) -> Iterator[str]:
    """Lines of the table `name`; keys first, since what follows a sub-table's header belongs to it."""
    tables = {key: table for key, field in model.model_fields.items() if (table := _table_of(field))}
    for key, field in model.model_fields.items():
        if key not in tables:
            value = required.get(key, (field.examples or [""])[0]) if field.is_required() else field.default
            switch = "" if field.is_required() and not off else "#"
            yield from textwrap.wrap(field.description or "", 110, initial_indent="# ", subsequent_indent="# ")
            yield f"{switch}{key} = {_toml(value)}"
    for key, table in tables.items():
        path = f"{name}.{key}" if name else key
        disabled = off or (bool(name) and not model.model_fields[key].is_required())
        header = f"[[{path}]]" if table.repeated else f"[{path}]"
        yield ""
        yield f"# {model.model_fields[key].description}"
        yield f"{'#' if disabled else ''}{header}"
        if not (disabled and not table.repeated):
            yield from _example_of(table.model, path, required, disabled)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_toml(item)}' for key, item in value.items())}}}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
