"""Which language a text is in: by script first, then by its commonest words."""

from __future__ import annotations

import re
from collections import Counter

SAMPLE = 20_000
"""Characters that are looked at."""

_STOP_WORDS = {
    "en": "the of and to in is that for it with as on are be this by you or from can not an if which your when",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch werden wird oder",
    "fr": "le la les des et en un une du que est pour dans qui par sur avec au ne pas ce cette vous sont aux",
    "es": "el la los las de que y en un una por con para es se del al como más su este puede son está lo",
    "it": "il di che la e per un una in del della è con non si le dei alla nel sono gli da questo come anche",
    "pt": "de que em um uma por com para é ao mais seu sua este são não você pelo pela dos das também isso uso nos ou",
    "nl": "de het een van en in is dat op te met voor zijn niet aan er ook als bij door kan worden wordt deze",
}
_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
_SCRIPTS = {
    "kana": re.compile("[\u3041-\u30ff]"),
    "hangul": re.compile("[\uac00-\ud7af]"),
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]{2,}"),
    "arabic": re.compile("[\u0600-\u06ff]{2,}"),
    "word": re.compile("[a-zà-öø-ÿ]{1,}"),
}
_HAN_SHARE = 0.2
"""Least share of Han characters among Han characters and Latin words: Chinese prose about software is half English."""
_LEAST_STOP_WORDS = 0.04
_LEAST_EVIDENCE = 3


def detect_language(text: str) -> str:
    """`en`, `zh`, `ja`, `ko`, `ru`, ... or empty if it cannot be told."""
    sample = text[:SAMPLE].lower()
    count = {name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS.items() if name != "word"}
    words = _SCRIPTS["word"].findall(sample)
    asian = count["han"] + count["kana"] + count["hangul"]
    if asian >= _LEAST_EVIDENCE and asian >= _HAN_SHARE * (asian + len(words)):
        return _east_asian(count)
    for script, language in (("cyrillic", "ru"), ("arabic", "ar")):
        if count[script] >= _LEAST_EVIDENCE and count[script] > len(words):
            return language
    return _latin(words)


def _east_asian(count: dict[str, int]) -> str:
    if count["hangul"] > count["han"]:
        return "ko"
    return "ja" if count["kana"] > 0.1 * (count["han"] + count["kana"]) else "zh"


def _latin(words: list[str]) -> str:
    if not words:
        return ""
    frequency = Counter(words)
    scores = {language: sum(frequency[word] for word in stops) for language, stops in _WORDS.items()}
    best = max(scores, key=lambda language: scores[language])
    enough = scores[best] >= max(_LEAST_EVIDENCE, _LEAST_STOP_WORDS * len(words))
    return best if enough else ""
