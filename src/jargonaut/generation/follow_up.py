"""A question that leans on the one before it, made to stand alone without a model: both are asked together.

A rule that rather leaves a question as it is: what is put before a question that stands alone leads the search astray,
and a follow-up that is not recognised finds too little, which whoever asks can see and mend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jargonaut.index.analysis import identifiers, query_terms

_FEW = 2
"""Most terms of a question that a word such as `this policy` may be taken for the one before."""
_MOST_WORDS = 5
"""Of a fragment."""

_BEGINS = re.compile(
    r"(?:and|but|also|plus|then|what about|how about|what if|what else|anything else|any others?"
    r"|(?:(?:any|some) )?(?:more|other|further) (?:details?|examples?|information))\b"
    r"|那|然后|还有|而且|但是|不过|另外|此外|除此之外|再者",
    re.IGNORECASE,
)
_THAT_DAY = re.compile(r"那(?:一?[年月日天时次]|些年)")
"""Begins like `那`, and leans on nothing."""
_FRAGMENT = re.compile(
    r"(?:in|for|on|at|with|without|to|from|of|under|after|before|by|since|until)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|theirs|he|him|she|her|hers)\b", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|does|will|can|could)\s+it\s+(?:\w+ly\s+)?(?:be\s+)?"
    r"(?:possible|necessary|required|allowed|safe|ok|okay|better|best|worth|true|mandatory|legal|enough|matter|make\s+sense)\b"
    r"|\bit\s+(?:is|was)\s+(?:possible|necessary|required|allowed|safe|better|best|worth|true)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\b(?:this|that|these|those)\b", re.IGNORECASE)
_CONJUNCTION = re.compile(r"\w\s+that\s+(?:the|a|an|i|we|you|it|they|he|she|has|have)\b", re.IGNORECASE)
_POINTS_ZH = re.compile(
    r"它们?|他们?|她们?|这个|那个|这些|那些|这种|那种|这里|那里|这样|那样|这是|上述|前者|后者|该(?!怎|如何|不该)"
)
_CLAUSE_ZH = re.compile(r"[,、,;;。]")
_ASKS_BACK_ZH = re.compile(r"呢[??]?$")
_SHORT_ZH = 12
"""Most characters of a Chinese question that ends with 呢 for it to lean on the one before."""


def standalone(question: str, earlier: Iterable[str]) -> str:
    """`question`, behind the last of the `earlier` ones that stands alone if it leans on that.

    Args:
        question: As asked.
        earlier: What the same person asked before, oldest first.
    """
    anchor = ""
    for before in earlier:
        if before.strip() and not (anchor and leans_back(before)):
            anchor = before.strip()
    return f"{anchor} {question.strip()}" if anchor and leans_back(question) else question


def leans_back(question: str) -> bool:
    """Whether a question can hardly be understood without the one before it."""
    text = question.strip()
    terms = query_terms(text)
    if identifiers(text):
        return False  # names what it is about
    if _BEGINS.match(text) and not _THAT_DAY.match(text):
        return True
    if not terms:
        return True  # "Why?", "How so?"
    if _FRAGMENT.match(text) and len(text.split()) <= _MOST_WORDS and len(terms) <= _FEW:
        return True
    return _leans_in_english(text, terms) or _leans_in_chinese(text)


def _leans_in_english(text: str, terms: list[str]) -> bool:
    pronoun = _PRONOUN.search(text)
    if pronoun and not _EXPLETIVE.search(text):
        # What a pronoun stands for comes before it: with nothing there, it stands in another question.
        return len(query_terms(text[: pronoun.start()])) <= 1
    return bool(_POINTS.search(text)) and not _CONJUNCTION.search(text) and len(terms) <= _FEW


def _leans_in_chinese(text: str) -> bool:
    points = _POINTS_ZH.search(text)
    if points:
        # As in English: 泵漏水时它怎么办 names the pump itself.
        before = text[: points.start()]
        return not _CLAUSE_ZH.search(before) and len(query_terms(before)) <= _FEW
    return bool(_ASKS_BACK_ZH.search(text)) and len(text) <= _SHORT_ZH
