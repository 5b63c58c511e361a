import pytest

from jargonaut.documents.composing import LOWERED, RAISED, Inline
from jargonaut.documents.scripts import note_mark
from jargonaut.index.analysis import index_terms

RAISED_TEXTS = {
    ("10", "3"): "10^3",
    ("10", "-3"): "10^-3",
    ("10", "−3"): "10^−3",
    ("(a+b)", "2"): "(a+b)^2",
    ("2", "n"): "2^n",
    ("2", "n+1"): "2^(n+1)",
    ("12 m", "2"): "12 m²",
    ("in m/s", "2"): "in m/s²",
    ("面积12m", "2"): "面积12m²",
    ("min", "-1"): "min⁻¹",
    ("year", "-1"): "year⁻¹",
    ("Ca", "2+"): "Ca²⁺",
    ("SO4", "2-"): "SO4^2-",
    ("x", "n"): "x^n",
    ("1", "st"): "1st",
    ("19", "th"): "19th",
    ("20", "°"): "20°",
    ("value", "5"): "value[5]",
    ("value.", "5,6"): "value.[5,6]",
    ("数值", "5"): "数值[5]",
    ("value", "a"): "value[a]",
    ("value", "*"): "value*",
    ("Acme", "TM"): "AcmeTM",
    ("", "5"): "5",
    ("see ", "5"): "see 5",
}


@pytest.mark.parametrize(("before", "text"), RAISED_TEXTS)
def test_what_is_raised_does_not_fuse_with_what_it_stands_on(before, text):
    inline = Inline()
    inline.add(before)
    inline.add(text, RAISED)
    inline.add(" then")
    assert inline.text.removesuffix(" then") == RAISED_TEXTS[before, text]


def test_what_is_lowered_is_found_as_people_write_it():
    inline = Inline()
    inline.add("H")
    inline.add("2", LOWERED)
    inline.add("O and CO")
    inline.add("2", LOWERED)
    inline.add(", 101")
    inline.add("2", LOWERED)
    assert inline.text == "H2O and CO2, 101_2"


def test_pieces_of_one_power_are_one():
    inline = Inline()
    inline.add("10")
    inline.add("-", RAISED)
    inline.refer("notes.md")
    assert inline.references == [(4, "notes.md")]
    again = Inline()
    again.add("10")
    again.add("-", RAISED)
    again.add("3", RAISED)
    assert again.text == "10^-3"


def test_a_number_with_a_power_is_another_term_than_the_number_of_its_digits():
    assert "103" not in index_terms("10^3")
    assert index_terms("12 m²") == index_terms("12 m2")
    assert "valu" in index_terms("value[5]")


def test_marks_of_notes_are_written_in_one_way():
    assert [note_mark(text) for text in ("5", " [5] ", "*", "")] == ["[5]", "[5]", "[*]", ""]
