from jargonaut.training.inner_pairs import all_inner_pairs
from jargonaut.training.pair_examples import examples_of
from jargonaut.training.sections import DocumentSections
from tests.training.corpus import cut, parsed

PAGE = """# Retention

A retention window is a span of days after which the store drops a record. It cannot be undone.

保留窗口（retention window）是指记录被删除之前的天数。

## Questions

How long does the store keep a record that nobody reads?

Thirty days, then the nightly job removes it.

## The nightly job

The nightly job walks over every shard of the store. A shard with an open lease is skipped by the nightly job. Leases of
a shard end after ten minutes. The job writes a line for every shard that it removed. Operators read those lines.
"""


def mined(page=PAGE):
    documents = parsed({"page.md": page})
    chunks = cut(documents)
    own = {d.id: tuple(c for c in chunks if c.document_id == d.id) for d in documents}
    return documents, chunks, all_inner_pairs(DocumentSections(d, own[d.id]) for d in documents)


def by_source(pairs):
    found = {}
    for pair in pairs:
        found.setdefault(pair.source, []).append(pair)
    return found


def test_questions_definitions_and_telling_sentences_are_found_in_both_languages():
    _, _, pairs = mined()
    found = by_source(pairs)
    assert [pair.query for pair in found["answered"]] == ["How long does the store keep a record that nobody reads?"]
    assert [pair.query for pair in found["definition"]] == ["what is retention window?", "保留窗口是什么？"]
    assert len(found["salient"]) == 1
    assert "nightly job" in found["salient"][0].query


def test_the_question_is_not_in_what_is_learned_as_its_answer():
    documents, chunks, pairs = mined()
    examples = examples_of(pairs, documents, chunks, [chunk.id for chunk in chunks])
    answers = {
        question: [examples.passages[row] for row in rows]
        for question, rows in zip(examples.questions, examples.relevant, strict=True)
    }
    asked = by_source(pairs)
    for pair in (*asked["answered"], *asked["salient"]):
        assert all(pair.query not in " ".join(text.split()) for text in answers[pair.query])
    assert any("Thirty days" in text for text in answers[asked["answered"][0].query])
    assert all("retention window is" not in text for text in answers["what is retention window?"])


def test_a_heading_leaves_its_answer_and_a_chunk_is_not_its_own_negative():
    from jargonaut.training.pairs import mine_pairs

    documents, chunks, _ = mined()
    pairs = [pair for pair in mine_pairs(documents, chunks).pairs if pair.query.endswith("The nightly job")]
    examples = examples_of(pairs, documents, chunks, [chunk.id for chunk in chunks])
    rows = examples.relevant[0]
    assert all(not examples.passages[row].startswith("Retention") for row in rows)
    indexed = [row for row, name in enumerate(examples.names) if name in pairs[0].chunk_ids]
    assert set(examples.groups[indexed]) <= set(examples.groups[rows])


def test_sentences_that_define_nothing_are_left():
    _, _, pairs = mined("# Page\n\nThis is a test. It is the case that nothing is defined. There is a way.\n")
    assert "definition" not in by_source(pairs)
