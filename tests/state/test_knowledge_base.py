import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.scope import Scope
from jargonaut.state.knowledge_base import (
    Follower,
    KnowledgeBaseState,
    delete_documents,
    fold,
    permit_documents,
    record,
    restore_documents,
)
from jargonaut.state.port import Event
from jargonaut.state.sqlite import SqliteJournal

SCOPE = Scope("default", "handbook")


def promotion(release, raises=False, channel="live"):
    return {
        "channel": channel, "release": release, "recipe": "r", "revision": "v", "verdict": "unproven",
        "forced": False, "reason": "", "proof": "", "raises": raises,
    }  # fmt: skip


@pytest.fixture
def journal(tmp_path):
    journal = SqliteJournal(tmp_path / "state.sqlite")
    yield journal
    journal.close()


def test_a_delete_survives_promotions_and_rollbacks(journal):
    follower = Follower(journal, SCOPE)
    record(journal, SCOPE, "promoted", promotion("one"))
    receipt = delete_documents(journal, SCOPE, ["a.md"])
    record(journal, SCOPE, "promoted", promotion("two", raises=True))
    record(journal, SCOPE, "promoted", promotion("one", raises=True))
    state = follower.current()
    assert state.channels["live"].release == "one"
    assert set(state.deleted) == {"a.md"}
    assert receipt.generation == receipt.sequence == 2
    restore_documents(journal, SCOPE, ["a.md"])
    assert follower.current().deleted == {}


def test_additions_do_not_raise_the_generation_and_changes_do(journal):
    follower = Follower(journal, SCOPE)
    record(journal, SCOPE, "promoted", promotion("one", raises=False))
    assert follower.current().generation == 0
    record(journal, SCOPE, "promoted", promotion("two", raises=True))
    assert follower.current().generation == 2
    record(journal, SCOPE, "proved", {"recipe": "r"})
    assert follower.current().generation == 2
    permit_documents(journal, SCOPE, {"a.md": ("group:hr",)})
    assert follower.current().generation == 4


def test_the_last_permission_counts(journal):
    permit_documents(journal, SCOPE, {"a.md": ("group:hr",), "b.md": ("public",)})
    permit_documents(journal, SCOPE, {"a.md": ()})
    assert Follower(journal, SCOPE).current().permitted == {"a.md": (), "b.md": ("public",)}


EVENTS = st.one_of(
    st.builds(lambda u: ("deleted", {"uris": [u]}), st.sampled_from("abc")),
    st.builds(lambda u: ("restored", {"uris": [u]}), st.sampled_from("abc")),
    st.builds(lambda u: ("permitted", {"allow": {u: ["public"]}}), st.sampled_from("abc")),
    st.builds(lambda r, raises: ("promoted", promotion(r, raises)), st.sampled_from("xyz"), st.booleans()),
)


@given(st.lists(EVENTS, max_size=20), st.integers(0, 20))
def test_folding_in_two_steps_is_folding_in_one(kinds, cut):
    events = [Event(n + 1, kind, f"t{n}", body) for n, (kind, body) in enumerate(kinds)]
    whole = fold(KnowledgeBaseState(), events)
    assert fold(fold(KnowledgeBaseState(), events[:cut]), events[cut:]) == whole
    last = {u: kind for kind, body in kinds for u in body.get("uris", ())}
    assert set(whole.deleted) == {u for u, kind in last.items() if kind == "deleted"}
    assert whole.generation <= whole.sequence == len(events)
