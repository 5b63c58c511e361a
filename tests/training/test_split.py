import random

import pytest

from jargonaut.core.document import document_id
from jargonaut.training.near_duplicates import clusters
from jargonaut.training.pairs import Pair
from jargonaut.training.split import Split, divide_pairs, lineage, split_documents
from tests.training.corpus import parsed

WORDS = [f"word{number}" for number in range(2000)]


def text(seed, words=300):
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def changed(original, every):
    return " ".join("x" if number % every == 0 else word for number, word in enumerate(original.split()))


def test_copies_are_found_and_others_are_not():
    original = text(1)
    texts = {"a": original, "b": changed(original, 60), "c": text(2), "d": changed(original, 3), "e": text(2) + " end"}
    assert clusters(texts) == [("a", "b"), ("c", "e"), ("d",)]


def test_chinese_copies_are_found():
    characters = random.Random(0).choices([chr(code) for code in range(0x4E00, 0x5000)], k=400)
    original = "".join(characters)
    assert clusters({"a": original, "b": original[:390] + "完", "c": original[::-1]}) == [("a", "b"), ("c",)]


def test_texts_without_words_are_texts():
    assert clusters({}) == []
    assert clusters({"a": "", "b": "...", "c": "one"}) == [("a", "b"), ("c",)]


@pytest.fixture(scope="module")
def documents():
    return parsed({f"{number}.md": f"# Page {number}\n\n{text(number)}" for number in range(200)})


def test_about_the_share_is_held_out_by_seed_alone(documents):
    split = split_documents(documents, 7)
    assert 0.2 < len(split.held_out) / len(documents) < 0.4
    assert not split.held_out & split.training
    assert len(split.held_out | split.training) == len(documents)
    assert split_documents(list(reversed(documents)), 7) == split
    assert split_documents(documents, 8).held_out != split.held_out


def test_a_document_stays_on_its_side_when_others_come_and_go(documents):
    assert split_documents(documents[:50], 7).held_out <= split_documents(documents, 7).held_out


def test_copies_stay_together(documents):
    copies = parsed({f"copy/{number}.md": f"# Page {number}\n\n{text(number)} and more" for number in range(200)})
    held_out = split_documents([*documents, *copies], 7).held_out
    assert all((document_id(f"{n}.md") in held_out) == (document_id(f"copy/{n}.md") in held_out) for n in range(200))


def pair(query, documents, origin):
    return Pair(query, ("c",), tuple(documents), "cross-reference", (origin,), ())


def test_pairs_follow_their_documents():
    split = Split(frozenset("ab"), frozenset("xy"), 7)
    pairs = {
        "training": pair("one", "a", "b"),
        "held out": pair("two", "x", "y"),
        "held out, asked from training": pair("three", "x", "a"),
        "asked from held out": pair("four", "a", "x"),
        "across": pair("five", "ax", "b"),
        "same question": pair("Two!", "a", "b"),
    }
    divided = divide_pairs(pairs.values(), split)
    assert divided.training == (pairs["training"],)
    assert divided.held_out == (pairs["held out"], pairs["held out, asked from training"])
    assert divided.dropped == 3


def test_lineage_names_what_was_read(documents):
    split = split_documents(documents, 7)
    record = lineage(documents, split)
    assert record["common_texts"] == "0"
    assert int(record["training_document_count"]) == len(split.training)
    edited = parsed({"0.md": "# Page 0\n\nanother text"}) + documents[1:]
    sides = {"training", "held_out"}
    side = "training" if document_id("0.md") in split.training else "held_out"
    other = (sides - {side}).pop()
    assert lineage(edited, split)[f"{side}_texts"] != record[f"{side}_texts"]
    assert lineage(edited, split)[f"{other}_texts"] == record[f"{other}_texts"]
