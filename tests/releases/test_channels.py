import dataclasses
from dataclasses import replace

import pytest

from jargonaut.core.document import document_id
from jargonaut.core.errors import ConflictError, IntegrityError, NewerFormatError, RefusedError, UnknownNameError
from jargonaut.core.release import FORMAT, EncoderRef, Fusion, Recipe, Release, Revision, from_json, to_json
from jargonaut.core.scope import LIVE, Scope
from jargonaut.index.port import IndexedDocument
from jargonaut.releases.channels import Promotion, compare_documents, promote, roll_back
from jargonaut.releases.registry import Registry
from jargonaut.releases.visibility import overlay, principals_used
from jargonaut.state.knowledge_base import Follower, delete_documents, permit_documents
from jargonaut.state.sqlite import SqliteJournal
from jargonaut.storage.local import LocalStorage

SCOPE = Scope("default", "kb")
RECIPE = Recipe(EncoderRef("e", "q", "s"), "c", "1", Fusion(0.3), 0.4, 5, "none", "extractive-1", "base")


@pytest.fixture
def registry(tmp_path):
    return Registry(LocalStorage(tmp_path / "artifacts"))


@pytest.fixture
def journal(tmp_path):
    journal = SqliteJournal(tmp_path / "state.sqlite")
    yield journal
    journal.close()


def documents(**digests):
    return {uri: IndexedDocument(uri, digest, ("public",)) for uri, digest in digests.items()}


def release_of(registry, held, recipe=RECIPE, version=1):
    revision = Revision("default", "kb", "t", version, "s", "c", "1", registry.put_documents(held), len(held), 1)
    release = Release(registry.put(recipe), registry.put(revision))
    registry.put(release)
    return release.id


def go_live(journal, registry, release):
    return promote(journal, registry, SCOPE, Promotion(LIVE, release, "unproven", "", "test"))


def serves(release):
    """Every release can be served."""


def test_what_cannot_be_served_is_not_rolled_back_to(journal, registry):
    def refuse(release):
        raise RefusedError(f"{release} is gone")

    one, two = (release_of(registry, documents(a=digest), version=int(digest)) for digest in "12")
    go_live(journal, registry, one)
    go_live(journal, registry, two)
    with pytest.raises(RefusedError, match=f"{one} is gone"):
        roll_back(journal, registry, SCOPE, refuse)
    assert Follower(journal, SCOPE).current().channels[LIVE].release == two


def test_a_channel_that_was_switched_meanwhile_stays(journal, registry):
    one, two, three = (release_of(registry, documents(a=digest), version=int(digest)) for digest in "123")
    stood_at = go_live(journal, registry, one).sequence
    go_live(journal, registry, two)
    with pytest.raises(ConflictError, match="switched"):
        promote(journal, registry, SCOPE, Promotion(LIVE, three, "better", "", "test", False, stood_at))
    assert Follower(journal, SCOPE).current().channels[LIVE].release == two


@pytest.mark.parametrize(
    ("after", "raises"),
    [
        ({"a": "1", "b": "1", "c": "1"}, False),
        ({"a": "2", "b": "1"}, True),
        ({"a": "1"}, True),
        ({"a": "1", "b": "1"}, False),
    ],
)
def test_the_generation_rises_unless_documents_were_only_added(journal, registry, after, raises):
    go_live(journal, registry, release_of(registry, documents(a="1", b="1")))
    pointer = go_live(journal, registry, release_of(registry, documents(**after), version=2))
    assert Follower(journal, SCOPE).current().generation == (pointer.sequence if raises else 0)


def test_rolling_back_and_forth(journal, registry):
    one, two = (release_of(registry, documents(a=digest), version=int(digest)) for digest in "12")
    with pytest.raises(RefusedError, match="Nothing is live"):
        roll_back(journal, registry, SCOPE, serves)
    go_live(journal, registry, one)
    with pytest.raises(RefusedError, match="No other release"):
        roll_back(journal, registry, SCOPE, serves)
    go_live(journal, registry, two)
    before = Follower(journal, SCOPE).current().generation
    assert roll_back(journal, registry, SCOPE, serves).release == one
    assert Follower(journal, SCOPE).current().generation > before
    assert roll_back(journal, registry, SCOPE, serves).release == two
    assert roll_back(journal, registry, SCOPE, serves, one[:10]).release == one
    with pytest.raises(UnknownNameError):
        roll_back(journal, registry, SCOPE, serves, "ffff")


def test_the_overlay_holds_what_the_index_does_not_know(journal, registry):
    held = documents(a="1", b="1", c="1")
    delete_documents(journal, SCOPE, ["c", "elsewhere"])
    permit_documents(journal, SCOPE, {"a": ("group:x",), "b": ("public",), "gone": ()})
    state = Follower(journal, SCOPE).current()
    now = overlay(state, held)
    assert now.deleted == {document_id("c")}
    assert now.changed == {document_id("a"): {"group:x"}}
    assert now.visibility(frozenset({"public"})).readable == frozenset()
    assert now.visibility(frozenset({"group:x"})).readable == {document_id("a")}
    assert principals_used(state, held) == {"public", "group:x"}


def test_comparing_documents():
    changes = compare_documents(documents(a="1", b="1", c="1"), documents(b="2", c="1", d="1"))
    assert (changes.added, changes.changed, changes.removed) == (("d",), ("b",), ("a",))


def test_manifests_come_back_as_they_were(registry):
    name = registry.put(RECIPE)
    assert registry.recipe(name) == RECIPE
    lexical = Recipe(None, "c", "1", Fusion(1.0), 0.5, 5, "none", "extractive-1")
    assert registry.recipe(registry.put(lexical)) == lexical
    assert lexical.space == "lexical"


def test_a_manifest_that_was_changed_is_refused(registry, tmp_path):
    name = registry.put(RECIPE)
    path = tmp_path / "artifacts" / "recipes" / f"{name}.json"
    path.write_bytes(path.read_bytes().replace(b'"top_k":5', b'"top_k":9'))
    with pytest.raises(IntegrityError, match="not what its name says"):
        registry.recipe(name)


@pytest.mark.parametrize(
    "change", [{"format": FORMAT + 1}, {"format": None}, {"kind": "release"}, {"encoder": {"x": 1}}]
)
def test_manifests_that_cannot_be_read(change):
    with pytest.raises((IntegrityError, NewerFormatError)):
        from_json(Recipe, {**to_json(RECIPE), **change})


def test_what_was_added_changes_no_manifest_that_does_not_use_it():
    lexical = Recipe(None, "c", "1", Fusion(1.0), 0.5, 5, "none", "extractive-1")
    assert (lexical.id, to_json(lexical)["format"]) == ("96120036232c23d2ab6cecbe71603819", 1)
    strict = replace(lexical, chunks_per_document=1)
    assert to_json(strict)["format"] == 2
    assert strict.id != lexical.id
    assert from_json(Recipe, to_json(strict)) == strict


def test_a_migration_is_applied(monkeypatch):
    from jargonaut.core import release

    old = {key: value for key, value in to_json(RECIPE).items() if key != "label"}
    monkeypatch.setattr(release, "MIGRATIONS", {1: lambda fields: {**fields, "label": "migrated"}})
    assert from_json(Recipe, old).label == "migrated"


def test_the_beginning_of_an_id_names_a_release(registry):
    release = release_of(registry, documents(a="1"))
    assert registry.find_release(release[:6]).id == release
    for unknown in ("", "zzz"):
        with pytest.raises(UnknownNameError):
            registry.find_release(unknown)


def test_a_recipe_that_uses_nothing_new_is_written_as_before():
    written = to_json(RECIPE)
    assert written["format"] == 1
    assert written["fusion"] == {"lexical_weight": 0.3, "whitening": "", "pool": 100}
    assert RECIPE.id == "7044edc6067b0dba0e2f164e8f470487"


def test_what_an_older_version_would_not_rank_with_it_refuses():
    late = dataclasses.replace(RECIPE, fusion=Fusion(0.3, tokens="t", late_weight=0.25))
    written = to_json(late)
    assert written["format"] == 2
    assert from_json(Recipe, written) == late
    assert from_json(Recipe, to_json(RECIPE)) == RECIPE
    assert late.id != RECIPE.id
