"""Minimal pairs for the check of citations: a statement that a passage supports, and the same with one thing wrong.

Made from documents by rule: a sentence of a passage as it stands or reworded, and then with a number, a unit, a name or
a denial exchanged. What is put in its place comes from the same document where that has one, which is what a model
mixes up. Nothing of the check itself is used to make them.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jargonaut.core.sentences import split_sentences

PASSAGE_SENTENCES = 5
NUMBER = re.compile(r"(?<![A-Za-z0-9_.\-/:])\d+(?:,\d{3})*(?:\.\d+)?(?![A-Za-z0-9_\-/:]|\.\d)")
HAN_NUMBER = re.compile(r"(?<=[^一二三四五六七八九十百千万第])[二三四五六七八九十]+(?=[天年个月次日小人条倍元岁])")
_UNITS_EN = "seconds minutes hours days weeks months years ms kg mg ml mm cm km GB MB KB %"
_UNITS_ZH = "秒 分钟 小时 天 周 个月 年 毫秒 公里 米 公斤 元 万元 %"
UNITS = {"en": _UNITS_EN.split(), "zh": _UNITS_ZH.split()}
NAME_EN = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w-]{2,}(?: [A-Z][\w-]{2,})*|[a-z]+[A-Z]\w+|[A-Za-z]+_\w+)")
NAME_ZH = re.compile(
    r"[A-Za-z][A-Za-z0-9_.-]{2,}[A-Za-z0-9]|《[^》]{2,20}》|[一-鿿]{2,4}(?:省|市|县|大学|公司|法院|机关)"
)
AUXILIARY = re.compile(r"\b(is|are|was|were|can|will|should|must|does|do|did|has|have)\b(?! (?:not|never|no)\b)")
DENIED_EN = re.compile(r"\b(is|are|was|were|can|will|should|must|does|do|did|has|have) not\b|\bcannot\b")
AFFIRMED_ZH = re.compile(r"(?<![不没])(可以|能够|支持|需要|会|允许|应当|属于|包含|具有)")
DENIED_ZH = re.compile(r"不(可以|能|支持|需要|会|允许|应当|属于|包含|具有)")


@dataclass(frozen=True)
class Pair:
    """A statement, and the passage that it cites."""

    kind: str
    """`verbatim`, `reworded`, or what was exchanged: `number`, `unit`, `name`, `denial`."""
    statement: str
    passage: str

    @property
    def supported(self) -> bool:
        """Whether the passage says it."""
        return self.kind in ("verbatim", "reworded")


def documents(source: Path, most: int, seed: int, *, seen: bool) -> list[str]:
    """Texts of a folder of Markdown, or of a corpus in JSON Lines: the fifth that was looked at, or the rest."""
    if source.is_dir():
        texts = [_plain(path.read_text(encoding="utf-8", errors="replace")) for path in sorted(source.rglob("*.md"))]
    else:
        texts = [json.loads(line)["text"] for line in source.read_text(encoding="utf-8").splitlines()]
    chosen = [text for text in texts if len(text) > 300 and (zlib.crc32(text.encode()) % 5 == 0) == seen]
    return random.Random(seed).sample(chosen, min(most, len(chosen)))


def pairs(texts: Sequence[str], language: str, each: int, seed: int) -> list[Pair]:
    """Up to `each` pairs of every kind, no more than two of a kind from one document."""
    rng = random.Random(seed)
    found: dict[str, list[Pair]] = {}
    makers = _MAKERS[language]
    for text in texts:
        sentences = [text[start:end] for start, end in split_sentences(text)]
        usable = [at for at, sentence in enumerate(sentences) if _is_usable(sentence, language)]
        rng.shuffle(usable)
        for kind, make in makers.items():
            made = 0
            for at in usable:
                if made == 2 or len(found.get(kind, ())) >= each:
                    break
                first = max(at - PASSAGE_SENTENCES // 2, 0)
                around = sentences[first : first + PASSAGE_SENTENCES]
                passage = ("" if language == "zh" else " ").join(around)
                base = sentences[at] if rng.random() < 0.5 else _reworded(sentences[at], language, rng)
                statement = make(base or sentences[at], text, rng)
                if (statement and _flat(statement) not in _flat(passage)) or (kind == "verbatim" and statement):
                    found.setdefault(kind, []).append(Pair(kind, statement, passage))
                    made += 1
    return [pair for kind in makers for pair in found.get(kind, ())]


def _is_usable(sentence: str, language: str) -> bool:
    if any(mark in sentence for mark in "|`<>{}\n[]=") or not sentence.endswith((".", "。")):
        return False
    if language == "zh":
        return 15 <= len(sentence) <= 90 and len(re.findall(r"[一-鿿]", sentence)) > len(sentence) / 2
    return 8 <= len(sentence.split()) <= 40 and sentence[0].isupper()


def _number(sentence: str, text: str, rng: random.Random) -> str | None:
    return _exchanged(sentence, NUMBER, _others(NUMBER, text) or ["17", "40"], rng)


def _number_zh(sentence: str, text: str, rng: random.Random) -> str | None:
    made = _exchanged(sentence, NUMBER, _others(NUMBER, text) or ["17", "40"], rng)
    return made or _exchanged(sentence, HAN_NUMBER, ["三", "五", "七", "十五", "二十"], rng)


def _unit(language: str) -> Callable[[str, str, random.Random], str | None]:
    units = UNITS[language]
    pattern = re.compile(rf"(?<=\d)(?P<gap>\s?)(?P<unit>{'|'.join(sorted(units, key=len, reverse=True))})(?![A-Za-z])")

    def make(sentence: str, text: str, rng: random.Random) -> str | None:
        found = list(pattern.finditer(sentence))
        if not found:
            return None
        match = rng.choice(found)
        other = rng.choice([unit for unit in units if unit != match["unit"]])
        return sentence[: match.start("unit")] + other + sentence[match.end("unit") :]

    return make


def _name_en(sentence: str, text: str, rng: random.Random) -> str | None:
    return _exchanged(sentence, NAME_EN, _others(NAME_EN, text), rng)


def _name_zh(sentence: str, text: str, rng: random.Random) -> str | None:
    return _exchanged(sentence, NAME_ZH, _others(NAME_ZH, text), rng)


def _denial_en(sentence: str, text: str, rng: random.Random) -> str | None:
    if match := DENIED_EN.search(sentence):
        said = "can" if match[0] == "cannot" else match[1]
        return sentence[: match.start()] + said + sentence[match.end() :]
    match = AUXILIARY.search(sentence)
    return f"{sentence[: match.end()]} not{sentence[match.end() :]}" if match else None


def _denial_zh(sentence: str, text: str, rng: random.Random) -> str | None:
    if match := DENIED_ZH.search(sentence):
        return sentence[: match.start()] + match[1] + sentence[match.end() :]
    match = AFFIRMED_ZH.search(sentence)
    return f"{sentence[: match.start()]}不{sentence[match.start() :]}" if match else None


def _exchanged(sentence: str, pattern: re.Pattern[str], others: Sequence[str], rng: random.Random) -> str | None:
    found = list(pattern.finditer(sentence))
    if not found:
        return None
    match = rng.choice(found)
    choices = [other for other in others if other != match[0] and other not in sentence and match[0] not in other]
    if not choices:
        return None
    return sentence[: match.start()] + rng.choice(choices) + sentence[match.end() :]


def _others(pattern: re.Pattern[str], text: str) -> list[str]:
    return sorted({match[0] for match in pattern.finditer(text)})


_CLAUSE_FIRST = re.compile(
    r"((?:If|When|While|Because|After|Before|Although|Since)\b[^,]{10,}), ([^,]{10,})\.",
)
_SHORT_UNITS = {"seconds": " s", "minutes": " min", "hours": " h"}
_RULES_EN: tuple[tuple[str, str], ...] = (
    (r" \([^()]{3,60}\)", ""),
    (r"^(?:For example|In addition|However|Therefore|In general|Note that|Finally),? ", ""),
    (r"\b(is|are|does|do|was|were) not\b", r"\1n't"),
    (r"(?<=\d),(?=\d{3})", ""),
    (r"\bin order to\b", "to"),
    (r"\b(?:very|also|usually|typically|simply) ", ""),
    (r"^(?:The|A|An) (?=\w)", ""),
    (r"\bsuch as\b", "like"),
)
_RULES_ZH: tuple[tuple[str, str], ...] = (
    *(("如果", "若"), ("使用", "用"), ("不能", "无法"), ("因此", "所以"), ("并且", "而且"), ("以及", "和")),
    *(("或者", "或"), ("但是", "但"), ("需要", "须"), ("进行", ""), ("可以", "能"), ("其中", "")),
    *(("例如", "比如"), ("目前", "现在"), ("应当", "应该"), ("为了", "为")),
    (r"[((][^()()]{2,30}[))]", ""),
    (r"^(?:此外|另外|同时|因此|所以|然而|而且),?", ""),
)


def _rewordings(language: str) -> Iterator[Callable[[str], str]]:
    for pattern, into in _RULES_ZH if language == "zh" else _RULES_EN:
        yield lambda sentence, pattern=pattern, into=into: _begun(re.sub(pattern, into, sentence))
    yield _in_han if language == "zh" else _clause_last
    if language == "en":
        yield lambda sentence: re.sub(
            r"(?<=\d) (seconds|minutes|hours)\b", lambda match: _SHORT_UNITS[match[1]], sentence
        )
        yield (
            lambda sentence: f"So {_lowered(sentence)}" if re.match(r"(?:The|This|It|You|We) ", sentence) else sentence
        )


def _clause_last(sentence: str) -> str:
    match = _CLAUSE_FIRST.fullmatch(sentence)
    return f"{_begun(match[2])} {_lowered(match[1])}." if match else sentence


def _in_han(sentence: str) -> str:
    digits = "零一二三四五六七八九"
    return re.sub(r"(?<![\d.\w])([2-9])(?= ?(?:个|天|年|次|小时|分钟))", lambda match: digits[int(match[1])], sentence)


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _reworded(sentence: str, language: str, rng: random.Random) -> str | None:
    """`sentence` in other words that mean the same; None if no rule fits."""
    rules = list(_rewordings(language))
    rng.shuffle(rules)
    changed, done = sentence, 0
    for rule in rules:
        after = rule(changed)
        if after != changed and len(after) > len(sentence) / 2:
            changed, done = after, done + 1
        if done == 2:
            break
    return changed if done else None


def _flat(text: str) -> str:
    return "".join(text.split())


def _plain(markdown: str) -> str:
    text = re.sub(r"^---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[`*]|^#+ .*$|^\s*(?:[-*+]|\d+\.) ", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<![\n])\n(?!\n)", " ", text)


_MAKERS: dict[str, dict[str, Callable[[str, str, random.Random], str | None]]] = {
    "en": {
        "verbatim": lambda sentence, text, rng: sentence,
        "reworded": lambda sentence, text, rng: _reworded(sentence, "en", rng),
        "number": _number,
        "unit": _unit("en"),
        "name": _name_en,
        "denial": _denial_en,
    },
    "zh": {
        "verbatim": lambda sentence, text, rng: sentence,
        "reworded": lambda sentence, text, rng: _reworded(sentence, "zh", rng),
        "number": _number_zh,
        "unit": _unit("zh"),
        "name": _name_zh,
        "denial": _denial_zh,
    },
}
