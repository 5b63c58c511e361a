import numpy as np

from jargonaut.index.port import Candidates
from jargonaut.ranking.fit import CONTEXTUAL_WEIGHT, STATIC_WEIGHT, WEIGHTS, DevelopmentQuery, fit_fusion
from jargonaut.ranking.whitening import fit_whitening


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def queries(lexical_truth, n=150, seed=0, noise=1.0):
    """Pools of 40 whose gold the lexical list finds (truth 1), or the vectors do (0), or both in part."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        vectors, query = unit(rng.normal(size=(40, 16))), unit(rng.normal(size=16))
        gold = int(rng.integers(40))
        bm25 = rng.random(40) * noise + 0.01
        bm25[gold] += 1.5 * lexical_truth
        vectors[gold] = unit(vectors[gold] + 2.5 * (1 - lexical_truth) * query)
        ids = tuple(f"c{i:02}" for i in range(40))
        candidates = Candidates(ids, ids, vectors @ query, bm25.astype(np.float32), vectors)
        made.append(DevelopmentQuery(candidates, query, frozenset({f"c{gold:02}"})))
    return made


def test_without_queries_the_safe_choice_is_kept():
    choice = fit_fusion([], None, STATIC_WEIGHT)
    assert (choice.lexical_weight, choice.whitened) == (STATIC_WEIGHT, False)


def test_a_clear_advantage_moves_the_weight():
    assert fit_fusion(queries(1.0), None).lexical_weight > 0.5
    assert fit_fusion(queries(0.0), None).lexical_weight < 0.3


def test_where_nothing_matters_the_safe_weight_stays():
    hopeless = [DevelopmentQuery(q.candidates, q.vector, frozenset({"absent"})) for q in queries(0.5, n=40)]
    for safe in (CONTEXTUAL_WEIGHT, STATIC_WEIGHT):
        choice = fit_fusion(hopeless, None, safe)
        assert (choice.lexical_weight, choice.ndcg) == (safe, 0.0)


def test_the_choice_is_nearer_the_safe_one_than_the_best_and_loses_at_most_a_standard_error():
    for seed in range(5):
        choice = fit_fusion(queries(0.5, n=60, seed=seed, noise=2.0), None)
        assert choice.best_weight in WEIGHTS
        assert abs(choice.lexical_weight - CONTEXTUAL_WEIGHT) <= abs(choice.best_weight - CONTEXTUAL_WEIGHT)
        assert choice.best_ndcg - 0.06 <= choice.ndcg <= choice.best_ndcg


def test_whitening_is_kept_where_it_helps_and_dropped_where_it_harms():
    rng = np.random.default_rng(3)
    crowd = np.zeros(16)
    crowd[0] = 1

    def pools(harmful):
        made = []
        for _ in range(120):
            meaning = rng.normal(size=(40, 16)) * 0.3
            loud = rng.normal(size=40) * 1.5
            gold = int(rng.integers(40))
            query = rng.normal(size=16) * 0.3
            meaning[gold] = query if not harmful else rng.normal(size=16) * 0.3
            if harmful:
                loud[gold] = 4.0
            vectors, asked = unit(meaning + np.outer(loud + 3, crowd)), unit(query + 6 * crowd)
            ids = tuple(f"c{i:02}" for i in range(40))
            candidates = Candidates(ids, ids, vectors @ asked, np.zeros(40, np.float32), vectors)
            made.append(DevelopmentQuery(candidates, asked, frozenset({f"c{gold:02}"})))
        return made

    helped, harmed = pools(False), pools(True)
    assert fit_fusion(helped, fit_whitening([q.candidates.vectors for q in helped], 1.0)).whitened
    assert not fit_fusion(harmed, fit_whitening([q.candidates.vectors for q in harmed], 1.0)).whitened


def test_hidden_chunks_and_documents_are_cut_before_judging():
    plain = queries(0.0, n=30)
    order = [np.argsort(-q.candidates.cosine) for q in plain]
    second = [frozenset({q.candidates.chunk_ids[o[1]]}) for q, o in zip(plain, order, strict=True)]
    first = [frozenset({q.candidates.document_ids[o[0]]}) for q, o in zip(plain, order, strict=True)]
    zeroed = [np.zeros_like(q.candidates.bm25) for q in plain]
    made = [
        DevelopmentQuery(
            Candidates(q.candidates.chunk_ids, q.candidates.document_ids, q.candidates.cosine, b, q.candidates.vectors),
            q.vector,
            gold,
            hidden,
        )
        for q, b, gold, hidden in zip(plain, zeroed, second, first, strict=True)
    ]
    assert fit_fusion(made, None).ndcg == 1.0
