import pytest

from jargonaut.documents.formats.text import TextParser


def blocks(text):
    document = TextParser().parse(text.encode(), "a/notes.txt")
    return [(block.kind, document.text[block.start : block.end], block.level) for block in document.blocks]


def test_wrapped_prose_is_joined_and_short_lines_are_kept():
    wrapped = (
        "This line was broken by hand because the page is narrow,\nand so was this one, as long as the first was,\nand."
    )
    assert blocks(f"{wrapped}\n\nRoses\nare red\n\n") == [
        ("paragraph", wrapped.replace("\n", " "), 0),
        ("paragraph", "Roses\nare red", 0),
    ]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("1 Scope", 1),
        ("2.1 Terms and definitions", 2),
        ("第三章 会话", 1),
        ("一、总则", 2),
        ("GENERAL TERMS", 1),
        ("1 This is a sentence.", 0),
        ("Not a heading", 0),
        ("OK", 0),
    ],
)
def test_headings(line, level):
    assert blocks(f"{line}\n\nText.")[0] == ("heading" if level else "paragraph", line, level)


def test_underlined_titles():
    assert blocks("=====\nTitle\n=====\nText.\n\nSub\n---\n") == [
        ("heading", "Title", 1),
        ("paragraph", "Text.", 0),
        ("heading", "Sub", 2),
    ]


def test_lists_and_aligned_columns_keep_their_lines():
    assert blocks("- one\n- two\n\nname      value\na         b\n\n\tcode()\n\tmore()") == [
        ("list", "- one\n- two", 0),
        ("code", "name      value\na         b", 0),
        ("code", "\tcode()\n\tmore()", 0),
    ]


def test_lines_and_titles():
    document = TextParser().parse(b"\n\nFirst.\n\n\nSecond.\n", "a/notes.txt")
    assert [block.place.line for block in document.blocks] == [3, 6]
    assert document.title == "notes"
