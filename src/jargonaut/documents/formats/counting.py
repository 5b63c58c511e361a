"""Numbers of lists, headings and notes as people write them: letters, Roman and Chinese numerals and the like."""

from __future__ import annotations

from collections.abc import Callable

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_SIMPLE = "零一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"
_TRADITIONAL_FORMAL = "零壹貳參肆伍陸柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_MOST = 9_999_999


def counted(number: int, style: str) -> str:
    """`number` in the numbering style `style`, named as in WordprocessingML; decimal if it is not known."""
    if not 0 <= number <= _MOST:
        return str(number)
    if style in ("none", "bullet"):
        return ""
    if style in _CHINESE:
        return _CHINESE[style](number)
    if style.lower().endswith("letter"):
        return _cased(letters(number), style)
    if style.lower().endswith("roman"):
        return _cased(roman(number), style)
    if style in _RANGES:
        first, most = _RANGES[style]
        return chr(first + number - 1) if 1 <= number <= most else str(number)
    return _decimal(number, style)


def letters(number: int) -> str:
    """a, b, ... z, aa, bb, ..."""
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9) if number else "0"


def roman(number: int) -> str:
    """i, ii, iii, iv, ..."""
    if not 0 < number < 5000:
        return str(number)
    parts = []
    for value, sign in _ROMAN:
        parts.append(sign * (number // value))
        number %= value
    return "".join(parts)


def chinese(number: int, digits: str = _SIMPLE, units: str = "十百千万", short_ten: bool = True) -> str:
    """一, 二, ... 十, 十一, ... 二十, ... 一百零一.

    Args:
        number: 0 to 9,999,999.
        digits: From zero to nine.
        units: Ten, hundred, thousand and ten thousand.
        short_ten: Whether 10 to 19 go without a leading one.
    """
    if number < 10:
        return digits[number]
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        rest = "" if not low else (digits[0] if low < 1000 else "") + chinese(low, digits, units, short_ten=False)
        return chinese(high, digits, units, short_ten) + units[3] + rest
    parts: list[str] = []
    gap = False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            if gap and parts:
                parts.append(digits[0])
            parts.append(digits[digit] + (units[place - 1] if place else ""))
        gap = not digit
    text = "".join(parts)
    return text[1:] if short_ten and text.startswith(digits[1] + units[0]) else text


def digit_by_digit(number: int, digits: str = _SIMPLE) -> str:
    """12 as 一二."""
    return "".join(digits[int(digit)] for digit in str(number))


def formal(number: int) -> str:
    """12 as 壹拾贰."""
    return chinese(number, _FORMAL, "拾佰仟万", short_ten=False)


_CHINESE: dict[str, Callable[[int], str]] = {
    "chineseCounting": chinese,
    "chineseCountingThousand": chinese,
    "taiwaneseCounting": chinese,
    "taiwaneseCountingThousand": chinese,
    "japaneseCounting": chinese,
    "koreanDigital": digit_by_digit,
    "ideographDigital": digit_by_digit,
    "japaneseDigitalTenThousand": lambda number: digit_by_digit(number, "〇" + _SIMPLE[1:]),
    "taiwaneseDigital": lambda number: digit_by_digit(number, "○" + _SIMPLE[1:]),
    "chineseLegalSimplified": formal,
    "ideographLegalTraditional": lambda number: chinese(number, _TRADITIONAL_FORMAL, "拾佰仟萬", short_ten=False),
    "ideographTraditional": lambda number: _STEMS[(number - 1) % 10] if number else "0",
    "ideographZodiac": lambda number: _BRANCHES[(number - 1) % 12] if number else "0",
}
_RANGES = {
    "decimalEnclosedCircle": (0x2460, 20),
    "decimalEnclosedCircleChinese": (0x2460, 20),
    "decimalEnclosedParen": (0x2474, 20),
    "decimalEnclosedFullstop": (0x2488, 20),
    "ideographEnclosedCircle": (0x3280, 10),
}


def _cased(text: str, style: str) -> str:
    return text.upper() if style.startswith("upper") else text


def _decimal(number: int, style: str) -> str:
    if style == "decimalZero":
        return f"{number:02d}"
    if style == "numberInDash":
        return f"- {number} -"
    if style in ("decimalFullWidth", "decimalFullWidth2"):
        return str(number).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    if style == "ordinal":
        ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"
    return str(number)
