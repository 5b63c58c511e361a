import numpy as np
import pytest
from safetensors import numpy as tensors

from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError
from jargonaut.ranking import whitening as module
from jargonaut.ranking.whitening import fit_whitening, whitening_from_bytes, with_references


def anisotropic(rows=3000, d=16, seed=0):
    """Unit vectors that crowd around one direction, as those of sentence encoders do."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, d)) * np.linspace(1, 0.1, d) + 2
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_full_whitening_without_floor_gives_unit_covariance():
    vectors = anisotropic()
    whitening = fit_whitening([vectors], exponent=1.0, epsilon=1e-9)
    moved = (vectors - whitening.mean) @ whitening.matrix
    np.testing.assert_allclose(np.cov(moved.T, bias=True), np.eye(16), atol=0.05)


def test_exponent_zero_only_centres():
    whitening = fit_whitening([anisotropic()], exponent=0.0)
    np.testing.assert_allclose(whitening.matrix, np.eye(16), atol=1e-6)


def test_soft_whitening_spreads_crowded_vectors():
    vectors = anisotropic()
    moved = fit_whitening([vectors]).apply(vectors)
    assert (vectors @ vectors.T).mean() > 0.8
    assert abs((moved @ moved.T).mean()) < 0.01
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)


def test_a_vector_at_the_mean_becomes_zero_and_not_nan():
    whitening = fit_whitening([np.eye(4, dtype=np.float32), -np.eye(4, dtype=np.float32)])
    assert not whitening.apply(np.zeros((1, 4), dtype=np.float32)).any()


def test_fewer_rows_than_dimensions_is_finite():
    vectors = anisotropic(rows=5, d=64)
    assert np.isfinite(fit_whitening([vectors], exponent=1.0).apply(vectors)).all()


@pytest.mark.parametrize("batches", [[], [np.ones((1, 4), np.float32)], [np.ones((9, 4), np.float32)]])
def test_too_little_to_learn_from_is_refused(batches):
    with pytest.raises(InputError, match="two different vectors"):
        fit_whitening(batches)


def test_streaming_equals_one_batch():
    vectors = anisotropic()
    assert fit_whitening(vectors[i : i + 70] for i in range(0, 3000, 70)).digest == fit_whitening([vectors]).digest


def test_a_large_corpus_is_sampled_uniformly(monkeypatch):
    monkeypatch.setattr(module, "SAMPLE_ROWS", 400)
    ordered = np.linspace(0, 1, 4000, dtype=np.float32)[:, None] * np.ones(2, np.float32)
    mean = fit_whitening(ordered[i : i + 100] for i in range(0, 4000, 100)).mean
    assert mean == pytest.approx(0.5, abs=0.06)


def test_bytes_round_trip_and_are_stable():
    whitening = fit_whitening([anisotropic()], exponent=0.25, epsilon=0.1)
    again = whitening_from_bytes(whitening.to_bytes())
    assert again.digest == whitening.digest
    assert (again.exponent, again.epsilon) == (0.25, 0.1)
    np.testing.assert_array_equal(again.matrix, whitening.matrix)


def test_damaged_bytes_are_an_integrity_error():
    data = fit_whitening([anisotropic()]).to_bytes()
    broken = tensors.load(data)
    not_finite = tensors.save({**broken, "matrix": broken["matrix"] * np.float32("nan")})
    missing = tensors.save({"mean": broken["mean"]})
    for bad in (b"", data[:-4], not_finite, missing):
        with pytest.raises(IntegrityError):
            whitening_from_bytes(bad)


def test_a_newer_format_says_so():
    read = tensors.load(fit_whitening([anisotropic()]).to_bytes())
    with pytest.raises(NewerFormatError):
        whitening_from_bytes(tensors.save({**read, "format": np.array([99])}))


def test_hubs_are_what_is_near_to_many():
    vectors = anisotropic(400)
    whitening = with_references(fit_whitening([vectors]), vectors)
    taken = whitening.hubness(np.concatenate([whitening.apply(vectors[:50]), np.zeros((1, 16), np.float32)]))
    assert taken[-1] == pytest.approx(0)
    assert (taken[:-1] > 0).all()
    nearest = np.sort(whitening.apply(vectors[:1]) @ whitening.references.T)[0, -10:]
    assert taken[0] == pytest.approx(0.25 * nearest.mean(), abs=1e-6)


def test_references_are_part_of_the_artifact_and_without_them_it_is_written_as_ever():
    vectors = anisotropic(300)
    plain = fit_whitening([vectors])
    assert tensors.load(plain.to_bytes()).keys() == {"format", "mean", "matrix", "softness"}
    assert tensors.load(plain.to_bytes())["format"][0] == 1
    assert not plain.hubness(vectors).any()
    hubs = with_references(plain, vectors)
    again = whitening_from_bytes(hubs.to_bytes())
    np.testing.assert_array_equal(again.references, hubs.references)
    assert again.digest == hubs.digest != plain.digest
