import pytest

from jargonaut.documents.formats.html import HtmlParser

PAGE = """<!doctype html>
<html lang="en"><head><title>Caches — Docs</title>
<meta name="author" content="Ann"><meta property="article:published_time" content="2024-03-01T10:00:00Z">
<meta name="keywords" content="cache, http"><style>p {}</style><script>let x = "<p>no</p>"</script></head>
<body>
<nav><a href="/">Home</a></nav>
<main>
<h1 id="top">Cache <em>setup</em> &amp; use<a class="headerlink" href="#top">¶</a></h1>
<p>Use a <b>fast</b> store, see <a href="../http/sessions.html#engine">the
sessions</a>.<br>New line.</p>
<div style="color: red; display: none">hidden</div><div hidden>hidden</div>
<section id="two"><h2>Two</h2>
<ul><li>one</li><li>two<p>more</p><ol start="3"><li>inner</li></ol><pre>code
  here</pre></li></ul>
<table><caption>Values</caption><thead><tr><th>Name</th><th>Default</th></tr></thead>
<tr><td>AGE</td><td><p>two</p><p>weeks</p></td></tr></table>
<table role="presentation"><tr><td>Layout</td><td>only</td></tr></table>
<dl><dt id="term">Term</dt><dd>Meaning</dd></dl>
loose text <img alt="a picture" src="x.png">
</section>
</main>
<footer role="contentinfo">Imprint</footer>
</body></html>
"""


@pytest.fixture(scope="module")
def document():
    return HtmlParser().parse(PAGE.encode(), "docs/db/caches.html")


def test_blocks(document):
    assert [(block.kind, document.text[block.start : block.end]) for block in document.blocks] == [
        ("heading", "Cache setup & use"),
        ("paragraph", "Use a fast store, see the sessions. New line."),
        ("heading", "Two"),
        ("list", "- one\n- two\n  more\n  3. inner"),
        ("code", "    code\n      here"),
        ("caption", "Values"),
        ("table", "Name | Default\nAGE | two weeks"),
        ("paragraph", "Layout"),
        ("paragraph", "only"),
        ("list", "- Term\n  Meaning"),
        ("paragraph", "loose text a picture"),
    ]


def test_everything_else(document):
    assert (document.title, document.language, document.media_type) == ("Cache setup & use", "en", "text/html")
    assert document.metadata == {
        "author": "Ann",
        "date": "2024-03-01T10:00:00Z",
        "tags": ("cache", "http"),
        "lang": "en",
        "title": "Caches — Docs",
    }
    anchors = {document.text[block.start : block.end]: block.anchors for block in document.blocks if block.anchors}
    assert anchors == {"Cache setup & use": ("top",), "Two": ("two",), "- Term\n  Meaning": ("term",)}
    assert [item.target for item in document.references] == ["docs/http/sessions.html#engine"]
    lines = {document.text[block.start : block.end]: block.place.line for block in document.blocks}
    assert (lines["Cache setup & use"], lines["Two"], lines["loose text a picture"]) == (8, 12, 19)


def test_declared_encodings():
    chinese = "<meta charset=gb2312><p>会话的配置</p>".encode("gb18030")
    assert HtmlParser().parse(chinese, "a.html").text == "会话的配置"
    wrong = "<meta charset=us-ascii><p>Größe</p>".encode()
    assert HtmlParser().parse(wrong, "a.html").text == "Größe"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("<p>open <p>end", "open\n\nend"),
        ("<table><tr><td><h2>A</h2>text</td></tr></table>", "A\n\ntext"),
        ("<main>x</main><p>" + "much more text " * 5, "x\n\n" + " ".join(["much more text"] * 5)),
        ("<div>" * 3000 + "deep" + "</div>" * 3000, "deep"),
    ],
)
def test_odd_pages(source, text):
    assert HtmlParser().parse(source.encode(), "a.html").text == text


def test_xhtml_may_close_any_element_at_once():
    page = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title xml:lang="en"/><script/></head>'
        '<body><h1><a id="top"/>Seal</h1><p>One<br/>two<span class="x"/>.</p><div/><p>Three</p></body></html>'
    )
    document = HtmlParser().parse(page.encode(), "a.html")
    assert document.text == "Seal\n\nOne two.\n\nThree"
    assert document.blocks[0].anchors == ("top",)


def test_the_mark_of_a_note_is_a_word():
    page = b"<p><span><a href='#r1' id='n1'>1</a></span>Inserted in 2024.</p><p>2024 was dry.</p><p><b>3</b>%</p>"
    assert HtmlParser().parse(page, "a.html").text == "1 Inserted in 2024.\n\n2024 was dry.\n\n3 %"


def test_a_page_without_heading_is_named_by_its_title():
    assert HtmlParser().parse(b"<title>Given  name</title><p>x", "a.html").title == "Given name"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<ol><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"),
        ("<ol type=a start=3><li>x<li>y</ol>", "c. x\nd. y"),
        ("<ol type=I><li>x<li type=1>y<li>z</ol>", "I. x\n2. y\nIII. z"),
        ("<ol reversed><li>x<li>y</ol>", "2. x\n1. y"),
        ("<ol start=0><li>x<li>y</ol>", "0. x\n1. y"),
        ("<ol start='much'><li value='1e9'>x</ol>", "1. x"),
    ],
)
def test_lists_are_numbered_as_the_page_shows_them(source, shown):
    assert HtmlParser().parse(source.encode(), "a.html").text == shown


def test_items_that_are_hidden_are_no_items():
    document = HtmlParser().parse(b"<ul><li>one<li style='display:none'>poison<li hidden>poison</ul>", "a.html")
    assert (document.text, document.hidden) == ("- one", {"not displayed": 12})
