import numpy as np
import pytest

from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError
from jargonaut.core.proof import proof_from_json
from jargonaut.index.port import Candidates
from jargonaut.proof.judge import (
    JudgingQuery,
    RankedChunks,
    Target,
    Trial,
    groups_of,
    items,
    judge,
    ranked_chunks,
    score_rows,
    section_rank,
    split_halves,
)
from jargonaut.ranking.fuse import Ranking

FILLER = tuple(f"x{i}" for i in range(20))


def query(n=0, hidden=()):
    return JudgingQuery(
        f"question {n}", f"doc{n}", frozenset({f"g{n}.0", f"g{n}.1"}), frozenset(hidden), "headings", "A"
    )


def ranked(chunks):
    return RankedChunks(tuple(chunks), tuple(f"doc-{chunk}" for chunk in chunks))


def at(rank, n=0):
    return ranked([*FILLER[: rank - 1], f"g{n}.0", *FILLER[rank:], f"g{n}.1"])


def trial(**changes):
    fields = {
        "candidate": "c" * 32,
        "baseline": "b" * 32,
        "revision": "r" * 32,
        "candidate_row": "fused tuned",
        "baseline_row": "fused base",
        "query_source": "headings",
        "queries_chosen_on": 10,
        "documents_held_out": 50,
        "lineage": {"overlap": "0"},
    }
    return Trial(**{**fields, **changes})


def test_the_section_counts_at_its_first_chunk():
    assert section_rank(ranked(["x", "g0.1", "g0.0"]), query()) == 2
    assert section_rank(ranked(["x", "y"]), query()) is None


def test_hidden_chunks_and_documents_are_cut_first():
    chunks = RankedChunks(("a", "b", "g0.0"), ("citing", "other", "doc0"))
    assert section_rank(chunks, query()) == 3
    assert section_rank(chunks, query(hidden=["a"])) == 2
    assert section_rank(chunks, query(hidden=["a", "other"])) == 1


def graded(hidden=(), by_document=False):
    targets = (Target(frozenset({"a1", "a2"}), 3, "a"), Target(frozenset({"b1"}), 1, "b"))
    return JudgingQuery(
        "q", "a", frozenset({"a1", "a2", "b1"}), frozenset(hidden), targets=targets, by_document=by_document
    )


def test_several_answers_count_by_their_grades_and_each_once():
    ranking = RankedChunks(("b1", "x", "a2", "a1", "y"), ("b", "x", "a", "a", "y"))
    assert items(ranking, graded()) == ["target 1", "x", "target 0", "y"]
    assert section_rank(ranking, graded()) == 1
    scores = score_rows({"r": [ranking]}, [graded()])["r"]
    assert scores.ndcg_at_10[0] == pytest.approx((1 + 3 / 2) / (3 + 1 / np.log2(3)))
    assert scores.recall_at_5[0] == 1


def test_whole_documents_are_ranked_by_their_first_chunk():
    ranking = RankedChunks(("x1", "x2", "x3", "a1"), ("x", "x", "x", "a"))
    assert section_rank(ranking, graded()) == 4
    assert section_rank(ranking, graded(by_document=True)) == 2


def test_a_question_is_resampled_with_its_near_duplicates():
    queries = [JudgingQuery(f"q{n}", f"d{n}", frozenset({"c"}), cluster=f"k{n // 2}") for n in range(40)]
    halves = split_halves(queries, seed=3)
    assert not {q.cluster for q in halves.chosen_on} & {q.cluster for q in halves.judged_on}
    assert groups_of(queries)[:4] == ["k0", "k0", "k1", "k1"]


def test_rows_are_scored_by_the_rank_of_the_section():
    queries = [query(n) for n in range(40)]
    rows = {
        "fused base": [at(3, n) for n in range(40)],
        "fused tuned": [at(1, n) for n in range(40)],
        "bm25": [at(12, n) for n in range(40)],
    }
    judgement = judge(rows, queries, trial())
    by_name = {row.name: row for row in judgement.proof.rows}
    assert by_name["fused base"].ndcg_at_10.mean == pytest.approx(0.5)
    assert by_name["fused base"].mrr_at_10.mean == pytest.approx(1 / 3)
    assert by_name["bm25"].recall_at_10.mean == 0
    assert judgement.proof.verdict == "better"
    assert judgement.proof.promotes
    assert judgement.proof.comparison.difference.mean == pytest.approx(0.5)
    assert (judgement.outcomes[0].baseline_rank, judgement.outcomes[0].candidate_rank) == (3, 1)


def test_without_a_live_recipe_the_verdict_is_unproven():
    proof = judge(
        {"bm25": [at(2, n) for n in range(40)], "base": [at(1, n) for n in range(40)]},
        [query(n) for n in range(40)],
        trial(baseline="", baseline_row="bm25", candidate_row="base"),
    ).proof
    assert proof.verdict == "unproven"
    assert not proof.promotes
    assert proof.comparison.wins == 40
    assert proof.reason.startswith("There was no live recipe")


def test_queries_on_one_document_are_one_piece_of_evidence():
    queries = [JudgingQuery(f"q{n}", "the one", frozenset({f"g{n}.0"})) for n in range(60)]
    rows = {"fused base": [at(5, n) for n in range(60)], "fused tuned": [at(1, n) for n in range(60)]}
    assert judge(rows, queries, trial()).proof.verdict == "cannot tell"


def test_the_proof_survives_json():
    rows = {"fused base": [at(2)], "fused tuned": [at(1)]}
    proof = judge(rows, [query()], trial()).proof
    assert proof_from_json(proof.to_json()) == proof
    assert proof_from_json(proof.to_json()).id == proof.id


HALF = {"mean": 0.5, "low": 0.4, "high": 0.6}
FORMAT_1 = {
    "kind": "proof", "format": 1, "candidate": "c", "baseline": "b", "revision": "r", "query_source": "headings",
    "queries_chosen_on": 3, "queries_judged_on": 4, "documents_held_out": 5, "level": 0.001, "resolves": 0.1,
    "rows": [{"name": "bm25", **dict.fromkeys(("ndcg_at_10", "recall_at_10", "mrr_at_10"), HALF)}],
    "comparison": {
        "baseline": "a", "candidate": "b", "difference": {"mean": 0.1, "low": 0.0, "high": 0.2}, "p_value": 0.01,
        "wins": 1, "losses": 2, "ties": 3, "measure": "nDCG@10",
    },
    "verdict": "cannot tell", "reason": "x", "lineage": {"common_texts": "0"},
}  # fmt: skip


def test_a_proof_of_the_format_before_is_read():
    proof = proof_from_json(FORMAT_1)
    assert proof.rows[0].recall_at_100 is None
    assert (proof.parts, proof.opinions, proof.look) == ((), (), 1)
    assert proof_from_json(proof.to_json()) == proof
    with pytest.raises(NewerFormatError, match="format 99"):
        proof_from_json({**FORMAT_1, "format": 99})
    with pytest.raises(IntegrityError):
        proof_from_json({"kind": "proof", "format": 2})


def test_the_same_input_gives_the_same_proof():
    rng = np.random.default_rng(0)
    rows = {
        name: [at(int(r), n) for n, r in enumerate(rng.integers(1, 15, 50))] for name in ("fused base", "fused tuned")
    }
    queries = [query(n) for n in range(50)]
    assert judge(rows, queries, trial()).proof.id == judge(rows, queries, trial()).proof.id


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="no question"):
        judge({"fused base": [], "fused tuned": []}, [], trial())
    with pytest.raises(InputError, match="was not measured"):
        judge({"fused base": [at(1)]}, [query()], trial())
    with pytest.raises(InputError, match="2 rankings for 1"):
        judge({"fused base": [at(1)], "fused tuned": [at(1), at(2)]}, [query()], trial())


def test_halves_are_disjoint_by_document_and_follow_the_seed():
    queries = [JudgingQuery(f"q{n}", f"doc{n % 100}", frozenset({"g"})) for n in range(400)]
    halves = split_halves(queries, seed=1)
    chosen, judged = ({q.document_id for q in half} for half in (halves.chosen_on, halves.judged_on))
    assert not chosen & judged
    assert len(halves.chosen_on) + len(halves.judged_on) == 400
    assert 30 <= len(judged) <= 70
    assert split_halves(queries[::-1], seed=1).judged_on[::-1] == halves.judged_on
    assert split_halves(queries, seed=2) != halves


def test_ranked_chunks_follow_the_ranking():
    none = np.full(3, np.nan, np.float32)
    candidates = Candidates(("a", "b", "c"), ("d1", "d2", "d3"), none, none, None)
    ranking = Ranking(np.array([2, 0, 1]), np.zeros(3), none, none, none, none)
    assert ranked_chunks(candidates, ranking) == RankedChunks(("c", "a", "b"), ("d3", "d1", "d2"))
