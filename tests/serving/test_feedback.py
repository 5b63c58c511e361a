import pytest

from jargonaut.state.feedback import FeedbackLog, Judgement, Label, labels
from jargonaut.state.knowledge_base import delete_documents

GOOD = {"model": "handbook", "query": "How long is a session?", "rating": "good", "document": "ops/sessions.md"}


def give(service, key="reader", **changes):
    with service.http(key) as client:
        return client.post("/v1/feedback", json=GOOD | changes)


def test_a_judgement_is_kept_and_becomes_a_label(own):
    got = give(own, heading_path=["Sessions", "Session cookies"], comment="Right!", completion="chatcmpl-1")
    assert got.status_code == 201, got.text
    assert got.json()["sequence"] == 1
    assert give(own, rating="bad", document=None, comment="The answer is too long.").json()["sequence"] == 2
    kept = [judgement for _, judgement in FeedbackLog(own.handbook.journal, own.handbook.scope).judgements()]
    assert kept[0].heading == "Sessions › Session cookies"
    assert kept[0].by == own.keys.issued("default")[0].id
    assert kept[0].release == own.handbook.registry.names("releases")[0]
    assert kept[1].comment == "The answer is too long."
    made = labels(kept)
    assert [label.as_json() for label in made] == [
        {"query": GOOD["query"], "uri": "ops/sessions.md", "heading": "Sessions › Session cookies"}
    ]


def test_many_may_judge_at_once(own):
    from concurrent.futures import ThreadPoolExecutor

    other = FeedbackLog(own.handbook.journal, own.handbook.scope)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda number: give(own, comment=f"{number}").status_code, range(12)))
        list(pool.map(lambda number: other.append(Judgement("q", "good", by=f"{number}")), range(12)))
    assert codes == [201] * 12
    assert len(other.judgements()) == 24


def test_of_what_one_may_not_read_there_is_no_judgement(own):
    hidden, unknown = give(own, document="hr/salaries.md"), give(own, document="hr/none.md")
    assert hidden.status_code == unknown.status_code == 404
    assert "salaries" not in unknown.text
    assert give(own, "hr", document="hr/salaries.md").status_code == 201
    delete_documents(own.handbook.journal, own.handbook.scope, ["ops/sessions.md"])
    assert give(own).status_code == 404, "nor of what was deleted"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"query": ""}, "empty"),
        ({"rating": "so so"}, "rating"),
        ({"comment": "x" * 4001}, "comment"),
        ({"heading_path": ["x"] * 21}, "heading_path"),
        ({"stars": 5}, "stars"),
    ],
)
def test_a_judgement_that_is_none_is_refused(service, changes, says):
    got = give(service, **changes)
    assert got.status_code == 400
    assert says in got.text


def test_the_last_word_of_each_key_counts_and_the_majority():
    def judged(rating, by, query="How long?"):
        return Judgement(query, rating, "a.md", by=by)

    assert labels([judged("bad", "k1"), judged("good", "k1")]) == [Label("How long?", "a.md", "")]
    assert labels([judged("good", "k1"), judged("bad", "k2")]) == []
    assert labels([judged("good", ""), judged("good", ""), judged("bad", "k2")]) == [Label("How long?", "a.md", "")]
    assert labels([judged("good", "k1", "How  long?\n")]) == [Label("How long?", "a.md", "")]
    assert labels([Judgement("How long?", "good")]) == [], "without a document there is nothing to learn"
