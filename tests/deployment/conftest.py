from __future__ import annotations

import pytest

from jargonaut.deployment.workerd_binary import find_workerd


@pytest.fixture(scope="session")
def workerd():
    return find_workerd()
