"""What the gate is tried on is what it is said to be."""

import numpy as np
import pytest

from benchmarks import gate_simulated
from benchmarks.gate import FIRST


@pytest.mark.parametrize("make", gate_simulated.USELESS)
def test_what_is_called_useless_gains_nothing_and_does_not_pass(make):
    differences = [
        float((found.after - found.before).mean())
        for number in range(400)
        for found in [make(np.random.default_rng(number), 80)]
    ]
    assert np.mean(differences) <= 3 * np.std(differences) / np.sqrt(len(differences))
    assert not gate_simulated.promoted(make(np.random.default_rng(1), 80), FIRST)


def test_what_is_called_better_is_better_by_what_it_is_given():
    found = gate_simulated.drawn(np.random.default_rng(2), 4_000, gain=0.3)
    assert (found.after - found.before).mean() > 0.1
    assert gate_simulated.promoted(gate_simulated.drawn(np.random.default_rng(3), 150, gain=0.9), FIRST)
