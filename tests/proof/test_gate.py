import numpy as np
import pytest

from jargonaut.proof.gate import NON_INFERIORITY_MARGIN, Contest, Gate, decide, odds, points
from jargonaut.proof.intervals import randomisation_p, smallest_certain
from jargonaut.proof.parts import compare_parts, holm

GAINS = np.array([0, *(1 / np.log2(np.arange(10, 0, -1) + 1))])


def contest(baseline, candidate, groups=None):
    return Contest("fused base", "fused tuned", np.asarray(baseline, float), np.asarray(candidate, float), groups)


def scores(rng, n, shift=0.0):
    """NDCG@10 of one relevant section: only the eleven values that it can have."""
    places = np.clip(np.round(rng.normal(6 + 10 * shift, 4, n)), 0, 10).astype(int)
    return GAINS[places]


def test_a_clear_gain_is_better():
    rng = np.random.default_rng(1)
    baseline = scores(rng, 200)
    decision = decide(contest(baseline, np.minimum(1, baseline + 0.2)), Gate())
    assert decision.verdict == "better"
    assert "200 judging questions resolve about" in decision.reason
    assert "less than once in a million tries" in decision.reason
    assert decision.comparison.losses == 0


def test_a_clear_loss_is_worse():
    rng = np.random.default_rng(1)
    baseline = scores(rng, 200)
    decision = decide(contest(baseline, np.maximum(0, baseline - 0.2)), Gate())
    assert decision.verdict == "worse"
    assert decision.comparison.difference.high < 0
    assert decision.comparison.p_value > 0.999


def test_no_difference_cannot_be_told():
    rng = np.random.default_rng(2)
    decision = decide(contest(scores(rng, 100), scores(rng, 100)), Gate())
    assert decision.verdict == "cannot tell"


def test_too_few_queries_decide_nothing_however_good():
    decision = decide(contest(np.zeros(29), np.ones(29)), Gate())
    assert decision.verdict == "cannot tell"
    assert "fewer than 30" in decision.reason
    assert decide(contest(np.zeros(30), np.ones(30)), Gate()).verdict == "better"


def test_many_queries_on_few_documents_cannot_tell():
    groups = [f"d{i % 6}" for i in range(120)]
    decision = decide(contest(np.zeros(120), np.full(120, 0.3), groups), Gate())
    assert decision.verdict == "cannot tell"
    assert "about 6 documents" in decision.reason


def test_wins_losses_and_ties_add_up():
    comparison = decide(contest([0.5] * 40, [0.6] * 25 + [0.5] * 10 + [0.4] * 5), Gate()).comparison
    assert (comparison.wins, comparison.ties, comparison.losses) == (25, 10, 5)


NOT_INFERIOR = Gate(margin=NON_INFERIORITY_MARGIN)


def test_the_same_answers_are_not_inferior():
    same = scores(np.random.default_rng(3), 100)
    decision = decide(contest(same, same), NOT_INFERIOR)
    assert decision.verdict == "not inferior"
    assert "less than the 1.0 allowed" in decision.reason


def test_a_loss_within_the_margin_is_not_inferior_and_beyond_it_worse():
    baseline = np.full(100, 0.8)
    assert decide(contest(baseline, baseline - 0.005), NOT_INFERIOR).verdict == "not inferior"
    assert decide(contest(baseline, baseline - 0.02), NOT_INFERIOR).verdict == "worse"


def test_a_loss_that_cannot_be_ruled_out_is_not_promoted():
    rng = np.random.default_rng(4)
    decision = decide(contest(scores(rng, 60), scores(rng, 60)), NOT_INFERIOR)
    assert decision.verdict == "cannot tell"
    assert "cannot be ruled out" in decision.reason


def test_under_the_null_promotion_is_as_rare_as_the_level():
    """Two systems with the same chances: at level .05, 200 trials promote 10 on average; 21 would be 1 in 1,000."""
    promoted = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        promoted += decide(contest(scores(rng, 80), scores(rng, 80)), Gate(level=0.05, seed=seed)).verdict == "better"
    assert promoted <= 20


def test_under_the_null_questions_that_share_documents_do_not_promote_more():
    """A whole document's luck goes one way; without groups this test promotes four times as often."""
    promoted = 0
    groups = [f"d{i // 8}" for i in range(160)]
    for seed in range(200):
        rng = np.random.default_rng(seed)
        luck = np.repeat(rng.normal(0, 0.2, 20), 8) + rng.normal(0, 0.1, 160)
        pair = contest(np.full(160, 0.5), 0.5 + luck, groups)
        promoted += decide(pair, Gate(level=0.05, seed=seed)).verdict == "better"
    assert promoted <= 21


def test_an_effect_of_the_declared_size_is_promoted_in_nineteen_of_twenty():
    level, n = 0.001, 120
    effect = smallest_certain(np.random.default_rng(0).normal(0, 0.25, 20_000), level, scale=n / 20_000)
    promoted = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        baseline = rng.uniform(0.2, 0.6, n)
        pair = contest(baseline, baseline + rng.normal(effect, 0.25, n))
        promoted += decide(pair, Gate(level=level, seed=seed)).verdict == "better"
    assert promoted / 120 >= 0.9


def test_small_gains_that_rare_losses_could_pay_for_are_not_enough():
    baseline = np.full(60, 0.6)
    decision = decide(contest(baseline, baseline + 0.02), Gate())
    assert decision.comparison.p_value < 1e-9
    assert decision.verdict == "cannot tell"
    assert "paid for by rare losses" in decision.reason
    assert decide(contest(np.full(600, 0.6), np.full(600, 0.62)), Gate()).verdict == "better"


def test_a_gain_on_average_that_harms_one_language_is_not_promoted():
    rng = np.random.default_rng(5)
    baseline = np.full(200, 0.5)
    languages = ["en"] * 160 + ["zh"] * 40
    gains = np.concatenate([rng.normal(0.2, 0.1, 160), rng.normal(-0.2, 0.1, 40)])
    pair = Contest("live", "new", baseline, baseline + gains, parts={"language": languages})
    decision = decide(pair, Gate())
    assert decision.comparison.p_value <= 0.001
    assert decision.verdict == "uneven"
    assert "language zh: −" in decision.reason
    assert [part.harmed for part in decision.parts] == [False, True]
    harmless = Contest("live", "new", baseline, baseline + np.abs(gains), parts={"language": languages})
    assert decide(harmless, Gate()).verdict == "better"
    assert decide(pair, Gate(margin=0.01)).verdict == "uneven"


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_parts_without_a_loss_are_called_harmed_as_rarely_as_the_level_says():
    """Ten parts, nothing lost anywhere: at .05 for all, 200 trials give 10 on average; 21 would be 1 in 1,000."""
    alarms = 0
    for seed in range(200):
        of_part = np.random.default_rng(seed).normal(0, 0.2, (10, 20))
        alarms += min(holm([randomisation_p(-differences) for differences in of_part])) <= 0.05
    assert alarms <= 20


def test_small_parts_are_looked_at_together():
    names = ["en"] * 50 + [f"source {i}" for i in range(30)]
    differences = np.concatenate([np.full(50, 0.1), np.full(30, -0.2)])
    parts = compare_parts(differences, {"documents": names}, None, 0.05, 0)
    assert [(part.name, part.queries, part.harmed) for part in parts] == [("all others", 30, True), ("en", 50, False)]
    assert compare_parts(differences, {"language": ["en"] * 80}, None, 0.05, 0) == ()


@pytest.mark.parametrize(
    ("p_value", "text"),
    [
        (1e-7, "less than once in a million tries"),
        (5e-6, "once in 200,000 tries"),
        (0.001, "once in 1,000 tries"),
        (1 / 6667, "once in 6,700 tries"),
        (0.03, "once in 33 tries"),
        (0.5, "in 50 of 100 tries"),
    ],
)
def test_odds_are_told_as_frequencies(p_value, text):
    assert odds(p_value) == text


def test_points():
    assert points(0.0614) == "+6.1"
    assert points(-0.005) == "−0.5"
    assert points(-0.0001) == "0.0"
    assert points(0.05, signed=False) == "5.0"
