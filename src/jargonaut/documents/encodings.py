"""Bytes to text: the encoding is found, never assumed."""

from __future__ import annotations

import codecs
import re
import unicodedata

from jargonaut.core.errors import InputError
from jargonaut.documents.language import detect_language

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 65_536
"""Bytes looked at to tell binary content, and to guess an encoding."""
_BINARY_SHARE = 0.02
"""Most control characters in a text."""
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e01ef]"
    "|(?<=[\x20-\x7e\u2e80-\u9fff])[\u200c\u200d]+|[\u200c\u200d]+(?=[\x20-\x7e\u2e80-\u9fff])"
)
"""Characters without width, direction marks, tags. Joiners stay where scripts and emoji need them."""
_MAGIC = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_COMMON_HAN = frozenset(
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年就那和要出也得后以会可下过去能对用理使方法"
)
_LEAST_COMMON_HAN = 0.02
_LEAST_HAN = 6
_LAST_OF_HANGUL = 0xC8
_LEAST_IN_GB2312, _LAST_IN_GB2312 = 0xB0, 0xD7
"""First bytes of the 3,755 characters in common use."""
_WESTERN_SIGNS = frozenset("\xa0§°±²³µ¶·«»¿¡£¥€©®‘’“”–—…•")
_MOST_ACCENTED = 0.12
"""Most characters outside ASCII in a Western text."""
_MULTIBYTE = ("big5", "cp932", "cp949", "euc_jp", "euc_kr")
_SINGLE_BYTE = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r")


def decode(data: bytes) -> str:
    """The text in `data`, in NFC, lines ended by line feeds, without control characters.

    Looked for, in this order: a byte order mark, UTF-8, UTF-16 without a mark, GB18030, and what charset-normalizer
    says.

    Raises:
        InputError: It is binary, or no encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return normalised(_strict(data[len(mark) :], encoding))
    return normalised(_without_mark(data))


def normalised(text: str) -> str:
    """NFC, line feeds, no control characters but tab and line feed."""
    text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))
    return unicodedata.normalize("NFC", text)


def visible(text: str) -> tuple[str, int]:
    """`text` without characters that nobody sees, and how many those were."""
    return _INVISIBLE.subn("", text)


def _without_mark(data: bytes) -> str:
    unmarked = _unmarked_utf16(data[:_SAMPLE])
    if unmarked:
        return _strict(data, unmarked)
    if _is_binary(data[:_SAMPLE]):
        raise InputError("It is binary, not text.", "Give it the extension of its format, or exclude it.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        damaged = error
    chinese = _gb18030(data)
    return chinese if chinese is not None else _guessed(data, damaged)


def _strict(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"It is not valid {encoding.upper()}: {error.reason} at byte {error.start}.") from error
    if text.count("\0") > _BINARY_SHARE * len(text):
        raise InputError("It is binary, not text.", "Give it the extension of its format, or exclude it.")
    return text


def _unmarked_utf16(sample: bytes) -> str:
    """Text in UTF-16 has zeros, nearly all at even or nearly all at odd places."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(len(sample) // 2, 1)
    if max(even, odd) < 0.3 * half or min(even, odd) > 0.02 * half:
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_binary(sample: bytes) -> bool:
    if sample.startswith(_MAGIC) or b"\0" in sample:
        return True
    control = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    return control > 2 + _BINARY_SHARE * len(sample)


def _gb18030(data: bytes) -> str | None:
    """The text if it is Chinese: nearly any bytes decode as GB18030, so the commonest characters must be there."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    high = [character for character in text[:_SAMPLE] if ord(character) > 127]
    common = sum(character in _COMMON_HAN for character in high)
    if common >= max(1, _LEAST_COMMON_HAN * len(high)):
        return text
    # Lists and tables lack the commonest words. Hangul in Korean encodings begins with bytes up to C8 only, and Western
    # text has no Han at all.
    han = [character for character in high if "\u4e00" <= character <= "\u9fff"]
    late = sum(character.encode("gb18030")[0] > _LAST_OF_HANGUL for character in han)
    in_gb2312 = sum(_LEAST_IN_GB2312 <= character.encode("gb18030")[0] <= _LAST_IN_GB2312 for character in han)
    plain = len(han) >= 0.8 * len(high) and in_gb2312 >= 0.95 * len(han)
    return text if len(han) >= _LEAST_HAN and plain and late >= 0.15 * len(han) else None


def _guessed(data: bytes, damaged: UnicodeDecodeError) -> str:
    # A few damaged bytes in a long UTF-8 file are better replaced than guessed as another encoding.
    repaired = data.decode("utf-8", errors="replace")
    broken = repaired.count("\N{REPLACEMENT CHARACTER}")
    multibyte = sum(ord(character) > 127 for character in repaired) - broken
    if broken <= 0.1 * multibyte:
        return repaired
    for guess in (_western, _by_statistics):
        text = guess(data)
        if text is not None:
            return text
    raise InputError(
        f"Its encoding cannot be told: not UTF-8 ({damaged.reason} at byte {damaged.start}), UTF-16 or GB18030.",
        "Save it as UTF-8.",
    )


def _western(data: bytes) -> str | None:
    """Windows-1252, and Latin-1 with it, if the text is ASCII but for some accented letters and typographic signs."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    high = [character for character in text if ord(character) > 127]
    fitting = sum(character.isalpha() or character in _WESTERN_SIGNS for character in high)
    return text if len(high) <= _MOST_ACCENTED * len(text) and fitting == len(high) else None


def _by_statistics(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=[*_MULTIBYTE, *_SINGLE_BYTE]).best()
    if best is None or not (detect_language(str(best)) if best.encoding in _MULTIBYTE else best.coherence):
        return None
    try:
        return data.decode(best.encoding)
    except UnicodeDecodeError:
        return None
