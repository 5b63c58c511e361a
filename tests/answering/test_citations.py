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


PUMP = (
    "The centrifugal pump P-200 delivers at most 45 m of head at 50 Hz. "
    "SESSION_COOKIE_AGE is 1,209,600 seconds, which is two weeks. The pump can be started with a closed valve. "
    "TiKV 每五百小时备份一次,最多保留三十天。北京分公司负责审批。"
)


@pytest.mark.parametrize(
    "statement",
    [
        "The pump P-200 delivers at most 45 m of head at 50 Hz.",
        "SESSION_COOKIE_AGE is 1209600 seconds, which is two weeks.",
        "The pump can be started with a closed valve",
        "TiKV 每500小时备份一次,最多保留30天。",
        "由北京分公司负责审批。",
    ],
)
def test_a_quantity_may_be_written_otherwise(statement):
    assert is_supported(statement, PUMP)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("The centrifugal pump P-300 delivers at most 45 m of head at 50 Hz.", "another pump"),
        ("The centrifugal pump P-200 delivers at most 45 km of head at 50 Hz.", "another unit"),
        ("The centrifugal pump P-200 delivers at least 45 m of head at 50 Hz.", "another limit"),
        ("SESSION_COOKIE_AGE is 1,209,600 minutes, which is two weeks.", "another unit"),
        ("SESSION_COOKIE_AGE is 1,209,600 seconds, which is three weeks.", "another number"),
        ("CSRF_COOKIE_AGE is 1,209,600 seconds, which is two weeks.", "another name"),
        ("The pump cannot be started with a closed valve.", "denied"),
        ("TiKV 每五百天备份一次,最多保留三十天。", "another unit"),
        ("TiDB 每五百小时备份一次,最多保留三十天。", "another name"),
        ("TiKV 每五百小时备份一次,至少保留三十天。", "another limit"),
        ("上海分公司负责审批。", "another place"),
    ],
)
def test_one_wrong_thing_is_enough(statement, why):
    assert not is_supported(statement, PUMP), why
