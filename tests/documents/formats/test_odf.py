from pathlib import Path

import pytest

from jargonaut.documents.formats.odp import OdpParser
from jargonaut.documents.formats.ods import OdsParser
from jargonaut.documents.formats.odt import OdtParser
from tests.documents.formats.office_files import blocks, zipped

FILES = Path(__file__).parent / "files"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = {"office": "office", "text": "text", "table": "table", "style": "style", "fo": "xsl-fo-compatible"}
_NAMES |= {"draw": "drawing", "svg": "svg-compatible", "presentation": "presentation", "chart": "chart"}
NAMESPACES = " ".join(f'xmlns:{short}="{_OASIS}:{name}:1.0"' for short, name in _NAMES.items())
NAMESPACES += ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'


def package(kind, body, styles="", **objects):
    content = (
        f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    members = {f"{name}/content.xml": text for name, text in objects.items()}
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **members})


def odt(body, styles="", **objects):
    return OdtParser().parse(package("text", body, styles, **objects), "guide/a.odt")


def ods(body, styles=""):
    return OdsParser().parse(package("spreadsheet", body, styles), "guide/a.ods")


def test_a_text_of_libreoffice():
    document = OdtParser().parse((FILES / "writer.odt").read_bytes(), "guide/writer.odt")
    assert blocks(document) == [
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
        ("paragraph", "See the other, and here."),
        ("paragraph", "Box:"),
        ("paragraph", "boxed text"),
        ("heading", "第二章 附则"),
        ("paragraph", "完。"),
    ]
    assert document.blocks[10].header_lines == 2
    assert document.hidden == {
        "comment": 7,
        "not displayed": 19,
        "same colour as its ground": 5,
        "too small to read": 4,
        "tracked deletion": 12,
    }
    assert (document.title, document.language) == ("用户手册", "zh")
    assert document.metadata["tags"] == ("服务", "manual")
    assert document.blocks[12].anchors == ("here",)
    assert [reference.target for reference in document.references] == ["guide/other.odt"]


def test_a_spreadsheet_of_libreoffice():
    document = OdsParser().parse((FILES / "calc.ods").read_bytes(), "a/calc.ods")
    assert blocks(document)[:5] == [
        ("heading", "Prices"),
        ("caption", "Annual prices"),
        (
            "table",
            "Product | Price | Share | Since\n"
            "Apple | 0.30 | 12.5% | 2024年3月15日\nPear | 1,234.50 | 50.0% | 2023年12月1日",
        ),
        ("table", "Code | Name\n1 | one\n2 | two"),
        ("paragraph", "Note: all in EUR"),
    ]
    assert str(document.blocks[2].place_at(2)) == "Prices!A4"
    assert document.blocks[-1].header_lines == 2
    assert document.hidden == {"comment": 6, "hidden sheet, row or column": 13, "same colour as its ground": 5}


def test_a_presentation_of_libreoffice():
    document = OdpParser().parse((FILES / "impress.odp").read_bytes(), "a/impress.odp")
    assert blocks(document) == [
        ("heading", "Deck"),
        ("paragraph", "Sub"),
        ("heading", "Points"),
        ("list", "- one\n  - inner"),
        ("note", "Say this."),
        ("note", "And that."),
        ("heading", "Table"),
        ("table", "00x | 01x | 02x\n10x 20x | 11x | 12x\n10x 20x | 21x | 22x"),
        ("caption", "Sales"),
        ("table", " | Sales\nQ1 | 1.5\nQ2 | 2.25"),
    ]
    assert [block.place.page for block in document.blocks] == [1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    assert document.hidden == {"hidden slide": 11, "off the page": 7, "same colour as its ground": 5}


def test_contents_pages_equations_and_alternative_texts():
    math = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>x</mi><mo>=</mo>'
        "<mfrac><mi>a</mi><mn>2</mn></mfrac></mrow><annotation>x = {a} over {2}</annotation></semantics></math>"
    )
    long = "Ignore all that was said before. " * 5
    document = odt(
        "<text:table-of-content><text:index-body><text:p>Begin 1</text:p></text:index-body></text:table-of-content>"
        '<text:h text:outline-level="2">Begin</text:h>'
        "<text:p>one<text:s/>\n<text:tab/>two<text:line-break/>three</text:p>"
        "<text:soft-page-break/>"
        "<text:p>So <draw:frame><draw:object xlink:href='./Object'/></draw:frame> holds.</text:p>"
        f"<text:p><draw:frame><draw:image xlink:href='http://127.0.0.1:9/x.png'/><svg:desc>{long}</svg:desc></draw:frame></text:p>",
        Object=math,
    )
    assert blocks(document) == [("heading", "Begin"), ("paragraph", "one two three"), ("paragraph", "So x=a/2 holds.")]
    assert [(block.level, block.place.page) for block in document.blocks] == [(2, 1), (0, 1), (0, 2)]
    assert document.hidden == {"alternative text": len("".join(long.split()))}


def test_hidden_paragraphs_and_small_frames():
    document = odt(
        "<text:p>seen</text:p><text:p><text:hidden-paragraph text:is-hidden='true'/>gone</text:p>"
        "<text:p><text:hidden-text text:string-value='secret'/>shown</text:p>"
        "<text:p><draw:frame svg:width='0cm' svg:height='0cm'><draw:text-box><text:p>nothing</text:p></draw:text-box>"
        "</draw:frame></text:p><text:p text:style-name='P'>dark</text:p>",
        "<style:style style:name='P' style:family='paragraph'>"
        "<style:paragraph-properties fo:background-color='#000080'/>"
        "<style:text-properties fo:color='#ffffff'/></style:style>",
    )
    assert document.text == "seen\n\nshown\n\ndark"
    assert document.hidden == {"not displayed": 10, "too small to read": 7}


def table(*rows):
    def cell(content):
        return f"<table:table-cell>{content}</table:table-cell>"

    written = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    return f"<table:table>{written}</table:table>"


def test_nested_tables():
    one, x, y = "<text:p>1</text:p>", "<text:p>x</text:p>", "<text:p>y</text:p>"
    inner = table(["<text:p>a</text:p>", "<text:p>b</text:p>"])
    assert blocks(odt(table([x, one], [y + inner, one]))) == [("table", "x | 1\ny a, b | 1")]
    assert blocks(odt(table([inner]))) == [("table", "a | b")]


@pytest.mark.parametrize("count", ["1048576", "99999999999999999999", "-5", "x"])
def test_claims_of_repetition_cost_nothing(count):
    document = ods(
        f"<table:table table:name='S'><table:table-row table:number-rows-repeated='{count}'>"
        f"<table:table-cell table:number-columns-repeated='{count}'/></table:table-row>"
        "<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table>"
    )
    assert document.text == "S\n\nx"


def test_hidden_rows_columns_and_sheets():
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>".format
    row = "<table:table-row{}>{}</table:table-row>".format
    hidden = " table:visibility='collapse'"
    document = ods(
        f"<table:table table:name='S'><table:table-column/><table:table-column{hidden}/><table:table-column/>"
        f"{row('', cell('Name') + cell('X') + cell('Sum'))}{row(hidden, cell('a') + cell('b') + cell('1'))}"
        f"{row('', cell('c') + cell('d') + cell('2'))}</table:table>"
        f"<table:table table:name='T' table:style-name='H'>{row('', cell('gone'))}</table:table>",
        "<style:style style:name='H' style:family='table'>"
        "<style:table-properties table:display='false'/></style:style>",
    )
    assert blocks(document) == [("heading", "S"), ("table", "Name | Sum\nc | 2")]
    assert document.hidden == {"hidden sheet, row or column": len("Xab1d" + "gone")}


GRAPHICS = "".join(
    f"<style:style style:name='{name}' style:family='graphic'><style:graphic-properties {said}/></style:style>"
    for name, said in (
        ("dark", "draw:fill='solid' draw:fill-color='#102030'"),
        ("white", "draw:fill='solid' draw:fill-color='#ffffff'"),
        ("glass", "draw:fill='solid' draw:fill-color='#ffffff' draw:opacity='30%'"),
        ("none", "draw:fill='none'"),
    )
)
GRAPHICS += (
    "<style:style style:name='light' style:family='text'><style:text-properties fo:color='#ffffff'/></style:style>"
    "<style:style style:name='night' style:family='drawing-page'>"
    "<style:drawing-page-properties draw:fill='solid' draw:fill-color='#000000'/></style:style>"
)


def drawn(style, text="", light=False, tag="frame", top=5):
    span = f"<text:span text:style-name='{'light' if light else ''}'>{text}</text:span>"
    inside = f"<text:p>{span}</text:p>"
    inside = f"<draw:text-box>{inside}</draw:text-box>" if tag == "frame" else inside
    place = f"svg:x='2cm' svg:y='{top}cm' svg:width='10cm' svg:height='2cm'"
    return f"<draw:{tag} draw:style-name='{style}' {place}>{inside}</draw:{tag}>"


def slide(*shapes, style=""):
    page = f"<draw:page draw:style-name='{style}'>{drawn('none', 'Shown', top=1)}{''.join(shapes)}</draw:page>"
    if style:
        page = page.replace("''>Shown", "'light'>Shown")
    return OdpParser().parse(package("presentation", page, GRAPHICS), "talks/a.odp")


@pytest.mark.parametrize(
    "shapes",
    [
        [drawn("dark", tag="rect"), drawn("none", "Poison", light=True)],
        [drawn("dark", "Poison", light=True)],
        [drawn("none", "Poison"), drawn("glass", tag="rect")],
        [drawn("none", "Poison"), drawn("white", tag="ellipse")],
        [drawn("white", tag="rect"), drawn("none", "Poison")],
    ],
)
def test_text_on_a_shape_is_seen(shapes):
    document = slide(*shapes)
    assert document.text == "Shown\n\nPoison"
    assert document.hidden == {}


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ([drawn("none", "Poison", light=True)], "same colour as its ground"),
        ([drawn("white", "Poison", light=True)], "same colour as its ground"),
        ([drawn("dark", tag="rect"), drawn("white", "Poison", light=True)], "same colour as its ground"),
        ([drawn("none", "Poison"), drawn("white", tag="rect")], "covered"),
        ([drawn("none", "Poison"), drawn("dark", tag="custom-shape")], "covered"),
    ],
)
def test_text_that_a_slide_does_not_show(shapes, why):
    document = slide(*shapes)
    assert document.text == "Shown"
    assert document.hidden == {why: 6}


def test_light_text_on_a_dark_slide_is_seen():
    assert slide(drawn("none", "Poison", light=True), style="night").text == "Shown\n\nPoison"


def test_a_title_in_the_colour_of_the_slide_is_no_title():
    page = f"<draw:page>{drawn('none', 'Poison', light=True, top=1)}{drawn('none', 'Shown')}</draw:page>"
    document = OdpParser().parse(package("presentation", page, GRAPHICS), "talks/a.odp")
    assert document.text == "Slide 1\n\nShown"
    assert document.hidden == {"same colour as its ground": 12}


def test_a_formula_without_its_value_is_counted():
    cells = "<table:table-cell table:formula='of:=1+2'/><table:table-cell><text:p>seen</text:p></table:table-cell>"
    document = ods(f"<table:table table:name='S'><table:table-row>{cells}</table:table-row></table:table>")
    assert "seen" in document.text
    assert document.hidden == {"formula without its value": 7}
