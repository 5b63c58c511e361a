"""How old an answer may be, who confirms it, and who hears of it."""

from __future__ import annotations

import time

import pytest


def cache(response):
    assert response.status_code == 200, response.text
    return response.headers["x-jargonaut-cache"]


def until(condition, timeout_s=10.0):
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
    return found


def test_in_strict_mode_the_hit_after_a_delete_is_a_miss_at_once(edge_with, origin, question):
    with edge_with(bound_s=0) as client:
        for generation in range(8, 14):
            assert [cache(client.post(**question())) for _ in range(3)] == ["MISS", "HIT", "HIT"]
            origin.models["handbook"]["generation"] = generation
        assert origin.grants == 6 * 3


def test_past_its_time_it_is_fetched_anew_and_serves_only_while_the_origin_fails(edge_with, origin, question):
    with edge_with(ttl_s=1, stale_if_error_s=60) as client:
        first = client.post(**question())
        stored = time.monotonic()
        assert cache(client.post(**question())) == "HIT"
        until(lambda: time.monotonic() - stored > 1.05)
        origin.resets = 2
        old = client.post(**question())
        assert (cache(old), old.content) == ("STALE", first.content)
        assert old.headers["cache-status"] == "jargonaut; fwd=stale; fwd-status=502; ttl=-1"
        assert old.headers["age"] == "1"
        again = client.post(**question())
        assert (cache(again), again.headers["cache-status"]) == ("MISS", "jargonaut; fwd=stale; stored")
        assert "by answer 4" in again.text
        assert cache(client.post(**question())) == "HIT"


def test_unconfirmed_answers_serve_marked_for_the_stated_time_and_no_longer(edge_with, origin, question):
    with edge_with(bound_s=0.2, stale_if_error_s=1) as client:
        confirmed = time.monotonic()
        first = client.post(**question())
        assert cache(client.post(**question(stream=True))) == "MISS"
        origin.down = True
        old = until(lambda: (said := client.post(**question())).headers["x-jargonaut-cache"] == "STALE" and said)
        assert old.content == first.content
        assert old.headers["cache-status"].endswith("detail=unconfirmed")
        # Nothing but what is stored, and not for who wants it confirmed.
        for refused in (question("never asked"), question(headers={"cache-control": "no-cache"}), question(user="u")):
            assert client.post(**refused).json()["error"]["code"] == "grant_unavailable"
        assert client.get("/v1/documents").status_code == 503
        assert client.post(**question(key="stranger")).status_code == 503
        while (said := client.post(**question())).status_code == 200:
            assert cache(said) == "STALE"
            assert time.monotonic() - confirmed < 1.2 + 0.2
        assert said.json()["error"]["code"] == "grant_unavailable"


def test_models_are_kept_for_the_bound(edge_with, origin):
    with edge_with(bound_s=0.5) as client:
        first, second = client.get("/v1/models"), client.get("/v1/models")
        assert [cache(first), cache(second)] == ["MISS", "HIT"]
        assert first.content == second.content
        assert client.head("/v1/models").status_code == 200
        assert cache(client.get("/v1/models", headers={"authorization": "Bearer other"})) == "MISS"
        assert cache(client.get("/v1/models", headers={"cache-control": "no-store"})) == "BYPASS"
        origin.models["new"] = {}
        changed = time.monotonic()
        until(lambda: "new" in client.get("/v1/models").text)
        assert time.monotonic() - changed < 0.8
    with edge_with(bound_s=0) as client:
        assert [cache(client.get("/v1/models")) for _ in range(2)] == ["BYPASS", "BYPASS"]


def test_the_origin_hears_of_hits_in_batches(edge_with, origin, question):
    with edge_with(report_hits="batched") as client:
        made = client.post(**question())
        ids = [client.post(**question()).headers["x-request-id"] for _ in range(3)]
        until(lambda: len(origin.hits) == 3)
    assert [hit["request"] for hit in origin.hits] == ids
    assert {hit["answer"] for hit in origin.hits} == {made.headers["x-request-id"]}
    told = {"tenant": "acme", "key_id": "k_1", "knowledge_base": "handbook", "recipe": "r1", "generation": 7}
    assert told.items() <= origin.hits[0].items()
    assert origin.hits[0]["status"] == "hit"


def test_no_hit_is_served_that_had_to_be_recorded_and_was_not(edge_with, origin, question):
    with edge_with(report_hits="each", stale_if_error_s=5) as client:
        assert [cache(client.post(**question())) for _ in range(2)] == ["MISS", "HIT"]
        assert len(origin.hits) == 1
        origin.refuses_hits = True
        assert cache(client.post(**question())) == "MISS"
        origin.down = True
        until(lambda: client.post(**question()).status_code == 503)


@pytest.mark.parametrize("stream", [False, True])
def test_the_way_through_workers_cache(edge_with, origin, question, stream):
    """No emulator has that cache: every look is a miss here, and what is asked behind it is what is asked before."""
    with edge_with(store="workers-cache") as client:
        answers = [client.post(**question(stream=stream)) for _ in range(2)]
        assert [cache(answer) for answer in answers] == ["MISS", "MISS"]
        for answer in answers:
            assert "by answer" in answer.text.replace("\\n", "") or stream
            assert "stored-at" not in " ".join(answer.headers)
            assert answer.headers["x-jargonaut-recipe"] == "r1"
        assert origin.answered()[0].body == origin.answered()[1].body
        assert client.post(**question("error")).status_code == 500
        assert client.post(**question(headers={"cache-control": "only-if-cached"})).status_code == 504
        assert cache(client.post(**question(user="u"))) == "BYPASS"
        # What is too long for a header goes past the cache.
        assert cache(client.post(**question("x" * 100_000))) == "MISS"
        assert client.post(**question("half")).json()["error"]["code"] == "origin_broke_off"


def test_a_stream_that_is_not_whole_breaks_off_before_workers_cache(edge_with, question):
    with edge_with(store="workers-cache") as client, pytest.raises(Exception, match=r"incomplete|disconnected|closed"):
        client.post(**question("no done", stream=True))
