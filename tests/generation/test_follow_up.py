import pytest

from jargonaut.generation.follow_up import leans_back, standalone

LEAN = [
    "How long does it last?",
    "And in weeks?",
    "What about managers?",
    "Why?",
    "More details?",
    "What does that mean?",
    "Who decides this?",
    "Where are they stored?",
    "How do I clear them?",
    "for night shifts?",
    "Is it encrypted?",
    "那备份保留多久?",
    "它多久更换一次?",
    "经理呢?",
    "这个怎么配置?",
    "还有别的要求吗?",
    "该手册在哪里?",
]
STAND = [
    "What is Jargonaut?",
    "Who wrote the handbook?",
    "How is leave requested?",
    "What is the default of SESSION_COOKIE_AGE?",
    "How do I stop the pump if it leaks?",
    "Is it possible to roll back a deployment?",
    "What does this error mean: E-4017?",
    "Who decides the bonus of an engineer?",
    "Why does the cooling tower make noise?",
    "Which backend is faster when it restarts often?",
    "Are visitors told that the badge has to be given back?",
    "How are deleted documents handled in a rollback?",
    "易熔塞多久更换一次?",
    "数据库备份保留多少天?",
    "水位低于最低线时,它应该怎么处理?",
    "那年的审计报告由谁签字?",
    "应该怎么处理告警?",
]


@pytest.mark.parametrize("question", LEAN)
def test_a_follow_up_is_asked_with_the_question_before(question):
    assert standalone(question, ["How long is the notice period?"]) == f"How long is the notice period? {question}"


@pytest.mark.parametrize("question", STAND)
def test_a_question_that_stands_alone_stays_as_it_is(question):
    assert standalone(question, ["How long is the notice period?"]) == question


def test_a_chain_of_follow_ups_goes_back_to_its_beginning():
    said = ["What is annual leave?", "Who wrote the handbook?", "And when?", "Is it binding?"]
    assert standalone("Where is it kept?", said) == "Who wrote the handbook? Where is it kept?"


def test_without_a_question_before_there_is_nothing_to_lean_on():
    assert standalone("Why?", []) == "Why?"
    assert standalone("Why?", ["  "]) == "Why?"
    assert standalone("And when?", ["Why?"]) == "Why? And when?", "the first question counts as one, whatever it is"


def test_a_question_is_judged_quickly_however_long_it_is():
    assert not leans_back("a valve and a pump and " * 4000 + "a bolt?")
