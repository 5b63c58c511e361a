"""What is learned from, what chooses and what judges: divided by document, and by where the questions come from."""

import pytest

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.lineage import lineage_of
from jargonaut.labels.resolving import Answer, LabelledQuestion, ResolvedLabels
from jargonaut.proof.labelled import ENOUGH_TO_PROVE, divide_labels
from jargonaut.proof.questions import Corpus, divide, untrained
from jargonaut.training.pairs import MinedPairs, Pair
from jargonaut.training.split import split_documents
from tests.chunking.drawn import parsed

CHUNKER = make_chunker(Choice(), Tokens(word_spans, 256, "words"))
DOCUMENTS = [
    parsed(
        f"# Machine {n}\n\nMachine number {n} hums at {n} hertz and weighs {7 * n} kilograms, said word{n}.",
        f"{root}/m{n}.md",
    )
    for n in range(700)
    for root in ["works" if n % 2 else "office"]
]
CHUNKS = {document.id: CHUNKER.split(document)[0] for document in DOCUMENTS}
CORPUS = Corpus(DOCUMENTS, list(CHUNKS.values()), ("works", "office"))


def pair(source, number, text=""):
    chunk = CHUNKS[DOCUMENTS[number].id]
    return Pair(text or f"{source} {number}?", (chunk.id,), (chunk.document_id,), source, (chunk.document_id,), ())


def mined(*sources, documents=700):
    return MinedPairs(tuple(pair(source, number) for source in sources for number in range(documents)), {})


def labels(count, split=lambda number: "", about=lambda number: [number]):
    questions = []
    for number in range(count):
        answers = [
            Answer(DOCUMENTS[at].id, frozenset({CHUNKS[DOCUMENTS[at].id].id}), 1.0, DOCUMENTS[at].uri, True)
            for at in about(number)
        ]
        questions.append(LabelledQuestion(f"label {number}?", tuple(answers), frozenset(), split(number)))
    return ResolvedLabels("labels.csv", "judged", count, tuple(questions), (), (), 0, 0, ())


def sides(held_out):
    return [{query.document_id for query in side} for side in (held_out.chosen_on, held_out.judged_on)]


def test_a_source_that_judges_is_not_trained_on():
    material = divide(CORPUS, mined("cross-reference", "heading"), None, 7)
    assert {query.source for query in (*material.held_out.chosen_on, *material.held_out.judged_on)} == {
        "cross-reference"
    }
    assert {pair.source for pair in material.training} == {"heading"}
    chosen, judged = sides(material.held_out)
    trained = {name for pair in material.training for name in pair.document_ids}
    assert not chosen & judged
    assert not trained & (chosen | judged)
    assert {query.document_id for query in material.held_out.seen} <= trained
    assert {query.origin for query in material.held_out.judged_on} == {"works", "office"}


def test_what_training_may_read_and_what_was_held_out_have_nothing_in_common():
    material = divide(CORPUS, mined("cross-reference", "heading"), None, 7)
    assert not material.read.texts & set(material.held_out.texts.values())
    assert len(material.read.texts) + len(set(material.held_out.texts.values())) == 700


def test_labels_decide_and_the_documents_own_questions_are_asked_beside_them():
    held_out = divide(CORPUS, mined("heading"), labels(300), 7).held_out
    assert {query.source for query in held_out.judged_on} == {"labels"}
    assert "labels.csv" in held_out.source
    assert [other.source[:8] for other in held_out.others] == ["headings"]


def test_a_few_labels_decide_nothing_and_are_asked_beside():
    held_out = divide(CORPUS, mined("heading"), labels(40), 7).held_out
    assert {query.source for query in held_out.judged_on} == {"heading"}
    assert "labels.csv" in held_out.others[0].source


def test_few_labels_are_all_held_out_and_of_many_most_are_learned_from():
    few = divide_labels(labels(300), split_documents(DOCUMENTS, 7), 7)
    assert (len(few.chosen_on) + len(few.judged_on), few.training) == (300, ())
    many = divide_labels(labels(700), split_documents(DOCUMENTS, 7), 7)
    held_out = {query.document_id for query in (*many.chosen_on, *many.judged_on)}
    trained = {name for pair in many.training for name in pair.document_ids}
    assert len(held_out) >= ENOUGH_TO_PROVE
    assert len(many.training) >= 100
    assert not held_out & trained
    assert held_out <= many.split.held_out


def test_a_question_about_documents_on_both_sides_is_seen():
    divided = divide_labels(
        labels(700, about=lambda n: [n, n + 1] if n % 9 == 0 else [n]), split_documents(DOCUMENTS, 7), 7
    )
    trained = {name for pair in divided.training for name in pair.document_ids}
    judged = {name for query in (*divided.chosen_on, *divided.judged_on) for name in query.document_ids}
    assert divided.seen
    assert not trained & judged


def test_the_split_of_the_file_is_kept_and_tests_about_what_is_trained_on_are_seen():
    def split(number):
        return "train" if number < 400 else "test"

    divided = divide_labels(labels(700, split, lambda n: [n % 500]), split_documents(DOCUMENTS, 7), 7)
    assert len(divided.training) == 400
    assert len(divided.seen) == 200  # questions 500 to 699 are about documents 0 to 199
    judged = {query.document_id for query in (*divided.chosen_on, *divided.judged_on)}
    assert judged == {DOCUMENTS[number].id for number in range(400, 500)}
    assert judged <= divided.split.held_out


def test_dev_chooses_and_test_judges_where_the_file_has_both():
    def split(number):
        return ("train", "dev", "test")[number % 3]

    divided = divide_labels(labels(300, split), split_documents(DOCUMENTS, 7), 7)
    assert {query.text for query in divided.judged_on} == {f"label {n}?" for n in range(2, 300, 3)}
    assert {query.text for query in divided.chosen_on} == {f"label {n}?" for n in range(1, 300, 3)}


def test_questions_that_are_asked_are_not_trained_on_in_other_words_of_the_same_letters():
    more = MinedPairs((pair("heading", 0, "LABEL 3"), *mined("heading").pairs), {})
    material = divide(CORPUS, more, labels(300), 7)
    asked = {query.text for query in (*material.held_out.chosen_on, *material.held_out.judged_on)}
    assert "label 3?" in asked
    assert "LABEL 3" not in {item.query for item in material.training}


def test_what_an_encoder_has_read_does_not_judge_it():
    held_out = untrained(CORPUS, mined("heading"), None, 7)
    gone = held_out.judged_on[0]
    text = next(document.text for document in DOCUMENTS if document.id == gone.document_id)
    left = held_out.without_read(lineage_of([text], [held_out.judged_on[1].text]))
    assert [query.text for query in left.judged_on] == [query.text for query in held_out.judged_on[2:]]
    assert left.chosen_on == held_out.chosen_on
    assert held_out.texts.keys() - left.texts.keys() == {gone.document_id}


@pytest.mark.parametrize("seed", [1, 2])
def test_near_duplicates_are_on_one_side(seed):
    words = " ".join(f"w{n}" for n in range(80))
    copies = [parsed(f"# Copy\n\n{words} {n // 2} x{n}", f"c{n}.md") for n in range(2)]
    documents = [*DOCUMENTS[:200], *copies]
    chunks = [CHUNKER.split(document)[0] for document in documents]
    pairs = [Pair(f"q{n}?", (chunk.id,), (chunk.document_id,), "heading", (), ()) for n, chunk in enumerate(chunks)]
    held_out = untrained(Corpus(documents, chunks), MinedPairs(tuple(pairs), {}), None, seed)
    chosen, judged = sides(held_out)
    both = {document.id for document in copies}
    assert both <= chosen or both <= judged
