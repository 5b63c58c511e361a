import datetime
import io
import zipfile

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.colors import Color
from openpyxl.worksheet.table import Table

from jargonaut.core.document import Place
from jargonaut.core.errors import InputError
from jargonaut.documents.formats import sheets
from jargonaut.documents.formats.xlsx import XlsxParser
from tests.documents.formats.office_files import blocks, relations, saved, zipped

S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def parse(data, uri="books/prices.xlsx"):
    return XlsxParser().parse(data if isinstance(data, bytes) else saved(data), uri)


def sheet_of(rows, title="Prices"):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return workbook, sheet


def raw(sheet, styles="", strings="", properties="", names=""):
    """A workbook of one sheet, from XML."""
    links = [("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml")]
    return zipped(
        {
            "_rels/.rels": relations([("rId1", "officeDocument", "xl/workbook.xml")]),
            "xl/workbook.xml": f"<workbook {S} {R}>{properties}<sheets><sheet name='Prices' sheetId='1' r:id='rId1'/>"
            f"</sheets>{names}</workbook>",
            "xl/_rels/workbook.xml.rels": relations([*links, ("rId3", "sharedStrings", "sharedStrings.xml")]),
            "xl/styles.xml": f"<styleSheet {S}>{styles}</styleSheet>",
            "xl/sharedStrings.xml": f"<sst {S}>{strings}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {S}>{sheet}</worksheet>",
        }
    )


def test_a_table_with_its_title_its_remark_and_places():
    workbook, sheet = sheet_of(
        [
            ["Annual prices", None, None],
            ["Product", "Price", "Since"],
            ["Apple", 0.1 + 0.2, None],
            ["Pear", 1234.5, None],
        ]
    )
    sheet.merge_cells("A1:C1")
    for row, day in ((3, datetime.date(2024, 3, 15)), (4, datetime.date(2023, 12, 1))):
        sheet.cell(row, 2).number_format = "#,##0.00"
        sheet.cell(row, 3, day).number_format = 'yyyy"年"m"月"d"日"'
    sheet["A6"] = "Note: in EUR"
    document = parse(workbook)
    assert blocks(document) == [
        ("heading", "Prices"),
        ("caption", "Annual prices"),
        ("table", "Product | Price | Since\nApple | 0.30 | 2024年3月15日\nPear | 1,234.50 | 2023年12月1日"),
        ("paragraph", "Note: in EUR"),
    ]
    table = document.blocks[2]
    assert (table.header_lines, table.lines, table.place) == (1, (2, 3, 4), Place(2, None, "Prices", "A2"))
    assert str(table.place_at(2)) == "Prices!A4"
    assert str(document.blocks[3].place) == "Prices!A6"
    assert document.title == "prices"


def test_merged_headers_of_two_rows():
    workbook, sheet = sheet_of([["Region", "2023", None], [None, "H1", "H2"], ["North", 1, 2], ["South", 3, 4]])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    table = parse(workbook).blocks[1]
    document = parse(workbook)
    assert blocks(document)[1][1] == "Region | 2023 | 2023\nRegion | H1 | H2\nNorth | 1 | 2\nSouth | 3 | 4"
    assert table.header_lines == 2


def test_several_tables_on_a_sheet_are_apart():
    workbook, sheet = sheet_of(
        [["Code", "Name", None, "Year", "Sum"], [1, "one", None, "a", 10], [2, "two", None, "b", 20]]
    )
    for row, values in enumerate([["City", "Size"], ["Bonn", 5]], start=6):
        for column, value in enumerate(values, start=2):
            sheet.cell(row, column, value)
    sheet["XFD1048576"] = "far away"
    document = parse(workbook)
    assert blocks(document)[1:] == [
        ("table", "Code | Name\n1 | one\n2 | two"),
        ("table", "Year | Sum\na | 10\nb | 20"),
        ("table", "City | Size\nBonn | 5"),
        ("paragraph", "far away"),
    ]
    assert [str(block.place) for block in document.blocks[1:]] == [
        "Prices!A1",
        "Prices!D1",
        "Prices!B6",
        "Prices!XFD1048576",
    ]


def test_an_empty_row_does_not_end_a_table():
    workbook, _ = sheet_of([["Name", "Sum"], ["a", 1], ["b", 2], [], ["c", 3], ["d", 4]])
    document = parse(workbook)
    assert blocks(document)[1] == ("table", "Name | Sum\na | 1\nb | 2\nc | 3\nd | 4")
    assert document.blocks[1].lines == (1, 2, 3, 5, 6)


def test_declared_tables_frozen_rows_and_filters_tell_the_header():
    workbook, sheet = sheet_of([["2021", "2022"], ["x", "y"], ["z", "w"]])
    assert parse(workbook).blocks[1].header_lines == 1
    workbook, sheet = sheet_of([[1, 2], [3, 4], [5, 6], [7, 8]])
    assert parse(workbook).blocks[1].header_lines == 0
    sheet.freeze_panes = "A3"
    assert parse(workbook).blocks[1].header_lines == 2
    sheet.freeze_panes = None
    sheet.auto_filter.ref = "A1:B4"
    assert parse(workbook).blocks[1].header_lines == 1
    sheet.auto_filter.ref = None
    sheet.print_title_rows = "1:2"
    assert parse(workbook).blocks[1].header_lines == 2
    workbook, sheet = sheet_of([["Id", "No", "Memo"], ["a", "b", "c"], ["d", "e", "f"]])
    sheet.add_table(Table(displayName="T", ref="A1:B3"))
    document = parse(workbook)
    assert blocks(document)[1] == ("table", "Id | No\na | b\nd | e")


def test_lists_of_facts_have_no_header():
    workbook, _ = sheet_of([["Name:", "Ann"], ["City:", "Bonn"], ["Age:", 30]])
    assert parse(workbook).blocks[1].header_lines == 0


def test_what_is_hidden_is_counted_and_left_out():
    workbook, sheet = sheet_of(
        [["Name", "Sum", "Margin", "Note"], ["a", 1, 22, "x"], ["hid", 2, 33, "y"], ["c", 3, 44, "z"]]
    )
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet["D2"].font = Font(color="FFFFFFFF")
    sheet["D4"].font = Font(color=Color(theme=0))
    sheet["A6"] = "tiny"
    sheet["A6"].font = Font(size=1)
    sheet["A7"] = 7
    sheet["A7"].number_format = ";;;"
    sheet["A1"].comment = Comment("secret", "Ann")
    sheet["A1"].font, sheet["A1"].fill = Font(color="FFFFFFFF"), PatternFill("solid", fgColor="FF000080")
    for state in ("hidden", "veryHidden"):
        other = workbook.create_sheet(state)
        other["A1"] = "unseen"
        other.sheet_state = state
    document = parse(workbook)
    assert blocks(document) == [
        ("heading", "Prices"),
        ("table", "Name | Sum | Note\na | 1\nc | 3".replace("a | 1", "a | 1 | ").replace("c | 3", "c | 3 | ")),
    ]
    assert document.hidden == {
        "comment": 6,
        "hidden sheet, row or column": len("Margin2244") + len("hid233y") + 12,
        "not displayed": 1,
        "same colour as its ground": 2,
        "too small to read": 4,
    }


def test_sheets_and_floating_texts():
    workbook, _sheet = sheet_of([["a", "b"]], "Sheet1")
    assert blocks(parse(workbook)) == [("table", "a | b")]
    workbook.create_sheet("Sheet2")["A1"] = "A sentence that stands alone on its sheet, as remarks do."
    assert blocks(parse(workbook)) == [
        ("heading", "Sheet1"),
        ("table", "a | b"),
        ("heading", "Sheet2"),
        ("paragraph", "A sentence that stands alone on its sheet, as remarks do."),
    ]


def test_kinds_of_cells():
    sheet = (
        "<sheetData><row><c t='s'><v>0</v></c><c t='b'><v>1</v></c><c t='e'><v>#N/A</v></c></row>"
        "<row r='2'><c r='A2' t='str'><f>A1&amp;B1</f><v>made</v></c><c r='B2' t='inlineStr'><is><t>in</t></is></c>"
        "<c r='C2'><f>1/3</f><v>0.33333333333333331</v></c></row>"
        "<row><c t='d'><v>2024-03-15T00:00:00</v></c><c><f>A9</f></c><c t='s'><v>99</v></c></row></sheetData>"
    )
    strings = "<si><r><t>ri</t></r><r><t>ch</t></r><rPh sb='0' eb='1'><t>READING</t></rPh></si>"
    document = parse(raw(sheet, strings=strings))
    assert blocks(document)[1][1] == "rich | TRUE | #N/A\nmade | in | 0.333333333\n2024-03-15 |  | "
    assert document.blocks[1].lines == (1, 2, 3)


def test_runs_that_are_not_seen():
    white, tiny = "<color rgb='FFFFFFFF'/>", "<sz val='1'/>"
    runs = f"<r><t>shown</t></r><r><rPr>{white}</rPr><t> white</t></r>"
    fills = (
        "<fills><fill/><fill><patternFill patternType='solid'><fgColor rgb='FF000080'/></patternFill></fill></fills>"
    )
    styles = f"{fills}<cellXfs><xf/><xf fillId='1'/></cellXfs>"
    cells = "<c t='s'><v>0</v></c><c t='s' s='1'><v>0</v></c>"
    document = parse(raw(f"<sheetData><row>{cells}</row></sheetData>", styles, f"<si>{runs}</si>"))
    assert blocks(document)[1][1] == "shown | shown white"
    assert document.hidden == {"same colour as its ground": 5}
    small = f"<r><t>shown</t></r><r><rPr>{tiny}</rPr><t> tiny</t></r>"
    document = parse(raw(f"<sheetData><row>{cells}</row></sheetData>", styles, f"<si>{small}</si>"))
    assert blocks(document)[1][1] == "shown | shown"
    assert document.hidden == {"too small to read": 8}


def test_dates_of_the_1904_system_and_formats_without_a_code():
    styles = "<cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='31'/><xf numFmtId='10'/></cellXfs>"
    sheet = (
        "<sheetData><row><c s='1'><v>43904</v></c><c s='2'><v>43904</v></c><c s='3'><v>0.5</v></c></row></sheetData>"
    )
    document = parse(raw(sheet, styles, properties="<workbookPr date1904='1'/>"))
    assert blocks(document)[1][1] == "2024-03-15 | 2024年3月15日 | 50.00%"


def test_claims_of_size_cost_nothing():
    rows = "".join(f"<row r='{number}' s='1' customFormat='1'/>" for number in range(1, 200_000))
    sheet = (
        "<dimension ref='A1:XFD1048576'/><cols><col min='1' max='16384' width='9'/></cols>"
        f"<sheetData>{rows}<row r='200000'><c r='C200000'><v>5</v></c></row></sheetData>"
        "<mergeCells><mergeCell ref='A1:XFD1048576'/><mergeCell ref='C200000:XFD1048576'/></mergeCells>"
    )
    document = parse(raw(sheet))
    assert "5" in document.text
    assert len(document.text) < 100_000


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_CELLS", 5)
    workbook, _ = sheet_of([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(InputError, match="more than 5 cells"):
        parse(workbook)


@pytest.mark.parametrize("cell", ["<c r='ZZZZ1'><v>1</v></c>", "<c r='1'><v>1</v></c>", "<c r='É1'><v>1</v></c>"])
def test_cells_that_cannot_be(cell):
    with pytest.raises(InputError, match="no spreadsheet has"):
        parse(raw(f"<sheetData><row>{cell}</row></sheetData>"))
    with pytest.raises(InputError, match="no spreadsheet has"):
        parse(raw("<sheetData><row r='9999999'><c><v>1</v></c></row></sheetData>"))


def test_macros_links_and_external_references_are_left_alone():
    workbook, sheet = sheet_of([["Name", "Link"], ["a", "b"]])
    sheet["B2"].hyperlink = "http://127.0.0.1:9/x"
    sheet["B3"] = '=WEBSERVICE("http://127.0.0.1:9/")'
    with zipfile.ZipFile(io.BytesIO(saved(workbook))) as package:
        members = {name: package.read(name) for name in package.namelist()}
    document = parse(zipped({**members, "xl/vbaProject.bin": b"\xd0\xcf"}), "a.xlsm")
    assert blocks(document)[1][1] == "Name | Link\na | b"


def test_metadata():
    workbook, _ = sheet_of([["a", "b"]])
    workbook.properties.title, workbook.properties.creator = "价格表", "Ann"
    workbook.properties.keywords = "价格，水果; fruit"
    workbook.properties.created = datetime.datetime(2024, 3, 1, 10)
    document = parse(workbook)
    assert document.title == "价格表"
    assert document.metadata["tags"] == ("价格", "水果", "fruit")
    assert (document.metadata["author"], document.metadata["date"]) == ("Ann", "2024-03-01T10:00:00Z")


def test_text_that_a_format_does_not_show_is_counted():
    workbook, sheet = sheet_of([["Name", "Note"], ["a", "poison"], ["b", "seen"]])
    sheet["B2"].number_format = ";;;"
    sheet["B3"].number_format = '0;-0;0;"note: "@'
    document = parse(workbook)
    assert blocks(document)[-1][1] == "Name | Note\na | \nb | note: seen"
    assert document.hidden == {"not displayed": 6}


def test_a_formula_that_was_never_computed_is_counted():
    workbook, _ = sheet_of([["Name", "Sum"], ["a", "=1+2"]])
    document = parse(workbook)
    assert blocks(document)[-1][1] == "Name | Sum\na | "
    assert document.hidden == {"formula without its value": 4}
