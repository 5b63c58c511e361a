import numpy as np
import pytest

from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.intervals import randomisation_p
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.looks import EarlierLook, mark, next_look, share

LEVEL = 0.001


def questions(first, last):
    return [JudgingQuery(f"q{n}", f"d{n}", frozenset({f"c{n}"})) for n in range(first, last)]


def earlier(queries, number=1, candidate="before", baseline="live", revision="r"):
    return EarlierLook(candidate, baseline, revision, frozenset(map(mark, queries)), number)


def look(queries, *before, proving=("new", "live", "r")):
    return next_look(queries, before, LEVEL, proving)


def test_all_looks_together_never_spend_more_than_the_level():
    assert sum(share(number) for number in range(1, 100_000)) < 1
    assert sum(share(number) for number in range(1, 100_000)) == pytest.approx(1, abs=1e-4)


def test_every_proof_on_the_same_questions_is_held_to_less():
    asked = questions(0, 100)
    assert (look(asked).number, look(asked).level) == (1, LEVEL / 2)
    second = look(asked, earlier(asked))
    assert (second.number, second.level) == (2, LEVEL / 6)
    third = look(asked, earlier(asked), earlier(asked, 2, "other"))
    assert (third.number, third.level) == (3, LEVEL / 12)


def test_the_same_proof_again_is_the_same_look():
    asked = questions(0, 100)
    before = earlier(asked, 2, "new")
    again = look(asked, earlier(asked), before, earlier(asked, 3, "later"))
    assert (again.number, again.level) == (2, LEVEL / 6)
    assert look(asked, before, proving=("new", "another baseline", "r")).number > 2


def test_a_few_common_questions_make_a_look_of_it_unless_they_can_be_set_aside():
    asked = questions(0, 100)
    mostly_new = look(asked, earlier(questions(0, 10)))
    assert (mostly_new.number, mostly_new.set_aside, len(mostly_new.questions)) == (1, 10, 90)
    mostly_old = look(asked, earlier(questions(0, 60)))
    assert (mostly_old.number, mostly_old.set_aside) == (2, 0)
    assert look(asked, earlier(questions(200, 300))).number == 1


def test_a_proof_whose_questions_are_not_known_may_have_had_any():
    unknown = EarlierLook("before", "live", "r", None)
    assert look(questions(0, 100), unknown).number == 2


def test_a_question_is_the_same_however_the_documents_are_cut():
    one = JudgingQuery("q", "d", frozenset({"chunk 1"}))
    other = JudgingQuery("q", "d", frozenset({"chunk 9"}), source="headings")
    assert mark(one) == mark(other)


def test_who_proves_until_it_passes_is_not_fooled():
    """Thirty useless candidates on the same questions. At level .05 each by itself most families would pass one; held
    to one level together, 100 families pass 5 at most on average, and 13 would be 1 in 1,000."""
    asked, levels, before = questions(0, 30), [], []
    for number in range(30):
        turn = next_look(asked, before, 0.05, (f"candidate {number}", "live", "r"))
        before.append(earlier(asked, turn.number, f"candidate {number}"))
        levels.append(turn.level)
    differences = np.random.default_rng(1).normal(0, 0.2, (100, 30, 30))
    p_values = np.array([[randomisation_p(one) for one in family] for family in differences])
    assert (p_values <= 0.05).any(axis=1).sum() > 60
    assert (p_values <= levels).any(axis=1).sum() <= 12


def test_the_gate_asks_at_the_level_of_the_look():
    differences = np.concatenate([np.full(12, 0.8), np.zeros(28)])
    contest = Contest("a", "b", np.full(40, 0.1), 0.1 + differences)
    assert decide(contest, Gate(level=LEVEL * share(1))).verdict == "better"
    assert decide(contest, Gate(level=LEVEL * share(2))).verdict == "cannot tell"
