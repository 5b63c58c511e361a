"""Style sheets as a desktop browser would apply them: which rules hold, and what lengths and colours come to.

tinycss2 parses; nothing is fetched, so that `@import` says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2
import tinycss2.color4
from tinycss2.ast import Declaration

Node = Any
"""Of tinycss2's tree."""
Colour = tuple[float, float, float, float]
"""Red, green, blue and opacity, up to 1."""

ROOT_PIXELS = 16.0
_WIDTH, _HEIGHT = 1280.0, 800.0
"""Of the window, in pixels."""
_PIXELS = {
    **{"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54},
    **{"rem": ROOT_PIXELS, "vw": _WIDTH / 100, "vh": _HEIGHT / 100, "vmin": _HEIGHT / 100, "vmax": _WIDTH / 100},
    **{"svh": _HEIGHT / 100, "lvh": _HEIGHT / 100, "dvh": _HEIGHT / 100, "deg": 1.0},
}
_EMS = {"em": 1.0, "ex": 0.5, "ch": 0.5, "lh": 1.2, "ic": 1.0}
_LATER = ("::", ":hover", ":focus", ":active", ":visited", ":checked", ":target", ":before", ":after", ":first-line")
"""In selectors of what is not there when a page is opened, or of what is no element."""
_GROUPS = frozenset({"media", "supports", "layer"})
_MOST_NESTED = 8
_MOST_DEPTH = 20
_MOST_SUBSTITUTED = 500
_FEATURE = re.compile(
    r"\(\s*(?:(?P<bound>min-|max-)?(?P<name>width|height|device-width)\s*:\s*(?P<value>[\d.]+)(?P<unit>px|em|rem)"
    r"|(?P<range>width|height)\s*(?P<sign>[<>]=?)\s*(?P<limit>[\d.]+)(?P<of>px|em|rem)"
    r"|(?P<other>[\w-]+)\s*(?::\s*(?P<said>[\w-]+))?)\s*\)"
)
_HOLDS = {
    ("prefers-color-scheme", "light"), ("prefers-reduced-motion", "no-preference"), ("orientation", "landscape"),
    ("hover", "hover"), ("any-hover", "hover"), ("pointer", "fine"), ("any-pointer", "fine"), ("color", None),
    ("scripting", "enabled"), ("update", "fast"), ("hover", None), ("pointer", None),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """Declarations for what one selector finds."""

    selector: str
    specificity: tuple[int, int, int]
    names: frozenset[str]
    """Classes as `.name` and ids as `#name` without which it finds nothing."""
    declarations: tuple[Declaration, ...]


@lru_cache(maxsize=16)
def rules_of(sheet: str) -> Sequence[Rule]:
    """The rules of a style sheet that hold on a screen, in their order. Pages of a site and of a book share theirs."""
    return tuple(_rules(tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True), "", 0))


def declarations_of(style: str) -> list[Declaration]:
    """What a `style` attribute says."""
    found = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    return [each for each in found if isinstance(each, Declaration)]


def without_blanks(tokens: Iterable[Node]) -> list[Node]:
    """`tokens` that say something."""
    return [token for token in tokens if token.type not in ("whitespace", "comment")]


def substituted(tokens: Iterable[Node], variables: Mapping[str, Sequence[Node]], depth: int = 0) -> list[Node]:
    """`tokens` with the values of variables for `var()`."""
    found: list[Node] = []
    for token in tokens:
        if token.type == "function" and token.lower_name == "var" and depth < _MOST_NESTED:
            arguments = without_blanks(token.arguments)
            name = arguments[0].value if arguments and arguments[0].type == "ident" else ""
            found += substituted(variables.get(name, arguments[2:]), variables, depth + 1)
        else:
            found.append(token)
        if len(found) > _MOST_SUBSTITUTED:
            break
    return found


def colour_of(token: Node) -> Colour | None:
    """The colour that a token stands for; None if it is none, or depends on others."""
    try:
        parsed = tinycss2.color4.parse_color(token)
        if parsed is None or parsed == "currentcolor":
            return None
        red, green, blue = parsed.to("srgb").coordinates
        return (red or 0.0, green or 0.0, blue or 0.0, parsed.alpha)
    except (RuntimeError, ValueError, TypeError, ArithmeticError, AttributeError):
        return None


def length_of(token: Node, em: float, whole: float, depth: int = 0) -> float | None:
    """A length in pixels; a bare number as it is.

    Args:
        token: A dimension, a percentage, a number, or a function of them such as `calc()`.
        em: Size of the type, in pixels.
        whole: What a percentage is of.
        depth: Of functions around it.
    """
    if token.type == "number":
        return float(token.value)
    if token.type == "percentage":
        return float(token.value) * whole / 100
    if token.type == "dimension":
        unit = token.lower_unit
        factor = _EMS[unit] * em if unit in _EMS else _PIXELS.get(unit)
        return None if factor is None else float(token.value) * factor
    if depth < _MOST_DEPTH and token.type == "() block":
        return _sum(without_blanks(token.content), em, whole, depth + 1)
    if depth >= _MOST_DEPTH or token.type != "function":
        return None
    parts = arguments_of(token)
    values = [_sum(without_blanks(part), em, whole, depth + 1) for part in parts]
    if None in values or not values:
        return None
    known = [value for value in values if value is not None]
    match token.lower_name:
        case "calc":
            return known[0]
        case "min":
            return min(known)
        case "max":
            return max(known)
        case "clamp" if len(known) == 3:
            return max(known[0], min(known[1], known[2]))
        case _:
            return None


def arguments_of(function: Node) -> list[list[Node]]:
    """What stands between the commas of a function."""
    return _split(function.arguments)


def _split(tokens: Iterable[Node]) -> list[list[Node]]:
    parts: list[list[Node]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _sum(tokens: Sequence[Node], em: float, whole: float, depth: int) -> float | None:
    total, sign, index = 0.0, 1.0, 0
    while index < len(tokens):
        value = length_of(tokens[index], em, whole, depth)
        index += 1
        while value is not None and index + 1 < len(tokens) and _is(tokens[index], "*/"):
            factor = length_of(tokens[index + 1], em, whole, depth)
            if factor is None or (tokens[index].value == "/" and not factor):
                return None
            value = value * factor if tokens[index].value == "*" else value / factor
            index += 2
        if value is None:
            return None
        total += sign * value
        if index < len(tokens):
            if _is(tokens[index], "+-"):
                sign = 1.0 if tokens[index].value == "+" else -1.0
                index += 1
            elif tokens[index].type in ("dimension", "number", "percentage"):
                sign = 1.0  # `10px -5px`: the sign is part of the number
            else:
                return None
    return total if tokens else None


def _is(token: Node, signs: str) -> bool:
    return token.type == "literal" and token.value in signs


def _rules(nodes: Iterable[Node], around: str, depth: int) -> Iterator[Rule]:
    if depth > _MOST_NESTED:
        return
    for node in nodes:
        if node.type == "at-rule" and node.content is not None and node.lower_at_keyword in _GROUPS:
            if _holds(node.lower_at_keyword, tinycss2.serialize(node.prelude)):
                inner = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
                if around:
                    yield from _of_selectors([around], [each for each in inner if isinstance(each, Declaration)])
                yield from _rules(inner, around, depth + 1)
        elif node.type == "qualified-rule":
            inner = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            selectors = [_within(part, around) for part in _split(node.prelude)]
            yield from _of_selectors(
                [each for each in selectors if each], [each for each in inner if isinstance(each, Declaration)]
            )
            yield from _rules(inner, f":is({', '.join(selectors)})", depth + 1)


def _within(prelude: Sequence[Node], around: str) -> str:
    """A selector as it is meant, within another rule."""
    selector = str(tinycss2.serialize(prelude)).strip()
    if not around:
        return selector
    return selector.replace("&", around) if "&" in selector else f"{around} {selector}"


def _of_selectors(selectors: Iterable[str], declarations: Sequence[Declaration]) -> Iterator[Rule]:
    if not declarations:
        return
    for selector in selectors:
        if any(mark in selector.lower() for mark in _LATER) and ":not(" not in selector.lower():
            continue
        tokens = tinycss2.parse_component_value_list(selector, skip_comments=True)
        yield Rule(selector, _specificity(tokens), frozenset(_names(tokens)), tuple(declarations))


def _specificity(tokens: Sequence[Node]) -> tuple[int, int, int]:
    """Ids; classes, attributes and pseudo-classes; elements. What is in `:is()` and its kin counts as it stands."""
    ids = classes = elements = 0
    before = ""
    for token in tokens:
        if token.type == "hash":
            ids += 1
        elif token.type == "[] block" or (token.type == "ident" and before in (".", ":")):
            classes += 1
        elif token.type == "ident":
            elements += 1
        elif token.type == "function" and token.lower_name in ("is", "not", "has"):
            inner = max(map(_specificity, _split(token.arguments)))
            ids, classes, elements = ids + inner[0], classes + inner[1], elements + inner[2]
        elif token.type == "function" and token.lower_name != "where":
            classes += 1
        before = token.value if token.type == "literal" else ""
    return ids, classes, elements


def _names(tokens: Sequence[Node]) -> Iterator[str]:
    before = ""
    for token in tokens:
        if token.type == "hash":
            yield f"#{token.value}"
        elif token.type == "ident" and before == ".":
            yield f".{token.value}"
        before = token.value if token.type == "literal" else ""


def _holds(keyword: str, prelude: str) -> bool:
    text = prelude.strip().lower()
    if keyword != "media":
        return not text.startswith("not")
    return any(map(_query_holds, text.split(","))) if text else True


def _query_holds(query: str) -> bool:
    query = query.strip()
    negated = query.startswith("not ")
    words = query.removeprefix("not ").removeprefix("only ").strip()
    kind = re.match(r"[a-z-]+", words)
    holds = (kind is None or kind[0] in ("all", "screen")) and all(map(_feature_holds, _FEATURE.finditer(words)))
    return holds != negated


def _feature_holds(found: re.Match[str]) -> bool:
    if name := found["name"] or found["range"]:
        size = _HEIGHT if name == "height" else _WIDTH
        limit = float(found["value"] or found["limit"]) * (1 if (found["unit"] or found["of"]) == "px" else ROOT_PIXELS)
        if found["sign"]:
            return size > limit if found["sign"][0] == ">" else size < limit
        return size >= limit if found["bound"] == "min-" else size <= limit if found["bound"] else size == limit
    return (found["other"], found["said"]) in _HOLDS
