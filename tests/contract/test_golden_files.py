"""The golden files of contract/, as the service understands them; the Worker's own tests read the same ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from jargonaut.serving.errors import error_body

CONTRACT = Path(__file__).parents[2] / "contract"


def golden(name):
    return json.loads((CONTRACT / f"{name}.json").read_text(encoding="utf-8"))


KEYS = golden("keys")


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def key(grant, path, body):
    """The cache key as contract/README.md words it, written anew."""
    names = ("tenant", "knowledge_base", "channel", "recipe", "generation")
    who = sha256(compact(sorted(grant["principals"])))
    return sha256(compact([1, *(grant[name] for name in names), who, path, sha256(body)]))


@pytest.mark.parametrize("case", KEYS["bodies"], ids=lambda case: case["name"])
def test_a_canonical_body_means_what_was_sent(case):
    grant = KEYS["grant"]
    model = f"{grant['knowledge_base']}@{grant['channel']}"
    for body in case["bodies"]:
        sent = {
            name: value for name, value in json.loads(body, parse_int=float).items() if (name, value) != ("user", None)
        }
        assert json.loads(case["canonical"], parse_int=float) == sent | {"model": model}
    assert sha256(case["canonical"]) == case["sha256"]
    assert key(grant, KEYS["path"], case["canonical"]) == case["key"]


@pytest.mark.parametrize("case", KEYS["other_keys"], ids=lambda case: f"{case['path']} {case['change']}")
def test_keys_of_other_grants_and_routes(case):
    assert key(KEYS["grant"] | case["change"], case["path"], '{"model":"handbook@live"}') == case["key"]


@pytest.mark.parametrize("case", golden("errors")["errors"], ids=lambda case: case["body"]["error"]["code"])
def test_errors_of_the_service_have_the_same_shape(case):
    error = case["body"]["error"]
    assert error_body(case["status"], error["message"], error["code"], error["param"]) == case["body"]


@pytest.mark.parametrize("case", golden("grants")["granted"], ids=lambda case: str(case["query"]["model"]))
def test_a_grant_is_what_the_service_sends(case):
    from jargonaut.serving.wire import Grant, GrantRequest

    assert GrantRequest.model_validate(case["query"]).model_dump(exclude_unset=True) == case["query"]
    assert Grant.model_validate(case["answer"]).model_dump() == case["answer"]
