"""Dify's external knowledge API, as its documentation words it."""

import pytest


def ask(service, key="reader", **changes):
    body = {
        "knowledge_id": "handbook",
        "query": "How long does a session cookie live?",
        "retrieval_setting": {"top_k": 2, "score_threshold": 0.2},
        **changes,
    }
    with service.http(key) as client:
        return client.post("/dify/retrieval", json=body)


def test_records_come_in_dify_s_shape(service):
    got = ask(service)
    assert got.status_code == 200, got.text
    assert set(got.json()) == {"records"}
    first = got.json()["records"][0]
    assert set(first) == {"content", "score", "title", "metadata"}
    assert "SESSION_COOKIE_AGE" in first["content"]
    assert first["title"] == "Sessions"
    assert first["metadata"]["path"] == "ops/sessions.md"
    assert first["metadata"]["description"] == "Sessions › Session cookies"
    assert 0.2 <= first["score"] <= 1


def test_permissions_hold(service):
    question = {"query": "yearly bonus of an engineer in euros"}
    of_reader, of_hr = (ask(service, key, **question).json()["records"] for key in ("reader", "hr"))
    assert "7200" not in str(of_reader)
    assert "7200" in of_hr[0]["content"]


def test_a_threshold_holds(service):
    question = "How old is the cookie of a session when the parrot of the director signs it?"
    without, with_one = (
        ask(service, query=question, retrieval_setting={"top_k": 5, "score_threshold": threshold}).json()["records"]
        for threshold in (0.0, 0.9)
    )
    assert [record for record in without if record["score"] < 0.9]
    assert with_one == [record for record in without if record["score"] >= 0.9]


@pytest.mark.parametrize(
    ("conditions", "operator", "paths"),
    [
        ([("tags", "contains", "web")], "and", {"ops/sessions.md"}),
        ([(["tags"], "not contains", "web")], "and", {"ops/deploy.md"}),
        ([("date", "after", "2024")], "and", set()),
        ([("date", ">", "2023")], "and", {"ops/sessions.md"}),
        ([("date", "before", "2024")], "and", {"ops/deploy.md"}),
        ([("date", "≤", "2024-05")], "and", {"ops/sessions.md", "ops/deploy.md"}),
        ([("uri", "start with", "ops/d")], "and", {"ops/deploy.md"}),
        (
            [("uri", "is", "ops/deploy.md"), ("uri", "is", "ops/sessions.md")],
            "or",
            {"ops/sessions.md", "ops/deploy.md"},
        ),
        ([("uri", "in", ["ops/deploy.md"]), ("date", "≥", "2024")], "and", set()),
        ([("uri", "is not", "ops/deploy.md"), ("uri", "start with", "ops/")], "and", {"ops/sessions.md"}),
    ],
)
def test_conditions_on_metadata_hold(service, conditions, operator, paths):
    condition = {
        "logical_operator": operator,
        "conditions": [{"name": n, "comparison_operator": o, "value": v} for n, o, v in conditions],
    }
    setting = {"top_k": 10, "score_threshold": 0}
    got = ask(service, query="sessions of a deployment", retrieval_setting=setting, metadata_condition=condition)
    assert {record["metadata"]["path"] for record in got.json()["records"]} == paths


@pytest.mark.parametrize(
    ("changes", "status", "code", "says"),
    [
        ({"knowledge_id": "nope"}, 404, 2001, "no model"),
        ({"query": ""}, 400, 400, "empty"),
        ({"retrieval_setting": {"top_k": "many"}}, 400, 400, "top_k"),
        (
            {"metadata_condition": {"conditions": [{"name": "colour", "comparison_operator": "is", "value": "red"}]}},
            400,
            400,
            "colour",
        ),
        (
            {"metadata_condition": {"conditions": [{"name": "uri", "comparison_operator": "like", "value": "x"}]}},
            400,
            400,
            "does not compare",
        ),
    ],
)
def test_errors_have_dify_s_shape_too(service, changes, status, code, says):
    got = ask(service, **changes)
    assert got.status_code == status
    assert got.json()["error_code"] == code
    assert says in got.json()["error_msg"] == got.json()["error"]["message"]


def test_a_stranger_is_told_in_dify_s_shape(service):
    with service.http("") as client:
        got = client.post("/dify/retrieval", json={})
    assert (got.status_code, got.json()["error_code"]) == (401, 1002)
