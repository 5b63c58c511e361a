"""Small chunks are found, their parents are answered from."""

import asyncio
import dataclasses

import pytest

from jargonaut.answering.answer import answer
from jargonaut.answering.retrieve import Question, retrieve
from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.deadline import Deadline
from jargonaut.generation.extractive import ExtractiveGenerator
from jargonaut.generation.port import Statement
from jargonaut.index.parents import with_parents
from jargonaut.index.port import DocumentRows, IndexedDocument, Visibility
from tests.answering.handbook import CHUNKER, Handbook
from tests.chunking.drawn import parsed

PUMP = """# Pump

## Tightening

Tighten the bonnet of the pump crosswise. Use forty newton metres for the bonnet. Never exceed that torque.

Before you begin:

- close the isolators of the pump
- bleed the pressure of the pump

A second mechanic checks the bonnet afterwards. The result is noted in the station log of the pump.

## Storage

The pump is stored dry.
"""
VALVE = """# 阀门

## 紧固

交叉紧固阀盖。扭矩为四十牛米。切勿超过该扭矩。紧固之后由第二名技工检查阀盖。

检查结果记入站内日志。
"""
DOCUMENTS = {"pump.md": parsed(PUMP, "pump.md"), "valve.md": parsed(VALVE, "valve.md")}


class CutHandbook(Handbook):
    """Cuts real documents with a chunker."""

    def __init__(self, folder, name):
        super().__init__(folder)
        self.chunker = make_chunker(Choice(name, 24, parent_tokens=200), Tokens(word_spans, 256, "words"))

    def _rows(self, uri, page):
        chunks = tuple(dataclasses.replace(chunk, chunker=CHUNKER) for chunk in self.chunker.split(page))
        return DocumentRows(IndexedDocument(uri, "0", ("public",)), chunks, None, "en")


@pytest.fixture(scope="module", params=["parent_child", "sentence_window"])
def release(request, tmp_path_factory):
    return CutHandbook(tmp_path_factory.mktemp(request.param), request.param).loaded(DOCUMENTS)


class Saying:
    """A generator that remembers what it was given, and says the whole first passage."""

    name = "saying"

    async def generate(self, question, passages, deadline):
        self.passages = list(passages)
        yield Statement(passages[0].chunk.text, (1,))


def ask(release, question, generator, **answering):
    release = dataclasses.replace(release, recipe=dataclasses.replace(release.recipe, **answering))

    async def collect():
        return [item async for item in answer(release, Question(question), Visibility(), generator, Deadline.after(10))]

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("question", "uri", "holds"),
    [
        (
            "forty newton metres for the bonnet",
            "pump.md",
            ["Tighten the bonnet", "station log", "\n- close the isolators"],
        ),
        ("扭矩为四十牛米", "valve.md", ["交叉紧固阀盖。扭矩", "。紧固之后", "检查结果记入站内日志"]),
    ],
)
def test_the_answer_is_made_from_the_parent_as_it_stands_in_the_document(release, question, uri, holds):
    generator = Saying()
    (statement,) = ask(release, question, generator)
    first = generator.passages[0].chunk
    document = DOCUMENTS[uri]
    assert first.text == document.text[first.start : first.end]
    assert all(text in first.text for text in holds)
    assert first.heading_path[-1] in ("Tightening", "紧固")
    assert statement.citations[0].quote == first.text


def test_several_children_of_one_parent_are_one_passage(release):
    generator = Saying()
    ask(release, "pump bonnet torque isolators pressure station log", generator, chunks_per_document=5)
    spans = [(passage.chunk.start, passage.chunk.end) for passage in generator.passages]
    assert len(spans) == len(set(spans)) <= 3
    assert [passage.number for passage in generator.passages] == list(range(1, len(spans) + 1))
    scores = [passage.score for passage in generator.passages]
    assert scores == sorted(scores, reverse=True)


def test_limits_count_parents(tmp_path):
    release = CutHandbook(tmp_path, "parent_child").loaded(DOCUMENTS)
    question = "Tighten the bonnet of the pump crosswise, stored"
    for most in (2, 1):
        generator = Saying()
        ask(release, question, generator, chunks_per_document=most)
        of_pump = [p.chunk.heading_path[-1] for p in generator.passages if p.chunk.uri == "pump.md"]
        assert len(of_pump) == len(set(of_pump)) == most


def test_citations_point_at_the_exact_span_and_its_line(release):
    statements = ask(release, "Who checks the bonnet afterwards?", ExtractiveGenerator())
    citation = next(s.citations[0] for s in statements if "second mechanic" in s.text)
    text = DOCUMENTS["pump.md"].text
    assert text[citation.start : citation.end] == citation.quote == "A second mechanic checks the bonnet afterwards."
    assert citation.chunk.place.line == 12


def test_search_gives_the_chunk_that_was_found_with_its_parent(release):
    asked = Question("forty newton metres for the bonnet")
    found = asyncio.run(retrieve(release, asked, Visibility(), Deadline.after(10)))
    first = found.passages[0].chunk
    assert first.text.endswith("for the bonnet.")
    assert first.parent[0] <= first.start < first.end <= first.parent[1]


def test_a_parent_that_may_not_be_read_is_not_answered_from(release):
    found = asyncio.run(retrieve(release, Question("forty newton metres"), Visibility(), Deadline.after(10)))
    chunk = found.passages[0].chunk
    nobody = Visibility(frozenset())
    (parent,) = asyncio.run(with_parents(release.reader, [chunk], nobody, Deadline.after(10)))
    assert parent.passage.text == chunk.text
