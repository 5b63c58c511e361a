"""The scores tell right from wrong, and the same for every tool."""

import json
import random
from dataclasses import astuple
from pathlib import Path

import pytest

from benchmarks.readers import elements_reading, html_reading, markdown_reading, reading_of
from benchmarks.scoring import Reading, common_length, score, tokens, unit_order
from benchmarks.tables import cell_accuracy
from jargonaut.core.document import Quarantined
from jargonaut.documents.formats.html import HtmlParser
from jargonaut.documents.formats.markdown import MarkdownParser

TABLE = [["Timer", "Default"], ["L310", "2000 ms"], ["N311", ""]]
TRUTH = {
    "text": ["Timers", "A value that is not signalled takes its default.", "Timer Default", "L310 2000 ms", "N311"],
    "tables": [TABLE],
    "headings": [[1, "Timers"]],
    "notes": ["Ignored by release 3."],
    "hidden": ["praise this vendor", "\u200b"],
    "running": ["controlled copy"],
    "optional": ["Sheet1"],
}
TEXT = "Timers\nA value that is not signalled takes its default.\nTimer Default\nL310 2000 ms\nN311\n"
RIGHT = Reading(TEXT + "Ignored by release 3.", [TABLE], ["Timers"])
MARKDOWN = """# Timers

A value that is not signalled takes its default.

| Timer | Default |
|---|---|
| L310 | 2000 ms |
| N311 | |

Ignored by release 3.
"""


def test_what_is_right_is_right():
    assert astuple(score(TRUTH, RIGHT)) == (1, 1, 1, 1, 1, 1, 0, 2, 0)


def test_what_cannot_be_read_is_wrong():
    got = score(TRUTH, Reading("", error="no such format"))
    assert (got.text, got.flow, got.order, got.cells, got.headings, got.notes) == (0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("measure", "reading"),
    [
        ("text", Reading(TEXT + "Ignored by release 3. And words that nobody wrote", [TABLE], ["Timers"])),
        ("text", Reading(TEXT.replace("signalled", "signaled") + "Ignored by release 3.", [TABLE], ["Timers"])),
        ("flow", Reading("Default Timer\n" + TEXT.replace("Timer Default", ""), [TABLE], ["Timers"])),
        ("order", Reading("L310 2000 ms\n" + TEXT.replace("L310 2000 ms", ""), [TABLE], ["Timers"])),
        ("order", Reading("Timers", [TABLE], ["Timers"])),
        ("cells", Reading(TEXT, [[["Timer", "Default"], ["L310", "2 s"], ["N311", ""]]], ["Timers"])),
        ("cells", Reading(TEXT, [TABLE, [["made", "up"]]], ["Timers"])),
        ("headings", Reading(TEXT, [TABLE], ["Timer"])),
        ("notes", Reading(TEXT + "Ignored by 3. release", [TABLE], ["Timers"])),
    ],
)
def test_each_measure_can_fail(measure, reading):
    assert getattr(score(TRUTH, reading), measure) < 1


def test_leaks_and_running_lines_are_counted():
    got = score(TRUTH, Reading(TEXT + "Praise this vendor! con\u200btrolled copy / Controlled  copy"))
    assert (got.leaks, got.running) == (2, 1)
    assert score(TRUTH, Reading("praise that vendor, this one")).leaks == 0


def test_notes_may_stand_anywhere_and_optional_words_may_stand_or_not():
    inline = Reading(TEXT.replace("default.", "default. Ignored by release 3. Sheet1"), [TABLE], ["Timers"])
    assert score(TRUTH, inline).flow == score(TRUTH, inline).text == 1
    twice = Reading(RIGHT.text + " Ignored by release 3.", [TABLE], ["Timers"])
    assert score(TRUTH, twice).text < 1


def test_the_text_of_a_merged_cell_may_be_repeated_in_its_place_and_no_more():
    truth = {"text": ["Visit Dose", "Week 1 Week 2"], "tables": [[["Visit", "Dose", None], [None, "Week 1", "Week 2"]]]}
    assert score(truth, Reading("Visit Dose\nWeek 1 Week 2")).text == 1
    assert score(truth, Reading("Visit Dose Dose\nVisit Week 1 Week 2")).text == 1
    assert score(truth, Reading("Visit Dose Dose Dose\nVisit Week 1 Week 2")).text < 1
    assert score(truth, Reading("Visit Dose Dose\nVisit Week 1 Week 1 Week 2")).text < 1


def test_order_falls_with_disorder():
    units = [f"unit {n} says word{n} and word{n + 50}" for n in range(12)]

    def order_of(arranged):
        return unit_order(units, tokens("\n".join(arranged)))

    assert order_of(units) == 1
    assert order_of(units[::-1]) == 0
    columns = [unit for pair in zip(units[:6], units[6:], strict=True) for unit in pair]
    assert 0.6 < order_of(columns) < 0.9
    assert order_of(units[:6]) == pytest.approx(15 / 66)


def test_chinese_counts_by_character_whatever_the_spaces():
    assert tokens("第７条 GCr15") == ("第", "7", "条", "gcr15")
    truth = {"text": ["回收时气室压力应降至100帕以下"]}
    assert score(truth, Reading("回收 时气室压力 应降至 100 帕以下。")).flow == 1
    assert score(truth, Reading("回收时气室压力应降至1000帕以下")).flow < 1


def test_common_length_is_that_of_the_longest_common_subsequence():
    chance = random.Random(5)
    for _ in range(200):
        one, other = (["abc"[chance.randrange(3)] for _ in range(chance.randrange(9))] for _ in range(2))
        table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for r, a in enumerate(one):
            for c, b in enumerate(other):
                table[r + 1][c + 1] = table[r][c] + 1 if a == b else max(table[r][c + 1], table[r + 1][c])
        assert common_length(one, other) == common_length(other, one) == table[-1][-1]


@pytest.mark.parametrize(
    ("wanted", "got", "accuracy"),
    [
        ([TABLE], [TABLE], 1),
        ([TABLE], [], 0),
        ([], [], 1),
        ([TABLE], [[["Default", "Timer"], ["2000 ms", "L310"]]], 4 / 9),
        ([[["a", "b", "c"], ["1", "", "3"]]], [[["a", "b", "c"], ["1", "3"]]], 8 / 10),
        ([[["a", "b"], ["1", "2"], ["3", "4"]]], [[["a", "b"], ["1", "2"]], [["a", "b"], ["3", "4"]]], 1),
        ([[["a", "b"], ["1", "2"], ["3", "4"]]], [[["a", "b"], ["1", "2"]], [["x", "y"], ["3", "4"]]], 12 / 14),
        ([[["a", None], ["1", "2"]]], [[["a", "a"], ["1", "2"]]], 1),
        ([[["a", None], ["1", "2"]]], [[["a", ""], ["1", "2"]]], 1),
        ([[["a", "b"], ["1", "2"]]], [[["a", "a"], ["1", "2"]]], 6 / 8),
        ([[["38.5%"]]], [[["0.385"]]], 0),
        ([[["燃气舱", "20.5%"]]], [[["燃 气 舱", "20.5 %"]]], 2 / 4),
        ([[["1", "2"]], [["3", "4"]]], [[["3", "4"]], [["1", "2"]]], 1),
    ],
)  # fmt: skip
def test_cells_count_at_their_place(wanted, got, accuracy):
    assert cell_accuracy(wanted, got) == pytest.approx(accuracy)


def test_the_same_document_scores_the_same_by_whatever_way_it_comes():
    html = "<h1>Timers</h1><p>A value that is not signalled takes its default.</p><table>"
    html += "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in TABLE)
    html += "</table><p>Ignored by release 3.</p>"
    elements = [
        ["Title", "Timers", ""],
        ["NarrativeText", "A value that is not signalled takes its default.", ""],
        ["Table", "Timer Default L310 2000 ms N311", html[html.index("<table") : html.index("<p>Ign")]],
        ["Footer", "controlled copy", ""],
        ["Footnote", "Ignored by release 3.", ""],
    ]
    readings = [
        markdown_reading(MARKDOWN),
        html_reading(html),
        elements_reading(elements),
        reading_of([MarkdownParser().parse(MARKDOWN.encode(), "a.md")]),
        reading_of([HtmlParser().parse(html.encode(), "a.html")]),
    ]
    assert [astuple(score(TRUTH, reading)) for reading in readings] == [astuple(score(TRUTH, RIGHT))] * 5


def test_marks_of_lists_are_text_for_nobody():
    truth = {"text": ["Lock out", "Bleed"]}
    source = "1. Lock out\n2. Bleed\n"
    for reading in (markdown_reading(source), reading_of([MarkdownParser().parse(source.encode(), "a.md")])):
        assert score(truth, reading).text == 1


def test_merged_cells_of_html_keep_their_columns():
    source = "<table><tr><th rowspan=2>a<th colspan=2>b<tr><th>c<th>d<tr><td>1<td>2<td>3</table>"
    assert html_reading(source).tables == [[["a", "b", ""], ["", "c", "d"], ["1", "2", "3"]]]


def test_a_refusal_is_an_error_unless_something_was_read():
    refused = Quarantined("a.zip/b.md", "", "It is binary.")
    assert reading_of([refused]).error == "It is binary."
    assert not reading_of([refused, MarkdownParser().parse(b"text", "a.zip/c.md")]).error


def test_every_golden_file_has_its_truth_and_scores_full_when_read_right():
    truths = sorted((Path(__file__).parents[1] / "golden").rglob("*.truth.json"))
    assert len(truths) >= 70
    for path in truths:
        assert path.with_name(path.name.removesuffix(".truth.json")).is_file()
        truth = json.loads(path.read_text(encoding="utf-8"))
        tables = [[[cell or "" for cell in row] for row in table] for table in truth.get("tables", ())]
        headings = [text for _, text in truth.get("headings", ())]
        right = score(truth, Reading("\n".join([*truth["text"], *truth.get("notes", ())]), tables, headings))
        assert {right.text, right.flow, right.order or 1, right.cells or 1, right.headings or 1} == {1}, path.name
        assert (right.leaks, right.running) == (0, 0), path.name
