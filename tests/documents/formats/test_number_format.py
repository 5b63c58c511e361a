import pytest

from jargonaut.documents.formats.counting import counted
from jargonaut.documents.formats.number_format import general, number_formatter, text_formatter


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("0", -0.5, "-1"),
        ("0.00", 2.675, "2.68"),
        ("0.00", 1.005, "1.01"),
        ("#,##0.00", 1234567.891, "1,234,567.89"),
        ("0%", 0.125, "13%"),
        ("0.00%", 0.12345, "12.35%"),
        ("0.00E+00", 99.995, "1.00E+02"),
        ("##0.0E+0", 123456, "123.5E+3"),
        ("#,##0_);(#,##0)", -1234, "(1,234)"),
        ('_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', 0, "-"),
        ("[Red]-0.0;0.0", 5, "-5.0"),
        ('0.0,,"M"', 12_345_678, "12.3M"),
        ("#,##0,", 1_234_567, "1,235"),
        ("[$€-407]#,##0.00", -3, "-€3.00"),
        ("[$¥-804]#,##0", 88888, "¥88,888"),
        ("¥#,##0.00;¥-#,##0.00", -8, "¥-8.00"),
        ("000-00-0000", 123456789, "123-45-6789"),
        ("(000) 000-0000", 2125551234, "(212) 555-1234"),
        ("00000", 42, "00042"),
        ("# ?/?", 2.5, "2 1/2"),
        ("# ??/??", 0.3125, "5/16"),
        ("# ?/8", 1234.567, "1234 5/8"),
        ('[>=100]"big "0;[<0]"neg "0;0.0', 150, "big 150"),
        ('[>=100]"big "0;[<0]"neg "0;0.0', -3, "neg 3"),
        ('[>=100]"big "0;[<0]"neg "0;0.0', 3, "3.0"),
        (";;;", 5, ""),
        ("0.###", 5, "5"),
        ('0" kg"', 7, "7 kg"),
        ("yyyy-mm-dd", 45366, "2024-03-15"),
        ("m/d/yy h:mm", 45366.75, "3/15/24 18:00"),
        ("h:mm AM/PM", 0.75, "6:00 PM"),
        ("[h]:mm:ss", 1.5, "36:00:00"),
        ("mm:ss.0", 0.001, "01:26.4"),
        ("dddd, mmmm d", 45366, "Friday, March 15"),
        ("d-mmm-yy", 60, "29-Feb-00"),
        ('yyyy"年"m"月"d"日"', 45366, "2024年3月15日"),
        ('[$-804]yyyy"年"m"月";@', 45366, "2024年3月"),
        ('上午/下午h"时"mm"分"', 45366.75, "下午6时00分"),
        ("aaaa", 45366, "星期五"),
        ("[DBNum1]0", 1203, "一千二百零三"),
        ("[DBNum2][$-804]General", 120, "壹佰贰拾"),
        ("0.00", float("nan"), "#NUM!"),
    ],
)
def test_numbers_as_cells_show_them(code, value, shown):
    assert " ".join(number_formatter(code)(value).split()) == shown


def test_dates_of_the_1904_system():
    assert number_formatter("yyyy-mm-dd", True)(43904) == "2024-03-15"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 + 0.2, "0.3"),
        (1234.5, "1234.5"),
        (-0.000123456789, "-0.000123457"),
        (1e-9, "1E-09"),
        (1e20, "1E+20"),
        (123456789012345, "123456789012345"),
        (2 / 3, "0.666666667"),
    ],
)
def test_numbers_without_a_format(value, shown):
    assert general(value) == shown


def test_formats_of_text():
    assert text_formatter('0;0;0;@" pcs"') == "@ pcs"
    assert text_formatter("0.00") is None


@pytest.mark.parametrize(
    "code", ["", ";", "[", '"', "\\", "0" * 10_000, "#" * 400 + "." + "0" * 400, "[h", "e+", "/0", "?/", "0/0/0"]
)
@pytest.mark.parametrize("value", [0.0, -1.5, 1e308, 5e-324])
def test_broken_formats_show_something(code, value):
    assert isinstance(number_formatter(code)(value), str)


@pytest.mark.parametrize(
    ("number", "style", "shown"),
    [
        (28, "lowerLetter", "bb"),
        (4, "upperRoman", "IV"),
        (11, "chineseCounting", "十一"),
        (120, "chineseCountingThousand", "一百二十"),
        (10_305, "chineseCounting", "一万零三百零五"),
        (12, "ideographDigital", "一二"),
        (3, "ideographTraditional", "丙"),
        (3, "chineseLegalSimplified", "叁"),
        (7, "decimalZero", "07"),
        (22, "ordinal", "22nd"),
        (5, "decimalEnclosedCircle", "⑤"),
        (12, "decimalFullWidth", "１２"),
        (-3, "lowerRoman", "-3"),
        (5, "unheardOf", "5"),
    ],
)
def test_numbering_styles(number, style, shown):
    assert counted(number, style) == shown
