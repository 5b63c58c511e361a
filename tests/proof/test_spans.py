"""Tables that were cut differently, compared by the text that is read, not by ranks."""

import asyncio
import dataclasses

import pytest

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.release import LEXICAL_SPACE
from jargonaut.index.analysis import ANALYSIS
from jargonaut.index.lance import LanceIndexWriter, open_lance_reader
from jargonaut.index.port import DocumentRows, IndexedDocument, TableKey, Visibility
from jargonaut.proof import spans
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.retrieval import LEXICAL_ONLY, rankings, retrieve_pools
from jargonaut.proof.spans import Lengths, SpanQuestion, shares_found, span_questions
from tests.chunking.drawn import parsed

FILLER = "Nothing of note is said here about any machine at all. "
PAGE = parsed(
    f"# Works\n\n## Pump\n\nThe pump is tightened with forty newton metres. {FILLER * 3}\n\n"
    f"## Valve\n\nThe valve is closed by hand. {FILLER * 3}\n\n## Fan\n\nSee how the pump is tightened. {FILLER * 3}",
    "works.md",
)
RULER = make_chunker(Choice(), Tokens(word_spans, 256, "words")).split(PAGE)
PUMP, VALVE, FAN = RULER


def asked(text, relevant, hidden=()):
    names = frozenset(chunk.id for chunk in hidden)
    return JudgingQuery(text, PAGE.id, frozenset(chunk.id for chunk in relevant), names)


def shares(tmp_path, chunks, queries):
    key = TableKey("t", "k", LEXICAL_SPACE, 0, chunks[0].chunker, ANALYSIS)
    writer = LanceIndexWriter(tmp_path, key)
    writer.replace([DocumentRows(IndexedDocument(PAGE.uri, "0", ()), tuple(chunks), None)])
    snapshot = writer.snapshot()

    async def measured():
        reader = await open_lance_reader(tmp_path, snapshot)
        pools = await retrieve_pools(reader, None, queries, Visibility(everything=True))
        ranked = rankings(pools, LEXICAL_ONLY, None)
        return (await shares_found(reader, ranked, span_questions(queries, RULER), Lengths([PAGE]))).tolist()

    return asyncio.run(measured())


def test_the_ruler_gives_spans_of_sections():
    (question,) = span_questions([asked("x", [PUMP], [FAN])], RULER)
    assert question.relevant == {PAGE.id: [(PUMP.start, PUMP.end)]}
    assert question.hidden == {PAGE.id: [(FAN.start, FAN.end)]}


@pytest.mark.parametrize("name", ["heading", "sentence_window", "parent_child", "fixed"])
def test_all_is_found_where_all_is_read(tmp_path, name):
    chunks = make_chunker(Choice(name, 48), Tokens(word_spans, 256, "words")).split(PAGE)
    assert shares(tmp_path, chunks, [asked("pump valve fan nothing machine note", [PUMP])]) == [1.0]


def test_a_chunk_as_large_as_the_document_is_not_found_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "BUDGET", 45)
    whole = dataclasses.replace(
        PUMP, text=PAGE.text, start=0, end=len(PAGE.text), ordinal=0, chunker="whole", heading_path=()
    )
    query = asked("how is the valve closed", [VALVE])
    (large,) = shares(tmp_path / "a", [whole], [query])
    (small,) = shares(tmp_path / "b", RULER, [query])
    assert small > 0.9
    assert large < 0.2


def test_small_chunks_are_no_better_than_the_text_they_give(tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "BUDGET", 40)
    sentences = make_chunker(Choice("heading", 20), Tokens(word_spans, 20, "words")).split(PAGE)
    (share,) = shares(tmp_path, sentences, [asked("forty newton metres", [PUMP])])
    assert 0 < share < 1


def test_where_the_question_was_taken_from_counts_neither_for_nor_against(tmp_path):
    query = asked("how the pump is tightened", [FAN, PUMP], [FAN])
    for name in ("heading", "fixed"):
        chunks = make_chunker(Choice(name, 24), Tokens(word_spans, 256, "words")).split(PAGE)
        (share,) = shares(tmp_path / name, chunks, [query])
        assert 0 < share < 1  # of both sections only the one that is not hidden can be read


def test_overlaps_count_once(tmp_path, monkeypatch):
    chunks = make_chunker(Choice("fixed", 40, overlap=20), Tokens(word_spans, 256, "words")).split(PAGE)
    (share,) = shares(tmp_path, chunks, [asked("pump valve fan machine nothing", [PUMP, VALVE, FAN])])
    assert share == 1.0


def test_a_question_without_text_is_not_divided_by_zero():
    question = SpanQuestion(asked("x", []), {}, {})
    assert spans._Reading(question, Lengths([PAGE])).share == 0.0
