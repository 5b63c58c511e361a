"""What a sentence denies or limits, English or Chinese: enough to see that another one says the opposite."""

from __future__ import annotations

import re
from collections import Counter

_NEGATION = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|unless|except|nothing|nobody|nowhere|hardly|"
    r"fails? to|lacks?|unable|impossible|instead of|rather than)\b|n['’]t\b"
    r"|(?<![特区级分性个识类差辨判])别(?![的人名处类墅])"
    r"|不(?![同断仅只但久料妨禁得已止论管过足错定])|不得(?!不)|不足|不定"
    r"|没有?(?!收)|无(?![线限锡论数])|未(?!来)|非(?!常)|勿|莫(?![斯名])|除了|以外|除非|禁止|严禁|拒绝|避免|并非|而非",
    re.IGNORECASE,
)
_NOT_ONLY = re.compile(
    r"\bnot only\b|\bno later than\b|\bno more than\b|\bnot? less than\b|不仅|不但|不只|不得不", re.IGNORECASE
)

_OPPOSITES = (
    (
        r"at least|minimum|no(?:t)? (?:less|fewer) than|至少|最少|不少于|不低于",
        r"at most|maximum|no(?:t)? more than|up to|至多|最多|不超过|不高于",
    ),
    (
        r"more than|greater than|above|over\b|exceed|大于|高于|超过|以上",
        r"less than|fewer than|below|under\b|小于|低于|以下",
    ),
    (
        r"enabl|turned on|启用|开启|打开",
        r"disabl|turned off|禁用|关闭",
    ),
    (
        r"increas|rais|higher|增加|提高|增大|上升|升高",
        r"decreas|reduc|lower|减少|降低|减小|下降",
    ),
    (
        r"before\b|之前|以前",
        r"after\b|之后|以后",
    ),
    (
        r"allow|permit|允许|可以",
        r"forbid|prohibit|prevent|禁止|不得|不允许|不可以",
    ),
    (
        r"always\b|总是|始终",
        r"never\b|从不|从未",
    ),
    (
        r"start|启动|开始",
        r"stop|停止|结束",
    ),
    (
        r"includ|包括|包含",
        r"exclud|不包括|不包含|排除",
    ),
    (
        r"required\b|mandatory\b|必须|必需",
        r"optional\b|可选",
    ),
    (
        r"all\b|everything\b|全部|所有",
        r"none\b|nothing\b",
    ),
    (
        r"synchronous",
        r"asynchronous",
    ),
    (
        r"first\b|首先|第一",
        r"last\b|最后",
    ),
    (
        r"success|成功",
        r"fail|失败",
    ),
)


def _words(alternatives: str) -> re.Pattern[str]:
    """English words by how they begin; Chinese ones wherever they stand."""
    return re.compile(
        "|".join(rf"\b{one}" if one[0].isascii() else one for one in alternatives.split("|")), re.IGNORECASE
    )


_PAIRS = [(_words(one), _words(other)) for one, other in _OPPOSITES]


def denials(text: str) -> int:
    """How many words deny or restrict; `not only` does not."""
    return len(_NEGATION.findall(_NOT_ONLY.sub(" ", text)))


def contradicts(statement: str, source: str) -> bool:
    """Whether one of a pair of opposites stands in the statement, and in the source only the other."""
    for one, other in _PAIRS:
        for said, opposite in ((one, other), (other, one)):
            if said.search(statement) and not said.search(source) and opposite.search(source):
                return not opposite.search(statement)
    return False


def same_polarity(statement: str, source: str, *, closely: bool) -> bool:
    """Whether the two deny alike.

    Args:
        statement: What is said.
        source: What it is said to rest on.
        closely: Whether they are so alike that every single denial has to be in both; otherwise any will do.
    """
    said, stood = denials(statement), denials(source)
    alike = said == stood if closely else (said > 0) == (stood > 0)
    return alike and not contradicts(statement, source)


def cues(text: str) -> Counter[str]:
    """The denying words, for tests and for people."""
    return Counter(match[0].lower() for match in _NEGATION.finditer(_NOT_ONLY.sub(" ", text)))
