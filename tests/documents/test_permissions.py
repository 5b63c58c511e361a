import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.errors import RuleError
from jargonaut.documents.permissions import Rule, Rules

PRINCIPALS = st.lists(st.sampled_from(["public", "group:hr", "group:dev", "user:ann"]), max_size=3)


def readers(allow):
    """Who of three people may read: everyone is public."""
    people = {"hr": {"public", "group:hr"}, "dev": {"public", "group:dev"}, "ann": {"public", "user:ann", "group:hr"}}
    return {name for name, principals in people.items() if principals & set(allow)}


def said(own):
    return {} if own is None else {"allow": tuple(own)}


def test_without_rules_everything_is_public():
    assert Rules().allow_for("a.md") == ("public",)


def test_the_first_rule_that_matches_decides():
    rules = Rules((Rule("hr/open.md", ("public",)), Rule("hr/**", ("group:hr", "user:ann"))), ("group:all",))
    assert rules.allow_for("hr/open.md") == ("public",)
    assert rules.allow_for("hr/pay.md") == ("group:hr", "user:ann")
    assert rules.allow_for("a.md") == ("group:all",)


@pytest.mark.parametrize(
    ("operator", "own", "expected"),
    [
        (("public",), None, ("public",)),
        (("public",), ("group:hr",), ("group:hr",)),
        (("group:hr", "group:dev"), ("group:hr", "user:bob"), ("group:hr",)),
        (("group:hr",), ("public",), ("group:hr",)),
        (("group:hr",), ("group:dev",), ()),
        (("public",), (), ()),
    ],
)
def test_what_a_document_says_only_narrows(operator, own, expected):
    assert Rules(default_allow=operator).allow_for("a.md", said(own)) == expected


@given(PRINCIPALS, st.none() | PRINCIPALS)
def test_nobody_reads_whom_either_side_keeps_out(operator, own):
    allow = Rules(default_allow=tuple(operator)).allow_for("a.md", said(own))
    assert readers(allow) <= readers(operator)
    assert own is None or readers(allow) <= readers(own)
    assert list(allow) == sorted(allow)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ((Rule("ok/**", ("public",)), Rule("[bad", ("public",))), r"rule 2 .*\[bad"),
        ((Rule("hr/**", ("hr",)),), "rule 1 .*`hr` is not a principal"),
        ((Rule("hr/**", "group:hr"),), "rule 1 .*not a list"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named(rules, named):
    with pytest.raises(RuleError, match=named):
        Rules(rules)


def test_a_default_that_cannot_be_read_is_refused():
    with pytest.raises(RuleError, match="default"):
        Rules(default_allow=("everyone",))


def test_a_documents_own_principals_are_checked():
    with pytest.raises(RuleError, match=r"a\.md"):
        Rules().allow_for("a.md", said(("everybody",)))


CONFIDENTIAL = Rule("**", ("group:board",), (("classification", ("confidential", "secret")),))


@pytest.mark.parametrize(
    ("uri", "metadata", "expected"),
    [
        ("a.md", {}, ("group:all",)),
        ("a.md", {"classification": "internal"}, ("group:all",)),
        ("open/a.md", {"classification": "Confidential"}, ("group:board",)),
        ("open/a.md", {"classification": ("x", "secret"), "allow": ("group:board", "user:ann")}, ("group:board",)),
        ("a.md", {"classification": "secret"}, ()),
    ],
)
def test_a_rule_about_metadata_only_narrows(uri, metadata, expected):
    rules = Rules((CONFIDENTIAL, Rule("open/**", ("public",))), ("group:all",))
    assert rules.allow_for(uri, metadata) == expected


@given(PRINCIPALS, PRINCIPALS, st.sampled_from(["x", "y", ""]))
def test_no_metadata_open_what_the_rules_about_paths_keep_shut(operator, narrowing, value):
    rules = Rules((Rule("**", tuple(narrowing), (("k", ("x",)),)),), tuple(operator))
    assert readers(rules.allow_for("a.md", {"k": value})) <= readers(operator)


def test_a_rule_for_an_archive_holds_for_what_is_in_it():
    rules = Rules((Rule("*.zip", ("group:hr",)), Rule("mail/secret.eml", ("group:board",))))
    assert rules.allow_for("a/pay.zip/2024/ann.docx") == ("group:hr",)
    assert rules.allow_for("mail/secret.eml/salaries.xlsx") == ("group:board",)
