"""A proof as JUnit XML, which every CI shows: one test for the gate, and one for each part that must not be harmed."""

from __future__ import annotations

from xml.etree import ElementTree

from jargonaut.core.proof import Proof
from jargonaut.proof.gate import odds, points

_SUITE = "jargonaut prove"


def junit_xml(proof: Proof, passed: bool) -> str:
    """The document.

    Args:
        proof: The record.
        passed: Whether the verdict is good enough for who asked.
    """
    suite = ElementTree.Element("testsuite", name=_SUITE)
    listed = ElementTree.SubElement(suite, "properties")
    facts = {"candidate": proof.candidate, "baseline": proof.baseline, "verdict": proof.verdict}
    facts |= {f"nDCG@10 of {row.name}": f"{row.ndcg_at_10.mean:.4f}" for row in proof.rows}
    for name, value in (facts | dict(proof.lineage)).items():
        ElementTree.SubElement(listed, "property", name=name, value=str(value))
    _case(suite, f"verdict: {proof.verdict}", "" if passed else proof.reason, proof.reason)
    for part in proof.parts:
        measured = (
            f"{points(part.difference.mean)} points on {part.queries} questions; chance alone loses as much "
            f"{odds(part.p_value)}"
        )
        _case(suite, f"no harm to {part.kind} {part.name or 'not known'}", measured if part.harmed else "", measured)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, name: str, failure: str, said: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=_SUITE, name=name, time="0")
    if failure:
        ElementTree.SubElement(case, "failure", message=failure)
    ElementTree.SubElement(case, "system-out").text = said
