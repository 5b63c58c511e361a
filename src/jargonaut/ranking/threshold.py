"""When to say "the documents do not say": one rule, and how its threshold is set for a recipe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jargonaut.core.errors import InputError
from jargonaut.index.analysis import identifiers, index_terms
from jargonaut.index.port import Vector
from jargonaut.ranking.question_words import subject_terms

WRONGLY_ABSTAINED = 0.05
"""Largest share of answerable questions that the fitted threshold may turn away."""
FOREIGN_COVERAGE = 0.4
"""Share of a question's terms that a passage must hold where the encoder does not read the question's language."""
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_STRAY = 0.95
"""Share of off-domain probes that count: a few of them may, by chance, be the very subject of the documents."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the top passages match a question."""

    score: float
    """Best raw cosine; of a lexical recipe: best coverage of the question's terms. 0 without passages."""
    identifier: str = ""
    """An identifier of the question that a passage holds verbatim, or empty."""
    foreign_coverage: float = 0.0
    """Best coverage of the question's terms, if the encoder does not read the question's language; else 0."""

    def answers(self, threshold: float) -> bool:
        """Whether to answer.

        The score reaches `threshold`, or an identifier was found to the letter, or, where the cosine means nothing
        because the encoder does not read the language, enough of the question's terms were found.
        """
        return self.score >= threshold or bool(self.identifier) or self.foreign_coverage >= FOREIGN_COVERAGE


def evidence(question: str, passages: Sequence[str], cosine: Vector, languages: Sequence[str] = ()) -> Evidence:
    """Weigh the top passages.

    Args:
        question: As asked.
        passages: Heading path and text of the top chunks, and of their parents.
        cosine: Raw cosines of the top chunks; NaN for a lexical recipe.
        languages: That the encoder reads; all if empty.
    """
    if not passages:
        return Evidence(0.0)
    lexical = bool(np.isnan(cosine).any())
    foreign = not lexical and bool(languages) and "zh" not in languages and bool(_HAN.search(question))
    covered = max(coverage(question, passage) for passage in passages) if lexical or foreign else 0.0
    score = covered if lexical else float(cosine.max())
    named = identifiers(question)
    found = sorted(name for name in named if any(name in identifiers(passage) for passage in passages)) if named else []
    return Evidence(score, found[0] if found else "", covered if foreign else 0.0)


def coverage(question: str, passage: str) -> float:
    """Share of the different terms of the question's subject that the passage holds; 0 if the question has none."""
    wanted = subject_terms(question)
    return len(wanted & set(index_terms(passage))) / len(wanted) if wanted else 0.0


def fit_threshold(answerable: ArrayLike, unanswerable: ArrayLike) -> float:
    """Threshold for a recipe, from the scores of development questions and of off-domain probes.

    At most `WRONGLY_ABSTAINED` of the answerable questions may fall below it. If the probes (all but the highest 5 %)
    stay lower still, it lies halfway between the two, which leaves room for questions worded less like the documents
    than the development questions are; otherwise it is as high as that limit allows.

    Args:
        answerable: Scores of questions that the documents answer; at least one.
        unanswerable: Scores of questions that they do not; may be empty.

    Raises:
        InputError: There is no answerable question.
    """
    positive, negative = np.asarray(answerable, dtype=np.float64), np.asarray(unanswerable, dtype=np.float64)
    if not positive.size:
        raise InputError("A threshold cannot be fitted without questions that the documents answer.")
    highest = float(np.quantile(positive, WRONGLY_ABSTAINED, method="lower"))
    if not negative.size:
        return highest
    reached = float(np.quantile(negative, _STRAY, method="higher"))
    return (highest + reached) / 2 if reached < highest else highest
