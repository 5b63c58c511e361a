"""Names looked up among the documents, duplicates folded, contradictions settled."""

import json

import pytest

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.errors import InputError
from jargonaut.labels.reading import read_labels
from jargonaut.labels.resolving import resolve
from tests.chunking.drawn import parsed

VALVE = parsed(
    "# GV-17: gate valve\n\nThe gate valve has a bonnet.\n\n## Tightening\n\nTighten the bonnet crosswise to forty "
    "newton metres, never beyond.\n\n## Inspection\n\nInspect the hand wheel every five hundred operating hours.",
    "works/gv-17.md",
)
PUMP = parsed("# 离心泵\n\n## 密封\n\n更换密封圈之前，必须先关闭两侧的隔离阀并泄压十分钟。\n", "works/cp-40.md")
OTHER = parsed("# Pumps\n\nNothing of note.\n", "office/cp-40.md")
DOCUMENTS = [VALVE, PUMP, OTHER]
CHUNKER = make_chunker(Choice("heading", 24), Tokens(word_spans, 24, "words"))
CHUNKS = [chunk for document in DOCUMENTS for chunk in CHUNKER.split(document)]


def resolved(tmp_path, rows, deleted=()):
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return resolve(read_labels(path), DOCUMENTS, CHUNKS, deleted)


def q(text, document, **more):
    return {"query": text, "document": document, **more}


def headings(answer):
    return {chunk.heading_path[-1] for chunk in CHUNKS if chunk.id in answer.chunk_ids}


@pytest.mark.parametrize(
    "name",
    ["works/gv-17.md", "gv-17.md", "GV-17", "./works/gv-17.md", "https://docs.example/site/../works/gv-17.md"[28:],
     "works\\gv-17.md", "GV-17: gate valve"],
)  # fmt: skip
def test_a_document_is_known_by_path_name_and_title(tmp_path, name):
    found = resolved(tmp_path, [q("how", name)])
    assert [answer.document_id for answer in found.questions[0].answers] == [VALVE.id]
    assert found.questions[0].answers[0].whole_document


def test_unknown_and_ambiguous_names_are_told_with_what_may_be_meant(tmp_path):
    rows = [q("a", "gv-17.md"), q("b", "gv-71.md"), q("c", "cp-40.md"), q("d", "gv-17", heading="Tightning")]
    found = resolved(tmp_path, rows)
    assert len(found.questions) == 1
    assert [problem.line for problem in found.problems] == [2, 3, 4]
    unknown, ambiguous, heading = map(str, found.problems)
    assert "there is no document `gv-71.md`. Did you mean `works/gv-17.md`?" in unknown
    assert "`office/cp-40.md` or `works/cp-40.md`: write the whole path" in ambiguous
    assert "no section `Tightning`. Did you mean `Tightening`?" in heading


def test_sections_and_chunks(tmp_path):
    chunk = next(chunk for chunk in CHUNKS if chunk.heading_path[-1] == "Inspection")
    rows = [q("a", "gv-17", heading="tightening"), {"query": "b", "chunk": chunk.id}, {"query": "c", "chunk": "0" * 24}]
    found = resolved(tmp_path, rows)
    assert [headings(question.answers[0]) for question in found.questions] == [{"Tightening"}, {"Inspection"}]
    assert "ids change when documents are cut otherwise" in str(found.problems[0])


def test_an_answer_finds_its_place_by_its_words(tmp_path):
    rows = [
        {"query": "How tight is the bonnet?", "answer": "Tighten the bonnet crosswise to forty newton metres!"},
        {"query": "怎么换密封圈？", "answer": "更换密封圈之前，必须先关闭两侧的隔离阀"},
        {"query": "short", "answer": "42"},
        {"query": "nowhere", "answer": "The canteen opens at half past eleven every day of the week."},
    ]  # fmt: skip
    found = resolved(tmp_path, rows)
    assert [headings(question.answers[0]) for question in found.questions] == [{"Tightening"}, {"密封"}]
    assert [problem.line for problem in found.problems] == [3, 4]
    assert "too short to be found" in str(found.problems[0])
    assert "no document holds the words" in str(found.problems[1])


def test_duplicates_are_folded_and_contradictions_settled_and_told(tmp_path):
    rows = [
        q("How  tight?", "gv-17.md"),
        q("how tight?", "works/gv-17.md"),
        q("loose?", "gv-17.md", grade=2),
        q("loose?", "gv-17.md", grade=0),
        q("loose?", "works/cp-40.md", grade=1),
        q("nothing?", "gv-17.md", grade=0),
    ]
    found = resolved(tmp_path, rows)
    assert [(question.text, len(question.answers)) for question in found.questions] == [
        ("How tight?", 1),
        ("loose?", 1),
    ]
    assert found.questions[1].refuted == {chunk.id for chunk in CHUNKS if chunk.document_id == VALVE.id}
    assert found.duplicates == 1
    (told,) = found.contradictions
    assert "2 in line 3, 0 in line 4" in str(told)
    assert "of two the lower: 0" in str(told)
    assert "nothing is relevant" in str(found.problems[0])


def test_labels_about_deleted_documents_are_no_mistakes_but_not_enough(tmp_path):
    found = resolved(tmp_path, [q("a", "works/gv-17.md"), q("b", "works/cp-40.md")], deleted=["works/gv-17.md"])
    assert (found.deleted, len(found.questions), found.problems) == (1, 1, ())
    with pytest.raises(InputError, match=r"All 1 labels .* were deleted"):
        resolved(tmp_path, [q("a", "works/gv-17.md")], deleted=["works/gv-17.md"])


def test_where_nothing_can_be_used_the_reasons_are_listed(tmp_path):
    with pytest.raises(InputError, match="None of the 2 rows") as raised:
        resolved(tmp_path, [q("a", "zz.md"), q("b", "yy.md")])
    assert "line 1: there is no document `zz.md`" in raised.value.message
