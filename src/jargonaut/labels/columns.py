"""What columns are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_NAMES = {
    "question": "question query query_text q text prompt search search_query 问题 问句 查询 提问 检索词",
    "document": "document uri doc document_uri doc_uri document_id doc_id corpus_id corpusid path file filename url "
    "source 文档 文件 文件名 网址 来源",
    "heading": "heading section heading_path anchor 章节 标题 小节",
    "chunk": "chunk chunk_id 片段",
    "answer": "answer answer_text response reply a passage context 答案 回答 答复 段落",
    "grade": "grade score relevance relevant label judgement judgment rel 等级 分数 相关度 相关性 相关",
    "rating": "rating feedback thumbs thumb vote helpful useful 评价 反馈 点赞 有用",
    "position": "position rank pos displayed_rank 位置 排名 名次",
    "clicked": "clicked click clicks is_clicked selected 点击 是否点击",
    "split": "split fold set partition",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}
_YES_WORDS = "yes y true t up + 👍 good helpful relevant positive like click clicked 是 对 有用 相关 好 赞"
_NO_WORDS = "no n false f down - 👎 bad unhelpful irrelevant negative dislike none 否 不 错 无用 没用 不相关 差 踩"
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
_BETWEEN = re.compile(r"[\s\-]+")


def field_of(column: str) -> str:
    """What a column is: `question`, `document`, ...; empty if its name says nothing."""
    return _FIELDS.get(_BETWEEN.sub("_", column.strip().casefold()), "")


def fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row by fields; of several columns of one meaning the first that is not empty."""
    found: dict[str, Any] = {}
    for column, value in row.items():
        field = field_of(str(column))
        if field and found.get(field) in (None, ""):
            found[field] = value
    return found


def unknown(columns: Iterable[str]) -> list[str]:
    """Columns that are not read."""
    return [column for column in columns if column.strip() and not field_of(column)]


def number(value: Any) -> float | None:
    """A number, or yes and no as 1 and 0; None if it is neither."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if value == value and abs(value) != float("inf") else None
    text = str(value).strip().casefold()
    if text in _YES:
        return 1.0
    if text in _NO:
        return 0.0
    try:
        found = float(text)
    except ValueError:
        return None
    return found if found == found and abs(found) != float("inf") else None
