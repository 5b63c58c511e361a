import itertools

import numpy as np
import pytest

from jargonaut.proof.intervals import (
    BOUNDED_LEVEL,
    bootstrap_interval,
    bounded_p,
    randomisation_p,
    smallest_certain,
    smallest_resolvable,
)

RNG = np.random.default_rng(11)


def test_bootstrap_matches_the_normal_interval_of_a_large_sample():
    values = RNG.normal(0.4, 0.3, 2000)
    interval = bootstrap_interval(values)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=half * 0.06)
    assert interval.high == pytest.approx(values.mean() + half, abs=half * 0.06)


def test_same_seed_same_interval():
    values = RNG.random(50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_ninety_five_percent_intervals_cover_about_as_often():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).binomial(1, 0.5, 80).astype(float)
        interval = bootstrap_interval(values, seed=seed)
        covered += interval.low <= 0.5 <= interval.high
    assert 180 <= covered <= 199


def test_questions_on_one_document_do_not_count_as_many():
    per_document = RNG.normal(0, 0.3, 12)
    values, documents = np.repeat(per_document, 20), [f"d{i}" for i in range(12) for _ in range(20)]
    alone, grouped = bootstrap_interval(values), bootstrap_interval(values, documents)
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)
    assert smallest_resolvable(values, 0.001, documents) > 3 * smallest_resolvable(values, 0.001)


def test_groups_of_one_change_nothing():
    values = RNG.normal(0.02, 0.2, 120)
    names = [f"d{i:03}" for i in range(120)]
    assert bootstrap_interval(values, names) == bootstrap_interval(values)
    assert randomisation_p(values, names) == randomisation_p(values)


def test_randomisation_agrees_with_all_sign_flips():
    values = np.array([0.5, 0.37, 0.63, -0.1, 0.2, 0.0, 0.13, -0.05, 0.3, 0.41])
    flips = np.array([np.dot(signs, values) for signs in itertools.product((1, -1), repeat=10)])
    assert randomisation_p(values) == pytest.approx(np.mean(flips >= values.sum() - 1e-9), abs=1e-3)


def test_randomisation_agrees_with_a_sample_of_sign_flips():
    values = RNG.normal(0.05, 0.3, 150)
    signs = RNG.choice((-1, 1), (40_000, 150))
    sampled = np.mean(signs @ values >= values.sum())
    assert randomisation_p(values) == pytest.approx(sampled, abs=4 * np.sqrt(sampled / 40_000) + 1e-4)


def test_p_is_counted_far_below_what_a_sample_could_tell():
    assert randomisation_p(np.full(40, 0.5)) == pytest.approx(2.0**-40)
    assert randomisation_p(np.full(40, -0.5)) == pytest.approx(1.0)
    assert randomisation_p(np.full(3_000, 0.5)) > 0
    assert randomisation_p(np.zeros(50)) == 1.0


def test_gains_and_losses_mirror_each_other():
    values = RNG.normal(0.02, 0.3, 90)
    assert randomisation_p(values) + randomisation_p(-values) == pytest.approx(1, abs=5e-3)


def test_few_documents_cannot_reach_a_small_level():
    values, documents = np.full(90, 0.4), [f"d{i % 5}" for i in range(90)]
    assert randomisation_p(values, documents) == pytest.approx(2**-5)


def test_eighty_queries_resolve_about_ten_points():
    values = RNG.permutation(np.concatenate([np.full(40, 0.19), np.full(40, -0.19)]))
    assert smallest_resolvable(values, 0.001) == pytest.approx(0.1, abs=0.005)
    assert smallest_certain(values, 0.001) == pytest.approx(0.12, abs=0.01)


def test_agreement_everywhere_does_not_resolve_everything():
    assert smallest_resolvable(np.zeros(100), 0.001) == pytest.approx(0.0483, abs=0.0005)


def test_more_questions_of_the_same_kind_resolve_as_is_foretold():
    values = RNG.normal(0, 0.2, 4_000)
    fewer = values[:400]
    assert smallest_certain(values, 0.001, scale=0.1) == pytest.approx(smallest_certain(fewer, 0.001), rel=0.1)


def test_the_bounded_test_keeps_its_level_where_rare_losses_pay_for_small_gains():
    """Forty questions, 30 gains of .02 for each loss of .6: the sign-flip test passes whoever had no loss."""
    rng = np.random.default_rng(2)
    lost = rng.random((400, 40)) < 1 / 31
    samples = np.where(lost, -0.6, 0.02)
    fooled = np.mean([randomisation_p(sample) <= 0.001 for sample in samples])
    held = np.mean([bounded_p(sample) <= BOUNDED_LEVEL for sample in samples])
    assert fooled > 0.1
    assert held == 0


def test_the_bounded_test_keeps_its_level_without_any_shape():
    rng = np.random.default_rng(3)
    for draw in (
        lambda: rng.choice((-1.0, 1.0), 50),
        lambda: rng.normal(0, 0.2, 50),
        lambda: rng.uniform(-0.5, 0.5, 50),
    ):
        assert np.mean([bounded_p(draw()) <= 0.05 for _ in range(400)]) <= 0.05
    assert bounded_p(np.full(60, 0.3)) < 1e-4
    assert bounded_p(np.full(60, -0.3)) == 1.0
