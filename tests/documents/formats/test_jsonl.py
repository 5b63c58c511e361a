import json

import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.jsonl import JsonlParser
from tests.documents.formats.office_files import blocks


def parse(*records):
    lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    return JsonlParser().parse("\n".join(lines).encode(), "data/faq.jsonl")


def test_a_section_a_record():
    document = parse(
        {"id": 7, "title": "Sessions", "text": "They end.\n\nSometimes.", "price": 1.50, "tags": ["a", "b"]},
        {"_id": "x1", "meta": {"on": True, "off": None, "sizes": [1, {"deep": "y"}]}},
        {"id": "K-3", "question": "How?", "answer": "So."},
        {"alarm": "A17", "level": 2},
        {"a": "b"},
    )
    assert blocks(document) == [
        ("heading", "Sessions"),
        ("list", "- id: 7\n- price: 1.5\n- tags: a, b"),
        ("paragraph", "They end."),
        ("paragraph", "Sometimes."),
        ("heading", "x1"),
        ("list", "- meta.on: true\n- meta.sizes[1]: 1\n- meta.sizes[2].deep: y"),
        ("heading", "K-3 How?"),
        ("paragraph", "So."),
        ("heading", "A17"),
        ("list", "- level: 2"),
        ("heading", "5"),
        ("list", "- a: b"),
    ]
    assert [block.place.line for block in document.blocks if block.level] == [1, 2, 3, 4, 5]
    assert document.title == "faq"


def test_numbers_stay_as_they_are_written():
    assert "- n: 1.50\n- m: 12345678901234567890123" in parse('{"n": 1.50, "m": 12345678901234567890123}').text


def test_several_long_fields_are_named():
    document = parse({"title": "T", "summary": "short", "body": "long " * 30})
    assert [text for _, text in blocks(document)] == ["T", "summary:", "short", "body:", ("long " * 30).strip()]


def test_bad_lines_are_told():
    document = parse({"id": 1, "a": "b"}, "{broken", {"id": 2}, "[" * 100_000)
    assert document.metadata == {"bad_lines": "2, 4"}
    assert document.hidden == {"line that is not JSON": 7 + 100_000}
    with pytest.raises(InputError, match="the first is line 2"):
        parse({"id": 1}, "no", "json", "here")


def test_records_that_are_no_objects():
    assert [text for _, text in blocks(parse("3", '"text"', "[1, 2]", "null"))] == [
        *("1", "- 3", "2", "- text", "3", "- 1, 2", "4")
    ]
