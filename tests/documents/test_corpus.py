import pytest

from jargonaut.core.errors import SourceError
from jargonaut.core.progress import silent
from jargonaut.documents.catalog import Catalog
from jargonaut.documents.copies import fingerprint
from jargonaut.documents.corpus import read_corpus
from jargonaut.documents.formats.text import TextParser
from jargonaut.documents.permissions import Rule, Rules
from jargonaut.documents.reading import read_documents
from jargonaut.documents.source import scan
from tests.documents.formats.test_archive import zipped
from tests.documents.test_source import refuse


class Folder:
    """A source folder and what a knowledge base knows of it."""

    def __init__(self, path):
        self.docs = path / "docs"
        self.docs.mkdir()
        self.work = path / "work"
        self.read = []

    def write(self, **files):
        for name, content in files.items():
            path = self.docs / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def corpus(self, rules=Rules(), deleted=()):
        self.read = []

        def read(files):
            for result in read_documents(files, workers=1):
                self.read.append(result.uri)
                yield result

        return read_corpus(scan(self.docs).files, Catalog(self.work), read, rules, frozenset(deleted), silent)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_only_what_changed_is_read_again(folder):
    folder.write(a_md="# A\n\none", x_zip=zipped({"b.md": "# B", "c.md": "# C"}), y_zip=zipped({"d.md": "# D"}))
    assert sorted(folder.corpus().allow) == ["a.md", "x.zip/b.md", "x.zip/c.md", "y.zip/d.md"]
    assert sorted(folder.read) == ["a.md", "x.zip", "x.zip/b.md", "x.zip/c.md", "y.zip", "y.zip/d.md"]
    corpus = folder.corpus()
    assert (folder.read, len(corpus.allow)) == ([], 4)
    folder.write(x_zip=zipped({"c.md": "# C", "e.md": "# E"}))
    assert sorted(folder.corpus().allow) == ["a.md", "x.zip/c.md", "x.zip/e.md", "y.zip/d.md"]
    assert sorted(folder.read) == ["x.zip", "x.zip/c.md", "x.zip/e.md"]
    (folder.docs / "x.zip").unlink()
    assert sorted(folder.corpus().allow) == ["a.md", "y.zip/d.md"]


def test_an_archive_that_was_not_read_to_its_end_is_read_again(folder):
    folder.write(x_zip=zipped({f"{n}.md": f"# {n}" for n in range(5)}))

    def interrupted(files):
        for number, result in enumerate(read_documents(files, workers=1)):
            if number == 3:
                raise KeyboardInterrupt
            yield result

    with pytest.raises(KeyboardInterrupt):
        read_corpus(scan(folder.docs).files, Catalog(folder.work), interrupted, Rules(), frozenset(), silent)
    assert len(folder.corpus().allow) == 5


def test_what_is_in_a_folder_that_cannot_be_opened_stays_as_it_was(folder, monkeypatch):
    folder.write(a_md="# A", hr__b_md="# B", hr__x_zip=zipped({"c.md": "# C"}), hr__d_md="# D")
    everything = folder.corpus().allow
    (folder.docs / "a.md").unlink()
    refuse(monkeypatch, folder.docs / "hr")
    closed = folder.corpus(deleted=["hr/d.md"])
    assert sorted(closed.allow) == sorted(everything.keys() - {"a.md", "hr/d.md"})
    assert [entry.uri for entry in closed.quarantined] == ["hr"]
    assert "stays as it was" in closed.quarantined[0].quarantined
    rules = Rules((Rule("hr/b.md", ("group:hr",)),))
    assert folder.corpus(rules).allow["hr/b.md"] == ("group:hr",)
    monkeypatch.undo()
    (folder.docs / "hr" / "b.md").unlink()
    again = folder.corpus()
    assert sorted(again.allow) == ["hr/d.md", "hr/x.zip/c.md"]
    assert again.quarantined == []
    assert folder.read == []


def test_a_sidecar_that_comes_changes_or_goes_is_noticed(folder):
    folder.write(a_md="# A\n\none")
    plain = folder.corpus().entries["a.md"]
    folder.write(**{"a_md_meta_yaml": "title: Sidecar\nallow: group:hr\n"})
    corpus = folder.corpus()
    assert (corpus.entries["a.md"].title, corpus.allow) == ("Sidecar", {"a.md": ("group:hr",)})
    assert corpus.entries["a.md"].digest != plain.digest
    folder.write(**{"a_md_meta_yaml": "allow: group:all\n"})
    assert folder.corpus().allow == {"a.md": ("group:all",)}
    folder.write(**{"a_md_meta_yaml": "allow: [unclear"})
    with pytest.raises(SourceError, match="None of the"):
        folder.corpus()
    (folder.docs / "a.md.meta.yaml").unlink()
    assert folder.corpus().entries["a.md"].digest == plain.digest


def test_rules_about_metadata_need_no_new_reading(folder):
    folder.write(a_md="---\nclassification: secret\n---\n# A", b_md="# B")
    assert set(folder.corpus().allow.values()) == {("public",)}
    corpus = folder.corpus(Rules((Rule("**", ("group:board",), (("classification", ("secret",)),)),)))
    assert corpus.allow == {"a.md": ("group:board",), "b.md": ("public",)}
    assert folder.read == []


def test_a_deleted_archive_takes_along_what_is_in_it_now_and_later(folder):
    folder.write(a_md="# A", x_zip=zipped({"b.md": "# B"}))
    assert sorted(folder.corpus(deleted=["x.zip"]).allow) == ["a.md"]
    folder.write(x_zip=zipped({"b.md": "# B", "new.md": "# New"}))
    corpus = folder.corpus(deleted=["x.zip"])
    assert sorted(corpus.allow) == ["a.md"]
    assert "x.zip/new.md" in corpus.deleted


PRICES = "# Prices\n\nThe seal costs 12.50 euros. It may not be reused.\n"


def test_copies_are_folded(folder):
    folder.write(
        deep__prices_md=PRICES, prices_html="<h1>Prices</h1><p>The seal costs 12.50 euros.  It may not be <b>reused</b>"
    )
    corpus = folder.corpus()
    assert list(corpus.allow) == ["prices.html"]
    assert [(entry.uri, entry.copy_of) for entry in corpus.copies] == [("deep/prices.md", "prices.html")]
    assert list(folder.corpus(deleted=["prices.html"]).allow) == ["deep/prices.md"]


@pytest.mark.parametrize(
    "other",
    [
        PRICES.replace("12.50", "12.60"),
        PRICES.replace("12.50", "1250"),
        PRICES.replace("not ", ""),
        PRICES.replace("euros", "dollars"),
        PRICES.replace("12.50 euros", "12 50 euros"),
        PRICES.replace("euros", "%"),
    ],
)
def test_what_differs_in_anything_that_is_said_is_no_copy(folder, other):
    folder.write(a_md=PRICES, b_md=other)
    assert len(folder.corpus().allow) == 2


@pytest.mark.parametrize(
    ("allow_a", "allow_b", "kept"),
    [
        (["public"], ["group:hr"], {"a.md"}),
        (["group:hr"], ["public"], {"b.md"}),
        (["group:hr", "group:dev"], ["group:hr"], {"a.md"}),
        (["group:hr"], ["group:dev"], {"a.md", "b.md"}),
        (["group:hr"], ["group:hr"], {"a.md"}),
    ],
)
def test_nobody_gains_or_loses_a_text_by_folding(folder, allow_a, allow_b, kept):
    folder.write(a_md=PRICES, b_md=PRICES)
    corpus = folder.corpus(Rules((Rule("a.md", tuple(allow_a)), Rule("b.md", tuple(allow_b)))))
    assert set(corpus.allow) == kept
    before = {"a.md": set(allow_a), "b.md": set(allow_b)}
    for asker in ({"public"}, {"public", "group:hr"}, {"public", "group:dev"}):
        could = any(asker & allow for allow in before.values())
        can = any(asker & set(allow) for allow in corpus.allow.values())
        assert can == could


def told(text):
    return fingerprint(TextParser().parse(text.encode(), "a.txt"))


def test_chinese_fingerprints_look_at_characters():
    assert told("阀门，打开。") == told("阀门 打开")
    assert told("阀门不打开") != told("阀门打开")


def test_what_was_deleted_in_an_archive_in_an_archive_stays_deleted(folder):
    inner = {"a.md": "# A", "deep.zip": zipped({"b.md": "# B"})}
    folder.write(x_zip=zipped({"in.zip": zipped(inner), "c.md": "# C"}))
    deleted = ["x.zip/in.zip", "x.zip/in.zip/a.md", "x.zip/in.zip/deep.zip", "x.zip/in.zip/deep.zip/b.md"]
    assert sorted(folder.corpus(deleted=deleted).allow) == ["x.zip/c.md"]
    later = {"deep.zip": zipped({"b.md": "# B", "new.md": "# N"}), "more.md": "# M"}
    folder.write(x_zip=zipped({"in.zip": zipped(later), "c.md": "# C", "in.zip.md": "# Other"}))
    corpus = folder.corpus(deleted=deleted)
    assert sorted(corpus.allow) == ["x.zip/c.md", "x.zip/in.zip.md"]
    assert "x.zip/in.zip/deep.zip/new.md" in corpus.deleted


def test_a_document_deleted_under_another_spelling_of_its_name_stays_deleted(folder):
    folder.write(x_zip=zipped({"./y.md": "# Y", "c.md": "# C"}))
    assert sorted(folder.corpus(deleted=["x.zip/./y.md"]).allow) == ["x.zip/c.md"]
