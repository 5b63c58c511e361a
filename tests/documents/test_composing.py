import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.document import Place
from jargonaut.core.table_rows import cells_of
from jargonaut.documents.composing import Composer, Inline


def inline(text):
    made = Inline()
    made.add(text)
    return made


def composed(composer, title="", metadata=None):
    return composer.document("a/b.md", "digest", "text/markdown", metadata or {}, title)


def test_soft_breaks_vanish_between_chinese_characters_only():
    assert inline("消息发送\n成功，\n  要注意\nthe end\nof\n它").text == "消息发送成功，要注意 the end of 它"
    made = inline("一")
    made.soft_break()
    made.add("二")
    made.soft_break()
    made.add("three")
    assert made.text == "一二 three"


def test_references_carry_their_sentence():
    composer = Composer()
    made = inline("First one. See the ")
    made.refer("b.md#x")
    made.add("other place")
    made.add(" now. Last.")
    composer.paragraph(made, Place())
    item = inline("an item with ")
    item.refer("c.md")
    item.add("link")
    composer.item(inline("plain"), "-", 0, Place())
    composer.item(item, "1.", 1, Place())
    document = composed(composer)
    said = [(document.text[found.start : found.end], found.target) for found in document.references]
    assert said == [("See the other place now.", "b.md#x"), ("an item with link", "c.md")]


def test_anchors_wait_for_the_next_block_or_belong_to_the_last():
    composer = Composer()
    composer.anchor("one")
    composer.heading(inline("A"), 1, Place())
    composer.paragraph(inline("text"), Place())
    composer.anchor("two")
    assert [block.anchors for block in composed(composer).blocks] == [("one",), ("two",)]


@pytest.mark.parametrize(
    ("title", "headings", "expected"),
    [("Given", [(1, "A")], "Given"), ("", [(2, "B"), (1, "A")], "A"), ("", [], "b")],
)
def test_titles(title, headings, expected):
    composer = Composer()
    for level, text in headings:
        composer.heading(inline(text), level, Place())
    assert composed(composer, title).title == expected


def test_the_declared_language_is_used_when_the_text_does_not_tell():
    composer = Composer()
    composer.paragraph(inline("42"), Place())
    assert composed(composer, metadata={"lang": "de_AT"}).language == "de"


def test_a_very_long_list_goes_on_in_another_block():
    composer = Composer()
    for number in range(3_000):
        composer.item(inline(f"item {number}"), "-", 0, Place(line=number + 1))
    blocks = composed(composer).blocks
    assert 1 < len(blocks) < 5
    assert {block.kind for block in blocks} == {"list"}
    assert blocks[1].place.line > 1_000


def test_cells_may_be_plain_texts():
    composer = Composer()
    numbers = []

    def rows():
        for number, row in enumerate([["a\u200bb ", inline("c")], ["", ""], ["  d  e", "中\u00adf"]], start=4):
            numbers.append(number)
            yield row

    composer.table(rows(), Place(line=4), 1, numbers)
    document = composed(composer)
    assert document.text == "ab | c\nd e | 中f"
    assert document.blocks[0].lines == (4, 6)
    assert document.hidden == {"without width": 2}


def test_code_is_indented_and_otherwise_verbatim():
    composer = Composer()
    composer.code("\nif a:\n\n    b  # x  \n\n", Place())
    assert composed(composer).text == "    if a:\n\n        b  # x"


@given(st.lists(st.tuples(st.sampled_from(["heading", "paragraph", "item", "code", "table"]), st.text()), max_size=8))
def test_spans_are_exact_and_text_is_normal(parts):
    composer = Composer()
    for kind, text in parts:
        if kind == "heading":
            composer.heading(inline(text), 1, Place())
        elif kind == "paragraph":
            made = inline(text)
            made.refer("target")
            composer.paragraph(made, Place())
        elif kind == "item":
            composer.item(inline(text), "-", 0, Place())
        elif kind == "code":
            composer.code(text, Place())
        else:
            composer.table([[inline(text), inline("x")], [inline(text)]], Place())
    document = composed(composer)
    joined = "\n\n".join(document.text[block.start : block.end] for block in document.blocks)
    assert joined == document.text
    document.text.encode()
    for block in document.blocks:
        text = document.text[block.start : block.end]
        assert text.strip()
        assert text.rstrip(" \n") == text or not text.isascii()
    for reference in document.references:
        assert 0 <= reference.start < reference.end <= len(document.text)


def test_a_bar_in_a_cell_is_told_from_those_between_cells():
    composer = Composer()
    composer.table([["Name", inline("Type")], ["age", inline("int | None")], ["a|b", ""]], Place())
    lines = composed(composer).text.split("\n")
    assert lines == ["Name | Type", "age | int \\| None", "a|b | "]
    assert [cells_of(line) for line in lines] == [["Name", "Type"], ["age", "int | None"], ["a|b", ""]]
