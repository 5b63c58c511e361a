"""Number formats of spreadsheets (ECMA-376, 18.8.31): what a cell shows of the number that it holds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from jargonaut.documents.formats.counting import chinese, formal
from jargonaut.documents.formats.date_format import is_date, shown_date

_TOKEN = re.compile(
    r'"(?P<text>[^"]*)"?|\\(?P<escaped>.)|_(?P<width>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|G/通用格式)|(?P<exponent>[eE][-+])|(?P<digit>[0#?])|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")
_FORMAT_LENGTH = 500
_MOST_DECIMALS = 30
_GENERAL_DIGITS = 11
_WIDE = Context(prec=400)
_EXACT_DIGITS = 15
"""Of a double: what is behind them is noise."""
_COMMON = re.compile(r"\0*(?P<number>(?P<grouped>#,##)?0(?P<decimals>\.0+)?)(?P<percent>%?)\0*")
_MOST_QUICK = 1e12
_LEAST_QUICK = 1e-3
_CONDITIONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, limit: value < limit,
    ">": lambda value, limit: value > limit,
    "=": lambda value, limit: value == limit,
    "<=": lambda value, limit: value <= limit,
    ">=": lambda value, limit: value >= limit,
    "<>": lambda value, limit: value != limit,
}

Token = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Section:
    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None
    numerals: str
    """`DBNum1` and the like, or empty."""
    date: bool


@lru_cache(maxsize=4096)
def number_formatter(code: str, epoch_1904: bool = False) -> Callable[[float], str]:
    """What shows a number as the format `code` says."""
    sections = [_section(part) for part in _split(code[:_FORMAT_LENGTH])][:4]
    quick = _quick(sections[0]) if len(sections) == 1 else None

    @lru_cache(maxsize=4096)
    def shown(value: float) -> str:
        if quick and (text := quick(value)) is not None:
            return text
        if not math.isfinite(value):
            return "#NUM!"
        section, magnitude = _chosen(sections, value)
        if section.date:
            text = shown_date(section.tokens, value, epoch_1904)
        else:
            text = _shown_number(section.tokens, magnitude)
        return _in_numerals(text, section.numerals) if section.numerals else text

    return shown


def general(value: float) -> str:
    """A number without a format: no more digits than it has."""
    if value == int(value) and abs(value) < 10**_EXACT_DIGITS:
        return str(int(value))
    magnitude = abs(value)
    if 1e-4 <= magnitude < 10**_GENERAL_DIGITS:
        whole_digits = len(str(int(magnitude)))
        text = f"{value:.{max(_GENERAL_DIGITS - 1 - whole_digits, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{value:.5E}".partition("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"


def text_formatter(code: str) -> str | None:
    """How the format `code` shows text: with `@` where it stands; None if as it is."""
    parts = _split(code[:_FORMAT_LENGTH])
    tokens = _section(parts[3] if len(parts) > 3 else parts[-1]).tokens
    if len(parts) < 4 and not any(token == ("other", "@") for token in tokens):
        return None
    return "".join(text for kind, text in tokens if kind in ("text", "other"))


def _quick(section: _Section) -> Callable[[float], str | None] | None:
    """What shows most numbers in the commonest formats, many times faster; None where it must be exact."""
    code = "".join(text if kind in ("digit", "other") else "\0" for kind, text in section.tokens)
    match = _COMMON.fullmatch(code)
    if match is None or section.numerals or section.condition:
        return None
    before = "".join(text for _, text in section.tokens[: match.start("number")])
    after = "".join(text for _, text in section.tokens[match.end("number") :])
    decimals = len(match["decimals"] or ".") - 1
    spec = f"{',' if match['grouped'] else ''}.{decimals}f"
    scale = 100.0 if match["percent"] else 1.0
    unit = 10.0**decimals * scale

    def shown(value: float) -> str | None:
        ticks = abs(value) * unit
        # Half-way between two digits, binary and decimal rounding differ.
        if not 0.51 <= ticks < _MOST_QUICK or abs(ticks % 1.0 - 0.5) < _LEAST_QUICK:
            return None
        return f"{'-' if value < 0 else ''}{before}{abs(value) * scale:{spec}}{after}"

    return shown


def _split(code: str) -> list[str]:
    parts = [""]
    for match in _TOKEN.finditer(code):
        if match["other"] == ";":
            parts.append("")
        else:
            parts[-1] += match[0]
    return parts


def _section(code: str) -> _Section:
    tokens: list[Token] = []
    condition = None
    numerals = ""
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup or "", match[match.lastgroup or 0]
        if kind in ("text", "escaped"):
            tokens.append(("text", text))
        elif kind == "width":
            tokens.append(("text", " "))
        elif kind == "bracket":
            found = _CONDITION.fullmatch(text)
            if found:
                condition = (found[1], float(found[2]))
            elif text.lower().startswith("dbnum"):
                numerals = text.lower()
            elif text.startswith("$"):
                tokens.append(("text", text[1:].partition("-")[0]))
            elif text and not text.lower().strip("hms"):
                tokens.append(("elapsed", text.lower()))
        elif kind != "fill":
            tokens.append((kind, text))
    return _Section(tuple(tokens), condition, numerals, is_date(tokens))


def _chosen(sections: list[_Section], value: float) -> tuple[_Section, float]:
    """The section for `value`, and what it shows: sections for negative numbers write their own sign."""
    if any(section.condition for section in sections[:2]):
        for section in sections[:3]:
            if section.condition is None:
                return section, value
            sign, limit = section.condition
            if _CONDITIONS[sign](value, limit):
                return section, abs(value) if sign in ("<", "<=") and limit <= 0 else value
        return sections[-1], value
    if len(sections) == 1 or value > 0:
        return sections[0], value
    if value < 0:
        return sections[1], abs(value)
    return sections[2] if len(sections) > 2 else sections[0], value


def _shown_number(tokens: tuple[Token, ...], value: float) -> str:
    if any(kind == "general" for kind, _ in tokens):
        return "".join(general(value) if kind == "general" else text for kind, text in tokens if kind != "digit")
    places = [number for number, (kind, _) in enumerate(tokens) if kind == "digit"]
    if not places:
        literal = "".join(general(value) if text == "@" and kind == "other" else text for kind, text in tokens)
        return f"-{literal}" if value < 0 and literal else literal
    is_fraction = any(
        tokens[number] == ("other", "/") and _is_digit(tokens[number - 1]) and _is_digit(tokens[number + 1])
        for number in range(places[0] + 1, len(tokens) - 1)
    )
    return _fraction(tokens, value) if is_fraction else _decimal(tokens, value, places)


def _is_digit(token: Token) -> bool:
    return token[0] == "digit" or token[1].isdigit()


def _decimal(tokens: tuple[Token, ...], value: float, places: list[int]) -> str:
    exponent_at = next((number for number, (kind, _) in enumerate(tokens) if kind == "exponent"), len(tokens))
    point = next((number for number in range(exponent_at) if tokens[number] == ("other", ".")), exponent_at)
    before = [tokens[number][1] for number in places if number < point]
    after = [tokens[number][1] for number in places if point < number < exponent_at]
    behind = [tokens[number][1] for number in places if number > exponent_at]
    last = max((number for number in places if number < exponent_at), default=0)
    commas = [number for number in range(exponent_at) if tokens[number] == ("other", ",")]
    grouped = any(places[0] < number < min(point, places[-1]) and _digit_follows(tokens, number) for number in commas)
    integer_end = max((number for number in places if number < point), default=-1)
    scaling = sum(number in (last + 1 + step, integer_end + 1 + step) for step, number in enumerate(_run(commas, last)))
    exact = Decimal(f"{abs(value):.{_EXACT_DIGITS}g}")
    exact = exact.scaleb(2 * sum(token == ("other", "%") for token in tokens) - 3 * scaling)
    exponent = 0
    if behind and exact:
        step = max(len(before), 1)
        exponent = exact.adjusted() // step * step if step > 1 else exact.adjusted()
        exact = exact.scaleb(-exponent)
    decimals = min(len(after), _MOST_DECIMALS)
    rounded = _rounded(exact, decimals)
    if behind and rounded.adjusted() >= max(len(before), 1):
        exponent += max(len(before), 1)
        rounded = _rounded(exact.scaleb(-max(len(before), 1)), decimals)
    integer, _, fraction = f"{rounded:f}".partition(".")
    integer = _integer_digits(integer, before, grouped)
    fraction = _fraction_digits(fraction, after)
    sign = "-" if value < 0 and rounded else ""
    return sign + _laid_out(tokens, exponent_at, point, before, integer, fraction, _exponent(tokens, exponent, behind))


def _rounded(exact: Decimal, decimals: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)


def _digit_follows(tokens: tuple[Token, ...], number: int) -> bool:
    return any(kind == "digit" for kind, _ in tokens[number + 1 : number + 4])


def _run(commas: list[int], last: int) -> list[int]:
    """Commas directly behind the last digit: each divides by a thousand."""
    run: list[int] = []
    for number in commas:
        if number == last + 1 + len(run):
            run.append(number)
    return run


def _integer_digits(integer: str, before: list[str], grouped: bool) -> str:
    least = len(before) - before.index("0") if "0" in before else 0
    digits = integer.lstrip("0").rjust(least, "0")
    if not grouped:
        return digits
    head = len(digits) % 3
    return ",".join(filter(None, [digits[:head], *(digits[at : at + 3] for at in range(head, len(digits), 3))]))


def _fraction_digits(fraction: str, after: list[str]) -> str:
    digits = list(fraction)
    for mark in reversed(after[: len(digits)]):
        if mark == "0" or digits[-1] != "0":
            break
        digits.pop()
    return "".join(digits)


def _exponent(tokens: tuple[Token, ...], exponent: int, behind: list[str]) -> str:
    sign = "-" if exponent < 0 else "+"
    mark = next((text for kind, text in tokens if kind == "exponent"), "E+")
    return f"{mark[0]}{sign if exponent < 0 or mark[1] == '+' else ''}{abs(exponent):0{max(len(behind), 1)}d}"


def _laid_out(
    tokens: tuple[Token, ...],
    exponent_at: int,
    point: int,
    before: list[str],
    integer: str,
    fraction: str,
    exponent: str,
) -> str:
    """Digits in the places of the format, literals where they stand among them (phone numbers have such)."""
    parts: list[str] = []
    plain = integer.replace(",", "")
    # Without literals inside, all digits stand in the first place; with them, each place takes one from the right.
    first = next((number for number, (kind, _) in enumerate(tokens) if kind == "digit" and number < point), point)
    inner = [tokens[number] for number in range(first, point)]
    spread = any(kind == "text" or (kind == "other" and text not in ",%") for kind, text in inner[: _last_digit(inner)])
    waiting = len(before)
    said_fraction = False
    for number, (kind, text) in enumerate(tokens):
        if kind == "digit" and number < point:
            waiting -= 1
            if spread:
                start = len(plain) - waiting - 1
                parts.append(plain[: start + 1] if waiting == len(before) - 1 else plain[max(start, 0) : start + 1])
            elif waiting == len(before) - 1:
                parts.append(integer)
        elif kind == "digit" and number < exponent_at and not said_fraction:
            parts.append(fraction)
            said_fraction = True
        elif kind == "exponent" and number == exponent_at:
            parts.append(exponent)
        elif number == point and text == ".":
            parts.append("." if fraction or not any(each[0] == "digit" for each in tokens[number:exponent_at]) else "")
        elif kind == "text" or (kind == "other" and text != ","):
            parts.append(text)
    return "".join(parts)


def _last_digit(tokens: list[Token]) -> int:
    return max((number for number, (kind, _) in enumerate(tokens) if kind == "digit"), default=-1) + 1


def _fraction(tokens: tuple[Token, ...], value: float) -> str:
    slash = tokens.index(("other", "/"))
    numerator_at = slash
    while numerator_at and tokens[numerator_at - 1][0] == "digit":
        numerator_at -= 1
    mixed = any(kind == "digit" for kind, _ in tokens[:numerator_at])
    denominator = "".join(text for kind, text in tokens[slash + 1 :] if kind == "digit" or text.isdigit())
    magnitude = abs(value)
    if denominator.strip("0?#").isdigit():
        below = int("".join(filter(str.isdigit, denominator)))
        above = round(magnitude * below)
    else:
        most = 10 ** min(max(len(denominator), 1), 5) - 1
        near = Fraction(magnitude).limit_denominator(most)
        above, below = near.numerator, near.denominator
    integer, above = divmod(above, below) if mixed and below else (0, above)
    sign = "-" if value < 0 and (integer or above) else ""
    if mixed and not above:
        return f"{sign}{integer}"
    return f"{sign}{integer} {above}/{below}" if mixed and integer else f"{sign}{above}/{below}"


def _in_numerals(text: str, numerals: str) -> str:
    writer = {"dbnum1": lambda number: chinese(number, short_ten=False), "dbnum2": formal}.get(numerals)
    if writer is None:
        return text
    return re.sub(r"\d{1,7}", lambda match: writer(int(match[0])), text)
