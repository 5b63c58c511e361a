import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jargonaut.chunking.by_heading import SPECIAL_TOKENS, HeadingChunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.document import Block, Document
from jargonaut.core.errors import InputError
from tests.chunking.drawn import WORD_PIECES, documents, parsed


def chunks_of(markdown, max_tokens=60, token_spans=word_spans):
    document = parsed(markdown)
    return document, HeadingChunker(token_spans, max_tokens, "test").split(document)


def test_the_heading_path_stands_apart_and_begins_with_the_title():
    _, chunks = chunks_of("---\ntitle: Handbook\n---\n# Sessions\nIntro.\n\n## Engine\nText.\n\n# Signing\nMore.")
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("Handbook", "Sessions"), "Intro."),
        (("Handbook", "Sessions", "Engine"), "Text."),
        (("Handbook", "Signing"), "More."),
    ]
    assert [chunk.ordinal for chunk in chunks] == [0, 1, 2]
    assert chunks[1].place.line == 8


def test_a_title_that_is_the_first_heading_is_not_said_twice():
    _, chunks = chunks_of("# Sessions\nIntro.\n\n## Engine\nText.")
    assert [chunk.heading_path for chunk in chunks] == [("Sessions",), ("Sessions", "Engine")]


def test_only_a_heading_with_nothing_under_it_is_a_chunk():
    _, chunks = chunks_of("# Guide\n\n## Parent\n\n### Child\nBody.\n\n## Empty\n\n## Last\nEnd.")
    assert [(chunk.kind, chunk.heading_path, chunk.text) for chunk in chunks] == [
        ("paragraph", ("Guide", "Parent", "Child"), "Body."),
        ("heading", ("Guide",), "Empty"),
        ("paragraph", ("Guide", "Last"), "End."),
    ]


def test_small_blocks_of_a_section_are_put_together_verbatim():
    document, chunks = chunks_of("# A\nOne.\n\n- x\n- y\n\n```\ncode\n```")
    assert [chunk.text for chunk in chunks] == ["One.\n\n- x\n- y\n\n    code"]
    assert chunks[0].kind == "paragraph"
    assert chunks[0].text == document.text[chunks[0].start : chunks[0].end]


def test_a_long_paragraph_is_cut_between_sentences():
    sentence = "The session is stored on the server side. "
    _, chunks = chunks_of("# A\n" + sentence * 20)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("The session") and chunk.text.endswith("side.") for chunk in chunks)


def test_a_long_chinese_paragraph_is_cut_between_sentences():
    _, chunks = chunks_of("# 会话\n" + "消息发送成功也不意味着它是可靠的。" * 12)
    assert len(chunks) > 3
    assert all(chunk.text.endswith("。") for chunk in chunks)


def test_a_table_that_is_cut_repeats_its_header_in_the_path():
    rows = "\n".join(f"| setting{number} | value{number} |" for number in range(30))
    _, chunks = chunks_of(f"# A\n\n| Name | Default |\n|---|---|\n{rows}")
    assert chunks[0].text.startswith("Name | Default\nsetting0 | value0")
    assert chunks[0].heading_path == ("A",)
    assert len(chunks) > 2
    assert {chunk.heading_path for chunk in chunks[1:]} == {("A", "Name | Default")}
    assert all(re.fullmatch(r"(?:.+ \| .+\n?)+", chunk.text) for chunk in chunks)


def test_code_is_cut_between_lines_and_keeps_its_indents():
    code = "\n".join(f"def f{number}():\n    return {number}" for number in range(20))
    _, chunks = chunks_of(f"# A\n```\n{code}\n```")
    assert len(chunks) > 2
    assert {chunk.kind for chunk in chunks} == {"code"}
    lines = [line for chunk in chunks for line in chunk.text.split("\n")]
    assert lines == [f"    {line}" for line in code.split("\n")]


def test_what_announces_the_next_block_stays_with_it():
    filler = "word " * 18
    _, chunks = chunks_of(f"# A\n{filler}\n\n{filler}\n\nFor example:\n\n```\nrun --fast\n```\n\n{filler}")
    assert any("For example:\n\n    run --fast" in chunk.text for chunk in chunks)


def test_an_overlong_path_is_shortened_from_the_left():
    heading = "a very long heading of many words"
    levels = "\n\n".join(f"{'#' * level} {heading} {level}" for level in range(1, 7))
    _, chunks = chunks_of(f"{levels}\n\nBody.")
    assert len(chunks) == 1
    assert 0 < len(chunks[0].heading_path) < 6
    assert chunks[0].heading_path[-1] == f"{heading} 6"


def test_a_heading_too_long_for_a_path_is_text_too():
    document, chunks = chunks_of("# " + "endless heading " * 40 + "\n\nBody.")
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(document.text.split())


def test_limits_too_small_are_refused():
    with pytest.raises(InputError):
        HeadingChunker(word_spans, 8, "test")


def test_the_id_names_limit_and_tokenizer():
    assert HeadingChunker(word_spans, 256, "minilm").id == "heading-1/256/minilm"


@settings(max_examples=150, deadline=None)
@given(documents(), st.integers(16, 80), st.sampled_from([word_spans, WORD_PIECES]))
def test_nothing_is_lost_nothing_is_too_long_and_ids_differ(document, max_tokens, token_spans):
    chunks = HeadingChunker(token_spans, max_tokens, "test").split(document)
    assert all(len(token_spans(chunk.indexed_text)) + SPECIAL_TOKENS <= max_tokens for chunk in chunks)
    assert all(chunk.text == document.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(chunk.text.strip() for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    times = [0] * len(document.text)
    for chunk in chunks:
        for position in range(chunk.start, chunk.end):
            times[position] += 1
    for block in document.blocks:
        counts = {times[at] for at in range(block.start, block.end) if not document.text[at].isspace()}
        assert counts <= ({0, 1} if block.kind == "heading" else {1})
    assert HeadingChunker(token_spans, max_tokens, "test").split(document) == chunks


def test_every_heading_is_in_a_path_or_a_text():
    _, chunks = chunks_of("# A\n\n## B\n\n## C\ntext\n\n# D\n\n### E\n\n# F")
    said = {heading for chunk in chunks for heading in (*chunk.heading_path, chunk.text)}
    assert {"A", "B", "C", "D", "E", "F"} <= said


def test_tokens_of_one_character_do_not_stop_it():
    """Byte-level tokenizers give several tokens with the same span."""
    many = lambda text: [(at, at + 1) for at in range(len(text)) for _ in range(5)]  # noqa: E731
    document = Document("a.md", "0", "abcdefghij" * 4, (Block("paragraph", 0, 40),))
    chunks = HeadingChunker(many, 16, "bytes").split(document)
    assert "".join(chunk.text for chunk in chunks) == document.text
    assert all(len(many(chunk.indexed_text)) <= 14 for chunk in chunks)


def test_each_text_is_tokenized_about_twice():
    counted = 0

    def spans(text):
        nonlocal counted
        counted += len(text)
        return word_spans(text)

    document, _ = chunks_of("# A\n" + "One sentence here. " * 20_000, 200, spans)
    assert counted < 3 * len(document.text)


def test_word_spans_cut_long_words_and_single_out_chinese():
    text = "SESSION_COOKIE_AGE 会话, ok"
    assert [text[start:end] for start, end in word_spans(text)] == [
        "SESSIO", "N", "_", "COOKIE", "_", "AGE", "会", "话", ",", "ok",
    ]  # fmt: skip
