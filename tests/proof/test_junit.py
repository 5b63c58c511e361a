import dataclasses
from xml.etree import ElementTree

from jargonaut.core.proof import Part
from jargonaut.proof.junit import junit_xml
from tests.proof.test_report import ATTACK, PROOF, interval

PARTS = (
    Part("language", "en", 80, interval(0.08), 1.0, 0.05, False),
    Part("language", "zh", 40, interval(-0.12), 0.004, 0.07, True),
)


def parsed(**changes):
    passed = changes.pop("passed", True)
    return ElementTree.fromstring(junit_xml(dataclasses.replace(PROOF, **changes), passed))


def test_a_proof_that_passes_has_no_failure():
    suite = parsed()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert suite.find("testcase").get("name") == "verdict: better"
    assert {"name": "nDCG@10 of fused tuned", "value": "0.6500"} in [p.attrib for p in suite.iter("property")]


def test_what_fails_says_why_and_each_harmed_part_is_a_failure_of_its_own():
    suite = parsed(verdict="uneven", reason="zh is harmed", parts=PARTS, passed=False)
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    failures = {
        case.get("name"): case.find("failure").get("message") for case in suite if case.find("failure") is not None
    }
    assert failures["verdict: uneven"] == "zh is harmed"
    assert failures["no harm to language zh"].startswith("−12.0 points on 40 questions")


def test_nothing_of_the_input_becomes_markup():
    assert (
        parsed(reason=ATTACK, lineage={ATTACK: ATTACK}, passed=False).find("testcase/failure").get("message") == ATTACK
    )
