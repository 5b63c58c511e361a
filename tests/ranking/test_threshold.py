import numpy as np
import pytest

from jargonaut.core.errors import InputError
from jargonaut.ranking.probes import CHINESE, ENGLISH, off_domain_questions
from jargonaut.ranking.question_words import subject_terms
from jargonaut.ranking.threshold import coverage, evidence, fit_threshold

PASSAGE = "Sessions › Cookies\nSESSION_COOKIE_AGE sets the age of session cookies, in seconds. Error ERR-4031."


def dense(*cosines):
    return np.array(cosines, dtype=np.float32)


def test_a_dense_recipe_goes_by_the_best_raw_cosine():
    found = evidence("How long do sessions last?", ["a", "b"], dense(0.2, 0.61))
    assert found.score == pytest.approx(0.61)
    assert found.answers(0.6)
    assert not found.answers(0.62)


def test_a_lexical_recipe_goes_by_coverage():
    found = evidence("What is the age of session cookies?", ["nothing here", PASSAGE], dense(np.nan, np.nan))
    assert found.score == 1.0
    assert coverage("What is the age of elephants?", PASSAGE) == 0.5
    assert coverage("What is it?", PASSAGE) == 0.0


def test_coverage_counts_chinese_bigrams():
    assert coverage("会话有效期", "会话的有效期为两周") == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    "question",
    [
        "年假有多少天?",
        "年假有多少天？",
        "年假有几天？",
        "公司的年假是多少天",
        "年假怎么算",
        "能不能休年假？",
    ],
)
def test_question_words_need_not_be_covered(question):
    assert coverage(question, "年假有十五天。") >= 0.5


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("How many days of annual leave are there?", {"day", "annual", "leav"}),
        ("What kinds of valves are used?", {"valv", "use"}),
        ("什麼時候發薪？", {"發薪"}),
        ("几何是什么？", {"几何"}),
        ("水是什么？", {"水"}),
        ("是什么？", {"是什", "什么"}),
        ("How many?", {"mani"}),
    ],
)
def test_the_subject_is_what_is_left_without_question_words(question, terms):
    assert subject_terms(question) == terms


PASSAGE_ZH = "员工手册\n年假有十五天，可以结转三天，需要提前两周申请。有多少人申请，如何审批，由部门决定。"


def test_what_the_documents_do_not_say_is_not_covered_by_question_words():
    covered = [question for question in CHINESE if coverage(question, PASSAGE_ZH) >= 0.5]
    assert covered == []
    assert coverage("试用期多长时间？", PASSAGE_ZH) == 0


def test_an_exact_identifier_passes_below_the_threshold():
    found = evidence("ERR-4031?", [PASSAGE], dense(0.05))
    assert found.identifier == "err-4031"
    assert found.answers(0.9)
    assert evidence("session_cookie_age", [PASSAGE], dense(0.05)).answers(0.9)


@pytest.mark.parametrize("question", ["ERR-4032?", "Session cookies?", "ERR?"])
def test_nearly_the_same_is_not_exact(question):
    assert not evidence(question, [PASSAGE], dense(0.05)).answers(0.9)


def test_without_passages_nothing_is_answered():
    assert not evidence("ERR-4031?", [], dense()).answers(0.01)


def test_separable_scores_are_cut_halfway():
    assert fit_threshold(np.linspace(0.6, 0.9, 100), np.linspace(0.0, 0.2, 40)) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_at_most_five_percent_are_wrongly_turned_away(seed):
    rng = np.random.default_rng(seed)
    positive, negative = rng.normal(0.5, 0.1, rng.integers(5, 300)), rng.normal(0.45, 0.1, 40)
    assert (positive < fit_threshold(positive, negative)).mean() <= 0.05


def test_one_probe_on_the_documents_subject_does_not_raise_it():
    positive, negative = np.linspace(0.6, 0.9, 100), np.append(np.full(39, 0.1), 0.95)
    assert fit_threshold(positive, negative) == pytest.approx(0.35, abs=0.02)


def test_it_needs_answerable_questions_but_no_probes():
    assert fit_threshold([0.4, 0.5], []) == 0.4
    with pytest.raises(InputError):
        fit_threshold([], [0.1])


def test_probes_are_many_different_and_by_language():
    assert len(set(ENGLISH)) == len(set(CHINESE)) == 40
    assert off_domain_questions("zh") == CHINESE
    assert off_domain_questions("") == ENGLISH + CHINESE
