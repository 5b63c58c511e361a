import pytest

from jargonaut.core.errors import RefusedError
from jargonaut.core.lineage import lineage_from_json, lineage_of, text_mark
from jargonaut.proof.judge import JudgingQuery
from jargonaut.proof.lineage import UNKNOWN, checked_lineage

QUERIES = [JudgingQuery("How tight?", "d1", frozenset({"c"}), section="gv-17.md: Tightening")]
TEXTS = {"d1": text_mark("Tighten the bonnet.\n\nCrosswise!"), "d2": text_mark("Something else.")}


def test_a_text_is_the_same_whatever_its_layout_and_another_if_a_number_differs():
    assert text_mark("Tighten  to 40 Nm.") == text_mark("tighten to 40 nm")
    assert text_mark("Tighten to 40 Nm.") != text_mark("Tighten to 41 Nm.")
    assert text_mark("拧紧 至40牛米") == text_mark("拧紧至 40 牛米。")


def test_what_training_read_is_kept_and_added_up():
    first, second = lineage_of(["a"], ["q"]), lineage_of(["b"], [])
    assert lineage_from_json((first | second).to_json()) == lineage_of(["a", "b"], ["q"])
    assert (first | second).digest != first.digest


def test_a_clean_training_is_said_and_an_unknown_one_is_labelled():
    said = checked_lineage(
        {"query encoder": lineage_of(["other text"], ["other?"]), "document encoder": None}, QUERIES, TEXTS
    )
    assert said["document encoder"] == UNKNOWN
    assert said["query encoder"].startswith("trained here on 1 documents and 1 questions, none of them held out")


@pytest.mark.parametrize(
    ("read", "named"),
    [
        (lineage_of(["tighten the bonnet crosswise"], []), "gv-17.md"),
        (lineage_of([], ["how TIGHT"]), "“How tight?”"),
    ],
)
def test_a_training_that_read_what_it_is_judged_on_has_no_proof(read, named):
    with pytest.raises(RefusedError, match="The proof is refused") as refused:
        checked_lineage({"query encoder": read}, QUERIES, TEXTS)
    assert named in refused.value.message
