import pytest


def search(service, query, key="reader", **more):
    with service.http(key) as client:
        return client.post("/v1/search", json={"query": query, **more})


def test_passages_come_with_all_their_scores_explained(service):
    got = search(service, "session cookie age", top_k=2)
    result = got.json()
    first, second = result["data"]
    assert first["document"] == "ops/sessions.md"
    assert first["heading_path"] == ["Sessions", "Session cookies"]
    assert first["line"] == 1
    assert first["metadata"] == {"tags": ["web", "security"], "date": "2024-05-01"}
    assert first["scores"]["bm25"] is None, "it would tell how many hidden documents hold a word"
    everything = search(service, "session cookie age", key="hr", top_k=2).json()["data"][0]
    assert everything["scores"]["bm25"] > 0
    assert (everything["document"], "BM25" in everything["why"]["summary"]) == ("ops/sessions.md", True)
    assert "BM25" not in first["why"]["summary"]
    assert first["scores"]["cosine"] is None, "a lexical release has no vectors"
    assert first["scores"]["fused"] > second["scores"]["fused"]
    assert result["label"] == "lexical"
    assert result["answerable"] is True
    assert result["evidence"] >= result["threshold"] == 0.5
    assert set(result["timings_ms"]) == {"encode", "dense", "lexical", "fuse", "fetch"}
    assert got.headers["x-jargonaut-store"] == "yes"


@pytest.mark.parametrize("model", [None, "handbook", "handbook@live"])
def test_it_is_one_model_by_whatever_name(service, model):
    more = {"model": model} if model else {}
    assert search(service, "session cookie age", **more).json()["model"] == "handbook"


@pytest.mark.parametrize(
    ("where", "documents"),
    [
        ({"tags": "web"}, {"ops/sessions.md"}),
        ({"date": {"from": "2024"}}, {"ops/sessions.md"}),
        ({"uri": {"starts_with": "ops/"}}, {"ops/sessions.md", "ops/deploy.md"}),
        ({"language": "zh"}, set()),
    ],
)
def test_a_filter_holds_for_every_passage(service, where, documents):
    found = search(service, "sessions of a deployment", filter=where).json()["data"]
    assert {hit["document"] for hit in found} == documents


def test_nothing_found_is_not_to_be_kept(service):
    got = search(service, "zyzzyva")
    assert got.json()["data"] == []
    assert got.json()["answerable"] is False
    assert got.headers["x-jargonaut-store"] == "no"


def test_permissions_hold(service):
    of_reader, of_hr = (search(service, "yearly bonus euros", key).json()["data"] for key in ("reader", "hr"))
    assert "hr/salaries.md" not in {hit["document"] for hit in of_reader}
    assert of_hr[0]["document"] == "hr/salaries.md"
