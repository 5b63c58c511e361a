"""People click what stands on top: a log is read for what it says of the results, not of their places."""

import csv

import numpy as np
import pytest

from jargonaut.labels.clicks import Impression, debiased
from jargonaut.labels.reading import read_labels


def log(eta, seed=0, questions=60, shown=400, swapped=0.3):
    """Of ten results, the third attracts most; the ranking is the wrong way round, and swapped now and then."""
    rng = np.random.default_rng(seed)
    attraction = np.array([0.1, 0.1, 0.6, 0.05, 0.05, 0.3, 0.02, 0.02, 0.02, 0.02])
    found = []
    for question in range(questions):
        for _ in range(shown // 10):
            order = np.arange(10)
            if rng.random() < swapped:
                at = int(rng.integers(9))
                other = int(rng.integers(10))
                order[[at, other]] = order[[other, at]]
            for position, result in enumerate(order, 1):
                clicked = rng.random() < attraction[result] * position**-eta
                found.append(Impression(f"q{question}", (f"d{result}", "", ""), position, bool(clicked), "log", 1))
    return found


@pytest.mark.parametrize("eta", [0.0, 0.7, 1.5])
def test_how_fast_looking_falls_off_is_found_in_the_log(eta):
    labels, notes = debiased(log(eta, questions=25, shown=1500))
    found = float(notes[0].split("position^")[1].split()[0])
    assert found == pytest.approx(eta, abs=0.15)
    assert "estimated from the log" in notes[0]
    best = [label.document for label in labels if label.grade == 2]
    assert best.count("d2") == 25
    assert set(best) <= {"d2", "d5"}


def test_without_taking_the_places_out_the_top_would_win():
    impressions = log(1.5, questions=10)
    clicks = np.zeros(10)
    for item in impressions:
        clicks[int(item.target[0][1:])] += item.clicked
    assert clicks.argmax() != 2
    labels, _ = debiased(impressions)
    graded = [label.document for label in labels if label.grade == 2]
    assert graded.count("d2") == 10


def test_a_log_that_cannot_tell_says_so():
    same = [Impression("q", ("d", "", ""), 1, True, "log", n) for n in range(3)]
    labels, notes = debiased(same)
    assert [(label.document, label.grade, label.line) for label in labels] == [("d", 2.0, 0)]
    assert "the log cannot tell" in notes[0]
    assert "clicks alone" in notes[2]
    assert "as stated" in debiased(same, exponent=0.5)[1][0]


def test_one_click_is_no_label():
    once = [Impression("q", ("d", "", ""), 1, n == 0, "log", n) for n in range(9)]
    assert debiased(once)[0] == []


def test_a_click_log_is_read_with_its_mistakes(tmp_path):
    path = tmp_path / "clicks.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "url", "position", "clicked"])
        writer.writerows([["How tight?", "gv-17.md", 3, "true"]] * 3)
        writer.writerows(
            [["How tight?", "cp-40.md", 1, 0], ["x", "a.md", 0, 1], ["x", "a.md", 1, "maybe"], ["", "a", 1, 1]]
        )
    read = read_labels(path)
    assert read.shape == "clicks"
    assert [(label.question, label.document, label.grade) for label in read.labels] == [("How tight?", "gv-17.md", 2.0)]
    assert [problem.line for problem in read.problems] == [6, 7, 8]
    assert "not a whole number from 1 on" in read.problems[0].what
