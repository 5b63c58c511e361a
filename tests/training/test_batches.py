import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jargonaut.core.errors import InputError
from jargonaut.training.batches import Batches
from jargonaut.training.development import divide_questions, reciprocal_rank
from jargonaut.training.examples import Answer, Example, Passage, training_set
from jargonaut.training.negatives import Ranked, with_negatives


def a_set(questions=40, answers=2, documents=10):
    return training_set(
        Example(
            f"question {number}",
            tuple(Answer(f"answer {number} {at}", 1.0, f"document {number % documents}") for at in range(answers)),
        )
        for number in range(questions)
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(3, 60), st.integers(1, 3), st.integers(1, 12), st.integers(1, 20), st.booleans())
def test_a_batch_asks_each_question_once_and_compares_it_with_what_is_wrong_only(
    questions, answers, documents, size, with_vectors
):
    examples = a_set(questions, answers, documents)
    ranked = [
        Ranked(
            np.arange(len(examples.passages)),
            np.zeros(len(examples.passages)),
            np.linspace(1, 0, len(examples.passages)),
        )
        for _ in range(questions)
    ]
    vectors = np.random.default_rng(0).normal(size=(questions, 4)).astype(np.float32)
    mined = with_negatives(examples, ranked, vectors)
    batches = Batches(mined if with_vectors else examples, np.arange(questions), size, 2, 3, seed=1)
    asked = np.concatenate([batches.batch(step).questions for step in range(batches.of_an_epoch)])
    assert len(np.unique(asked)) == len(asked) == batches.of_an_epoch * batches.size
    for step in range(3):
        batch = batches.batch(step)
        assert batch.allowed[np.arange(batch.answer.size), batch.answer].all()
        for line, question in enumerate(batch.questions):
            assert batch.passages[batch.answer[line]] in examples.relevant[question]
            others = batch.passages[batch.allowed[line]]
            others = others[others != batch.passages[batch.answer[line]]]
            right = examples.groups[examples.relevant[question]]
            assert not np.isin(examples.groups[others], right).any()
            if with_vectors:
                assert not np.isin(others, mined.unclear[question]).any()


def test_batches_depend_on_the_seed_and_the_step_alone():
    first, same, other = (Batches(a_set(), np.arange(40), 8, 0, 0, seed) for seed in (1, 1, 2))
    for step in (7, 3, 0):
        np.testing.assert_array_equal(first.batch(step).questions, same.batch(step).questions)
        np.testing.assert_array_equal(first.batch(step).passages, same.batch(step).passages)
    assert any(not np.array_equal(first.batch(step).questions, other.batch(step).questions) for step in range(3))


def test_neighbours_meet_in_a_batch():
    examples = a_set(400)
    topic = np.repeat(np.arange(8), 50)
    vectors = (
        np.eye(8, dtype=np.float32)[topic] + np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32) * 0.05
    )
    alike, chance = [], []
    for given_vectors, found in ((vectors, alike), (None, chance)):
        batches = (
            Batches(
                with_negatives(examples, [], given_vectors) if given_vectors is not None else examples,
                np.arange(400),
                32,
                0,
                0,
                3,
            )
            if given_vectors is None
            else Batches(_with_vectors(examples, given_vectors), np.arange(400), 32, 0, 0, 3)
        )
        for step in range(batches.of_an_epoch):
            topics = topic[batches.batch(step).questions]
            found.append(np.mean(topics[:, None] == topics[None]))
    assert np.mean(alike) > 1.3 * np.mean(chance)


def _with_vectors(examples, vectors):
    from dataclasses import replace

    return replace(examples, vectors=vectors)


def test_what_ranks_near_the_answer_is_unclear_and_not_a_negative():
    examples = training_set(
        [Example("q", (Answer("right", 1.0, "d"),))],
        [
            Passage(str(number), text, doc)
            for number, (text, doc) in enumerate(
                [("near", "a"), ("right", "d"), ("same document", "d"), ("far", "b"), ("farther", "c")]
            )
        ],
    )
    ranked = Ranked(
        np.arange(5), np.arange(5, 0, -1, dtype=np.float32), np.array([0.79, 0.8, 0.7, 0.7, 0.5], dtype=np.float32)
    )
    mined = with_negatives(examples, [ranked], np.ones((1, 2), dtype=np.float32))
    assert mined.hard[0].tolist() == [3, 4]
    assert mined.unclear[0].tolist() == [0]
    assert mined.teacher[0].rows.tolist() == [0, 1, 2, 3, 4]


def test_where_the_ranking_missed_the_answer_nothing_is_called_wrong():
    examples = training_set([Example("q", (Answer("right"),))], [Passage("0", "other", "a")])
    ranked = Ranked(np.array([0]), np.ones(1, dtype=np.float32), np.ones(1, dtype=np.float32))
    mined = with_negatives(examples, [ranked], np.ones((1, 2), dtype=np.float32))
    assert (mined.hard[0].size, mined.unclear[0].size) == (0, 0)


def test_the_development_slice_shares_no_group_with_what_is_learned_from():
    examples = a_set(600, 1, 200)
    slices = divide_questions(examples, 0.2, seed=5)
    learned = {int(group) for q in slices.learned_from for group in examples.groups[examples.relevant[q]]}
    judged = {int(group) for q in slices.development for group in examples.groups[examples.relevant[q]]}
    assert judged
    assert not learned & judged
    perfect = np.array([[float(row in examples.relevant[q]) for row in slices.pool] for q in slices.development])
    assert reciprocal_rank(examples, slices, perfect) == 1.0
    assert reciprocal_rank(examples, slices, -perfect) < 0.1


def test_a_slice_of_too_few_questions_is_none():
    assert not divide_questions(a_set(40), 0.1, 1).judging


def test_the_same_question_has_the_answers_of_all_its_examples_and_texts_are_held_once():
    found = training_set(
        [Example("q", (Answer("a"),)), Example("q", (Answer("b", 2.0),)), Example("p", (Answer("a"),))],
        [Passage("id", "b", "d")],
    )
    assert found.questions == ("q", "p")
    assert found.passages == ("b", "a")
    assert found.names == ("id", "")
    assert [rows.tolist() for rows in found.relevant] == [[0, 1], [1]]
    assert [grades.tolist() for grades in found.grades] == [[2.0, 1.0], [1.0]]


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (Example(" ", (Answer("a"),)), "no question"),
        (Example("q", ()), "no answer"),
        (Example("q", (Answer(" "),)), "without text"),
        (Example("q", (Answer("a", 0.0),)), "not above 0"),
    ],
)
def test_examples_that_say_nothing_are_refused(example, said):
    with pytest.raises(InputError, match=said):
        training_set([example])
