"""The quantities of a text, English or Chinese: numbers however they are written, each with its unit."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[+-]?\d+(?:[.,:/-]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WORDS = {
    word: value
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
} | dict(
    zip(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred"],
        range(20, 101, 10),
        strict=True,
    )
)
_WORD = re.compile(rf"\b(?:{'|'.join(word for word in _WORDS if word not in ('zero', 'one'))})\b", re.IGNORECASE)
"""`one` is more often a pronoun than a number."""
_DIGITS = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN = re.compile(
    r"(?P<percent>百分之)?(?P<number>[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?)"
)
_UNITS = {
    "s": "s sec secs second seconds 秒 秒钟",
    "ms": "ms msec millisecond milliseconds 毫秒",
    "min": "min mins minute minutes 分钟 分",
    "h": "h hr hrs hour hours 小时 时",
    "d": "d day days 天 日",
    "w": "week weeks wk 周 星期",
    "month": "month months 个月 月",
    "y": "year years yr yrs 年 岁",
    "%": "% percent 百分比",
    "°C": "°c ℃ celsius 摄氏度 度",
    "°F": "°f ℉ fahrenheit",
    "B": "b byte bytes 字节",
    "KB": "kb kib k kilobyte kilobytes",
    "MB": "mb mib megabyte megabytes 兆",
    "GB": "gb gib g gigabyte gigabytes",
    "TB": "tb tib terabyte terabytes",
    "mg": "mg milligram milligrams 毫克",
    "µg": "µg μg ug mcg microgram micrograms 微克",
    "kg": "kg kilogram kilograms 公斤 千克",
    "mm": "mm millimetre millimetres millimeter millimeters 毫米",
    "cm": "cm centimetre centimetres centimeter centimeters 厘米",
    "m": "m metre metres meter meters 米",
    "km": "km kilometre kilometres kilometer kilometers 公里 千米",
    "ml": "ml millilitre millilitres milliliter milliliters 毫升",
    "l": "l litre litres liter liters 升",
    "V": "v volt volts 伏 伏特",
    "A": "a amp amps ampere amperes 安 安培",
    "W": "w watt watts 瓦 瓦特",
    "kW": "kw kilowatt kilowatts 千瓦",
    "Hz": "hz hertz 赫兹",
    "kHz": "khz",
    "MHz": "mhz 兆赫",
    "GHz": "ghz",
    "bar": "bar bars",
    "MPa": "mpa 兆帕",
    "euro": "euro euros eur € 欧元",
    "dollar": "dollar dollars usd $ 美元",
    "yuan": "yuan rmb cny 元 人民币 块",
    "times": "times 次 倍",
    "people": "people persons 人 名",
    "pieces": "个 件 台 条 项 只 张 份 家 种 座 部 篇 本",
}
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in names.split()}
_LONGEST_FIRST = sorted((re.escape(name) for name in _UNIT_OF), key=len, reverse=True)
_UNIT = re.compile(
    rf"[\s-]?(?P<unit>{'|'.join(name for name in _LONGEST_FIRST)})(?![A-Za-z])",
    re.IGNORECASE,
)
_MAGNITUDES = {"thousand": 1000, "million": 10**6, "billion": 10**9, "万": 10**4, "亿": 10**8}
_MAGNITUDE = re.compile(r"\s?(thousand|million|billion|万|亿)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts."""

    value: str
    """Canonical: `1209600`, `3.5`; dates, times and versions as they stand."""
    unit: str
    """Canonical; empty if there is none that is known."""


def quantities(text: str) -> list[Quantity]:
    """The quantities of `text`, in order."""
    plain = unicodedata.normalize("NFKC", text)
    found: list[tuple[int, Quantity]] = []
    for match in _NUMBER.finditer(plain):
        found.append((match.start(), _quantity(_canonical(match[0]), plain, match.end())))
    for match in _WORD.finditer(plain):
        found.append((match.start(), _quantity(str(_WORDS[match[0].lower()]), plain, match.end())))
    for match in _HAN.finditer(plain):
        value, unit = _han_value(match["number"]), _UNIT.match(plain, match.end())
        alone = len(match["number"]) == 1
        if match["percent"]:
            found.append((match.start(), Quantity(value, "%")))
        elif value and not (alone and (unit is None or match["number"] in "一零〇万亿百千")):
            found.append((match.start(), _quantity(value, plain, match.end())))
    return [quantity for _, quantity in sorted(found, key=lambda item: item[0])]


def _quantity(value: str, text: str, end: int) -> Quantity:
    magnitude = _MAGNITUDE.match(text, end)
    if magnitude and re.fullmatch(r"[\d.]+", value):
        value, end = _canonical(str(Decimal(value) * _MAGNITUDES[magnitude[1].lower()])), magnitude.end()
    unit = _UNIT.match(text, end)
    return Quantity(value, _UNIT_OF[unit["unit"].lower()] if unit else "")


def _canonical(number: str) -> str:
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    try:
        value = Decimal(number).normalize()
    except InvalidOperation:
        return number  # a date, a time, a version
    return format(value, "f").lstrip("+")


def _han_value(text: str) -> str:
    whole, _, fraction = text.partition("点")
    if not _TENS.keys() & set(whole) and not {"万", "亿"} & set(whole):
        digits = "".join(str(_DIGITS[character]) for character in whole)
        value = digits.lstrip("0") or "0"
    else:
        value = str(_han_integer(whole))
    return _canonical(f"{value}.{''.join(str(_DIGITS[c]) for c in fraction)}") if fraction else value


def _han_integer(text: str) -> int:
    total, section, digit = 0, 0, 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _TENS:
            section += (digit or 1) * _TENS[character]
            digit = 0
        else:
            total = (total + section + digit) * (10**4 if character == "万" else 10**8)
            section, digit = 0, 0
    return total + section + digit
