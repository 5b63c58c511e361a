import asyncio
import time

import numpy as np
import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Place
from jargonaut.core.errors import DeadlineError
from jargonaut.generation.extractive import ExtractiveGenerator
from jargonaut.generation.port import Passage
from jargonaut.index.analysis import index_terms
from jargonaut.index.port import StoredChunk


def passages(*sections, kind="paragraph", start=0):
    """Passages from (heading, text) pairs, each a document of its own whose text begins at `start`."""
    return [
        Passage(
            number,
            StoredChunk(
                f"c{number}", f"d{number}", f"{number}.md", "Guide", ("Guide", heading), text, start,
                start + len(text), 0, kind, Place(), "en", {},
            ),
            1.0 / number,
        )
        for number, (heading, text) in enumerate(sections, start=1)
    ]  # fmt: skip


def generate(question, found, encode=None, **options):
    async def collect():
        generator = ExtractiveGenerator(encode, **options)
        return [statement async for statement in generator.generate(question, found, Deadline.after(10))]

    return asyncio.run(collect())


def texts(question, found, encode=None, **options):
    return [statement.text for statement in generate(question, found, encode, **options)]


BACKUP = (
    "Backup",
    "Backups protect against mistakes. A full backup runs every night at two. "
    "Old backups are removed after thirty days. Restoring needs the consent of an administrator.",
)
CACHE = ("Cache", "The cache keeps pages for five minutes. It is emptied by a restart. A page can opt out.")


def test_the_sentence_that_answers_is_quoted_with_its_place():
    found = passages(CACHE, BACKUP, start=100)
    (statement,) = generate("When does the full backup run?", found, max_statements=1)
    assert statement.text == "A full backup runs every night at two."
    assert statement.cites == (2,)
    ((start, end),) = statement.spans
    assert BACKUP[1][start - 100 : end - 100] == statement.text


def test_nothing_is_said_if_nothing_relates():
    assert generate("Which colour has the parrot?", passages(BACKUP, CACHE)) == []
    assert generate("Which colour has the parrot?", []) == []
    assert generate("???", passages(BACKUP)) == []


def test_a_sentence_that_leans_on_the_one_before_brings_it_along():
    assert texts("Is the cache emptied by a restart?", passages(CACHE))[:2] == [
        "The cache keeps pages for five minutes.",
        "It is emptied by a restart.",
    ]


def test_the_rest_of_the_question_is_looked_for_elsewhere():
    found = passages(
        ("SESSION_AGE", "SESSION_AGE says how long a session lives. Its default is 1209600 seconds."),
        ("Other", "Nothing of this matters here. Some other words follow."),
    )
    assert "1209600" in " ".join(texts("What is the default of SESSION_AGE?", found))


def test_what_the_heading_says_counts():
    found = passages(
        ("Installation", "Run the installer and follow its steps. Reboot when it is done."),
        ("Removal", "Run the script and follow its advice. Reboot when it is done."),
    )
    assert generate("How does removal work: run what?", found)[0].cites == (2,)


def test_a_sentence_that_announces_brings_what_it_announces():
    code = "    $ manage clear --all\n\n    $ manage check"
    found = passages(("Clearing", f"Sessions are cleared with this command:\n\n{code}\n\nIt takes a minute."))
    statements = generate("How are sessions cleared?", found)
    assert [statement.text for statement in statements[:2]] == ["Sessions are cleared with this command:", code]
    assert statements[1].cites == (1,), "code keeps its line breaks and its indent"


def test_headings_pointers_and_questions_are_no_answers():
    found = passages(
        ("Index rebuild", "Index rebuild\n\nHow do I rebuild the index?\n\nSee the index rebuild guide."),
        ("Index", "The index is rebuilt by the command rebuild in about an hour."),
    )
    assert texts("How do I rebuild the index?", found, max_statements=1) == [
        "The index is rebuilt by the command rebuild in about an hour."
    ]


def test_table_rows_and_list_items_can_be_quoted_without_their_marks():
    table = passages(("Ports", "service | port\nweb | 8080\nmetrics | 9090"), kind="table")
    assert texts("Which port has the metrics service?", table, max_statements=1) == ["metrics | 9090"]
    listed = passages(
        ("Limits", "- Uploads are limited to 20 MB.\n- Names are limited to 63 letters.\n  - Nested item.")
    )
    assert texts("What is the limit of uploads?", listed, max_statements=1) == ["Uploads are limited to 20 MB."]


def test_the_same_is_said_once():
    twice = "A full backup runs every night at two."
    found = passages(("Backup", twice), ("Nightly", f"{twice} Nothing else runs."))
    assert texts("When does the full backup run?", found).count(twice) == 1


def test_at_most_as_many_pieces_as_allowed():
    found = passages(("Backup", " ".join(f"Backup number {at} runs at night." for at in range(20))))
    assert len(generate("When does the backup run at night?", found, max_statements=3)) <= 3


def test_the_best_passage_comes_first_and_each_in_the_order_of_the_document():
    statements = generate("When is the full backup run and who restores?", passages(CACHE, BACKUP))
    assert statements[0].cites == (2,)
    spans = [statement.spans[0] for statement in statements if statement.cites == (2,)]
    assert spans == sorted(spans)


def test_chinese():
    text = "数据库每天凌晨两点自动备份一次。备份文件在对象存储中保留三十天。恢复备份需要管理员批准。"
    statements = generate("备份文件保留多少天？", passages(("备份策略", text)), max_statements=1)
    assert [statement.text for statement in statements] == ["备份文件在对象存储中保留三十天。"]
    ((start, end),) = statements[0].spans
    assert text[start:end] == statements[0].text


def bag_of_terms(batch):
    """An encoder by hashed terms, in which `sluggish` means `slow`."""
    vectors = np.zeros((len(batch), 64), np.float32)
    for row, text in enumerate(batch):
        for term in index_terms(text.replace("sluggish", "slow")):
            vectors[row, sum(map(ord, term)) % 64] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def test_vectors_find_what_is_said_in_other_words():
    found = passages(("Disks", "Old disks make everything slow. The rack holds eight of them."))
    assert generate("sluggish", found) == []
    assert texts("sluggish", found, bag_of_terms, max_statements=1) == ["Old disks make everything slow."]


def test_few_vectors_are_computed_and_always_of_as_many_texts():
    batches = []

    def encode(batch):
        batches.append(len(batch))
        return bag_of_terms(batch)

    found = passages(
        *[(f"Part {part}", " ".join(f"Sentence {at} of part {part}." for at in range(30))) for part in range(5)]
    )
    generate("What says sentence 3 of part 2?", found, encode)
    assert set(batches) == {4}
    assert sum(batches) <= 16


def test_the_deadline_is_kept():
    def slow(batch):
        time.sleep(0.2)
        return bag_of_terms(batch)

    async def ask():
        generator = ExtractiveGenerator(slow)
        return [item async for item in generator.generate("backup", passages(BACKUP), Deadline.after(0.05))]

    with pytest.raises(DeadlineError):
        asyncio.run(ask())
