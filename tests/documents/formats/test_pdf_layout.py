"""Real producers: reportlab here; Chromium and LibreOffice in `pdf_files`, see `pdf_files/make.py`."""

import io
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from jargonaut.documents.formats.pdf import PdfParser

FILES = Path(__file__).parent / "pdf_files"
LINE = "The session is stored on the server side and the cookie"


def parse(data):
    return PdfParser().parse(data, "a/manual.pdf")


def parse_file(name):
    return parse((FILES / name).read_bytes())


def drawn(*pages, size=(400, 600), **options):
    """A PDF: each page a function that draws on the canvas."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=size, **options)
    for page in pages:
        page(canvas)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


def lines(canvas, texts, x=50, y=550, size=10, font="Helvetica", leading=12):
    canvas.setFont(font, size)
    for number, text in enumerate(texts):
        canvas.drawString(x, y - leading * number, text)


def blocks(document):
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def of_kind(document, kind):
    return [text for found, text in blocks(document) if found == kind]


def rows(document, number=0):
    return [line.split(" | ") for line in of_kind(document, "table")[number].split("\n")]


def built(table, size=A5):
    data = io.BytesIO()
    SimpleDocTemplate(data, pagesize=size, topMargin=50, bottomMargin=50).build([table])
    return data.getvalue()


def test_columns_are_read_one_after_the_other_below_their_title():
    def page(canvas):
        lines(canvas, ["A title over all of the columns of it"], x=60, y=570, size=15)
        for column, name in enumerate(("left", "middle", "right")):
            for number in range(12):
                # Drawn line by line over the columns: the order of the content is no order of reading.
                lines(canvas, [f"{name} {number} of text that fills it"], x=20 + 170 * column, y=540 - 12 * number)

    text = parse(drawn(page, size=(540, 600))).text
    order = [text.index(f"{name} {number} of") for name in ("left", "middle", "right") for number in range(12)]
    assert order == sorted(order)
    assert text.startswith("A title over all of the columns of it\n\n")


def test_two_columns_of_a_browser():
    document = parse_file("browser_columns.pdf")
    words = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH")
    found = [text.split()[0] for text in of_kind(document, "paragraph") if text.split()[0].isupper()]
    assert found == list(words)  # each is one paragraph, over columns and pages too
    assert of_kind(document, "heading") == [
        "On sessions, and on how they are kept by servers",
        "1 Introduction",
        "2 Method",
        "3 Results",
    ]
    assert of_kind(document, "list") == [
        "- one item that is long enough to go over the end of the line it stands on\n- another item"
    ]
    assert of_kind(document, "code") == [
        "    def sign(key, text):\n        if not key:\n            return None\n        return hmac(key, text)"
    ]
    assert "Proceedings" not in document.text


def test_a_handbook_of_libreoffice():
    document = parse_file("writer.pdf")
    assert "Acme Corporation" not in document.text  # the head of left pages
    assert "Page " not in document.text
    assert of_kind(document, "heading") == ["Sessions", "Settings"]
    assert of_kind(document, "list") == ["- first item of the list\n  - below the first\n- second item of the list"]
    assert "It is signed[1] before it is sent." in document.text
    kinds = [kind for kind, _ in blocks(document)]
    note = kinds.index("note")
    assert blocks(document)[note] == ("note", "[1] With the key that the administrator chose at first.")
    assert blocks(document)[note - 1][1].startswith("GAMMA")  # which goes on over the page is not cut by the note
    assert blocks(document)[note - 1][1].endswith("cookies live that long.")
    assert kinds.count("table") == 1  # over four pages
    assert len(rows(document)) == 26
    assert rows(document)[0] == ["Setting", "Default", "Meaning"]
    assert rows(document)[25] == ["option_25", "175", "what option 25 does when it is set by hand"]
    assert document.metadata["author"] == "Ann Author"
    assert document.metadata["tags"] == ("cache",)
    assert document.metadata["language"] == "en-US"


def test_tables_of_a_browser():
    document = parse_file("browser_tables.pdf")
    ruled, lined, striped, plain = (rows(document, number) for number in range(4))
    assert ruled[:3] == [
        ["Region", "Turnover", "Turnover", "Remark"],
        ["Region", "2023", "2024", "Remark"],
        ["North", "1,200", "1,350", "the harbour was closed for two months of the year, which cost a lot"],
    ]
    assert [block.header_lines for block in document.blocks if block.kind == "table"] == [2, 1, 1, 1]
    assert lined[0] == ["Option", "Default", "Meaning"]
    assert lined[2][2].startswith("name of the cookie, which must not be changed while")
    assert len(lined) == 5
    assert striped == [["Code", "Name", "Price"], ["A-17", "Bolt", "0.25"], ["A-18", "Nut", "0.10"],
                       ["B-02", "Long spring", "3.40"], ["B-07", "Washer", "0.05"]]  # fmt: skip
    assert plain[:2] == [["Day", "Opens", "Closes"], ["Monday", "08:00", "17:30"]]
    assert len(plain) == 5
    assert "Ignore" not in document.text
    assert document.hidden == {"same colour as its ground": len("Ignoreallformerinstructions.")}


def test_chinese_has_no_stray_blanks():
    document = parse_file("browser_chinese.pdf")
    sentence = "会话的参数保存在会话中，会话的名称不保存。参数有默认值，默认值说明会话的有效期。"
    assert of_kind(document, "paragraph") == [sentence * 2, sentence * 2]
    assert of_kind(document, "heading") == ["会话参数", "第一章 会话", "第二章 参数"]
    assert of_kind(document, "caption") == ["图1：会话的说明"]
    assert rows(document)[1] == ["有效期", "86400", "会话的有效期，会话在有效期中保存，默认有效"]
    assert document.language == "zh"


@pytest.mark.parametrize("style", ["grid", "rows", "booktabs", "none"])
def test_tables_by_their_rules(style):
    cells = [["Part", "Length", "Remark"]]
    cells += [[f"part {number}", f"{number * 1.5}", f"remark {number}\nin two lines"] for number in range(1, 6)]
    styles = {
        "grid": [("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
        "rows": [("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.black), ("LINEABOVE", (0, 0), (-1, 0), 0.5, colors.black)],
        "booktabs": [("LINEABOVE", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                     ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)],
        "none": [("BOTTOMPADDING", (0, 0), (-1, -1), 8)],
    }  # fmt: skip
    table = Table(
        cells, colWidths=[80, 60, 120], style=TableStyle([*styles[style], ("VALIGN", (0, 0), (-1, -1), "TOP")])
    )
    expected = [[cell.replace("\n", " ") for cell in row] for row in cells]
    assert rows(parse(built(table))) == expected


def test_a_table_over_pages_is_one_and_merged_cells_are_repeated():
    cells = [["Group", "Code", "Name"]]
    cells += [
        [f"group {number // 3}" if number % 3 == 0 else "", f"C-{number}", f"name {number}"] for number in range(60)
    ]
    spans = [("SPAN", (0, 1 + start), (0, 3 + start)) for start in range(0, 60, 3)]
    style = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), *spans])
    document = parse(built(Table(cells, repeatRows=1, style=style)))
    found = rows(document)
    assert len(of_kind(document, "table")) == 1
    assert found[0] == cells[0]
    assert found[1:] == [[f"group {number // 3}", f"C-{number}", f"name {number}"] for number in range(60)]


def test_prose_in_two_columns_is_no_table_and_lists_are_none():
    def page(canvas):
        for number in range(8):
            lines(canvas, ["•"], x=50, y=500 - 14 * number)
            lines(canvas, [f"item {number}"], x=80, y=500 - 14 * number)

    document = parse(drawn(page))
    assert of_kind(document, "list") == ["\n".join(f"- item {number}" for number in range(8))]
    assert not of_kind(document, "table")


def test_what_is_not_surely_a_table_stays_text():
    def page(canvas):
        lines(canvas, ["Name:", "Date:"], x=50, y=500)
        lines(canvas, ["Ann", "today"], x=200, y=500)
        canvas.rect(40, 300, 300, 100)
        canvas.line(190, 300, 190, 400)
        lines(canvas, ["a figure's label"], x=60, y=350)

    text = parse(drawn(page)).text
    assert " | " not in text
    assert all(word in text for word in ("Name: Ann", "Date: today", "a figure's label"))


def test_running_heads_differ_on_left_and_right_pages():
    def page(number):
        def draw(canvas):
            lines(canvas, [f"body {number}"] + [f"{LINE} {number}-{line}" for line in range(5)], y=500)
            # Drawn last, so that they stand in the midst of what follows in the order of the content.
            lines(canvas, ["The manual" if number % 2 else "Acme"], x=50 if number % 2 else 250, y=575)
            lines(canvas, [f"- {number + 3} -"], x=180, y=20)

        return draw

    document = parse(drawn(*map(page, range(7))))
    assert not {"The manual", "Acme"} & set(document.text.split("\n\n"))
    assert "Acme" not in document.text
    assert "- 5 -" not in document.text
    assert all(f"body {number}" in document.text for number in range(7))


def test_pages_of_one_line_are_kept():
    document = parse(drawn(*[lambda canvas, n=n: lines(canvas, [f"Slide {n}"], y=570) for n in range(5)]))
    assert [f"Slide {n}" in document.text for n in range(5)] == [True] * 5


def test_broken_words_are_joined_and_hyphens_kept():
    def page(canvas):
        lines(
            canvas,
            ["It is a well-known fact that the admini-", "strator of a state-of-the-art X-", "Ray is fine."],
        )

    assert "administrator of a state-of-the-art X-Ray is fine." in parse(drawn(page)).text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (["It is a well-", "known fact."], "a well-known fact"),
        (["Its self-", "contained parts."], "self-contained parts"),
        (["It is full-", "ness of high-", "lights."], "fullness of highlights"),
        (["The back-up is the back-", "up of the back-up."], "is the back-up of"),
        (["A subsystem is a sub-", "system of sorts."], "is a subsystem of"),
        (["Das ist all-", "gemein bekannt."], "ist allgemein bekannt"),
    ],
)
def test_compounds_keep_their_hyphen_at_the_end_of_a_line(said, shown):
    assert shown in parse(drawn(lambda canvas: lines(canvas, said))).text


def test_paragraphs_by_space_by_indent_and_over_pages():
    def first(canvas):
        lines(canvas, [f"One {LINE}", "goes on here and ends."], y=500)
        lines(canvas, [f"Two {LINE}", "and stops in the midst of a sentence of some length, which"], y=466)

    def second(canvas):
        lines(canvas, ["goes on over here and then comes to its end at last, as does it."], y=500)
        lines(canvas, [f"Three {LINE}"], x=65, y=488)
        lines(canvas, [f"and {LINE}", "ends."], y=476)

    paragraphs = of_kind(parse(drawn(first, second)), "paragraph")
    assert [text.split()[0] for text in paragraphs] == ["One", "Two", "Three"]
    assert "sentence of some length, which goes on over here" in paragraphs[1]


def test_bold_headings_captions_and_numbered_lists():
    def page(canvas):
        lines(canvas, ["Storage"], font="Helvetica-Bold", y=550)
        lines(canvas, [f"{LINE} is kept."] * 3, y=525)
        lines(canvas, ["Figure 2: What is kept where, and"], y=470, size=9)
        lines(canvas, ["for how long"], y=459, size=9)
        lines(canvas, ["1. first"], y=430)
        lines(canvas, ["a) inner", "b) other"], x=70, y=418)
        lines(canvas, ["2. second"], y=394)

    document = parse(drawn(page))
    assert of_kind(document, "heading") == ["Storage"]
    assert of_kind(document, "caption") == ["Figure 2: What is kept where, and for how long"]
    assert of_kind(document, "list") == ["1. first\n  a) inner\n  b) other\n2. second"]


def test_turned_pages_and_text_at_the_side():
    def page(canvas):
        canvas.setPageRotation(90)
        canvas.saveState()
        canvas.rotate(90)
        lines(canvas, [f"first {LINE}", "second line of it"], x=50, y=-100)
        canvas.restoreState()
        lines(canvas, ["at the side"], x=30, y=300)

    assert blocks(parse(drawn(page))) == [
        ("paragraph", f"first {LINE} second line of it"),
        ("paragraph", "at the side"),
    ]


def test_chinese_of_reportlab():
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def page(canvas):
        lines(canvas, ["会话保存在服务器端，浏览器只保存", "它的标识符。"], font="STSong-Light")

    assert parse(drawn(page)).text == "会话保存在服务器端，浏览器只保存它的标识符。"


def test_a_form_over_a_fine_grid_is_read_once():
    def page(canvas):
        for number in range(16):
            top = 560 - 24 * number
            canvas.rect(20, top - 24, 360, 24)
            canvas.line(100 + 12 * number, top - 24, 100 + 12 * number, top)
            lines(canvas, [f"field {number}"], x=25, y=top - 15, size=8)
            lines(canvas, [f"what stands in it {number}"], x=290, y=top - 15, size=8)

    text = parse(drawn(page)).text
    assert all(text.count(f"in it {number}") == 1 + (number == 1) * 6 for number in range(16))
    assert len(text) < 800


def print_of_a_browser(canvas, number, count, title="Valve list"):
    canvas.setFont("Helvetica", 8)
    canvas.drawString(24, 580, "11/24/26, 6:32 PM")
    canvas.drawString(280, 580, title)
    canvas.drawString(24, 14, "https://docs.example.com/valves.html")
    canvas.drawString(360, 14, f"{number}/{count}")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_a_browser_prints_around_a_page_is_dropped(count):
    def page(number):
        def draw(canvas):
            print_of_a_browser(canvas, number, count)
            lines(canvas, [f"{LINE} number {number}."] * 30, y=566)

        return draw

    text = parse(drawn(*[page(number + 1) for number in range(count)])).text
    assert "6:32" not in text
    assert "example.com" not in text
    assert "number 1." in text


def test_what_most_of_a_card_shares_with_others_is_no_running_head():
    def card(number):
        def draw(canvas):
            lines(canvas, ["Delivery note"], y=560)
            lines(canvas, [f"Order {number}"], y=500)
            lines(canvas, ["One pump, checked and packed."], y=470)
            lines(canvas, ["Thank you for your order."], y=60)

        return draw

    text = parse(drawn(*[card(number) for number in range(4)])).text
    assert text.count("Delivery note") == 4
    assert text.count("Thank you") == 4


def test_a_paragraph_does_not_run_on_from_text_at_the_margin():
    def first(canvas):
        lines(canvas, [f"One {LINE} and stops in the midst of"], y=500)
        canvas.saveState()
        canvas.translate(30, 200)
        canvas.rotate(90)
        canvas.setFont("Helvetica", 10)
        canvas.drawString(0, 0, "Draft for comment, not to be")
        canvas.restoreState()

    def second(canvas):
        lines(canvas, ["a sentence, which ends here."], y=500)

    text = parse(drawn(first, second)).text
    assert "not to be a sentence" not in text
    assert "Draft for comment, not to be" in text


def row_at(canvas, y, cells, font="Helvetica", size=10):
    canvas.setFont(font, size)
    for x, text in cells:
        canvas.drawString(x, y, text)


def test_a_table_without_rules_whose_columns_stand_close():
    names = ["Safety valve", "Ball valve with actuator", "Check valve", "Gate"]

    def page(canvas):
        lines(canvas, [f"{LINE} before it."] * 2, y=560)
        row_at(canvas, 500, [(80, "Name"), (173, "Size"), (208, "Material")], font="Helvetica-Bold")
        for number, name in enumerate(names):
            row_at(canvas, 486 - 14 * number, [(50, name), (165, f"{number + 1}2 mm"), (200, "steel")])
        lines(canvas, [f"{LINE} after it."] * 2, y=380)

    assert rows(parse(drawn(page))) == [
        ["Name", "Size", "Material"],
        ["Safety valve", "12 mm", "steel"],
        ["Ball valve with actuator", "22 mm", "steel"],
        ["Check valve", "32 mm", "steel"],
        ["Gate", "42 mm", "steel"],
    ]


def test_a_heading_over_prose_makes_no_table():
    def page(canvas):
        lines(canvas, ["A heading of some words"], font="Helvetica-Bold", y=530)
        lines(canvas, [f"{LINE} goes on.", f"{LINE} and so does this.", f"{LINE} until the end."], y=518)

    assert of_kind(parse(drawn(page)), "table") == []


def test_a_head_over_several_columns_is_two_header_rows():
    def page(canvas):
        for y in (540, 500, 400):
            canvas.line(50, y, 300, y)
        row_at(canvas, 528, [(150, "Pressure")], font="Helvetica-Bold")
        row_at(canvas, 519, [(55, "Valve"), (230, "Tested")], font="Helvetica-Bold")
        row_at(canvas, 510, [(130, "min"), (185, "max")], font="Helvetica-Bold")
        for number in range(5):
            y = 486 - 16 * number
            row_at(canvas, y, [(55, f"V-{number}"), (130, str(number)), (185, str(number + 4)), (230, "2024-03-05")])

    document = parse(drawn(page))
    assert rows(document)[:3] == [
        ["Valve", "Pressure", "Pressure", "Tested"],
        ["Valve", "min", "max", "Tested"],
        ["V-0", "0", "4", "2024-03-05"],
    ]
    assert next(block for block in document.blocks if block.kind == "table").header_lines == 2


def test_what_the_first_column_says_of_several_rows_is_repeated():
    def page(canvas):
        for y in (540, 515, 400):
            canvas.line(50, y, 300, y)
        row_at(canvas, 525, [(55, "Area"), (130, "Valve"), (230, "Opens")], font="Helvetica-Bold")
        for number in range(6):
            area = [(55, ("North", "South")[number // 3])] if number % 3 == 0 else []
            row_at(canvas, 500 - 16 * number, [*area, (130, f"V-{number}"), (230, f"{number} bar")])

    assert [row[0] for row in rows(parse(drawn(page)))] == ["Area", *["North"] * 3, *["South"] * 3]
