"""What to rank with while nothing is known of the questions: by the kind of encoder, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jargonaut.encoding.port import Encoder
from jargonaut.ranking.fit import CONTEXTUAL_WEIGHT, STATIC_WEIGHT
from jargonaut.ranking.whitening import CONTEXTUAL_EXPONENT, STATIC_EXPONENT

_SAME = 1 - 1e-5
_PROBE = ("pump valve pump motor pump", "pump motor pump valve pump")
"""The same words in another order, such that no tokenizer sees other tokens."""


@dataclass(frozen=True, slots=True)
class SafeRanking:
    """Weights that lose little anywhere."""

    lexical_weight: float
    exponent: float
    """Of the whitening."""


CONTEXTUAL = SafeRanking(CONTEXTUAL_WEIGHT, CONTEXTUAL_EXPONENT)
STATIC = SafeRanking(STATIC_WEIGHT, STATIC_EXPONENT)


def safe_ranking(encoder: Encoder) -> SafeRanking:
    """For an encoder that reads the order of words, or for a table that has one vector a token: it is tried."""
    one, other = encoder.encode_documents(_PROBE)
    return STATIC if float(np.dot(one, other)) > _SAME else CONTEXTUAL
