import numpy as np
import pytest

from jargonaut.core.errors import InputError, IntegrityError, NewerFormatError
from jargonaut.encoding.port import TokenVectors
from jargonaut.index.port import Candidates, Snapshot
from jargonaut.index.token_store import TokenStoreWriter, open_token_store
from jargonaut.ranking import token_projection
from jargonaut.ranking.agreement import ENOUGH, UnlabelledQuery, agreed_weight
from jargonaut.ranking.fit import WEIGHTS
from jargonaut.ranking.late_interaction import LateInteraction, LateScores
from jargonaut.ranking.token_projection import fit_projection, projection_from_bytes
from jargonaut.storage.local import LocalStorage

WORDS = 60


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


TABLE = unit(np.random.default_rng(0).normal(size=(WORDS, 32)) @ np.diag(np.linspace(2, 0.05, 32)))


def text(*ids):
    return TokenVectors(np.array(ids, np.int32), TABLE[list(ids)])


def interaction(tmp_path, texts, width=32):
    projection = fit_projection([TABLE], width)
    storage, snapshot = LocalStorage(tmp_path), Snapshot("t", 1)
    writer = TokenStoreWriter(storage, "t", projection.digest)
    for chunk, tokens in texts.items():
        writer.add(chunk, tokens.ids, projection.quantised(tokens.vectors))
    writer.finish(snapshot, texts)
    return LateInteraction(projection, open_token_store(storage, snapshot, projection.digest))


TEXTS = {"a": text(1, 2, 3), "b": text(1, 4, 5, 6), "c": text(7, 8), "d": text(1, 1, 9)}


def test_the_text_with_the_words_of_the_question_matches_best(tmp_path):
    late = interaction(tmp_path, TEXTS)
    scores = late.scores(("a", "b", "c", "d", "gone"), text(1, 4))
    assert int(np.nanargmax(scores.score)) == 1
    assert np.isnan(scores.score[4])
    assert 0 < scores.share < 1


def test_it_is_maxsim_by_idf_and_the_way_back_as_much_as_the_question_is_long(tmp_path):
    late = interaction(tmp_path, TEXTS)
    question, other = text(1, 4), text(1, 2, 3)
    cosine = question.vectors @ other.vectors.T
    idf = np.log1p(4 / np.array([3, 1]))
    relative = 2 / (2 + 12 / 4)
    expected = cosine.max(1) @ (idf / idf.sum()) + relative * cosine.max(0).mean()
    scores = late.scores(("a", "b", "c", "d"), question)
    assert scores.score[0] == pytest.approx(expected, abs=0.03)  # one byte a number
    assert scores.share == pytest.approx(1 - relative)


def test_a_long_question_counts_for_less(tmp_path):
    late = interaction(tmp_path, TEXTS)
    ids = tuple(TEXTS)
    shares = [late.scores(ids, text(*range(length))).share for length in (1, 4, 20, 59)]
    assert shares == sorted(shares, reverse=True)


def test_a_question_without_a_token_says_nothing(tmp_path):
    scores = interaction(tmp_path, TEXTS).scores(tuple(TEXTS), text())
    assert np.isnan(scores.score).all()
    assert scores.share == 0


def test_a_narrow_projection_keeps_cosines_that_matter():
    projection = fit_projection([TABLE], 16)
    again = projection.quantised(TABLE).astype(np.float32)
    again /= np.linalg.norm(again, axis=1, keepdims=True)
    off_diagonal = ~np.eye(WORDS, dtype=bool)
    error = np.abs(again @ again.T - TABLE @ TABLE.T)[off_diagonal]
    assert error.mean() < 0.05
    assert again.shape == (WORDS, 16)


def test_a_projection_is_read_as_it_was_written_or_refused(monkeypatch):
    projection = fit_projection([TABLE], 8)
    data = projection.to_bytes()
    assert projection_from_bytes(data).digest == projection.digest
    for wrong in (data[:50], b"", data[:-4] + b"\xff\xff\xff\xff"):
        with pytest.raises(IntegrityError):
            projection_from_bytes(wrong)
    monkeypatch.setattr(token_projection, "FORMAT", 0)
    with pytest.raises(NewerFormatError):
        projection_from_bytes(data)
    with pytest.raises(InputError, match="no token"):
        fit_projection([])


def queries(lexical_truth, n=ENOUGH, seed=0):
    """Pools in which what the tokens match best is found by its words (truth 1) or by its vector (0)."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        vectors, query = unit(rng.normal(size=(40, 16))), unit(rng.normal(size=16))
        first = int(rng.integers(40))
        bm25 = rng.random(40) + 0.01
        bm25[first] += 1.5 * lexical_truth
        vectors[first] = unit(vectors[first] + 2.5 * (1 - lexical_truth) * query)
        ids = tuple(f"c{i:02}" for i in range(40))
        score = rng.random(40).astype(np.float32)
        score[first] = 2
        candidates = Candidates(ids, ids, vectors @ query, bm25.astype(np.float32), vectors)
        made.append(UnlabelledQuery(candidates, query, LateScores(score, 1.0)))
    return made


def test_the_weight_goes_where_the_tokens_point():
    words, vectors = agreed_weight(queries(1.0), None, 0.3), agreed_weight(queries(0.0), None, 0.8)
    assert words.lexical_weight > 0.5 > vectors.lexical_weight
    assert words.queries == ENOUGH
    assert len(words.agreement) == len(WEIGHTS)


def test_where_agreement_is_flat_the_safe_weight_stays():
    flat = queries(0.0)
    agreed = agreed_weight(flat, None, 0.2)
    assert agreed.agreement[:4] == (1.0,) * 4
    assert agreed.lexical_weight == 0.2


def test_too_few_questions_keep_the_safe_weight():
    assert agreed_weight(queries(1.0, ENOUGH - 1), None, 0.3).lexical_weight == 0.3
    unknown = [UnlabelledQuery(q.candidates, q.vector, LateScores(q.late.score * np.nan, 0.0)) for q in queries(1.0)]
    assert agreed_weight(unknown, None, 0.3).queries == 0
