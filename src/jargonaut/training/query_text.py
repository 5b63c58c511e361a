"""From the wording of documents to the wording of questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_MIN_CJK = 4
_CJK_TITLE = 6
_MAX_CHARACTERS = 400

_CJK = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|[^\W_]+")


def comparable(text: str) -> str:
    """Lower-case words alone, for comparing."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def says_enough(query: str, min_words: int) -> bool:
    """Whether it has words enough to find something by, and is no essay."""
    cjk = len(_CJK.findall(query))
    words = [word for word in _content(query) - _POINTING_WORDS if not _CJK.match(word)]
    return (cjk >= _MIN_CJK or len(words) >= min_words) and len(query) <= _MAX_CHARACTERS


def stands_alone(sentence: str) -> bool:
    """Whether it does not begin by leaning on the sentence before it."""
    return not _LEANING.match(_ADMONITION.sub("", sentence))


def is_generic_heading(heading: str) -> bool:
    """Whether it means something only under the heading above it."""
    return comparable(heading) in _GENERIC_HEADINGS


def is_boilerplate_heading(heading: str) -> bool:
    """Whether what stands under it is about the document, not about its subject."""
    return comparable(heading) in _BOILERPLATE_HEADINGS


def without_pointer(sentence: str, names: Sequence[str]) -> str:
    """A sentence that points elsewhere, as somebody would ask who does not know where the answer is.

    The phrase that points (`see ... for details`) is taken out, and so is what its target is called, which would give
    the answer away. What remains is what one finds there. A name of one word is left: it is the term for the thing.

    Args:
        sentence: As it stands in the document.
        names: What the target is called: heading, title, address.
    """
    text = " ".join(sentence.split())
    for name in sorted(names, key=len, reverse=True):
        if name.lower() in text.lower() and _is_title(name):
            text = re.sub(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", _GONE, text, flags=re.IGNORECASE)
    for pattern, replacement in _POINTERS:
        text = pattern.sub(replacement, text)
    text = _EMPTY_QUOTES.sub(" ", text.replace(_GONE, " "))
    text = _ADMONITION.sub("", " ".join(text.split()))
    return _BLANK_BEFORE.sub(r"\1", text).strip(_EDGES)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _is_title(name: str) -> bool:
    """More than a term: several words, six Chinese characters, or a path."""
    long = len(name.split()) > 1 or "/" in name or len(_CJK.findall(name)) >= _CJK_TITLE
    return long and len(_content(name)) > 1


def _content(text: str) -> set[str]:
    return set(comparable(text).split()) - _FUNCTION_WORDS


_GONE = "\x00"
_EDGES = " \t,;:.-–—…*·、，。；："
_EMPTY_QUOTES = re.compile(r"[(（\[]\s*[)）\]]|[\"“”‘’「」《》`]\s*[\"“”‘’「」《》`]")
_BLANK_BEFORE = re.compile(r"\s+([,.;:!?)])")
_ADMONITION = re.compile(
    r"\s*(?:note|info|warning|tip|important|caution|hint|danger|attention|see(?: also)?|注意|警告|提示|说明)"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"(?:it|its|this|these|they|their|that|those|such|both|here|there|he|she|"
    r"(?:the|and|but|or|so|for|also|then|however) (?:former|latter|same|above|following|it|this|these|that|those))\b"
    r"|这|那|该|此|它|其|上述|以上|以下",
    re.IGNORECASE,
)

_VERB = (
    r"(?:please )?(?:also )?(?:see(?: also)?|refer(?: back)? to|consult|read(?: about| through)?|check out|"
    r"(?:take|have) a look at|look at|visit|head over to|learn more (?:about|in))"
)
_MORE = (
    r"(?:(?:some|any|much|all|the|a|an|more|further|full|fuller|complete|additional|other|important|specific|"
    r"detailed|extended|comprehensive|in-depth) )*"
)
_MATTER = (
    r"(?:information|details?|examples?|help|background|instructions?|explanations?|descriptions?|discussions?|"
    r"documentation|list|guidance|notes?|context|usage|overview)"
)
_ABOUT = r"(?:(?: of)? (?:about|on|of|for|regarding|concerning|with)(?: (?:this|that|it|them|these|those)\b)?)"
_PLACE = (
    r"(?:(?:the|our|its|this|that|section|chapter|page|documentation|docs|document|guide|topic|topics|reference|"
    r"manual|tutorial|on|for|of|in|at|under|below|above|following|to|about)\s+)*"
)
_TOLD = (
    r"(?:described|documented|explained|discussed|covered|listed|mentioned|defined|outlined|detailed|shown|found|"
    r"available|given|introduced)"
)
_TO_LEARN = r"(?:to (?:learn|find out|see|know|read)(?: more)?(?: about)?|for|if|when)"
_ZH_MORE = r"(?:更多|有关)?(?:详细信息|更多信息|详情|细节)?"
_ZH_POINT = r"(?:请|可以?)?(?:参见|参考|参阅|查阅|查看|详见|请见)"

_POINTERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # (see X), (as described in X), (X)
        (rf"[(（](?:[^()（）]*?[\s,;])??(?:{_VERB}|as {_TOLD} in|{_ZH_POINT})(?![\w-])[^()（）]*[)）]", " "),
        (rf"[(（]\s*{_GONE}[^()（）]{{0,12}}[)）]", " "),
        # For more information on Y, see X -> Y
        (rf"^for {_MORE}{_MATTER}{_ABOUT}? ?(?P<what>.*?),? {_VERB} .*$", r"\g<what>"),
        # See X for details on Y -> Y; see X to learn Y -> Y
        (rf"^{_VERB} [^.,]*? for {_MORE}{_MATTER}(?:{_ABOUT} ?(?P<what>.*))?$", r"\g<what>"),
        (rf"^{_VERB} [^.,]*? {_TO_LEARN} (?P<what>.*)$", r"\g<what>"),
        # Y; see X for details -> Y
        (rf"(?:^|[,;:–—-]\s*|\.\s+)(?:and |but |so )?\b{_VERB} [^;]*$", " "),
        (rf"\b{_VERB} {_PLACE}{_GONE}(?: for {_MORE}{_MATTER}[^.;]*)?", " "),
        # Y, as described in X -> Y
        (rf",?\s*\bas {_TOLD} (?:in|at|on|by|under|above|below)\b[^,;.]*", " "),
        (rf",?\s*(?:is |are )?(?:\w+ )?{_TOLD} (?:in|at|on|by|under) {_PLACE}{_GONE}", " "),
        (rf"[，,。；;]?\s*{_ZH_MORE}[，, ]*{_ZH_POINT}[^，。；]*", " "),
    )
)

_FUNCTION_WORDS = _words(
    """
    a an the of to in on for and or with by at from as is are be was were been how this that these those it its they
    your you we our using use used can could may might must should will would do does not no if when which what who
    why where there here than then so such but also only into about between any some all more most other s t don
    """
)
_POINTING_WORDS = _words(
    """
    above below following next previous earlier later section sections chapter page documentation docs document guide
    topic topics reference manual tutorial detail details information example examples see read refer found find
    described explained discussed note notes link links article yes
    """
)
_GENERIC_HEADINGS = frozenset(
    comparable(line)
    for line in """
    advanced usage|api|arguments|attributes|background|basic usage|basics|caveats|configuration|customization|
    default|description|details|example|example usage|examples|features|functions|getting started|how it works|
    how to use|implementation|install|installation|instructions|introduction|limitations|methods|motivation|notes|
    note|operations|options|other changes|output|overview|parameters|prerequisites|properties|quick start|quickstart|
    reference|requirements|results|return value|returns|security|settings|setup|steps|summary|support|syntax|testing|
    tips|troubleshooting|usage|usage example|usage examples|what is it|why|how|what it does|
    使用|使用方法|使用示例|使用限制|使用说明|概述|概览|简介|介绍|示例|例子|语法|语法图|参数|参数说明|说明|注意|注意事项|背景|
    前提条件|前置条件|限制|配置|安装|步骤|操作步骤|原理|实现原理|总结|应用场景|使用场景|功能介绍|返回值|字段|字段说明|工作原理
    """.replace("\n", "").split("|")
)
_BOILERPLATE_HEADINGS = frozenset(
    comparable(line)
    for line in """
    acknowledgements|acknowledgments|bibliography|changelog|contents|copyright|credits|further reading|index|license|
    links|more information|next steps|read more|references|related|related links|resources|see also|table of contents|
    what s next|where to go next|thanks|authors|contributors|
    mysql 兼容性|另请参阅|参考|参考文献|参考资料|探索更多|更多信息|目录|相关链接|相关文档|下一步|许可证|致谢
    """.replace("\n", "").split("|")
)
