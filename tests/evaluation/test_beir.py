import pytest

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.errors import InputError
from jargonaut.evaluation.beir import read_beir, read_questions
from tests.evaluation.beir_folder import TOPICS, write_beir


def test_the_hardest_split_is_judged_and_no_judged_question_is_learned_from(tmp_path):
    data = read_beir(write_beir(tmp_path / "set"))
    assert data.split == "test_unseen"
    assert dict(data.judgments) == {"q6": {"d6": 1}, "q7": {"d7": 2}}
    assert len(data.other_texts) == 4  # of train: not the two of test that are seen, either
    documents = list(data.corpus())
    assert [document.uri for document in documents] == [f"d{number}" for number in range(8)]
    assert documents[2].text.split()[0] == TOPICS[2][0]


def test_what_cannot_be_used_is_named_with_its_line(tmp_path):
    data = read_beir(write_beir(tmp_path / "set", bad=True), "test")
    assert data.documents == 8
    assert data.judgments["q5"] == {"d5": 2}  # grade 0 is no relevance
    assert data.problems.told == [
        "corpus.jsonl, line 4: no JSON object with `_id`",
        "corpus.jsonl, line 5: no JSON object with `_id`",
        "corpus.jsonl, line 6: `d0` is there already",
        "test.tsv, line 6: there is no question `q99`",
        "test.tsv, line 7: there is no document `d99`",
        "test.tsv, line 8: not question, document and grade",
    ]


def test_a_folder_that_is_none_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"corpus\.jsonl does not exist"):
        read_beir(tmp_path)
    folder = write_beir(tmp_path / "set")
    with pytest.raises(InputError, match="no split `tset`"):
        read_beir(folder, "tset")
    (folder / "qrels" / "test.tsv").write_text("q4\tnowhere\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match="judges no question"):
        read_beir(folder, "test")


def test_a_document_without_a_title_is_its_text_and_nothing_else(tmp_path):
    folder = write_beir(tmp_path / "set")
    (folder / "corpus.jsonl").write_text('{"_id": "d4", "title": "", "text": "the text"}\n', encoding="utf-8")
    (document,) = read_beir(folder, "test").corpus()
    chunker = make_chunker(Choice(), Tokens(word_spans, 50, "words"))
    assert [chunk.indexed_text for chunk in chunker.split(document)] == ["the text"]


def test_judgments_as_trec_writes_them_and_without_a_header(tmp_path):
    folder = write_beir(tmp_path / "set")
    (folder / "qrels" / "test.tsv").write_text("q4 0 d4 1\nq5 0 d5 3\n", encoding="utf-8")
    assert dict(read_beir(folder, "test").judgments) == {"q4": {"d4": 1}, "q5": {"d5": 3}}


def test_questions_of_a_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text('如何重置密码？\n\n{"query": "reset my password"}\n如何重置密码？\n', encoding="utf-8")
    assert read_questions(log) == ["如何重置密码？", "reset my password"]
    log.write_text('fine\n{"q": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 2: no question"):
        read_questions(log)
