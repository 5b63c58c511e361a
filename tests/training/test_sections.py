from itertools import pairwise

import pytest

from jargonaut.training.sections import DocumentSections, Targets, sections_of
from tests.training.corpus import PAGES, cut, parsed


@pytest.fixture(scope="module")
def corpus():
    more = {"guide/index.md": "# Guide\n\n## A\n\nx", "other/guide.md": "# Other\n\n## A\n\nx"}
    documents = parsed({**PAGES, **more})
    chunks = cut(documents)
    return {d.uri: DocumentSections(d, tuple(c for c in chunks if c.document_id == d.id)) for d in documents}


def test_sections_cover_a_document_and_nest(corpus):
    document = corpus["sessions.md"].document
    whole, *inner = sections_of(document)
    assert (whole.heading, whole.start, whole.end) == ("Sessions", 0, len(document.text))
    assert whole.own_end == inner[0].start
    assert [section.path for section in inner] == [("Sessions",)] * len(inner)
    assert all(before.end == after.start for before, after in pairwise(inner))


def test_text_before_the_first_heading_is_a_section():
    (document,) = parsed({"a.md": "Before.\n\n# First\n\nAfter."})
    before, first = sections_of(document)
    assert document.text[before.start : before.end].strip() == "Before."
    assert first.heading == "First"


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("storage/engines.md#cached-engine", ("storage/engines.md", "Cached engine")),
        ("storage/engines.md", ("storage/engines.md", "Storage engines")),
        ("storage/engines", ("storage/engines.md", "Storage engines")),
        ("site/latest/storage/engines", None),
        ("removing-old-records", ("maintenance.md", "Removing old records")),
        ("#cookie-age", ("sessions.md", "Cookie age")),
        ("guide", ("guide/index.md", "Guide")),
        ("storage/engines.md#no-such", None),
        ("a", None),
        ("missing.md", None),
    ],
)
def test_targets(corpus, target, found):
    result = Targets(corpus.values()).find(target, corpus["sessions.md"])
    assert (result and (result[0].document.uri, result[1].heading)) == found


def test_a_site_may_mount_a_folder_elsewhere():
    documents = parsed({"content/docs/storage/engines.md": "# E\n\nx", "content/docs/a.md": "# A\n\nx"})
    items = [DocumentSections(document, ()) for document in documents]
    found = Targets(items).find("storage/engines", items[0])
    assert found is not None
    assert found[0].document.uri == "content/docs/storage/engines.md"


def test_chunks_of_a_span(corpus):
    item = corpus["sessions.md"]
    section = next(section for section in item.sections if section.heading == "Cookie age")
    (name,) = item.chunks_in(section.start, section.end)
    assert next(chunk for chunk in item.chunks if chunk.id == name).text.startswith("The cookie lives")
    assert len(item.chunks_in(0, len(item.document.text))) == len(item.chunks)
