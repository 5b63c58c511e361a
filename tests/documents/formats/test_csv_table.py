import pytest

from jargonaut.documents.formats.csv_table import CsvParser
from tests.documents.formats.office_files import blocks


def parse(text, uri="data/prices.csv", encoding="utf-8"):
    return CsvParser().parse(text.encode(encoding) if isinstance(text, str) else text, uri)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(encoding):
    document = parse("产品,价格\n苹果的价格,5\n", encoding=encoding)
    assert blocks(document) == [("table", "产品 | 价格\n苹果的价格 | 5")]
    assert (document.title, document.language, document.media_type) == ("prices", "zh", "text/csv")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("name;price\na;1,5\nb;2,5\n", "name | price\na | 1,5\nb | 2,5"),
        ("name\tprice\na\t1\n", "name | price\na | 1"),
        ("name|price\na, b|1\nc|2\n", "name | price\na, b | 1\nc | 2"),
        ("sep=;\nname;price\na,b;1\n", "name | price\na,b | 1"),
        ('name,text\na,"x, ""y"""\n', 'name | text\na | x, "y"'),
        ('name,text\na,"x \\"y\\", z"\n', 'name | text\na | x "y", z'),
        ('name,size\npipe,5"\nrod,6\n', 'name | size\npipe | 5"\nrod | 6'),
        ('name,size\npipe,"5\nrod,6\n', 'name | size\npipe | "5\nrod | 6'),
        ("name, price\na, 1\n", "name | price\na | 1"),
        ("id,name\n\r\n1,a\r\n2,b\r\n", "id | name\n1 | a\n2 | b"),
    ],
)
def test_dialects(text, table):
    assert blocks(parse(text)) == [("table", table)]


def test_lines_are_those_of_the_file():
    document = parse('name,text\na,"first\nsecond"\nb,x\n')
    assert document.text == "name | text\na | first second\nb | x"
    assert document.blocks[0].lines == (1, 2, 4)
    assert str(document.blocks[0].place_at(2)) == "line 4"


def test_headers_or_none():
    assert parse("1,2\n3,4\n").blocks[0].header_lines == 0
    assert parse("a,b\n3,4\n").blocks[0].header_lines == 1
    assert parse("2021,2022\n3,4\n").blocks[0].header_lines == 1
    assert parse("red,big\nred,small\nblue,big\nred,big\n").blocks[0].header_lines == 0


def test_remarks_above_and_tables_apart():
    document = parse("Prices of 2024\n\nname,price\na,1\n\nb,2\n\ncity,size,since\nBonn,5,1990\n")
    assert blocks(document) == [
        ("paragraph", "Prices of 2024"),
        ("table", "name | price\na | 1\nb | 2"),
        ("table", "city | size | since\nBonn | 5 | 1990"),
    ]
    assert document.blocks[2].place.line == 8
    assert blocks(parse("# made by us,,\nname,price,x\na,1,2\n")) == [
        ("caption", "# made by us"),
        ("table", "name | price | x\na | 1 | 2"),
    ]


def test_a_long_file_is_one_table():
    lines = ["name,price", *(f"name {number},{number}" for number in range(50_000))]
    document = parse("\n".join(lines))
    assert len(document.blocks) == 1
    assert document.blocks[0].lines[-1] == 50_001


def test_other_extensions_and_nothing():
    assert parse("a b\tc\n1\t2\n", "x.tsv").media_type == "text/tab-separated-values"
    assert parse("").text == ""
    assert parse("alone\n").text == "alone"


@pytest.mark.parametrize(
    ("data", "shown"), [(b"\na\tb\nc\td\n", "a | b\nc | d"), (b"\r\n1\t2\r\n3\t4\r\n", "1 | 2\n3 | 4"), (b"\n", "")]
)
def test_a_file_may_begin_with_an_empty_line(data, shown):
    assert CsvParser().parse(data, "a.tsv").text == shown
