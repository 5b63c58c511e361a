import numpy as np
import pytest

from jargonaut.core.release import Fusion
from jargonaut.index.port import Candidates
from jargonaut.ranking.fuse import rank
from jargonaut.ranking.whitening import fit_whitening

RNG = np.random.default_rng(7)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def pool(cosine, bm25, ids=None, vectors=None):
    n = len(cosine)
    ids = ids or tuple(f"c{i:03}" for i in range(n))
    return Candidates(ids, tuple(f"d{i}" for i in range(n)), np.float32(cosine), np.float32(bm25), vectors)


def dense_pool(n=20, d=8, bm25=None):
    vectors, query = unit(RNG.normal(size=(n, d))), unit(RNG.normal(size=d))
    return pool(vectors @ query, RNG.random(n) + 0.1 if bm25 is None else bm25, vectors=vectors), query


def ids(candidates, ranking):
    return [candidates.chunk_ids[i] for i in ranking.order]


def test_weight_zero_is_the_dense_order_and_weight_one_the_lexical():
    candidates, query = dense_pool()
    assert list(rank(candidates, query, Fusion(0.0)).order) == list(np.argsort(-candidates.cosine))
    assert list(rank(candidates, query, Fusion(1.0)).order) == list(np.argsort(-candidates.bm25))


def test_the_fused_score_is_the_weighted_sum_of_z_scores():
    candidates, query = dense_pool()

    def z(x):
        return (x - x.mean()) / x.std()

    expected = 0.3 * z(np.float64(candidates.bm25)) + 0.7 * z(np.float64(candidates.cosine))
    np.testing.assert_allclose(rank(candidates, query, Fusion(0.3, pool=20)).fused, expected, atol=1e-9)


def test_whitening_enters_as_the_mean_of_both_z_scores():
    candidates, query = dense_pool()
    whitening = fit_whitening([unit(RNG.normal(size=(200, 8)) + 1)])
    ranking = rank(candidates, query, Fusion(0.0, whitening.digest), whitening)
    expected = whitening.apply(candidates.vectors) @ whitening.apply(query[None])[0]
    np.testing.assert_allclose(ranking.whitened, expected, atol=1e-6)
    plain = rank(candidates, query, Fusion(0.0))
    assert np.isnan(plain.whitened).all()
    assert not np.allclose(plain.fused, ranking.fused)
    assert ranking.fused.mean() == pytest.approx(0)


def test_a_lexical_table_is_ordered_by_bm25():
    candidates = pool([np.nan] * 3, [1.0, 3.0, 2.0])
    assert ids(candidates, rank(candidates, None, Fusion(0.3))) == ["c001", "c002", "c000"]


def test_in_a_full_list_the_missing_count_as_its_minimum():
    candidates, query = dense_pool(4, bm25=np.array([9.0, 8.0, 0.0, 0.0]))
    fused = rank(candidates, query, Fusion(1.0, pool=2)).fused
    assert fused[1] == fused[2] == fused[3] < fused[0]


def test_a_lone_hit_on_a_rare_identifier_stands_out():
    bm25 = np.zeros(50)
    bm25[49] = 11.0
    candidates, query = dense_pool(50, bm25=bm25)
    assert rank(candidates, query, Fusion(0.0)).order[0] != 49
    assert rank(candidates, query, Fusion(0.3)).order[0] == 49


@pytest.mark.parametrize("n", [1, 5])
def test_signals_that_do_not_differ_do_not_decide(n):
    vectors = np.repeat(unit(np.ones((1, 4))), n, axis=0)
    candidates = pool(np.ones(n), np.zeros(n), vectors=vectors)
    ranking = rank(candidates, vectors[0], Fusion(0.5))
    assert not ranking.fused.any()
    assert list(ranking.order) == list(range(n))


def test_ties_go_by_chunk_id_whatever_the_order_of_the_candidates():
    names = ("b", "d", "a", "c")
    candidates = pool([np.nan] * 4, [1.0, 1.0, 1.0, 2.0], ids=names)
    assert ids(candidates, rank(candidates, None, Fusion(0.3))) == ["c", "a", "b", "d"]


def test_no_candidates_is_an_empty_ranking():
    candidates = pool([], [], vectors=np.empty((0, 4), np.float32))
    assert rank(candidates, unit(np.ones(4)), Fusion(0.3)).order.size == 0


def test_an_empty_pool_passes_through_whitening():
    whitening = fit_whitening([unit(RNG.normal(size=(50, 4)))])
    candidates = pool([], [], vectors=np.empty((0, 4), np.float32))
    assert rank(candidates, unit(np.ones(4)), Fusion(0.3), whitening).fused.size == 0
