import dataclasses
import re
from html.parser import HTMLParser

import pytest

from jargonaut.core.proof import Comparison, Interval, Opinion, Part, Proof, Row
from jargonaut.proof.figures import axis_ticks
from jargonaut.proof.judge import QueryOutcome
from jargonaut.proof.metrics import ndcg_of_rank
from jargonaut.proof.outcomes import moved_terms
from jargonaut.proof.report import render_report

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
NAMES = ("bm25", "base", "tuned", "plain rrf", "fused base", "fused tuned")


def interval(mean):
    return Interval(mean, mean - 0.04, mean + 0.04)


PROOF = Proof(
    candidate="c" * 32,
    baseline="b" * 32,
    revision="r" * 32,
    query_source="Cross-references of held-out sections.",
    queries_chosen_on=90,
    queries_judged_on=4,
    documents_held_out=60,
    level=0.001,
    resolves=0.052,
    rows=tuple(
        Row(n, interval(0.4 + i / 20), interval(0.6), interval(0.5), interval(0.55), interval(0.9))
        for i, n in enumerate(NAMES)
    ),
    comparison=Comparison("fused base", "fused tuned", Interval(0.05, 0.01, 0.09), 0.0004, 2, 1, 1),
    verdict="better",
    reason="+5.0 points.",
    lineage={"training read": "0" * 32},
)


def outcome(query, section, before, after, *first):
    return QueryOutcome(query, section, before, after, ndcg_of_rank(before), ndcg_of_rank(after), *first)


OUTCOMES = (
    outcome("会话 Cookie 的有效期怎么设置？", "配置参考 › 会话", 7, 1, "缓存.md: 缓存键", "会话.md: 有效期"),
    outcome("How are signed cookies checked?", "Signing › Salt", None, 4),
    outcome("Which locks does a migration take?", "Migrations", 2, 25),
    outcome("unchanged", "Same", 3, 3),
)
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements, attributes and text; fails where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("better", "Better"),
        ("not inferior", "Not worse"),
        ("cannot tell", "Cannot tell"),
        ("worse", "Worse"),
        ("unproven", "Unproven"),
        ("uneven", "Uneven"),
    ],
)
def test_the_verdict_comes_first_in_plain_words(verdict, title):
    html = render_report(dataclasses.replace(PROOF, verdict=verdict), OUTCOMES)
    text = Page(html).text
    assert f"<h1>{title}</h1>" in html
    assert text.index(title, text.index("Proof of retrieval")) < text.index("How well each ranking")


def test_every_row_and_number_is_there():
    text = Page(render_report(PROOF, OUTCOMES)).text
    for row in PROOF.rows:
        assert row.name in text
        assert f"{row.ndcg_at_10.mean:.3f}" in text
    for part in (
        "+5.0",
        "1 in 2,500",
        "5.2 points",
        "c" * 32,
        "b" * 32,
        "0" * 32,
        PROOF.id,
        "Cross-references of held",
    ):
        assert part in text


def test_wins_and_losses_show_ranks_before_and_after():
    text = Page(render_report(PROOF, OUTCOMES)).text
    wins, losses = text.split("Biggest wins")[1].split("Biggest losses")
    assert "7 → 1" in wins
    assert "not found → 4" in wins
    assert "会话 Cookie" in wins
    assert "2 → 25" in losses
    assert "unchanged" not in text


def test_what_came_first_stands_side_by_side():
    text = Page(render_report(PROOF, OUTCOMES)).text
    assert "First before缓存.md: 缓存键First after会话.md: 有效期" in text


def test_parts_seen_documents_other_questions_and_looks_are_told():
    proof = dataclasses.replace(
        PROOF,
        verdict="uneven",
        parts=(
            Part("language", "en", 80, interval(0.08), 1.0, 0.05, False),
            Part("language", "zh", 40, interval(-0.12), 0.004, 0.07, True),
        ),
        seen_rows=(Row("fused tuned", interval(0.9), interval(0.9), interval(0.9)),),
        queries_seen=120,
        opinions=(Opinion("headings", 70, PROOF.comparison, "better"),),
        family_level=0.001,
        look=3,
        level=0.001 / 12,
    )
    text = Page(render_report(proof, OUTCOMES)).text
    assert "zhlanguage40−12.0" in text
    assert "120 questions about documents that training read" in text
    assert "70 questions from headings would have said “better”" in text
    assert "This is look 3 at these questions" in text
    assert "this one is held to 8.3e-05" in text


def test_the_terms_that_moved_most_are_those_of_several_questions():
    outcomes = [outcome(f"How is the gasket of pump {n} changed", "S", 5, 1) for n in range(4)]
    outcomes += [outcome(f"何时更换 密封圈{n}", "S", 1, 9) for n in range(3)]
    outcomes += [outcome("gasket once", "S", 1, 1)]
    gained, lost = moved_terms(outcomes)
    assert {moved.term for moved in gained} == {"gasket", "changed"}  # each question with `changed` has `pump` too
    assert next(moved.questions for moved in gained if moved.term == "gasket") == 5
    assert [(moved.term, moved.questions) for moved in lost] == [("何时", 3)]
    assert not {moved.term for moved in (*gained, *lost)} & {"once", "2"}


def test_nothing_of_the_input_becomes_markup():
    proof = dataclasses.replace(
        PROOF,
        candidate=ATTACK,
        baseline=ATTACK,
        query_source=ATTACK,
        reason=ATTACK,
        lineage={ATTACK: ATTACK},
        rows=(*PROOF.rows, Row(ATTACK, interval(0.5), interval(0.5), interval(0.5))),
        comparison=dataclasses.replace(PROOF.comparison, candidate=ATTACK),
        parts=(Part(ATTACK, ATTACK, 3, interval(-0.1), 0.01, 0.2, True),),
        seen_rows=(Row(ATTACK, interval(0.5), interval(0.5), interval(0.5)),),
        opinions=(Opinion(ATTACK, 3, PROOF.comparison, "worse"),),
    )
    page = Page(
        render_report(proof, [outcome(ATTACK, ATTACK, 2, 1, ATTACK, ATTACK), *[outcome(ATTACK, ATTACK, 1, 2)] * 3])
    )
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert ATTACK in page.text


def test_it_is_self_contained_and_needs_no_script():
    html = render_report(PROOF, OUTCOMES)
    page = Page(html)
    assert "script" not in page.tags
    assert not [name for name, _ in page.attributes if name in ("src", "href", "srcset")]
    assert not re.search(r"url\(|@import|https?://", html)
    assert "default-src 'none'" in html


def test_it_is_accessible():
    page = Page(render_report(PROOF, OUTCOMES))
    attributes = dict(page.attributes)
    assert attributes["lang"] == "en"
    assert page.tags.count("h1") == 1
    images = sum(1 for name, value in page.attributes if (name, value) == ("role", "img"))
    labels = sum(1 for name, value in page.attributes if name == "aria-label" and value)
    assert images == len(PROOF.rows) + 3
    assert labels >= images


@pytest.mark.parametrize("feature", ["prefers-color-scheme: dark", "@media print", "max-width: 40rem"])
def test_it_is_made_for_dark_print_and_phone(feature):
    assert feature in render_report(PROOF)


def test_a_proof_without_comparison_rows_and_outcomes_still_renders():
    page = Page(render_report(dataclasses.replace(PROOF, comparison=None, rows=(), verdict="unproven")))
    assert "The paired difference" not in page.text
    assert "Where it changed most" not in page.text


def test_a_thousand_outcomes_stay_a_small_page():
    many = [outcome(f"question {i}", "S", i % 12 + 1, i % 7 + 1) for i in range(1000)]
    assert len(render_report(PROOF, many)) < 120_000


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.44, 0.71), (0.5, 0.5), (-0.081, 0.054), (0.0, 0.004)])
def test_axes_hold_their_range_with_few_round_ticks(low, high):
    ticks = axis_ticks(low, high)
    assert ticks[0] <= low
    assert high <= ticks[-1]
    assert 2 <= len(ticks) <= 8
