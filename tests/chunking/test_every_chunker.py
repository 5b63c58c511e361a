"""What `chunking.port.Chunker` promises, of each of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jargonaut.chunking.by_name import CHUNKERS, Choice, Tokens, make_chunker
from jargonaut.chunking.cutting import SPECIAL_TOKENS
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.errors import InputError, UnknownNameError
from tests.chunking.drawn import WORD_PIECES, documents, parsed

TOKENS = Tokens(word_spans, 64, "words")


def times_covered(document, chunks):
    times = [0] * len(document.text)
    for chunk in chunks:
        for position in range(chunk.start, chunk.end):
            times[position] += 1
    return times


@pytest.mark.parametrize("name", CHUNKERS)
@settings(max_examples=60, deadline=None)
@given(document=documents(), most=st.integers(16, 80), spans=st.sampled_from([word_spans, WORD_PIECES]))
def test_nothing_is_lost_nothing_is_too_long_and_all_is_in_order(name, document, most, spans):
    chunker = make_chunker(Choice(name, parent_tokens=100), Tokens(spans, most, "test"))
    chunks = chunker.split(document)
    for chunk in chunks:
        assert len(spans(chunk.indexed_text)) + SPECIAL_TOKENS <= most
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert chunk.chunker == chunker.id
        if chunk.parent:
            assert chunk.parent[0] <= chunk.start < chunk.end <= chunk.parent[1]
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    times = times_covered(document, chunks)
    for block in document.blocks:
        counts = {times[at] for at in range(block.start, block.end) if not document.text[at].isspace()}
        if name == "fixed":
            assert 0 not in counts
        else:
            assert counts <= ({0, 1} if block.kind == "heading" else {1})
    assert make_chunker(Choice(name, parent_tokens=100), Tokens(spans, most, "test")).split(document) == chunks


@pytest.mark.parametrize("name", ["qa", "statute", "code", "rows"])
@pytest.mark.parametrize(
    "markdown",
    [
        "# Sessions\nA session is kept.\n\n## Cookies\n- one\n- two\n",
        "# 会话\n服务器保存会话。\n\n## 存储\n存储在数据库中。\n",
    ],
)
def test_what_does_not_fit_a_document_cuts_it_by_heading(name, markdown):
    document = parsed(markdown)
    expected, found = (make_chunker(Choice(each), TOKENS).split(document) for each in ("heading", name))
    assert [(c.text, c.heading_path, c.kind) for c in found] == [(c.text, c.heading_path, c.kind) for c in expected]


@pytest.mark.parametrize("name", CHUNKERS)
def test_an_empty_document_has_no_chunks(name):
    assert make_chunker(Choice(name), TOKENS).split(parsed("")) == []


@pytest.mark.parametrize("name", [name for name in CHUNKERS if name != "fixed"])
def test_one_endless_word_is_cut(name):
    document = parsed("# A\n" + "x" * 5000)
    chunks = make_chunker(Choice(name), TOKENS).split(document)
    assert "".join(chunk.text for chunk in chunks).replace("A\n\n", "") == "x" * 5000


def test_ids_tell_chunkers_and_what_they_are_told_apart():
    choices = [Choice(name) for name in CHUNKERS]
    choices += [Choice("fixed", overlap=8), Choice("parent_child", parent_tokens=300), Choice("heading", 32)]
    ids = {make_chunker(choice, TOKENS).id for choice in choices}
    assert len(ids) == len(choices)
    assert "heading-1/64/words" in ids


def test_no_chunk_is_larger_than_the_encoder_reads():
    assert make_chunker(Choice("heading", 900), TOKENS).id == "heading-1/64/words"


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="statute"):
        make_chunker(Choice("statutes"), TOKENS)
    with pytest.raises(InputError):
        make_chunker(Choice("fixed", 8), TOKENS)
