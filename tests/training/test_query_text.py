import pytest

from jargonaut.training.query_text import (
    comparable,
    is_boilerplate_heading,
    is_generic_heading,
    says_enough,
    stands_alone,
    without_pointer,
)


@pytest.mark.parametrize(
    ("sentence", "name", "query"),
    [
        (
            "Sessions end with it (see Session cookie age).",
            "Session cookie age",
            "Sessions end with it",
        ),
        ("Sessions end with the browser (but see below).", "Session cookie age", "Sessions end with the browser"),
        ("For more information on rotating keys safely, see Key rotation.", "Key rotation", "rotating keys safely"),
        ("See Key rotation for details on rotating keys safely.", "Key rotation", "rotating keys safely"),
        ("See the key guide to learn how keys are rotated.", "Rotation", "how keys are rotated"),
        ("Keys are rotated every month, as described in Key rotation.", "Key rotation", "Keys are rotated every month"),
        ("Keys rotate; refer to the Key rotation for more information.", "Key rotation", "Keys rotate"),
        ("Keys rotate. Please see the guide.", "Key rotation", "Keys rotate"),
        ("Note: Keys never expire (see below).", "Expiry", "Keys never expire"),
        ("Use the Pushgateway for batch jobs.", "Pushgateway", "Use the Pushgateway for batch jobs"),
        ("Set LOGIN_URL to another page.", "LOGIN_URL", "Set LOGIN_URL to another page"),
        ("The grace period applies to old tokens too.", "Expiry", "The grace period applies to old tokens too"),
        ("Tasks may call it, but topics/async applies.", "topics/async", "Tasks may call it, but applies"),
        ("清理过期的会话数据，请参考垃圾回收。", "垃圾回收", "清理过期的会话数据"),
        ("删除旧版本的方法，详见《垃圾回收》一节。", "垃圾回收", "删除旧版本的方法"),
        ("系统定期运行后台垃圾回收任务来清理。", "后台垃圾回收任务", "系统定期运行 来清理"),
    ],
)
def test_pointers_and_titles_are_taken_out(sentence, name, query):
    assert without_pointer(sentence, [name]) == query


def test_several_names():
    sentence = "Use signed cookies or the cached engine to keep data."
    assert without_pointer(sentence, ["The cached engine", "Signed cookies"]) == "Use or to keep data"


@pytest.mark.parametrize(
    ("query", "enough"),
    [
        ("rotate signing keys", True),
        ("TIME_INPUT_FORMATS", True),
        ("see the section below for more details", False),
        ("Overview", False),
        ("", False),
        ("垃圾回收", True),
        ("回收", False),
        ("word " * 100, False),
    ],
)
def test_what_says_enough(query, enough):
    assert says_enough(query, 3) is enough


def test_what_stands_alone():
    assert stands_alone("Keys rotate.")
    assert stands_alone("Itemised bills are sent.")
    assert not stands_alone("It rotates them.")
    assert not stands_alone("Note: This is not so.")
    assert not stands_alone("该参数已废弃。")


def test_headings_by_kind():
    assert is_generic_heading("Overview")
    assert is_generic_heading("使用示例")
    assert not is_generic_heading("Overview of keys")
    assert is_boilerplate_heading("What's next?")


def test_comparable():
    assert comparable("  The “Key”-rotation, ＡＰＩ! 会话 ") == "the key rotation api 会 话"
