"""Brake, budgets, pages of other origins, channels and tokens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jargonaut.deployment.edge_settings import Budget
from tests.edge.origin import digest

PAGE = "https://app.example.com"


def early_in_a_minute(seconds=15):
    """A minute's budget is counted by the clock, and must not begin anew within a test."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left)


def test_a_key_that_asks_too_often_is_braked_and_others_are_not(edge_with, origin, question):
    early_in_a_minute()
    with edge_with(rate_limit=3, rate_period_s=60) as client:
        assert [client.post(**question()).status_code for _ in range(3)] == [200] * 3
        braked = client.post(**question())
        assert (braked.status_code, braked.json()["error"]["code"]) == (429, "rate_limited")
        assert braked.json()["error"]["type"] == "rate_limit_error"
        assert (braked.headers["retry-after"], braked.headers["cache-control"]) == ("60", "no-store")
        # The brake counts keys, and what it says is never stored.
        assert client.post(**question(key="other")).status_code == 200
        assert len(origin.answered()) == 2


def test_a_tenant_spends_its_requests_and_not_one_more(edge_with, question):
    early_in_a_minute()
    with edge_with(budgets={"acme": Budget(requests=40)}) as client:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: client.post(**question()), range(60)))
        served = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert (len(served), len(refused)) == (40, 20)
        for answer in answers:
            assert answer.headers["x-ratelimit-limit-requests"] == "40"
            assert answer.headers["x-ratelimit-reset-requests"].endswith("s")
            assert "x-ratelimit-limit-tokens" not in answer.headers
        for answer in refused:
            assert answer.json()["error"]["code"] == "requests_exceeded"
            assert answer.headers["x-ratelimit-remaining-requests"] == "0"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        # Hits count too; keys of a tenant share; another tenant has its own.
        assert client.post(**question(key="hr")).status_code == 429
        other = client.post(**question(key="other"))
        assert other.status_code == 200
        assert "x-ratelimit-limit-requests" not in other.headers


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_charged_after_the_answer_and_not_for_hits(edge_with, question, stream):
    early_in_a_minute()
    with edge_with(budgets={"*": Budget(tokens=60)}) as client:
        first = client.post(**question(stream=stream))
        assert first.headers["x-ratelimit-limit-tokens"] == "60"
        left = [client.post(**question(stream=stream)).headers["x-ratelimit-remaining-tokens"] for _ in range(3)]
        # Of a stream that says no usage, about as many as its words have; of an answer, what it says.
        assert left == (["45"] * 3 if stream else ["1"] * 3)
        for number in range(8):
            if (last := client.post(**question(f"{number} " * 10, stream=stream))).status_code == 429:
                break
        assert last.json()["error"]["code"] == "tokens_exceeded"
        assert last.headers["x-ratelimit-remaining-tokens"] == "0"


def test_pages_of_allowed_origins_may_ask_and_others_may_not(edge_with, question):
    preflight = {"origin": PAGE, "access-control-request-method": "POST"}
    with edge_with(cors_origins=(PAGE,)) as client:
        asked = client.options("/v1/search", headers=preflight)
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == PAGE
        assert asked.headers["access-control-allow-methods"] == "POST"
        assert "authorization" in asked.headers["access-control-allow-headers"]
        answer = client.post(**question(headers={"origin": PAGE}))
        assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (PAGE, "Origin")
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        refused = client.post(**question(key="stranger", headers={"origin": PAGE}))
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE)
        for evil in ("https://evil.example", "null", PAGE + ".evil.example"):
            for said in (
                client.options("/v1/search", headers=preflight | {"origin": evil}),
                client.post(**question(headers={"origin": evil})),
            ):
                assert "access-control-allow-origin" not in said.headers
                assert said.headers["vary"] == "Origin"
        assert client.options("/internal/grant", headers=preflight).status_code == 404


def test_without_configuration_no_page_may_ask(client):
    asked = client.options("/v1/search", headers={"origin": PAGE, "access-control-request-method": "POST"})
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


def test_in_a_canary_version_a_name_means_the_canary_until_it_is_gone(edge_with, origin, question):
    origin.models["handbook@canary"] = {**origin.models["handbook"], "channel": "canary", "recipe": "r2"}
    origin.models["手册@canary"] = origin.models["handbook@canary"]
    with edge_with(channel="canary", bound_s=0) as client:
        assert client.post(**question()).headers["x-jargonaut-channel"] == "canary"
        assert client.post(**question(model="handbook@live")).headers["x-jargonaut-channel"] == "live"
        del origin.models["handbook@canary"]
        answer = client.post(**question())
        assert answer.headers["x-jargonaut-channel"] == "live"
        assert client.post(**question(model="nothing")).status_code == 404


def test_a_token_goes_to_the_origin_as_it_is_and_a_key_as_its_digest(edge_with, origin, question):
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    with edge_with(bound_s=30) as client:
        assert client.post(**question(key=token)).status_code == 401
        origin.tokens[token] = origin.keys[digest("hr")]
        time.sleep(1)  # a refusal is held so long
        answers = [client.post(**question(key=token)) for _ in range(2)]
        assert [answer.headers["x-jargonaut-cache"] for answer in answers] == ["MISS", "HIT"]
        assert "group:hr" in answers[1].text
        assert origin.grants == 2
        assert client.post(**question(key="hr")).headers["x-jargonaut-cache"] == "HIT"
