import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jargonaut.core.sentences import split_sentences


def sentences(text):
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["One is here.", "Two follows!", "Is three?", "Four"],
        ["Use e.g. Redis, i.e. a cache, or cf. Fig. 3 of Dr. Smith et al. 2020.", "Then stop."],
        ["It was J. R. Tolkien.", "He wrote."],
        ["Version 5.2 adds db.sqlite3 and settings.py files.", "Good."],
        ["He said “stop.”", "She did not (really).", "End."],
        ["Redis, Memcached, etc. are caches."],
        ["We sell caches, etc.", "They are fast."],
        ["Yahoo! is one.", "Wait... what?", "Yes."],
    ],
)
def test_english(parts):
    assert sentences(" ".join(parts)) == parts


def test_chinese_ends_need_no_blank_and_take_their_closing_quotes_along():
    text = "消息发送成功。要注意的是：他说“不可靠！”然后离开；为什么？因为Broker宕机。"
    assert sentences(text) == [
        "消息发送成功。",
        "要注意的是：他说“不可靠！”",
        "然后离开；",
        "为什么？",
        "因为Broker宕机。",
    ]


def test_list_items_and_rows_are_sentences_and_their_numbers_are_not():
    assert sentences("- one. Two\n- three\n1. First\n  2. Second one\nA | B\n1 | 2") == [
        "- one.",
        "Two",
        "- three",
        "1. First",
        "2. Second one",
        "A | B",
        "1 | 2",
    ]


@given(st.text(alphabet=st.sampled_from("aB1 .!?。！；“”\"')\n\t中…-e.g")))
def test_every_visible_character_is_in_exactly_one_sentence(text):
    spans = split_sentences(text)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())


def test_time_grows_with_length_only():
    for text in ("a" * 400_000 + ".", ". " * 200_000, "e.g. " * 80_000, "。" * 400_000):
        begin = time.perf_counter()
        split_sentences(text)
        assert time.perf_counter() - begin < 5
