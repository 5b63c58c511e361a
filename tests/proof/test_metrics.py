import warnings

import numpy as np
import pytest

from jargonaut.proof.metrics import ndcg_of_rank, score_rankings


def test_one_relevant_item_at_each_rank():
    rankings = [[*(f"x{i}" for i in range(rank - 1)), "gold"] for rank in range(1, 13)]
    scores = score_rankings(rankings, [{"gold"}] * 12)
    expected = [1 / np.log2(rank + 1) for rank in range(1, 11)] + [0, 0]
    np.testing.assert_allclose(scores.ndcg_at_10, expected)
    np.testing.assert_allclose(scores.mrr_at_10, [1 / rank for rank in range(1, 11)] + [0, 0])
    np.testing.assert_allclose(scores.recall_at_10, [1] * 10 + [0, 0])
    np.testing.assert_allclose([ndcg_of_rank(rank) for rank in range(1, 13)], expected)


def test_several_relevant_items_by_hand():
    scores = score_rankings([["a", "x", "b"]], [{"a", "b", "c"}])
    assert scores.ndcg_at_10[0] == pytest.approx((1 + 0.5) / (1 + 1 / np.log2(3) + 0.5))
    assert scores.recall_at_10[0] == pytest.approx(2 / 3)


def test_nothing_found_scores_zero():
    scores = score_rankings([[], ["x"]], [{"a"}, {"a"}])
    assert not scores.ndcg_at_10.any()
    assert not scores.recall_at_10.any()
    assert not scores.mrr_at_10.any()
    assert ndcg_of_rank(None) == 0


def test_more_relevant_items_than_the_cut_can_still_reach_one():
    items = [f"i{n}" for n in range(15)]
    assert score_rankings([items], [set(items)]).ndcg_at_10[0] == pytest.approx(1)


def test_agrees_with_ranx(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # compiling takes longer than the test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx", reason="ranx, the reference implementation, is not installed")
        rng = np.random.default_rng(5)
        rankings = [[f"d{i}" for i in rng.permutation(40)[: rng.integers(1, 30)]] for _ in range(60)]
        relevant = [{f"d{i}" for i in rng.choice(40, rng.integers(1, 14), replace=False)} for _ in range(60)]
        qrels = ranx.Qrels({f"q{n}": dict.fromkeys(wanted, 1) for n, wanted in enumerate(relevant)})
        run = ranx.Run({f"q{n}": {d: 1.0 / (i + 1) for i, d in enumerate(r)} for n, r in enumerate(rankings)})
        reference = ranx.evaluate(qrels, run, ["ndcg@10", "recall@10", "mrr@10"], return_mean=False)
    scores = score_rankings(rankings, relevant)
    by_query = {name: dict(zip(run.keys(), values, strict=True)) for name, values in reference.items()}
    for name, ours in (
        ("ndcg@10", scores.ndcg_at_10),
        ("recall@10", scores.recall_at_10),
        ("mrr@10", scores.mrr_at_10),
    ):
        np.testing.assert_allclose(ours, [by_query[name][f"q{n}"] for n in range(60)], atol=1e-6)
