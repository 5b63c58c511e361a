"""What makes a question a question, and is no part of what it is about: "how many", 多少, 什么.

No passage has to hold these words to answer. English ones are mostly stop words of the analysis already; Chinese has no
spaces, so that one question word, or a 的, spoils the bigrams on both sides of it.
"""

from __future__ import annotations

import re

from jargonaut.index.analysis import query_terms

_ENGLISH = (
    r"\bhow\s+(?:many|much|long|often|far|soon)\b|\bwhat\s+(?:kinds?|sorts?|types?)\s+of\b|\b(?:tell|show)\s+me\b"
)
_WHAT = "[什甚][么麼]"
_MEASURED = "[个個种種些次天年月周週日号號时時点點分秒小台臺条條位级級层層元块塊项項章页頁步人件倍期岁歲]"
"""What follows 几 where it asks, and not in 几何 or 几乎."""
_CHINESE = "|".join(
    (
        r"请问|請問",
        r"[是能可会會]不[是能可会會]以?|有没有|有沒有|[是能可]否",
        rf"[有是为為]?{_WHAT}(?:时候|時候|样的?|樣的?)?",
        r"[有是]?多少[个個种種]?",
        rf"[有是第]?[几幾](?={_MEASURED})[个個种種]?",
        r"[有是]?多(?:久|长时间|長時間|[长長远遠](?![^\s。,，?？]))",
        r"[有是在]?哪(?:[几幾]?[个個种種些]|[里裡儿兒位年天])?",
        r"[是]?[谁誰]",
        r"怎[么麼](?:[办辦样樣]|才能)?|怎[样樣]|如何|[为為]何|何[时時地种種处處]",
        r"[吗嗎呢]",
        r"的",
    )
)
_QUESTION_WORD = re.compile(f"{_ENGLISH}|{_CHINESE}", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def subject_terms(question: str) -> set[str]:
    """The terms that say what a question is about; all of its terms if there is nothing but question words.

    A single character that a question word leaves over (天 of 多少天) tells nothing; it counts if it is all.
    """
    terms = set(query_terms(_QUESTION_WORD.sub(" ", question)))
    longer = {term for term in terms if len(term) > 1 or not _HAN.match(term)}
    return longer or terms or set(query_terms(question))
