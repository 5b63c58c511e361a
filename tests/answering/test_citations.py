import pytest

from jargonaut.answering.citations import is_supported

SOURCE = (
    "A full backup runs every night at 2:00 and takes 45 minutes. Old backups are removed after 30 days. "
    "Backups are not encrypted unless a key is configured.\n\n备份文件在对象存储中保留三十天。备份不会自动删除。"
)


@pytest.mark.parametrize(
    "statement",
    [
        "A full backup runs every night at 2:00 and takes 45 minutes.",
        "Old backups are\nremoved   after 30 days.",
        "backups are removed after 30 days",
        "Every night at 2:00 a full backup runs; it takes 45 minutes.",
        "A full backup runs every night. Old backups are removed after 30 days.",
        "备份文件在对象存储中保留三十天。",
        "备份文件保留三十天",
        "备份不会自动删除",
    ],
)
def test_what_the_source_says_is_supported(statement):
    assert is_supported(statement, SOURCE)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("", "nothing is said"),
        ("...", "nothing is said"),
        ("A full backup runs every night at 3:00 and takes 45 minutes.", "another time"),
        ("Old backups are removed after 300 days.", "another number"),
        ("Old backups are never removed after 30 days.", "denied"),
        ("Backups are encrypted if a key is configured.", "the denial is gone"),
        ("A full backup runs every hour on another machine in the cellar.", "too much is new"),
        ("The moon is made of cheese.", "all is new"),
        ("备份会自动删除并且通知管理员", "denied, and new"),
        ("备份文件在对象存储中不保留三十天。", "denied"),
    ],
)
def test_what_it_does_not_say_is_not(statement, why):
    assert not is_supported(statement, SOURCE), why
