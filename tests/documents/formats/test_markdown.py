import pytest

from jargonaut.documents.formats.markdown import MarkdownParser

PAGE = """---
title: Caches
---

# Cache *setup* {#setup}

Use a **fast** `cache  store`, see [the
sessions](../http/sessions.md#engine) or [outside](https://example.org).
Soft break.

Setext title
------------

| Name | Default |
|------|---------|
| `AGE` | [two](weeks.md) |
| x | |

- one
- two

  more of two

  ```python
  if x:
      y()
  ```
- three
  1. inner
  2. last

   in the first item

> [!NOTE]
> Mind the gap.

Text[^1] ![a picture](p.png).

[^1]: The footnote.
"""


def parse(text, uri="docs/db/caches.md"):
    return MarkdownParser().parse(text.encode(), uri)


def block_texts(document):
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_a_page():
    document = parse(PAGE)
    assert block_texts(document) == [
        ("heading", "Cache setup"),
        ("paragraph", "Use a fast cache store, see the sessions or outside. Soft break."),
        ("heading", "Setext title"),
        ("table", "Name | Default\nAGE | two\nx | "),
        ("list", "- one\n- two\n  more of two"),
        ("code", "    if x:\n        y()"),
        ("list", "- three\n  1. inner\n  2. last\n  in the first item"),
        ("paragraph", "Note: Mind the gap."),
        ("paragraph", "Text a picture."),
        ("paragraph", "The footnote."),
    ]
    assert (document.title, document.language, document.media_type) == ("Caches", "en", "text/markdown")
    assert [block.level for block in document.blocks if block.level] == [1, 2]
    assert document.blocks[0].anchors == ("setup", "cache-setup")
    assert [block.place.line for block in document.blocks][:4] == [5, 7, 11, 14]
    assert [(document.text[item.start : item.end], item.target) for item in document.references] == [
        ("Use a fast cache store, see the sessions or outside.", "docs/http/sessions.md#engine"),
        ("AGE | two", "docs/db/weeks.md"),
    ]


def test_headings_of_the_same_name_get_anchors_of_their_own():
    document = parse("# A b!\n\n# A b!\n\n# 会话 设置")
    assert [block.anchors for block in document.blocks] == [("a-b",), ("a-b-1",), ("会话-设置",)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("import Tabs from '@theme/Tabs';\n\nText", "Text"),
        ("Text {/* hidden */} shown", "Text shown"),
        (":::note 注意\n这是\n测试\n:::\nAfter", "注意: 这是测试\n\nAfter"),
        (":::tip\n\nText\n\n:::", "Tip:\n\nText"),
        ('{{< copyable "sql" >}}\n\nText', "Text"),
        ("**场景 1：**目标集群", "场景 1：目标集群"),
        ("a<br>b <b>c</b> <!-- d -->", "a b c"),
        ("<details><summary>More</summary>\n\nInner\n\n</details>", "More\n\nInner"),
        ("```\nimport x from 'y'\n:::note\n```", "    import x from 'y'\n    :::note"),
        ("a\\*b &amp; c", "a*b & c"),
        ("a **b", "a **b"),
    ],
)
def test_marks_that_are_no_text(source, text):
    assert parse(source).text == text


def test_html_in_markdown_is_read_as_html():
    document = parse("# A\n\n<table>\n<tr><th>x</th><th>y</th></tr>\n<tr><td>1</td><td>2</td></tr>\n</table>\n\nText")
    assert block_texts(document)[1] == ("table", "x | y\n1 | 2")
    assert document.blocks[1].place.line == 4


def test_deep_nesting_loses_nothing():
    assert "deep" in parse("> " * 60 + "deep").text
    assert "leaf" in parse("\n".join("  " * depth + "- x" for depth in range(40)) + "\n" + "  " * 40 + "- leaf").text


def test_links_that_lead_nowhere_are_no_references():
    links = "[a](mailto:x@y) [b](#here) [c](../../../out.md) [d](/abs/x.md?q=1#z) [e](<two words.md>) [f]()"
    assert [item.target for item in parse(links).references] == [
        "docs/db/caches.md#here",
        "abs/x.md#z",
        "docs/db/two words.md",
    ]


def test_a_line_that_nobody_wrote_is_cut_into_paragraphs_and_loses_nothing():
    line = "*a " * 9_000
    text = MarkdownParser().parse(f"# Title\n\n{line}\n\nend\n".encode(), "a.md").text
    assert text.count("a") == 9_000
    assert max(map(len, text.split("\n\n"))) <= 3_000
    code = "x" * 30_000
    assert code in MarkdownParser().parse(f"```\n{code}\n```\n".encode(), "a.md").text


def test_comments_that_are_not_closed_are_comments_to_the_end():
    document = MarkdownParser().parse(b"Seen <b>\n\n<!-- one -->\n<!-- two <!-- three\n\nfour\n", "a.md")
    assert document.text == "Seen"
    assert document.hidden["comment"] >= len("onetwo<!--three")
