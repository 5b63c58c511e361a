"""A sample of `make soak`: nobody gets what is not theirs, or what is no longer so."""

from benchmarks.edge_isolation import soak_part


def test_nothing_crosses_and_nothing_outlives_its_bound():
    tally = soak_part(400, seed=11)
    assert tally.failures == []
    assert tally.requests == 400
    # It would show nothing if nothing was stored, changed or broken.
    assert tally.labels["HIT"] > 50
    assert tally.labels["BYPASS"] > 0
    assert {"401", "400"} <= set(tally.statuses)
