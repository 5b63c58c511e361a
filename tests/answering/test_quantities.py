import pytest

from jargonaut.answering.polarity import contradicts, denials
from jargonaut.answering.quantities import quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It takes 45 minutes.", [("45", "min")]),
        ("45 min, 2 h and 30s", [("45", "min"), ("2", "h"), ("30", "s")]),
        ("1,209,600 seconds", [("1209600", "s")]),
        ("about 3.50 bar", [("3.5", "bar")]),
        ("at 2:00 on 2024-05-01, v1.2.3", [("2:00", ""), ("2024-05-01", "")]),
        ("two weeks, or twelve items", [("2", "w"), ("12", "")]),
        ("one may ask", []),
        ("2 million euros", [("2000000", "euro")]),
        ("-5 °C and 90%", [("-5", "°C"), ("90", "%")]),
        ("每五百小时更换一次", [("500", "h")]),
        ("保留三十天,两周后删除", [("30", "d"), ("2", "w")]),
        ("超过百分之九十", [("90", "%")]),
        ("共3.5万元", [("35000", "yuan")]),
        ("成立于1998年", [("1998", "y")]),
        ("一般来说,统一处理", []),
        ("二〇二四年", [("2024", "y")]),
        ("三点五公里", [("3.5", "km")]),
        ("12个月", [("12", "month")]),
        ("45 KB", [("45", "KB")]),
    ],
)
def test_quantities_are_read_however_they_are_written(text, expected):
    assert [(found.value, found.unit) for found in quantities(text)] == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is not encrypted.", 1),
        ("It isn't encrypted unless a key is set.", 2),
        ("Not only pumps, also valves.", 0),
        ("不得向锅炉加水", 1),
        ("不仅支持水泵", 0),
        ("非常重要,未来也一样", 0),
        ("没有权限,无法访问", 2),
        ("特别说明:别名不同", 0),
    ],
)
def test_denials_are_counted(text, count):
    assert denials(text) == count


@pytest.mark.parametrize(
    ("statement", "source", "is_one"),
    [
        ("At least 5 bar.", "At most 5 bar.", True),
        ("Enable the pump.", "Disable the pump.", True),
        ("最多保留三天", "至少保留三天", True),
        ("Before the start, not after.", "After the start, not before.", False),
        ("The pump is oiled.", "The pump is started.", False),
    ],
)
def test_opposites_are_seen(statement, source, is_one):
    assert contradicts(statement, source) is is_one
