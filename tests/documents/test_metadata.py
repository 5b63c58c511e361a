import pytest

from jargonaut.core.errors import RuleError
from jargonaut.documents.formats.html import HtmlParser
from jargonaut.documents.formats.markdown import MarkdownParser
from jargonaut.documents.formats.restructuredtext import RestructuredTextParser
from jargonaut.documents.formats.text import TextParser
from jargonaut.documents.metadata import iso_date, metadata_of, split_front_matter


def test_front_matter_becomes_metadata_and_lines_keep_their_numbers():
    text = "---\nTitle: A: b\n"
    metadata, rest = split_front_matter(
        "---\nTitle: A\ndate: 2024-3-1\ntags: [x, 2]\nallow: group:hr\nn: {a: 1}\n---\nBody"
    )
    assert metadata == {"title": "A", "date": "2024-03-01", "tags": ("x", "2"), "allow": ("group:hr",)}
    assert rest == "\n" * 7 + "Body"
    assert split_front_matter(text) == ({}, text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("group:hr, user:ann", ("group:hr", "user:ann")),
        (["public"], ("public",)),
        ([], ()),
    ],
)
def test_allow(value, expected):
    assert metadata_of({"allow": value})["allow"] == expected


@pytest.mark.parametrize("parser", [MarkdownParser, RestructuredTextParser, TextParser])
@pytest.mark.parametrize("body", ["Secret.", "Title\n=====\n\nSee :doc:`a`.\n\n.. note:: Secret."])
def test_allow_in_front_matter_counts_in_every_format_of_text(parser, body):
    read = parser().parse(f"---\nallow: [user:ann]\ntitle: T\n---\n{body}".encode(), "a.txt")
    assert (read.metadata["allow"], read.title) == (("user:ann",), "T")
    assert "user:ann" not in read.text
    assert "Secret" in read.text


@pytest.mark.parametrize("parser", [RestructuredTextParser, TextParser])
def test_lines_between_dashes_that_are_no_front_matter_stay_text(parser):
    read = parser().parse(b"---\nNote: the valve opens\n---\n\nAt nine bar.", "a.txt")
    assert read.metadata == {}
    assert "the valve opens" in read.text


def test_restructuredtext_that_says_twice_who_may_read_it_is_kept_out():
    with pytest.raises(RuleError):
        RestructuredTextParser().parse(b"---\nallow: user:ann\n---\n\n:allow: user:bob\n\nSecret.", "a.rst")


@pytest.mark.parametrize("parser", [MarkdownParser, RestructuredTextParser, TextParser])
@pytest.mark.parametrize(
    "front_matter",
    [
        "allow: hr",
        "allow:",
        "allow: 3",
        "allow: {group: hr}",
        "allow: [group:hr, 3]",
        "allow: [group:hr",
        "Allow: everyone",
        "title: [\nallow: group:hr",
        "allow: group:hr\n\tx: y",
        "allow: ''",
    ],
)
def test_an_allow_that_cannot_be_read_keeps_the_document_out(parser, front_matter):
    with pytest.raises(RuleError):
        parser().parse(f"---\n{front_matter}\n---\nSecret".encode(), "a.md")


def test_so_does_front_matter_that_is_not_closed():
    with pytest.raises(RuleError, match="not closed"):
        MarkdownParser().parse(b"---\nallow: group:hr\nSecret", "a.md")


@pytest.mark.parametrize("content", ["hr", "", "group:hr; x"])
def test_so_does_html(content):
    with pytest.raises(RuleError):
        HtmlParser().parse(f'<meta name="allow" content="{content}"><p>Secret'.encode(), "a.html")


def test_allow_of_html_and_restructuredtext():
    html = HtmlParser().parse(b'<meta name=allow content="group:hr user:ann"><p>Secret', "a.html")
    assert html.metadata["allow"] == ("group:hr", "user:ann")
    rst = RestructuredTextParser().parse(b":allow: group:hr\n:author: Ann\n\nTitle\n=====\n\nText", "a.rst")
    assert (rst.metadata["allow"], rst.metadata["author"]) == (("group:hr",), "Ann")
    with pytest.raises(RuleError):
        RestructuredTextParser().parse(b"Title\n=====\n\n:Allow: everyone\n\nText", "a.rst")


def test_front_matter_that_is_no_mapping_is_text():
    assert "Just a line" in MarkdownParser().parse(b"---\nJust a line\n---\nText", "a.md").text


def test_dates():
    assert iso_date("2024/3/1") == "2024-03-01"
    assert iso_date("2024-03-01T10:00:00Z") == "2024-03-01T10:00:00Z"
    assert iso_date("last week") == "last week"
