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


def test_better_answers_count_more():
    scores = score_rankings([["b", "a"]], [{"a": 2, "b": 1, "c": 0}])
    assert scores.ndcg_at_10[0] == pytest.approx((1 + 2 / np.log2(3)) / (2 + 1 / np.log2(3)))
    assert scores.recall_at_10[0] == 1


def test_recall_is_cut_at_five_ten_and_a_hundred():
    ranking = [f"x{i}" for i in range(120)]
    scores = score_rankings([ranking], [{"x4", "x9", "x99", "x119"}])
    assert (scores.recall_at_5[0], scores.recall_at_10[0], scores.recall_at_100[0]) == (0.25, 0.5, 0.75)


@pytest.mark.parametrize("graded", [False, True])
def test_agrees_with_ranx(monkeypatch, graded):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # compiling takes longer than the test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx", reason="ranx, the reference implementation, is not installed")
        rng = np.random.default_rng(5)
        rankings = [[f"d{i}" for i in rng.permutation(160)[: rng.integers(1, 150)]] for _ in range(60)]
        relevant = [
            {f"d{i}": int(rng.integers(1, 4)) if graded else 1 for i in rng.choice(160, rng.integers(1, 14), False)}
            for _ in range(60)
        ]
        qrels = ranx.Qrels({f"q{n}": wanted for n, wanted in enumerate(relevant)})
        run = ranx.Run({f"q{n}": {d: 1.0 / (i + 1) for i, d in enumerate(r)} for n, r in enumerate(rankings)})
        names = ["ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10"]
        reference = ranx.evaluate(qrels, run, names, return_mean=False)
    scores = score_rankings(rankings, relevant)
    for name in names:
        by_query = dict(zip(run.keys(), reference[name], strict=True))
        ours = getattr(scores, name.replace("@", "_at_"))
        np.testing.assert_allclose(ours, [by_query[f"q{n}"] for n in range(60)], atol=1e-6)
