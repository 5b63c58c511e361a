import pytest

from jargonaut.core.document import document_id
from jargonaut.training.pairs import heading_free_text, mine_pairs
from tests.training.corpus import PAGES, cut, parsed


@pytest.fixture(scope="module")
def documents():
    return parsed(PAGES)


@pytest.fixture(scope="module")
def chunks(documents):
    return cut(documents)


@pytest.fixture(scope="module")
def mined(documents, chunks):
    return mine_pairs(documents, chunks)


def of_source(mined, source):
    return {pair.query: pair for pair in mined.pairs if pair.source == source}


def texts(chunks, ids):
    return " ".join(chunk.text for chunk in chunks if chunk.id in ids)


def test_sentences_that_point_at_a_section_ask_for_it(mined, chunks):
    pairs = of_source(mined, "cross-reference")
    assert set(pairs) == {
        "To let a visitor stay logged in for longer than a browser window",
        "An expired record stays in the table until somebody removes it",
        "Before you change the retention policy of a production cluster",
    }
    expired = pairs["An expired record stays in the table until somebody removes it"]
    assert texts(chunks, expired.chunk_ids).startswith("Run the cleaning command")
    assert expired.document_ids == (document_id("maintenance.md"),)
    assert expired.origin_document_ids == (document_id("storage/engines.md"),)


def test_where_a_question_was_taken_from_is_hidden_and_never_relevant(mined, chunks):
    for pair in mined.pairs:
        assert not set(pair.chunk_ids) & set(pair.hidden_chunk_ids)
        if pair.source == "cross-reference":
            assert pair.query in " ".join(texts(chunks, pair.hidden_chunk_ids).split())
            assert pair.query not in " ".join(texts(chunks, pair.chunk_ids).split())


def test_a_whole_document_can_be_pointed_at(mined, chunks):
    pair = of_source(mined, "cross-reference")["Before you change the retention policy of a production cluster"]
    assert {chunk.uri for chunk in chunks if chunk.id in pair.chunk_ids} == {"sessions.md"}
    assert len(pair.chunk_ids) == sum(chunk.uri == "sessions.md" for chunk in chunks)


def test_headings_ask_with_what_stands_above_where_they_say_too_little(mined):
    assert {"Storage engines: Cached engine", "Removing old records"} <= set(of_source(mined, "heading"))


def test_headings_that_are_questions(mined, chunks):
    pairs = of_source(mined, "question")
    assert list(pairs) == ["Is it safe to store passwords in sessions?"]
    assert texts(chunks, next(iter(pairs.values())).chunk_ids) == "No, never do that."


def test_boilerplate_asks_nothing(mined):
    assert not [pair for pair in mined.pairs if "See also" in pair.query]


def test_what_was_not_used_is_counted(mined):
    assert mined.dropped["reference that is unresolved or ambiguous"] == 1
    assert mined.dropped["sentence that leans on the one before"] == 1
    assert mined.dropped["question that says too little"] > 0


def test_what_is_asked_all_over_is_dropped_and_what_is_asked_twice_is_one_question():
    page = "# Page {0} of the handbook\n\n## Rotating the signing keys\n\nDone by hand in {0}.\n"
    for count, expected in ((2, 1), (4, 0)):
        documents = parsed({f"{name}.md": page.format(name) for name in "abcd"[:count]})
        chunks = cut(documents)
        pairs = [pair for pair in mine_pairs(documents, chunks).pairs if "Rotating" in pair.query]
        assert len(pairs) == expected
        assert all(
            len(pair.document_ids) == len(pair.origin_document_ids) == len(pair.chunk_ids) == 2 for pair in pairs
        )


def test_chinese():
    pages = {
        "a.md": "# 事务\n\n如果需要在提交之后清理过期的会话数据，请参考[垃圾回收](b.md#垃圾回收)。\n",
        "b.md": "# 存储\n\n## 垃圾回收\n\n系统每十分钟删除一次旧版本。\n",
    }
    documents = parsed(pages)
    chunks = cut(documents)
    pairs = of_source(mine_pairs(documents, chunks), "cross-reference")
    assert list(pairs) == ["如果需要在提交之后清理过期的会话数据"]
    assert texts(chunks, pairs["如果需要在提交之后清理过期的会话数据"].chunk_ids) == "系统每十分钟删除一次旧版本。"


def test_mining_is_repeatable(documents, chunks, mined):
    assert mine_pairs(documents, list(reversed(chunks))) == mined


def test_heading_free_text_holds_no_heading(documents, chunks):
    by_id = {document.id: document for document in documents}
    for chunk in chunks:
        document = by_id[chunk.document_id]
        headings = [document.text[b.start : b.end] for b in document.blocks if b.kind == "heading"]
        free = heading_free_text(chunk, document)
        assert free in chunk.text
        assert free not in headings
