"""What a release promises afterwards: permissions hold for all, rollbacks hold, and what is lost can be made again."""

import json
import shutil
import threading
import time

import pytest

from jargonaut.build import build
from jargonaut.core.progress import silent
from jargonaut.plans import build_plan
from jargonaut.settings import load_settings
from jargonaut.wiring import Workspace
from tests.command_line import CommandLine
from tests.encoding.tiny_encoders import write_tiny_encoder
from tests.handbook import write_handbook
from tests.test_main_job import cited, config

SALARIES = "# Salaries\n\n## Bonus of the board\n\nThe bonus of the board is 4711 euros.\n"
LUNCH = "# Lunch\n\n## Canteen hours\n\nThe canteen opens at noon.\n"
BONUS = "What is the bonus of the board?"
CANTEEN = "When does the canteen open?"
ALICE = '[[knowledge_bases.rules]]\nmatch = "salaries.md"\nallow = ["user:alice"]\n'


class Folder:
    """Two documents, a settings file and a home; lexical unless an encoder is named."""

    def __init__(self, path, encoder="none", top=""):
        self.path = path
        self.docs = path / "docs"
        self.docs.mkdir()
        (self.docs / "salaries.md").write_text(SALARIES)
        (self.docs / "lunch.md").write_text(LUNCH)
        self.top = top
        self.command_line = CommandLine(path / "home")
        self.encoder = encoder
        self.rules = ""
        self.write()

    def write(self):
        text = f'{self.top}\n[encoder]\nbase = "{self.encoder}"\n[[knowledge_bases]]\nname = "kb"\n'
        text += '[[knowledge_bases.sources]]\npath = "docs"\n' + self.rules
        (self.path / "jargonaut.toml").write_text(text)

    def run(self, *arguments, code=0):
        return self.command_line.run(*arguments, *config(self.path), code=code)

    def json(self, *arguments, code=0):
        return self.command_line.json(*arguments, *config(self.path), code=code)

    def build(self, *more):
        return self.json("build", *more)

    def cited(self, question, *more):
        return cited(self.command_line, self.path, question, *more)

    @property
    def live(self):
        return self.json("status")["knowledge_bases"][0]

    @property
    def base(self):
        return Workspace(load_settings(self.path / "jargonaut.toml"), self.path / "home").knowledge_base()


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def encoded(tmp_path):
    """With an encoder that is quick and wrong; first lexical, then base."""
    write_tiny_encoder(tmp_path / "tiny")
    made = Folder(tmp_path, encoder="./tiny")
    made.build("--lexical")
    made.build()
    return made


class TestPermissions:
    def test_a_rule_for_a_document_that_was_away_holds_for_earlier_releases(self, folder):
        first = folder.build()["release"]
        kept = (folder.docs / "salaries.md").rename(folder.path / "salaries.md")
        folder.build()
        folder.rules = ALICE
        folder.write()
        kept.rename(folder.docs / "salaries.md")
        folder.build()
        assert folder.cited(BONUS, "--release", first) == []
        assert folder.cited(BONUS, "--release", first, "--as", "user:alice") == ["salaries.md"]
        folder.run("releases", "rollback", "--to", first)
        assert folder.cited(BONUS) == []
        assert folder.cited(BONUS, "--as", "user:alice") == ["salaries.md"]

    def test_a_rule_made_while_a_document_is_away_holds_for_earlier_releases(self, folder):
        first = folder.build()["release"]
        (folder.docs / "salaries.md").unlink()
        folder.build()
        folder.rules = ALICE
        folder.write()
        folder.build()
        assert folder.cited(BONUS, "--release", first) == []
        assert folder.cited(BONUS, "--release", first, "--as", "user:alice") == ["salaries.md"]

    def test_what_cannot_be_read_any_more_is_closed_in_earlier_releases(self, folder):
        first = folder.build()["release"]
        (folder.docs / "salaries.md").write_text('---\nallow: ["hr"]\n---\n' + SALARIES)
        assert folder.build()["quarantined"]
        assert folder.cited(BONUS, "--release", first) == []
        folder.run("releases", "rollback")
        assert folder.cited(BONUS) == []
        (folder.docs / "salaries.md").write_text(SALARIES)
        folder.build()
        assert folder.cited(BONUS) == ["salaries.md"]

    def test_a_rule_made_while_a_document_is_deleted_holds_when_it_is_restored(self, folder):
        first = folder.build()["release"]
        folder.run("documents", "rm", "salaries.md")
        folder.build()
        folder.rules = ALICE
        folder.write()
        folder.build()
        folder.run("documents", "restore", "salaries.md")
        folder.build()
        assert folder.cited(BONUS, "--release", first) == []
        assert folder.cited(BONUS) == []
        assert folder.cited(BONUS, "--as", "user:alice") == ["salaries.md"]

    def test_a_rule_that_is_taken_back_opens_again(self, folder):
        first = folder.build()["release"]
        folder.rules = ALICE
        folder.write()
        folder.build()
        folder.rules = ""
        folder.write()
        folder.build()
        assert folder.cited(BONUS) == ["salaries.md"]
        assert folder.cited(BONUS, "--release", first) == ["salaries.md"]


class TestRollback:
    def test_it_holds_over_later_builds(self, encoded):
        lexical = next(row for row in encoded.json("releases", "list") if row["recipe"] == "lexical")["release"]
        encoded.run("releases", "rollback", "--to", lexical)
        assert encoded.build()["label"] == "lexical"
        (encoded.docs / "parking.md").write_text("# Parking\n\n## Spaces\n\nThere are 12 parking spaces.\n")
        result = encoded.build()
        assert (result["outcome"], result["label"], result["documents"]) == ("published", "lexical", 3)
        assert encoded.cited("How many parking spaces are there?") == ["parking.md"]
        base = next(row for row in encoded.json("releases", "list") if row["recipe"] == "base")["release"]
        encoded.run("releases", "promote", base)
        assert encoded.build()["label"] == "base"

    def test_it_is_not_undone_by_a_build_that_had_begun(self, encoded):
        lexical = next(row for row in encoded.json("releases", "list") if row["recipe"] == "lexical")["release"]
        (encoded.docs / "parking.md").write_text("# Parking\n\n## Spaces\n\nThere are 12 parking spaces.\n")

        def meanwhile(stage, done, total, note=""):
            if stage == "encode" and done == total:
                encoded.run("releases", "rollback", "--to", lexical)

        result = build(build_plan(encoded.base, False, lambda text: None), meanwhile)
        assert result.recipe.label == "lexical"
        assert encoded.base.registry.recipe(encoded.base.follower.current().channels["live"].recipe).label == "lexical"
        assert encoded.cited("How many parking spaces are there?") == ["parking.md"]

    def test_what_was_pruned_is_refused(self, folder):
        first = folder.build()["release"]
        for number in range(4):
            (folder.docs / "lunch.md").write_text(LUNCH.replace("noon", f"{number} o'clock"))
            time.sleep(1.1)  # LanceDB cleans by age, and we leave it a second of margin
            folder.build()
        for command in (("rollback", "--to", first), ("promote", first)):
            done = folder.run("releases", *command, code=5)
            assert "is not kept any more" in done.stderr
        folder.run("ask", CANTEEN, "--release", first, code=5)
        assert folder.cited(CANTEEN) == ["lunch.md"]


FIXED = '[[knowledge_bases.chunking]]\nmatch = "**"\nchunker = "fixed"\n'
WINDOWS = FIXED.replace("fixed", "sentence_window")


class TestWaiting:
    """Documents are to be cut otherwise, and that is not proven yet."""

    @pytest.fixture
    def waiting(self, folder):
        folder.build()
        folder.rules = FIXED
        folder.write()
        result = folder.build()
        assert result["outcome"] == "needs proof"
        return result["release"]

    def test_what_is_live_follows_the_documents(self, folder, waiting):
        (folder.docs / "salaries.md").unlink()
        (folder.docs / "lunch.md").write_text(LUNCH.replace("noon", "eleven"))
        assert folder.build()["outcome"] == "needs proof"
        assert folder.cited(BONUS) == []
        assert "eleven" in folder.run("ask", CANTEEN).stdout

    def test_permissions_hold_for_what_waits(self, folder, waiting):
        assert set(folder.cited(BONUS, "--release", waiting)) == {"salaries.md"}
        folder.rules = FIXED + ALICE
        folder.write()
        newer = folder.build()["release"]
        for release in (waiting, newer):
            done = folder.run("ask", BONUS, "--release", release, code=None)
            assert "4711" not in done.stdout
        assert set(folder.cited(BONUS, "--release", newer, "--as", "user:alice")) == {"salaries.md"}

    def test_what_waits_no_more_cannot_be_asked_or_promoted(self, folder, waiting):
        folder.rules = WINDOWS + ALICE
        folder.write()
        folder.build()
        assert "is not kept any more" in folder.run("ask", BONUS, "--release", waiting, code=5).stderr
        assert "is not kept any more" in folder.run("releases", "promote", waiting, "--force", code=5).stderr
        folder.rules = ALICE
        folder.write()
        folder.build()  # nothing waits any more
        holding = [path for path in (folder.path / "home" / "index").glob("*/*/*.lance")]
        assert len(holding) == 1


def test_the_threshold_is_fitted_again_after_it_was_set(encoded):
    write_handbook(encoded.docs)
    encoded.build()

    def live():
        return encoded.base.registry.recipe(encoded.base.follower.current().channels["live"].recipe)

    encoded.rules = "[knowledge_bases.answer]\nsimilarity_threshold = 0.99\n"
    encoded.write()
    encoded.run("prove", "--force")
    assert (live().similarity_threshold, live().threshold_is_set) == (0.99, True)
    encoded.rules = ""
    encoded.write()
    encoded.run("prove", "--force")
    assert (live().threshold_is_set, live().similarity_threshold != 0.99) == (False, True)


class TestLoss:
    def test_a_damaged_manifest_of_an_old_revision_stops_no_build(self, folder):
        folder.build()
        (folder.docs / "lunch.md").write_text(LUNCH.replace("noon", "eleven"))
        live = folder.build()["revision"]
        for path in (folder.path / "home").glob("artifacts/*/*/revisions/*.json"):
            if path.stem != live:
                path.write_bytes(path.read_bytes()[:-3])
        (folder.docs / "lunch.md").write_text(LUNCH.replace("noon", "ten"))
        assert folder.build()["outcome"] == "published"

    @pytest.mark.parametrize("kind", ["releases", "recipes", "revisions", "documents"])
    def test_a_damaged_manifest_of_what_is_live_is_made_anew(self, folder, kind):
        folder.build()
        folder.run("documents", "rm", "lunch.md")
        for path in (folder.path / "home").glob(f"artifacts/*/*/{kind}/*.json"):
            path.write_bytes(path.read_bytes()[:-3])
        assert "build --anew" in folder.run("build", code=3).stderr
        folder.build("--anew")
        assert folder.cited(BONUS) == ["salaries.md"]
        assert folder.cited(CANTEEN) == []

    def test_a_lost_state_is_not_taken_for_a_new_one(self, folder):
        folder.build()
        folder.run("documents", "rm", "salaries.md")
        for path in (folder.path / "home").glob("state.sqlite*"):
            path.unlink()
        for command in (("build",), ("ask", BONUS), ("status",)):
            assert "Restore it from a backup" in folder.run(*command, code=3).stderr

    def test_a_lost_index_is_told_and_made_anew(self, folder):
        before = folder.build()
        shutil.rmtree(folder.path / "home" / "index")
        assert "build --anew" in folder.run("build", code=3).stderr
        assert "build --anew" in folder.run("ask", BONUS, code=3).stderr
        folder.build("--anew")
        assert folder.cited(BONUS) == ["salaries.md"]
        assert folder.live["documents"] == before["documents"]

    def test_a_damaged_index_is_made_anew(self, folder):
        folder.build()
        for file in (folder.path / "home" / "index").rglob("*.lance"):
            if file.is_file():
                file.write_bytes(b"damaged")
        assert folder.run("build", code=None).returncode in (0, 3, 6)
        folder.build("--anew")
        assert folder.cited(BONUS) == ["salaries.md"]

    def test_a_damaged_encoder_is_exported_again(self, encoded):
        for model in (encoded.path / "home" / "artifacts").rglob("model.onnx"):
            model.write_bytes(b"damaged")
        assert encoded.run("ask", BONUS, code=3)
        encoded.build()
        encoded.run("ask", BONUS)

    def test_lost_texts_are_read_again(self, folder):
        folder.build()
        for file in (folder.path / "home" / "work").rglob("parsed/*"):
            file.unlink()
        write_tiny_encoder(folder.path / "tiny")
        folder.encoder = "./tiny"
        folder.write()
        assert folder.build()["label"] == "base"

    def test_a_catalog_that_makes_no_sense_is_a_lost_cache(self, folder):
        folder.build()
        (catalog,) = (folder.path / "home" / "work").rglob("catalog.json")
        catalog.write_text(json.dumps({"format": json.loads(catalog.read_text())["format"], "entries": [{"x": 1}]}))
        assert folder.build()["outcome"] == "unchanged"


def test_a_deleted_text_leaves_the_disk_wherever_it_was(encoded):
    encoded.run("documents", "rm", "lunch.md")
    (encoded.docs / "lunch.md").unlink()
    for number in range(4):
        (encoded.docs / "salaries.md").write_text(SALARIES.replace("4711", f"{number}"))
        time.sleep(1.1)  # as above
        encoded.build()
    holding = [
        path for path in (encoded.path / "home").rglob("*") if path.is_file() and b"canteen opens" in path.read_bytes()
    ]
    assert holding == []


class TestAnswerSettings:
    @pytest.mark.parametrize("setting", ["top_k = 3", "chunks_per_document = 1", 'unsupported = "mark"'])
    def test_force_lets_a_lexical_release_answer_otherwise(self, folder, setting):
        folder.build()
        folder.rules = f"[knowledge_bases.answer]\n{setting}\n"
        folder.write()
        done = folder.run("prove", code=5)
        assert "prove --force" in done.stderr
        result = folder.json("prove", "--force")
        assert (result["promoted"], result["forced"]) == (True, True)
        newest = folder.json("releases", "list")[0]
        assert (newest["forced"], newest["verdict"]) == (True, "unproven")
        assert "jargonaut prove" not in folder.run("build").stderr


def test_another_base_encoder_can_be_proven(encoded):
    write_handbook(encoded.docs)
    encoded.build()
    write_tiny_encoder(encoded.path / "other", seed=5)
    encoded.encoder = "./other"
    encoded.write()
    result = encoded.build()
    assert result["outcome"] == "needs proof"
    done = encoded.run("prove", "--force", "--json")
    assert json.loads(done.stdout)["live"] == result["release"]
    assert "encode or cut the documents otherwise" in done.stderr
    assert encoded.build()["outcome"] == "unchanged"


def test_builds_go_on_while_something_is_proven(folder):
    from jargonaut.state.lock import held_lock

    folder.build()
    with held_lock(folder.base.work_folder / "prove.lock", "proof"):
        (folder.docs / "lunch.md").write_text(LUNCH.replace("noon", "eleven"))
        done = []
        thread = threading.Thread(target=lambda: done.append(build(build_plan(folder.base, False, print), silent)))
        thread.start()
        thread.join(60)
    assert [result.outcome for result in done] == ["published"]


def test_a_source_in_which_nothing_can_be_read_any_more_takes_nothing_back_and_says_so(folder):
    folder.build()
    (folder.docs / "lunch.md").unlink()
    (folder.docs / "salaries.md").write_bytes(b"PK\x03\x04" + bytes(400))
    said = folder.run("build", code=2).stderr
    assert "None of the 1 files can be read." in said
    assert "still answers from 2 documents, lunch.md among them" in said
    assert "documents rm" in said
    assert folder.cited(CANTEEN) == ["lunch.md"]
    (folder.docs / "salaries.md").unlink()
    folder.run("documents", "rm", "lunch.md")
    assert "still answers from salaries.md." in folder.run("build", code=2).stderr
    assert folder.cited(CANTEEN) == []
