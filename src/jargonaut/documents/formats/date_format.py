"""Dates and times in the number formats of spreadsheets: a serial number is days since the end of 1899, or 1904."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_CHINESE_WEEKDAYS = "一二三四五六日"
_LAST_SERIAL = 2_958_465
"""31 December 9999."""
_HALVES = re.compile(r"AM/PM|A/P|上午/下午", re.IGNORECASE)
_FIELD = re.compile(r"y+|m+|d+|h+|s+|a{3,4}|e+|g+|b+|AM/PM|A/P|上午/下午|\.0+|.", re.IGNORECASE | re.DOTALL)
_DATE_LETTERS = frozenset("ymdhsYMDHSaAeE")

Token = tuple[str, str]


def is_date(tokens: Iterable[Token]) -> bool:
    """Whether the tokens of a format show dates or times."""
    return any(kind == "elapsed" or (kind == "other" and text in _DATE_LETTERS) for kind, text in tokens)


def shown_date(tokens: Sequence[Token], value: float, epoch_1904: bool) -> str:
    """The date or time `value` as the tokens say; the number itself if it is no date."""
    serial = value + (1462 if epoch_1904 else 0)
    if not 0 <= serial < _LAST_SERIAL + 1 and not any(kind == "elapsed" for kind, _ in tokens):
        return f"{value:g}"
    fields = _fields(tokens)
    decimals = max((len(text) - 1 for kind, text in fields if kind == "field" and text.startswith(".0")), default=0)
    moment = _Moment(serial, value, decimals)
    twelve = any(kind == "field" and _HALVES.fullmatch(text) for kind, text in fields)
    parts = []
    for number, (kind, text) in enumerate(fields):
        if kind == "text":
            parts.append(text)
        elif kind == "elapsed":
            parts.append(moment.elapsed(text))
        else:
            parts.append(moment.field(text, twelve, _is_minute(fields, number)))
    return "".join(parts)


def _fields(tokens: Sequence[Token]) -> list[Token]:
    """Runs of letters put together again."""
    fields: list[Token] = []
    run = ""
    for kind, text in (*tokens, ("end", "")):
        if kind in ("other", "digit", "exponent"):
            run += text
            continue
        fields.extend(("field", part) for part in _FIELD.findall(run))
        run = ""
        if kind in ("text", "elapsed"):
            fields.append((kind, text))
    return fields


def _is_minute(fields: Sequence[Token], number: int) -> bool:
    """Whether the `m` at `number` is minutes: it stands behind hours or before seconds."""
    if fields[number][1].lower() not in ("m", "mm"):
        return False
    letters = [
        text[0].lower() if text.lower().strip("ymdhs") == "" else ""
        for kind, text in fields
        if kind in ("field", "elapsed")
    ]
    at = sum(kind in ("field", "elapsed") for kind, _ in fields[:number])
    before = next((letter for letter in reversed(letters[:at]) if letter), "")
    after = next((letter for letter in letters[at + 1 :] if letter), "")
    return before == "h" or after == "s"


class _Moment:
    def __init__(self, serial: float, value: float, decimals: int) -> None:
        unit = 10**decimals
        ticks = round(abs(serial) * 86_400 * unit)
        self._days, rest = divmod(ticks, 86_400 * unit)
        seconds, self._fraction = divmod(rest, unit)
        self._decimals = decimals
        self._hour, self._minute, self._second = seconds // 3600, seconds // 60 % 60, seconds % 60
        self._total_seconds = round(abs(value) * 86_400 * unit) // unit
        self._sign = "-" if value < 0 else ""
        self._date, self._day = _calendar(self._days)

    def elapsed(self, text: str) -> str:
        """`[h]`, `[mm]` or `[s]`: all hours, minutes or seconds."""
        total = self._total_seconds // {"h": 3600, "m": 60, "s": 1}[text[0]]
        return f"{self._sign}{total:0{len(text)}d}"

    def field(self, text: str, twelve: bool, minute: bool) -> str:
        """One field as it is written."""
        letter, length = text[0].lower(), len(text)
        if _HALVES.fullmatch(text):
            first, _, second = text.partition("/")
            return second if self._hour >= 12 else first
        if minute:
            return f"{self._minute:0{length}d}"
        if letter == "h":
            return f"{(self._hour % 12 or 12) if twelve else self._hour:0{min(length, 2)}d}"
        if letter == "s":
            return f"{self._second:0{min(length, 2)}d}"
        if text.startswith(".0"):
            return f".{self._fraction:0{self._decimals}d}"
        return self._date_field(text, letter, length)

    def _date_field(self, text: str, letter: str, length: int) -> str:
        date = self._date
        if letter == "y":
            return f"{date.year % 100:02d}" if length <= 2 else f"{date.year:04d}"
        if letter == "e":
            return str(date.year)
        if letter == "m":
            name = _MONTHS[date.month - 1]
            return (f"{date.month}", f"{date.month:02d}", name[:3], name, name[0])[min(length, 5) - 1]
        if letter == "d":
            name = _WEEKDAYS[(self._days - 2) % 7]
            return (f"{self._day}", f"{self._day:02d}", name[:3], name)[min(length, 4) - 1]
        if letter == "a" and length >= 3:
            return ("星期" if length == 4 else "周") + _CHINESE_WEEKDAYS[(self._days - 2) % 7]
        if letter in "gb":
            return ""
        return text


def _calendar(days: int) -> tuple[datetime.date, int]:
    """Date and day of month of a serial number. 1900 counts as a leap year, so 60 is its 29 February."""
    if days == 60:
        return datetime.date(1900, 2, 28), 29
    if days == 0:
        return datetime.date(1900, 1, 1), 0
    start = datetime.date(1899, 12, 31) if days < 60 else datetime.date(1899, 12, 30)
    date = start + datetime.timedelta(days=min(days, _LAST_SERIAL))
    return date, date.day
