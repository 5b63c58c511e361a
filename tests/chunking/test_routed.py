import pytest

from jargonaut.chunking.by_name import Choice, Tokens
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.chunking.routed import RoutedChunker, Rule
from jargonaut.core.errors import UnknownNameError
from jargonaut.documents.globs import matches
from tests.chunking.drawn import parsed

TOKENS = Tokens(word_spans, 64, "words")
LAW, SHEET = Rule("law/**", Choice("statute")), Rule("**/*.csv", Choice("rows"))


def routed(*rules, default=Choice()):
    return RoutedChunker(rules, default, TOKENS, matches)


def test_the_first_rule_that_matches_decides():
    chunker = routed(LAW, Rule("law/**", Choice("fixed")), SHEET)
    names = [chunker.for_uri(uri).id.split("/")[0] for uri in ("law/a.md", "law/b.csv", "x/b.csv", "x.md")]
    assert names == ["statute-1", "statute-1", "rows-1", "heading-1"]


def test_chunks_carry_the_id_of_the_whole():
    chunker = routed(LAW)
    for uri in ("law/a.md", "b.md"):
        assert {chunk.chunker for chunk in chunker.split(parsed("# A\nText.", uri))} == {chunker.id}


def test_the_id_changes_with_every_rule_and_with_nothing_else():
    ids = [
        routed(LAW),
        routed(SHEET),
        routed(LAW, SHEET),
        routed(SHEET, LAW),
        routed(LAW, default=Choice("qa")),
        routed(Rule("law/**", Choice("statute", 48))),
    ]
    assert len({chunker.id for chunker in ids}) == len(ids)
    assert routed(LAW).id == routed(Rule("law/**", Choice("statute", 64))).id


def test_a_rule_with_an_unknown_chunker_is_refused():
    with pytest.raises(UnknownNameError):
        routed(Rule("a", Choice("lines")))
