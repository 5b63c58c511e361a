"""What the edge served from its store is recorded, for the edge alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from jargonaut.serving.edge_hits import hits_stream
from tests.serving.test_grant import identity, post

HIT = {
    "at": "2026-11-24T10:00:00.000Z",
    "request": "a",
    "answer": "b",
    "status": "hit",
    "path": "/v1/search",
    "tenant": "default",
    "key_id": "k_1",
    "knowledge_base": "手册",
    "channel": "live",
    "recipe": "r",
    "release": "x",
    "generation": 3,
}


def recorded(service, tenant="default"):
    return [hit for event in service.handbook.journal.read(hits_stream(tenant, "手册")) for hit in event.body["hits"]]


def test_every_hit_is_in_the_journal_of_its_knowledge_base(own):
    def report(number):
        hits = [HIT | {"request": f"{number}-{place}"} for place in range(3)]
        return post(own, "/internal/hits", {"hits": [*hits, HIT | {"tenant": "other", "request": str(number)}]})

    with ThreadPoolExecutor(8) as threads:
        assert {answer.status_code for answer in threads.map(report, range(8))} == {204}
    assert {hit["request"] for hit in recorded(own)} == {f"{n}-{place}" for n in range(8) for place in range(3)}
    assert len(recorded(own, "other")) == 8
    assert "tenant" not in recorded(own)[0]


def test_only_the_edge_reports_and_only_what_is_a_hit(own):
    unsigned = {"authorization": f"Bearer {own.secrets['writer']}"}
    assert post(own, "/internal/hits", {"hits": [HIT]}, headers=unsigned).status_code == 401
    assert post(own, "/internal/hits", {"hits": [HIT]}, identity()).status_code == 401
    for wrong in ({"hits": []}, {"hits": [HIT | {"status": "miss"}]}, {"hits": [HIT | {"more": 1}]}):
        assert post(own, "/internal/hits", wrong).status_code == 400
    assert recorded(own) == []
