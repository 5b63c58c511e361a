"""Each chunker on what it is made for."""

import itertools

import pytest

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.document import Block, Document
from tests.chunking.drawn import parsed


def cut(name, markdown, limit=64, **told):
    return make_chunker(Choice(name, **told), Tokens(word_spans, limit, "words")).split(parsed(markdown))


def test_fixed_chunks_overlap_by_whole_words():
    text = " ".join(f"w{number}" for number in range(200))
    chunks = cut("fixed", f"# Log\n{text}", overlap=10)
    words = [chunk.text.split() for chunk in chunks]
    assert all(before[-10:] == after[:10] for before, after in itertools.pairwise(words))
    assert chunks[0].text.startswith("Log\n\nw0")
    assert {chunk.heading_path for chunk in chunks} == {("Log",)}


def test_fixed_chunks_overlap_in_chinese():
    chunks = cut("fixed", "# 日志\n" + "消息发送成功，也不意味着可靠。" * 30, overlap=16)
    assert len(chunks) > 5
    assert all(after.start < before.end for before, after in itertools.pairwise(chunks))


@pytest.mark.parametrize(
    ("sentence", "title"),
    [("The session number {} is kept on the server.", "Sessions"), ("第{}个会话保存在服务器上。", "会话")],
)
def test_a_sentence_is_found_and_what_stands_around_it_is_answered_from(sentence, title):
    text = (" " if "." in sentence else "").join(sentence.format(number) for number in range(40))
    document = parsed(f"# {title}\n{text}\n\n## Other\nApart.")
    chunker = make_chunker(Choice("sentence_window", 32, parent_tokens=80), Tokens(word_spans, 256, "words"))
    *chunks, apart = chunker.split(document)
    assert all(chunk.text[-1] in ".。" for chunk in chunks)
    assert {chunk.heading_path for chunk in chunks} == {(title,)}
    middle = chunks[len(chunks) // 2]
    assert middle.parent[0] < middle.start
    assert middle.end < middle.parent[1]
    assert 40 <= len(word_spans(document.text[slice(*middle.parent)])) <= 80
    starts, ends = {chunk.start for chunk in chunks}, {chunk.end for chunk in chunks}
    assert all(chunk.parent[0] in starts and chunk.parent[1] in ends for chunk in chunks)
    assert apart.parent is None


def test_children_share_their_section_as_parent():
    sentence = "The session is stored on the server side. "
    chunks = cut("parent_child", f"# A\n{sentence * 12}\n\n## B\nShort.", 256, max_tokens=32)
    of_a = [chunk for chunk in chunks if chunk.heading_path == ("A",)]
    assert len(of_a) > 3
    assert {chunk.parent for chunk in of_a} == {(of_a[0].start, of_a[-1].end)}
    assert chunks[-1].parent is None


def test_a_long_section_has_several_parents_of_about_the_same_size():
    chunks = cut(
        "parent_child", "# A\n" + "消息发送成功也不意味着它是可靠的。" * 60, 256, max_tokens=40, parent_tokens=300
    )
    parents = sorted({chunk.parent for chunk in chunks})
    sizes = [end - start for start, end in parents]
    assert len(parents) > 2
    assert max(sizes) - min(sizes) < 80
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(parents))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("| Name | Default |\n|---|---|\n| age | 10 |\n| path | |", ["Name: age; Default: 10", "Name: path"]),
        (
            "| Name | Type |\n|---|---|\n| age | int \\| None |\n| sign | \\| |",
            ["Name: age; Type: int | None", "Name: sign; Type: |"],
        ),
        (
            "| 名称 | 价格 |\n|---|---|\n| 苹果 | 5 元 |\n| 梨 | 3 元 |",
            ["名称: 苹果; 价格: 5 元", "名称: 梨; 价格: 3 元"],
        ),
    ],
)
def test_each_row_is_a_chunk_and_says_its_columns(table, said):
    chunks = cut("rows", f"# Settings\nBefore.\n\n{table}\n\nAfter.")
    assert [chunk.indexed_text for chunk in chunks[1:-1]] == [f"Settings\n{words}" for words in said]
    header = table.split("\n")[0].strip("| ")
    assert chunks[1].text.startswith(header)
    assert chunks[1].heading_path == ("Settings",)
    assert chunks[2].heading_path == ("Settings", header)
    assert (chunks[0].text, chunks[-1].text) == ("Before.", "After.")


def test_rows_with_two_header_lines_and_their_places():
    text = "Price | Price | Note\nnet | gross | Note\n1 | 2 | x\n3 | 4 | y"
    block = Block("table", 0, len(text), header_lines=2, lines=(1, 2, 3, 4))
    document = Document("p.xlsx", "0", text, (block,), title="P")
    chunks = make_chunker(Choice("rows"), Tokens(word_spans, 64, "words")).split(document)
    assert [chunk.said for chunk in chunks] == [
        "P\nPrice net: 1; Price gross: 2; Note: x",
        "P\nPrice net: 3; Price gross: 4; Note: y",
    ]
    assert [chunk.place.line for chunk in chunks] == [3, 4]


def test_a_row_too_long_for_its_words_is_cut_like_text():
    chunks = cut("rows", f"| Name | Text |\n|---|---|\n| a | {'long text ' * 80} |\n| b | short |")
    assert len(chunks) > 3
    assert chunks[-1].said.endswith("Name: b; Text: short")
    assert chunks[1].text.startswith("a | long")


@pytest.mark.parametrize(
    ("markdown", "pairs"),
    [
        (
            "# FAQ\n## How long?\nTwo weeks.\n\n- at most\n\n## Who decides?\nThe head.",
            [("FAQ", "How long?"), ("FAQ", "Who decides?")],
        ),
        (
            "# 常见问题\n## 期限多长？\n两周。\n\n## 谁决定？\n主管。",
            [("常见问题", "期限多长？"), ("常见问题", "谁决定？")],
        ),
    ],
)
def test_headings_that_ask_and_what_answers_them_are_one_chunk(markdown, pairs):
    assert [chunk.heading_path for chunk in cut("qa", markdown)] == pairs


def test_an_answer_with_subsections_stays_whole_if_it_fits():
    chunks = cut(
        "qa", "# FAQ\n## How do I pay?\nThree ways.\n\n### Card\nAt once.\n\n### Bank\nLater.\n\n## Next\nEnd."
    )
    assert [chunk.text for chunk in chunks] == ["Three ways.\n\nCard\n\nAt once.\n\nBank\n\nLater.", "End."]


@pytest.mark.parametrize(
    "markdown",
    [
        "# Help\nIntro.\n\nQ: How long?\n\nA: Two weeks.\n\nIn all.\n\nQ2. Who decides?\n\nA2. The head.",
        "# 帮助\n说明。\n\n问：期限多长？\n\n答：两周。\n\n共计。\n\n问题二：谁决定？\n\n答：主管。",
        "# Help\nIntro.\n\n- Q: How long?\n- A: Two weeks.\n- Question 2: Who decides?\n- Answer: The head.",
    ],
)
def test_marked_questions_and_their_answers_are_one_chunk(markdown):
    intro, first, second = cut("qa", markdown)
    assert intro.text in ("Intro.", "说明。")
    assert first.text.lstrip("- ").startswith(("Q: How", "问：期限"))
    assert ("weeks" in first.text) or ("两周" in first.text)
    assert second.text.endswith(("head.", "主管。"))


def test_an_answer_too_long_has_its_question_in_every_path():
    chunks = cut("qa", "# Help\n\nQ: How long does it last?\n\nA: " + "It lasts for two weeks and not longer. " * 20)
    assert len(chunks) > 3
    assert chunks[0].heading_path == ("Help",)
    assert all(chunk.heading_path == ("Help", "Q: How long does it last?") for chunk in chunks[1:])


LAW = """# 会话管理法

2024年1月1日通过

第一编 通则

第一章 总则

第一条 为了规范会话，制定本法。

第二条 会话包括下列各项：

（一）网络会话；

（二）本地会话。

第三条规定的会话不适用前款。

第二章 存储

第一节 期限

第三条之一 会话保存两周。

第四条 本法自公布之日起施行。
"""


def test_a_chinese_law_is_cut_by_article_with_parts_as_path():
    chunks = cut("statute", LAW, 128)
    assert [chunk.heading_path for chunk in chunks] == [
        ("会话管理法",),
        ("会话管理法", "第一编 通则", "第一章 总则", "第一条"),
        ("会话管理法", "第一编 通则", "第一章 总则", "第二条"),
        ("会话管理法", "第一编 通则", "第二章 存储", "第一节 期限", "第三条之一"),
        ("会话管理法", "第一编 通则", "第二章 存储", "第一节 期限", "第四条"),
    ]
    assert chunks[2].text.endswith("（二）本地会话。\n\n第三条规定的会话不适用前款。")
    assert chunks[1].text.startswith("第一编 通则\n\n第一章 总则\n\n第一条")


def test_a_law_written_with_headings():
    chunks = cut("statute", "# 会话法\n## 第一章 总则\n### 第一条\n甲。\n\n### 第二条\n乙。\n\n## 附则\n丙。")
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        (("会话法", "第一章 总则", "第一条"), "第一条\n\n甲。"),
        (("会话法", "第一章 总则", "第二条"), "第二条\n\n乙。"),
        (("会话法", "附则"), "丙。"),
    ]


def test_an_article_too_long_is_cut_by_paragraph_with_its_items():
    items = "".join(f"（{n}）{'会话保存在服务器上' * 2}；\n\n" for n in "一二三")
    second = f"第二条 {'会话应当保存。' * 4}\n\n下列各项除外：\n\n{items}{'会话期满应当删除。' * 4}"
    law = f"# 法\n第一条 甲。\n\n{second}\n\n第三条 丙。"
    chunks = [chunk for chunk in cut("statute", law, 96) if "第二条" in chunk.heading_path[-1]]
    assert len(chunks) > 1
    assert all(chunk.heading_path[-1] == "第二条" for chunk in chunks)
    whole = next(chunk for chunk in chunks if "下列各项" in chunk.text)
    assert all(f"（{n}）" in whole.text for n in "一二三")


ENGLISH_LAW = """# Regulation on sessions

Having regard to the treaty,

CHAPTER I General

Section 1 Scope

Article 1 Subject matter

This regulation lays down rules.

Article 2

1. Article 5 of the treaty applies.

(a) to sessions;

(b) to cookies.

CHAPTER II Storage

Article 3. Two weeks.
"""


def test_an_english_law_is_cut_by_article():
    chunks = cut("statute", ENGLISH_LAW, 128)
    assert [chunk.heading_path[1:] for chunk in chunks] == [
        (),
        ("CHAPTER I General", "Section 1 Scope", "Article 1"),
        ("CHAPTER I General", "Section 1 Scope", "Article 2"),
        ("CHAPTER II Storage", "Article 3"),
    ]
    assert chunks[2].text.endswith("(b) to cookies.")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (
            "Section 4.2 Cookies\n\nThey last.\n\nSection 4.3 Sessions\n\nSee section 4.2 of the act.",
            ["Section 4.2", "Section 4.3"],
        ),
        ("§ 12 Dauer\n\nZwei Wochen.\n\n§ 12a Ende\n\nDanach.", ["§ 12", "§ 12a"]),
        ("Clause 7: Term\n\nTwo weeks.\n\nClause 8: End\n\nThen.", ["Clause 7", "Clause 8"]),
    ],
)
def test_other_labels(text, labels):
    assert [chunk.heading_path[-1] for chunk in cut("statute", f"# Act\n\n{text}")] == labels


def test_a_table_of_contents_stands_apart_from_the_first_article():
    parts = "\n\n".join(f"第{n}章 关于会话" for n in "一二三四五")
    chunks = cut("statute", f"# 法\n目录\n\n{parts}\n\n第一章 关于会话\n\n第一条 甲。\n\n第二条 乙。", 200)
    assert chunks[-2].text.endswith("第一条 甲。")
    assert "第五章" not in chunks[-2].text
    assert chunks[-2].heading_path == ("法", "第一章 关于会话", "第一条")


PYTHON = '''import os


@cached
def first(a):
    """Says one."""
    return "one " * 10


# What comes second.
def second(b):
    return "two " * 10


class Third:
    """A class."""

    limit = 3

    def method_one(self):
        return self.limit + {n}

    # Two.
    def method_two(self):
        return self.limit + {n}
'''


def test_python_is_cut_by_function_and_class():
    body = PYTHON.replace("{n}", " + ".join(str(number) for number in range(20)))
    chunks = cut("code", f"# Module\n\nThe module has three parts.\n\n```python\n{body}```\n\nAfter.", 90)
    texts = [chunk.text for chunk in chunks]
    assert texts[0].startswith("The module has three parts.\n\n    import os")
    assert any("    # What comes second.\n    def second" in text for text in texts)
    methods = [chunk for chunk in chunks if "method_" in chunk.text]
    assert [chunk.heading_path[-1] for chunk in methods] == ["class Third", "class Third"]
    assert methods[1].text.startswith("        # Two.")
    assert chunks[-1].text == "After."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("export async function first(a) {\n  BODY\n}", "const second = (b) => {\n  BODY\n}"),
        ("func (s *Server) First(a int) error {\n\tBODY\n}", "type Second struct {\n\tBODY\n}"),
        ("pub fn first(a: u8) -> u8 {\n    BODY\n}", "impl Second for Thing {\n    BODY\n}"),
        ("int first(int a) {\n    BODY\n}", "static char *second(void) {\n    BODY\n}"),
        ("public static void first(String a) {\n    BODY\n}", "public class Second {\n    BODY\n}"),
        ("CREATE TABLE first (\n  BODY\n);", "SELECT second\nFROM BODY;"),
        ("first:\n  BODY", "\nsecond:\n  BODY"),
    ],
)
def test_other_languages_too(one, other):
    body = " + ".join(["value"] * 16)
    code = "\n".join([one, other]).replace("BODY", body)
    first, second = cut("code", f"# A\n```\n{code}\n```")
    assert "irst" in first.text
    assert "econd" not in first.text
    assert second.text.lstrip().startswith(other.strip().split("\n")[0][:8])


def test_a_paragraph_stays_with_the_code_that_it_introduces():
    filler = "word " * 18
    chunks = cut("code", f"# A\n{filler}\n\n{filler}\n\nRun this to begin\n\n```\nrun --fast\n```\n\n{filler}")
    assert any("Run this to begin\n\n    run --fast" in chunk.text for chunk in chunks)
