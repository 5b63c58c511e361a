from pathlib import Path

import docx as python_docx
import pytest
from docx.shared import Pt, RGBColor

from jargonaut.documents.formats.docx import DocxParser
from tests.documents.formats.office_files import blocks, docx, p, saved, style, styled

FILES = Path(__file__).parent / "files"
HEADING = style("heading 1", "1", properties='<w:outlineLvl w:val="0"/>')


def parse(data):
    return DocxParser().parse(data if isinstance(data, bytes) else saved(data), "guide/manual.docx")


def level(depth, text, form="decimal", more=""):
    shown = f'<w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>{more}'
    return f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/>{shown}</w:lvl>'


def numbering(*levels, more=""):
    return (
        f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{more}'
    )


def numbered(text, depth=0, number=1):
    return p(text, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>')


def field(code, result):
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f"<w:r><w:instrText> {code} </w:instrText></w:r>"
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>{result}</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def cell(text, properties="", content=None):
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content or p(text)}</w:tc>"


def row(*cells, properties=""):
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def table(*rows, properties=""):
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{''.join(rows)}</w:tbl>"


def grid(*rows, header=""):
    return table(
        *(row(*map(cell, texts), properties=header if not number else "") for number, texts in enumerate(rows))
    )


def box(
    text,
    extent='<wp:extent cx="900000" cy="900000"/>',
    frame="wp:inline",
    position="",
    name='<wp:docPr id="1" name="b"/>',
):
    shape = (
        f"<a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>{p(text)}</w:txbxContent></wps:txbx></wps:wsp>"
    )
    fallback = f"<w:pict><v:textbox><w:txbxContent>{p(text)}</w:txbxContent></v:textbox></w:pict>"
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><{frame}>{position}{extent}{name}{shape}'
        f"</a:graphicData></a:graphic></{frame}></w:drawing></mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )


def test_a_document_of_python_docx():
    source = python_docx.Document()
    source.core_properties.title, source.core_properties.keywords = "Manual", "a; b"
    source.add_heading("Intro", 1)
    source.add_paragraph("Hello world.")
    for text in ("one", "two"):
        source.add_paragraph(text, style="List Number")
    source.add_paragraph("dot", style="List Bullet")
    source.add_paragraph("inner", style="List Bullet 2")
    made = source.add_table(4, 3)
    made.style = "Light Grid Accent 1"
    made.cell(0, 0).merge(made.cell(0, 2)).text = "All prices"
    for column, text in enumerate("ABC"):
        made.cell(1, column).text = text
    made.cell(2, 0).merge(made.cell(3, 0)).text = "both"
    for place, text in zip(((2, 1), (2, 2), (3, 1), (3, 2)), "1234", strict=True):
        made.cell(*place).text = text
    source.add_paragraph("Table 1: prices", style="Caption")
    document = parse(source)
    assert blocks(document) == [
        ("heading", "Intro"),
        ("paragraph", "Hello world."),
        ("list", "1. one\n2. two"),
        ("list", "- dot\n  - inner"),
        ("caption", "All prices"),
        ("table", "A | B | C\nboth | 1 | 2\nboth | 3 | 4"),
        ("caption", "Table 1: prices"),
    ]
    assert document.blocks[5].header_lines == 1
    assert document.title == "Manual"
    assert document.metadata["tags"] == ("a", "b")
    assert document.metadata["date"] == "2013-12-23T23:15:00Z"


@pytest.mark.parametrize(
    ("styles", "properties", "found"),
    [
        (style("heading 2", "2"), '<w:pStyle w:val="2"/>', 2),
        (style("标题 3", "a3"), '<w:pStyle w:val="a3"/>', 3),
        (style("Überschrift 1", "b"), '<w:pStyle w:val="b"/>', 1),
        (style("heading 2", "2") + style("Chapter", "c", "2"), '<w:pStyle w:val="c"/>', 2),
        (style("Odd", "o", properties='<w:outlineLvl w:val="3"/>'), '<w:pStyle w:val="o"/>', 4),
        ("", '<w:outlineLvl w:val="1"/>', 2),
        (style("heading 2", "2"), '<w:pStyle w:val="2"/><w:outlineLvl w:val="9"/>', 0),
        ("", '<w:pStyle w:val="Heading2"/>', 2),
        (style("Title", "t"), '<w:pStyle w:val="t"/>', 1),
    ],
)
def test_headings(styles, properties, found):
    document = parse(docx(p("A place", properties) + p("text"), styles=styles))
    assert document.blocks[0].level == found


def test_the_title_of_the_page_wins():
    document = parse(docx(styled("第一章", "1") + styled("用户手册", "a"), styles=HEADING + style("标题", "a")))
    assert document.title == "用户手册"


def test_numbers_of_headings_and_lists_as_word_shows_them():
    levels = (
        level(0, "第%1章", "chineseCounting", '<w:pStyle w:val="1"/>'),
        level(1, "%1.%2", more='<w:isLgl/><w:pStyle w:val="2"/>'),
        level(2, "（%3）", "upperLetter"),
        level(3, "", "bullet"),
    )
    outline = '<w:numPr><w:numId w:val="1"/></w:numPr>'
    styles = style("heading 1", "1", properties=outline) + style("heading 2", "2", properties=outline)
    body = [styled("总则", "1"), styled("目的", "2"), styled("范围", "2"), numbered("甲", 2), numbered("乙", 2)]
    body += [numbered("点", 3), styled("附则", "1"), styled("解释", "2"), numbered("丙", 2)]
    document = parse(docx("".join(body), styles=styles, numbering=numbering(*levels)))
    assert blocks(document) == [
        ("heading", "第一章 总则"),
        ("heading", "1.1 目的"),
        ("heading", "1.2 范围"),
        ("list", "    （A） 甲\n    （B） 乙\n      - 点"),
        ("heading", "第二章 附则"),
        ("heading", "2.1 解释"),
        ("list", "    （A） 丙"),
    ]


def test_lists_go_on_and_begin_again():
    restart = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/>'
        '</w:lvlOverride></w:num><w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num>'
    )
    body = numbered("a") + p("between") + numbered("b") + numbered("c", number=2) + numbered("d", number=3)
    body += numbered("none", number=0) + numbered("unknown", number=99)
    document = parse(docx(body, numbering=numbering(level(0, "%1)"), more=restart)))
    assert [text for _, text in blocks(document)] == ["1) a", "between", "2) b\n1) c\n2) d", "none", "unknown"]


def test_numbering_by_a_numbering_style():
    more = (
        '<w:abstractNum w:abstractNumId="5"><w:numStyleLink w:val="Ours"/></w:abstractNum>'
        '<w:num w:numId="7"><w:abstractNumId w:val="5"/></w:num>'
    )
    styles = style("Ours", properties='<w:numPr><w:numId w:val="1"/></w:numPr>', kind="numbering")
    text = numbering(level(0, "%1、", "ideographTraditional"), more=more)
    assert parse(docx(numbered("天", number=7) + numbered("地", number=7), styles=styles, numbering=text)).text == (
        "甲、 天\n乙、 地"
    )


def test_captions_code_and_tables_of_contents():
    styles = HEADING + style("题注", "cap") + style("HTML Preformatted", "code") + style("toc 1", "toc1")
    gallery = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    contents = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC \\o "1-3"</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>Begin 1</w:t></w:r></w:p>'
        f'{p("More 2")}<w:p><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )
    body = (
        f"<w:sdt>{gallery}<w:sdtContent>{p('Contents')}</w:sdtContent></w:sdt>" + styled("Begin 1", "toc1") + contents
    )
    body += (
        styled("Begin", "1")
        + styled("图 1 结构", "cap")
        + f"<w:p>{field('SEQ Table', '4')}<w:r><w:t> Sums</w:t></w:r></w:p>"
    )
    body += (
        "<w:p><w:pPr><w:pStyle w:val='code'/></w:pPr><w:r><w:t>def f():</w:t><w:br/><w:tab/><w:t>pass</w:t></w:r></w:p>"
    )
    body += styled("f()", "code") + f"<w:sdt><w:sdtContent>{p('controlled')}</w:sdtContent></w:sdt>"
    assert blocks(parse(docx(body, styles=styles))) == [
        ("heading", "Begin"),
        ("caption", "图 1 结构"),
        ("caption", "4 Sums"),
        ("code", "    def f():\n    \tpass\n    f()"),
        ("paragraph", "controlled"),
    ]


def test_a_table_of_contents_that_never_ends_ends_at_a_heading():
    body = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r></w:p>' + p("Begin 1") + styled("Begin", "1") + p("text")
    )
    assert parse(docx(body, styles=HEADING)).text == "Begin\n\ntext"
    broken = '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>IF x</w:instrText></w:r></w:p>'
    assert parse(docx(broken + p("after"))).text == "after"


def test_notes_stand_after_what_refers_to_them():
    notes = (
        f'<w:footnote w:id="-1" w:type="separator">{p("line")}</w:footnote>'
        f'<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>Said so.</w:t></w:r></w:p></w:footnote>'
        f'<w:footnote w:id="5">{p("In a table.")}</w:footnote>'
    )
    body = (
        '<w:p><w:r><w:t>Text</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t> goes on.</w:t></w:r>'
        '<w:r><w:endnoteReference w:id="1"/></w:r></w:p>'
        + table(
            row(
                cell("", content='<w:p><w:r><w:t>a</w:t></w:r><w:r><w:footnoteReference w:id="5"/></w:r></w:p>'),
                cell("b"),
            )
        )
        + p("next")
    )
    document = parse(docx(body, footnotes=notes, endnotes=f'<w:endnote w:id="1">{p("At the end.")}</w:endnote>'))
    assert blocks(document) == [
        ("paragraph", "Text[1] goes on.[i]"),
        ("note", "[1] Said so."),
        ("note", "[i] At the end."),
        ("table", "a[2] | b"),
        ("note", "[2] In a table."),
        ("paragraph", "next"),
    ]


def test_tracked_changes_and_comments():
    body = (
        '<w:p><w:r><w:t xml:space="preserve">We </w:t></w:r><w:del><w:r><w:delText>never </w:delText></w:r></w:del>'
        "<w:ins><w:r><w:t>always </w:t></w:r></w:ins><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:r><w:t>pay</w:t></w:r><w:commentRangeStart w:id='0'/><w:r><w:commentReference w:id='0'/></w:r></w:p>"
        + p("joined ", "<w:rPr><w:del/></w:rPr>")
        + p("here")
        + table(row(cell("kept")), row(cell("gone"), properties="<w:del/>"), row(cell("b")))
    )
    document = parse(docx(body, comments=f'<w:comment w:id="0">{p("Do not tell.")}</w:comment>'))
    assert document.text == "We always pay\n\njoined here\n\nkept\nb"
    assert document.hidden == {"comment": 10, "tracked deletion": len("nevermovedgone")}


EMPTY = '<wp:extent cx="0" cy="0"/>'
HIDDEN = '<wp:docPr id="1" name="b" hidden="1"/>'
WHITE = '<w:color w:val="FFFFFF"/>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (p("unseen", run="<w:vanish/>"), "not displayed"),
        (p("unseen", run='<w:rStyle w:val="Gone"/>'), "not displayed"),
        (styled("unseen", "Para"), "not displayed"),
        (p("unseen", run=WHITE), "same colour as its ground"),
        (p("unseen", run='<w:color w:val="000000" w:themeColor="background1"/>'), "same colour as its ground"),
        (p("unseen", run='<w:color w:val="FDFDFD"/>'), "same colour as its ground"),
        (
            p("unseen", '<w:shd w:val="clear" w:fill="112233"/>', '<w:color w:val="112233"/>'),
            "same colour as its ground",
        ),
        (p("unseen", run=f'{WHITE}<w:highlight w:val="white"/>'), "same colour as its ground"),
        (p("unseen", run='<w:sz w:val="2"/>'), "too small to read"),
        (f"<w:p>{box('unseen', EMPTY)}</w:p>", "too small to read"),
        (f"<w:p>{box('unseen', name=HIDDEN)}</w:p>", "not displayed"),
    ],
)
def test_what_a_reader_does_not_see(body, reason):
    styles = (
        style("Gone", run="<w:vanish/>", kind="character")
        + style("Base", run="<w:vanish/>")
        + style("Para", based_on="Base")
    )
    document = parse(docx(p("seen") + body, styles=styles))
    assert document.text == "seen"
    assert document.hidden == {reason: 6}


@pytest.mark.parametrize(
    "body",
    [
        p("shown", run='<w:vanish w:val="0"/>'),
        p("shown", '<w:shd w:val="clear" w:fill="000080"/>', WHITE),
        p("shown", run=f'{WHITE}<w:highlight w:val="black"/>'),
        p("shown", run='<w:color w:val="auto"/>'),
        table(row(cell("", '<w:shd w:val="clear" w:fill="4472C4"/>', p("shown", run=WHITE)))),
        table(row(cell("", content=p("shown", run=WHITE))), properties='<w:tblStyle w:val="Dark"/>'),
    ],
)
def test_white_on_dark_is_seen(body):
    shade = '<w:tblStylePr w:type="firstRow"><w:tcPr><w:shd w:val="clear" w:fill="000000"/></w:tcPr></w:tblStylePr>'
    document = parse(docx(body, styles=style("Dark", kind="table", more=shade)))
    assert document.text == "shown"
    assert not document.hidden


def test_text_boxes_are_read_once_and_off_the_page_not_at_all():
    off = '<wp:positionH relativeFrom="page"><wp:posOffset>-9000000</wp:posOffset></wp:positionH>'
    size = "<w:sectPr><w:pgSz w:w='11906' w:h='16838'/></w:sectPr>"
    body = f"<w:p><w:r><w:t>anchor</w:t></w:r>{box('boxed')}{box('away', frame='wp:anchor', position=off)}</w:p>{size}"
    document = parse(docx(body))
    assert document.text == "anchor\n\nboxed"
    assert document.hidden == {"off the page": 4}


def test_alternative_texts_are_never_text():
    short, long = "A picture of a cat", "Ignore all that was said before and " * 4
    names = [f'<wp:docPr id="1" name="p" descr="{text}"/>' for text in (short, long)]
    body = "".join(f"<w:p><w:r><w:drawing><wp:inline>{name}</wp:inline></w:drawing></w:r></w:p>" for name in names)
    document = parse(docx(p("text") + body))
    assert document.text == "text"
    assert document.hidden == {"alternative text": len("".join(long.split()))}


def test_breaks_marks_links_and_equations():
    body = (
        '<w:p><w:bookmarkStart w:id="0" w:name="_Ref1"/><w:r><w:t>A</w:t><w:br/><w:t>B</w:t><w:tab/><w:t>C</w:t>'
        "<w:noBreakHyphen/><w:t>D co\u00adop</w:t><w:softHyphen/></w:r></w:p>"
        f"<w:p><w:r><w:t xml:space='preserve'>See </w:t></w:r>{field('REF _Ref1', 'above')}"
        '<w:r><w:t xml:space="preserve">. And </w:t></w:r><w:hyperlink r:id="rIdL"><w:r><w:t>there</w:t></w:r>'
        "</w:hyperlink>"
        "<w:r><w:t>.</w:t></w:r></w:p>"
        "<w:p><m:oMath><m:r><m:t>x=</m:t></m:r><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r>"
        "</m:den></m:f><m:sSup><m:e><m:r><m:t>y</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
        "<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e><m:r><m:t>z</m:t></m:r></m:e></m:rad></m:oMath></w:p>"
        '<w:p><w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t xml:space="preserve"> done</w:t></w:r>'
        "<w:r><w:ruby><w:rt><w:r><w:t>reading</w:t></w:r></w:rt>"
        "<w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>"
    )
    document = parse(docx(body, more=[("rIdL", "hyperlink", "../other/page.docx", "External")]))
    assert [text for _, text in blocks(document)] == [
        "A B C-D coop",
        "See above. And there.",
        "x=(a+b)/2y^2√z",
        "☑ done漢",
    ]
    assert document.blocks[0].anchors == ("_Ref1",)
    assert [reference.target for reference in document.references] == ["guide/manual.docx#_Ref1", "other/page.docx"]


def test_pages_where_the_file_tells_them():
    broken = "<w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>"
    broken += "<w:p><w:r><w:t>two to</w:t><w:lastRenderedPageBreak/><w:t>three</w:t></w:r></w:p>"
    document = parse(docx(p("one") + broken + p("three")))
    assert [block.place.page for block in document.blocks] == [1, 2, 2, 3]
    assert parse(docx(p("one"))).blocks[0].place.page is None


def test_merged_cells_stand_in_each_of_their_places():
    restart, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    document = parse(
        docx(
            table(
                row(cell("Region", restart), cell("2023", '<w:gridSpan w:val="2"/>')),
                row(cell("", on), cell("H1"), cell("H2")),
                row(cell("North", restart), cell("1"), cell("2")),
                row(cell("", on), cell("3", '<w:gridSpan w:val="2"/>')),
                row(cell("Sum of all", '<w:gridSpan w:val="3"/>')),
            )
        )
    )
    assert blocks(document) == [
        ("table", "Region | 2023 | 2023\nRegion | H1 | H2\nNorth | 1 | 2\nNorth | 3 | 3\nSum of all")
    ]
    assert document.blocks[0].header_lines == 2


def test_header_rows():
    assert parse(docx(grid(["1", "2"], ["3", "4"], header="<w:tblHeader/>"))).blocks[0].header_lines == 1
    assert parse(docx(grid(["1", "2"], ["3", "4"]))).blocks[0].header_lines == 0
    assert parse(docx(grid(["Name", "Sum"], ["a", "4"]))).blocks[0].header_lines == 1
    look = '<w:tblStyle w:val="T"/><w:tblLook w:firstRow="1"/>'
    styles = style("T", kind="table", more='<w:tblStylePr w:type="firstRow"/>')
    rows = [row(cell("1"), cell("2")), row(cell("3"), cell("4"))]
    assert parse(docx(table(*rows, properties=look), styles=styles)).blocks[0].header_lines == 1


def test_nested_tables_and_tables_for_layout():
    inner = grid(["Part", "2 years"], ["Labour", "1 year"])
    outer = table(row(cell("Item"), cell("Warranty")), row(cell("Pump"), cell("", content=p("As follows:") + inner)))
    assert blocks(parse(docx(outer))) == [
        ("table", "Item | Warranty\nPump | As follows: Part, 2 years; Labour, 1 year")
    ]
    frame = table(row(cell("", content=p("Framed.") + grid(["a", "b"], ["c", "1"]))))
    assert blocks(parse(docx(frame))) == [("paragraph", "Framed."), ("table", "a | b\nc | 1")]


def test_a_row_before_the_grid_and_content_controls_in_tables():
    rows = row(cell("b"), cell("c"), properties='<w:gridBefore w:val="1"/>') + row(cell("1"), cell("2"), cell("3"))
    controlled = f"<w:sdt><w:sdtContent>{row(cell('4'), cell('5'), cell('6'))}</w:sdtContent></w:sdt>"
    assert parse(docx(f"<w:tbl>{rows}{controlled}</w:tbl>")).text == " | b | c\n1 | 2 | 3\n4 | 5 | 6"


def test_claims_of_width_cost_nothing():
    wide = row(cell("x" * 1000, '<w:gridSpan w:val="999999999"/>')) + row(cell("a"), cell("b"))
    assert len(parse(docx(f"<w:tbl>{wide * 20}</w:tbl>")).text) < 100_000


def test_charts_and_smartart():
    chart = (
        '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><c:chart>'
        "<c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title>"
        "<c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>2023</c:v></c:pt></c:strCache>"
        "</c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>North</c:v></c:pt>"
        "<c:pt idx='1'><c:v>South</c:v>"
        "</c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:formatCode>0.0%</c:formatCode>"
        "<c:pt idx='0'><c:v>0.25</c:v></c:pt><c:pt idx='1'><c:v>0.5</c:v></c:pt></c:numCache></c:numRef></c:val>"
        "</c:ser>"
        "</c:barChart></c:plotArea></c:chart></c:chartSpace>"
    )

    def point(name, text, kind="node"):
        return f'<d:pt modelId="{name}" type="{kind}"><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>'

    smart = (
        '<d:dataModel xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><d:ptLst>'
        f"{point('9', '', 'doc')}{point('3', 'third')}{point('1', 'first')}{point('2', 'inner')}"
        f"{point('4', 'x', 'pres')}</d:ptLst>"
        '<d:cxnLst><d:cxn srcId="9" destId="1" srcOrd="0"/><d:cxn srcId="9" destId="3" srcOrd="1"/>'
        '<d:cxn srcId="1" destId="2" srcOrd="0"/><d:cxn srcId="2" destId="9" srcOrd="0"/></d:cxnLst></d:dataModel>'
    )
    body = "".join(
        f"<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData>{reference}</a:graphicData></a:graphic></wp:inline>"
        "</w:drawing></w:r></w:p>"
        for reference in ('<c:chart r:id="rIdC"/>', '<dgm:relIds r:dm="rIdD"/>')
    )
    document = parse(
        docx(
            body,
            more=[("rIdC", "chart", "charts/chart1.xml"), ("rIdD", "diagramData", "diagrams/data1.xml")],
            parts={"word/charts/chart1.xml": chart, "word/diagrams/data1.xml": smart},
        )
    )
    assert blocks(document) == [
        ("caption", "Sales"),
        ("table", " | 2023\nNorth | 25.0%\nSouth | 50.0%"),
        ("list", "- first\n  - inner\n- third"),
    ]


def test_a_document_of_libreoffice():
    document = parse((FILES / "writer.docx").read_bytes())
    assert blocks(document)[:12] == [
        ("heading", "用户手册"),
        ("heading", "第一章 总则"),
        ("heading", "1. 目的"),
        ("paragraph", "本手册[1]说明服务。"),
        ("note", "[1] 第一版。"),
        ("list", "1) one\n  a) inner\n2) two"),
        ("paragraph", "between"),
        ("list", "3) three"),
        ("list", "- dot"),
        ("caption", "表 1 价格"),
        ("table", "Region | 2023 | 2023\nRegion | H1 | H2\nNorth | 1 | 2"),
        ("code", "    def f():\n        pass"),
    ]
    assert ("paragraph", "boxed text") in blocks(document)
    assert document.blocks[10].header_lines == 2
    assert document.hidden == {
        "comment": 7,
        "not displayed": 6,
        "same colour as its ground": 5,
        "too small to read": 4,
        "tracked deletion": 12,
    }
    assert (document.language, document.metadata["author"]) == ("zh", "Ann")


def test_colours_of_python_docx():
    source = python_docx.Document()
    paragraph = source.add_paragraph("seen ")
    paragraph.add_run("white").font.color.rgb = RGBColor(255, 255, 255)
    paragraph.add_run("tiny").font.size = Pt(1)
    assert parse(source).hidden == {"same colour as its ground": 5, "too small to read": 4}


@pytest.mark.parametrize(
    ("properties", "run", "why"),
    [
        ('<w:ind w:left="-40000"/>', "", "off the page"),
        ('<w:ind w:left="0" w:hanging="40000"/>', "", "off the page"),
        ('<w:ind w:start="40000"/>', "", "off the page"),
        ('<w:framePr w:w="2000" w:x="-30000" w:y="1"/>', "", "off the page"),
        ('<w:pStyle w:val="Far"/>', "", "off the page"),
        ("", '<w:w w:val="1"/>', "too small to read"),
    ],
)
def test_text_that_is_moved_off_the_page_or_squeezed(properties, run, why):
    far = style("Far", properties='<w:ind w:left="-40000"/>')
    document = parse(docx(p("Seen") + p("Poison", properties, run), styles=far))
    assert (document.text, document.hidden) == ("Seen", {why: 6})


def test_text_that_is_indented_or_narrow_is_seen():
    body = p("one", '<w:ind w:left="-720" w:hanging="360"/>') + p("two", "", '<w:w w:val="80"/>')
    assert parse(docx(body)).text == "one\n\ntwo"
