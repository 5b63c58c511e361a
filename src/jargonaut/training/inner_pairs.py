"""Questions that stand beside their answers: asked in the text, defined, captioned, or the most telling sentence.

What the question was taken from is taken out of its answer (`Pair.taken`), else it would be found by its own words and
nothing learned. Documents whose vectors are fixed hold it nevertheless, so these pairs serve full tuning only: a query
encoder tuned on such questions against fixed vectors lost 1.5 points of nDCG@10 on a set of forum questions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from jargonaut.core.document import Block
from jargonaut.core.sentences import split_sentences
from jargonaut.training.pairs import Pair, PairSource
from jargonaut.training.query_text import comparable, is_boilerplate_heading, says_enough, stands_alone
from jargonaut.training.sections import DocumentSections, Section

INNER_SOURCES: tuple[PairSource, ...] = ("answered", "definition", "caption", "salient")

_PROSE = ("paragraph", "list")
_LONGEST_QUESTION = 300
_LEAST_SENTENCES = 4
_MIN_WORDS = 4
_ASKS = re.compile(r"[?？]\s*$")
_LABEL = re.compile(r"^(?:q|question|问|問|问题)\s*\d*\s*[:：.、]\s*", re.IGNORECASE)
_ENGLISH = re.compile(
    r"^(?:an? |the )?(?P<term>[A-Za-z][\w/+-]*(?: [\w/+-]+){0,5}?)(?: \([^()]{1,40}\))?,? "
    r"(?:is (?:an?|the|any|defined as|used for|how|what|when)|are (?:the|any|defined as)|means|refers to|denotes) ",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^(?P<term>[^，,。；;：:、\s]{2,20}?)(?:（[^（）]{1,40}）)?"
    r"(?:是指|指的是|指的就是|是一种|是一个|被定义为|定义为)"
)
_POINTING = frozenset(
    re.findall(
        r"\S+",
        "this that these those it its he she they there here which what who how one each such "
        "这 那 它 其 本 该 此 这里 那里 以下 如下",
    )
)


def inner_pairs(item: DocumentSections) -> Iterator[Pair]:
    """Those of one document, each with what was taken out of its answer."""
    blocks = item.document.blocks
    for number, block in enumerate(blocks):
        if block.kind in _PROSE and number + 1 < len(blocks):
            yield from _answered(item, block, blocks[number + 1])
        if block.kind == "caption":
            yield from _captioned(item, block, [*blocks[max(0, number - 1) : number], *blocks[number + 1 : number + 2]])
        if block.kind == "paragraph":
            yield from _defined(item, block)
    for section in item.sections:
        if not is_boilerplate_heading(section.heading):
            yield from _salient(item, section)


def _answered(item: DocumentSections, block: Block, after: Block) -> Iterator[Pair]:
    """A paragraph that asks, and the one after it, which answers."""
    text = " ".join(item.document.text[block.start : block.end].split())
    if not _ASKS.search(text) or len(text) > _LONGEST_QUESTION or after.kind == "heading":
        return
    if _ASKS.search(item.document.text[after.start : after.end]):
        return
    yield from _pair(item, "answered", _LABEL.sub("", text), (after.start, after.end), (block.start, block.end))


def _captioned(item: DocumentSections, block: Block, beside: Sequence[Block]) -> Iterator[Pair]:
    """The caption of a table or listing, answered by what it stands at."""
    shown = [other for other in beside if other.kind in ("table", "code")]
    if shown:
        text = " ".join(item.document.text[block.start : block.end].split())
        yield from _pair(item, "caption", text, (shown[0].start, shown[0].end), (block.start, block.end))


def _defined(item: DocumentSections, block: Block) -> Iterator[Pair]:
    """A sentence that says what a term is. The question is the only one here with words that the text has not."""
    text = item.document.text[block.start : block.end]
    for start, end in split_sentences(text):
        sentence = text[start:end]
        for pattern, wording in ((_ENGLISH, "what is {}?"), (_CHINESE, "{}是什么？")):
            found = pattern.match(sentence)
            if not found or comparable(found["term"]).split(" ")[0] in _POINTING or found["term"][0] in _POINTING:
                continue
            term = block.start + start + found.start("term"), block.start + start + found.end("term")
            yield from _pair(item, "definition", wording.format(found["term"]), (block.start, block.end), term, least=1)
            break


def _salient(item: DocumentSections, section: Section) -> Iterator[Pair]:
    """The sentence of a section that says most of what its others say (as cloze queries are, Lee et al. 2019)."""
    spans = [
        (block.start + start, block.start + end)
        for block in item.document.blocks
        if block.kind == "paragraph" and section.start <= block.start < section.own_end
        for start, end in split_sentences(item.document.text[block.start : block.end])
    ]
    if len(spans) < _LEAST_SENTENCES:
        return
    words = [set(comparable(item.document.text[start:end]).split()) for start, end in spans]
    held = Counter(word for sentence in words for word in sentence)

    def weight(number: int) -> float:
        shared = sum(math.log(len(spans) / held[word]) for word in words[number] if held[word] > 1)
        return shared / math.sqrt(1 + len(words[number]))

    best = max(range(len(spans)), key=weight)
    sentence = " ".join(item.document.text[slice(*spans[best])].split())
    if weight(best) > 0 and stands_alone(sentence):
        yield from _pair(item, "salient", sentence, (section.start, section.own_end), spans[best])


def _pair(
    item: DocumentSections,
    source: PairSource,
    query: str,
    answer: tuple[int, int],
    taken: tuple[int, int],
    least: int = _MIN_WORDS,
) -> Iterator[Pair]:
    relevant = item.chunks_in(*answer)
    if relevant and says_enough(query, least):
        own = (item.document.id,)
        yield Pair(query, tuple(sorted(relevant)), own, source, own, (), (taken,))


def all_inner_pairs(corpus: Iterable[DocumentSections]) -> list[Pair]:
    """Those of a corpus, in its order."""
    return [pair for item in corpus for pair in inner_pairs(item)]
