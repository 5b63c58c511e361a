import asyncio
from dataclasses import replace

import pytest

from jargonaut.answering.answer import ABSTENTION, ABSTENTION_ZH, answer
from jargonaut.answering.retrieve import Question
from jargonaut.core.deadline import Deadline
from jargonaut.generation.extractive import ExtractiveGenerator
from jargonaut.generation.port import Statement
from jargonaut.index.port import Visibility
from tests.answering.handbook import Handbook

QUESTION = "What is the default of SESSION_COOKIE_AGE?"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return Handbook(tmp_path_factory.mktemp("handbook")).loaded()


class Saying:
    """A generator that says what it is told to, and remembers what it was given."""

    name = "saying"

    def __init__(self, *statements):
        self._statements = statements
        self.passages = None

    async def generate(self, question, passages, deadline):
        self.passages = list(passages)
        for statement in self._statements:
            yield statement(passages) if callable(statement) else statement


def ask(release, generator, question=QUESTION, principals=("public",), **answering):
    release = replace(release, recipe=replace(release.recipe, **answering))

    async def collect():
        visibility, deadline = Visibility(frozenset(principals)), Deadline.after(10)
        return [item async for item in answer(release, Question(question), visibility, generator, deadline)]

    return asyncio.run(collect())


def whole(number):
    return lambda passages: Statement(passages[number - 1].chunk.text, (number,))


def test_statements_carry_citations_with_the_supporting_text(release):
    statements = ask(release, ExtractiveGenerator())
    for statement in statements:
        assert statement.kind == "supported"
        (citation,) = statement.citations
        assert citation.chunk.uri == "ops/sessions.md"
        assert " ".join(citation.quote.split()) == statement.text
        assert (citation.start, citation.end) != (citation.chunk.start, citation.chunk.end)


def test_passages_are_numbered_as_they_are_first_cited(release):
    generator = Saying(whole(2), whole(1), whole(2))
    numbers = [statement.citations[0].number for statement in ask(release, generator, "session storage cookies")]
    assert numbers == [1, 2, 1]


@pytest.mark.parametrize(
    "statement",
    [
        Statement("Sessions live for two weeks.", (99,)),
        Statement("The moon is made of cheese.", (1,)),
        Statement("Sessions are kept in a cookie.", ()),
        lambda passages: Statement(passages[0].chunk.text, (1,), ((0, 10_000),)),
        lambda passages: Statement(passages[0].chunk.text, (1,), ((-5, 5),)),
        lambda passages: Statement(
            passages[0].chunk.text, (1,), ((passages[0].chunk.start, passages[0].chunk.start + 9),)
        ),
        lambda passages: Statement(passages[0].chunk.text.replace("1209600", "1209601"), (1,)),
    ],
)
def test_a_statement_without_support_is_removed_or_marked(release, statement):
    removed = ask(release, Saying(statement, whole(1)))
    assert [item.kind for item in removed] == ["supported"]
    alone = ask(release, Saying(statement))
    assert [(item.kind, item.text) for item in alone] == [("abstention", ABSTENTION)]
    marked = ask(release, Saying(statement), unsupported="mark")
    assert [(item.kind, item.citations) for item in marked] == [("unsupported", ())]


def test_only_the_citations_that_hold_are_kept(release):
    generator = Saying(lambda passages: Statement(passages[0].chunk.text, (99, 1, 2)))
    (statement,) = ask(release, generator, "session storage cookies")
    assert [citation.chunk.ordinal for citation in statement.citations] == [statement.citations[0].chunk.ordinal]
    assert statement.citations[0].number == 1


@pytest.mark.parametrize(
    ("question", "text"),
    [("Who owns the parrot of the director?", ABSTENTION), ("董事长的鹦鹉是什么颜色？", ABSTENTION_ZH)],
)
def test_below_the_threshold_the_generator_is_not_even_asked(release, question, text):
    generator = Saying(whole(1))
    (statement,) = ask(release, generator, question)
    assert (statement.kind, statement.text, statement.citations) == ("abstention", text, ())
    assert generator.passages is None


def test_a_generator_that_says_nothing_makes_an_abstention(release):
    assert [item.kind for item in ask(release, Saying())] == ["abstention"]


def test_few_passages_of_one_document(release):
    question = "sessions cookies storage backend cache"
    one, many = Saying(whole(1)), Saying(whole(1))
    ask(release, one, question, chunks_per_document=1)
    ask(release, many, question)
    assert [passage.chunk.uri for passage in one.passages].count("ops/sessions.md") == 1
    assert [passage.chunk.uri for passage in many.passages].count("ops/sessions.md") == 2
    assert [passage.number for passage in many.passages] == list(range(1, len(many.passages) + 1))


def test_the_generator_sees_only_what_the_asker_may(release):
    question = "What is the yearly bonus of an engineer?"
    of_public, of_hr = Saying(whole(1)), Saying(whole(1))
    ask(release, of_public, question)
    ask(release, of_hr, question, principals=("public", "group:hr"))
    assert "hr/salaries.md" not in {passage.chunk.uri for passage in of_public.passages or []}
    assert "hr/salaries.md" in {passage.chunk.uri for passage in of_hr.passages}
