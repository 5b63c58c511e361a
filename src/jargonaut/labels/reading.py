"""Any file of labels, in any shape, read to the end: bad rows are told with their lines, good ones are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jargonaut.core.errors import InputError
from jargonaut.labels.beir import is_beir, read_beir
from jargonaut.labels.clicks import Impression, debiased
from jargonaut.labels.columns import fields, number, unknown
from jargonaut.labels.label import SHAPES, Label, LabelFile, Problem, Shape, Split
from jargonaut.labels.rows import JSON, TABLES, Row, read_rows

_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "dev": "dev", "valid": "dev", "validation": "dev", "test": "test",
    "eval": "test",
}  # fmt: skip
_HELP = {
    "judged": "Columns: question, document (or chunk), and if you have them heading and grade.",
    "answers": "Columns: question, answer, and document if you know it.",
    "clicks": "Columns: question, document, position, clicked.",
    "feedback": "Columns: question, document, rating.",
}


def read_labels(path: Path, shape: Shape = "auto", examination: float | None = None) -> LabelFile:
    """Read a file, or a BEIR folder.

    Args:
        path: A `.jsonl`, `.json`, `.csv` or `.tsv` file, a BEIR folder, or one file of its `qrels`.
        shape: What it is; found out if `auto`.
        examination: For clicks: how fast people stop looking, as the exponent of 1 / position; estimated from the log
            if None.

    Raises:
        InputError: It is not there, cannot be read, or its shape cannot be told.
    """
    if shape not in SHAPES:
        raise InputError(f"There is no shape `{shape}` of labels.", f"There are {', '.join(SHAPES)}.")
    if not path.exists():
        raise InputError(f"There is no file of labels {path}.")
    if shape == "beir" or (shape == "auto" and is_beir(path)):
        return read_beir(path)
    if path.is_dir():
        raise InputError(
            f"{path} is a folder, and not one as BEIR has it.", "It needs corpus.jsonl, queries.jsonl and qrels/."
        )
    if path.suffix.lower() not in TABLES + JSON:
        raise InputError(f"Labels are not read from `{path.suffix}`.", "They can be .jsonl, .json, .csv or .tsv.")
    read = list(read_rows(path))
    rows = [item for item in read if not isinstance(item, Problem)]
    problems = [item for item in read if isinstance(item, Problem)]
    if shape == "auto":
        shape = _shape_of(path, [row for _, row in rows])
    notes = _unread(rows)
    labels: list[Label] = []
    if shape == "clicks":
        impressions = _impressions(path, rows, problems)
        labels, said = debiased(impressions, examination)
        notes += said
    else:
        labels = _labels(path, rows, shape, problems)
    problems.sort(key=lambda problem: problem.line)
    return LabelFile(str(path), shape, len(read), tuple(labels), tuple(problems), tuple(notes))


def _shape_of(path: Path, rows: Sequence[Any]) -> Shape:
    columns = {field for row in rows[:200] for field in fields(row)}
    if "question" in columns:
        if "clicked" in columns:
            return "clicks"
        if "rating" in columns and "document" in columns:
            return "feedback"
        if columns & {"document", "chunk"}:
            return "judged"
        if "answer" in columns:
            return "answers"
    named = sorted({str(column) for row in rows[:200] for column in row})
    raise InputError(
        f"It cannot be told what the labels in {path} are; the columns are {', '.join(named) or 'none'}.",
        "Needed are a question, and a document, chunk or answer. " + _HELP["judged"],
    )


def _unread(rows: Sequence[Row]) -> list[str]:
    columns = dict.fromkeys(str(column) for _, row in rows[:200] for column in row)
    names = unknown(columns)
    return [f"Columns that are not read: {', '.join(names)}."] if names else []


def _neutral(rows: Sequence[Row]) -> float:
    """The rating that says neither yes nor no: 0 for thumbs up and down, the middle of a scale that begins with 1."""
    ratings = [number(fields(row).get("rating", "")) for _, row in rows]
    best = max((rating for rating in ratings if rating is not None), default=1.0)
    return (1 + best) / 2 if best > 1 else 0.0


def _labels(path: Path, rows: Sequence[Row], shape: Shape, problems: list[Problem]) -> list[Label]:
    labels = []
    neutral = _neutral(rows) if shape == "feedback" else 0.0
    for line, row in rows:
        label = _label(fields(row), shape)
        if isinstance(label, Label):
            grade = max(label.grade - neutral, 0.0)
            labels.append(dataclasses.replace(label, grade=grade, file=str(path), line=line))
        else:
            problems.append(Problem(str(path), line, label, _HELP[shape]))
    return labels


def _label(row: dict[str, Any], shape: Shape) -> Label | str:
    """The label of a row, or what is wrong with it."""
    question, document, chunk, answer = (_text(row, name) for name in ("question", "document", "chunk", "answer"))
    if not question:
        return "no question."
    if not (document or chunk or answer):
        return "a question without anything that answers it."
    if shape == "answers" and not answer:
        return "a question without an answer."
    split = _SPLITS.get(_text(row, "split").casefold(), "")
    if _text(row, "split") and not split:
        return f"`{_text(row, 'split')}` is not train, dev or test."
    grade = _grade(row, shape)
    if isinstance(grade, str):
        return grade
    return Label(question, document, _text(row, "heading"), chunk, answer, grade, split)


def _grade(row: dict[str, Any], shape: Shape) -> float | str:
    name = "rating" if shape == "feedback" else "grade"
    written = row.get(name)
    if written in (None, ""):
        return "no rating." if shape == "feedback" else 1.0
    value = number(written)
    if value is None:
        return f"`{written}` is not a {name}."
    return max(value, 0.0)


def _impressions(path: Path, rows: Iterable[Row], problems: list[Problem]) -> list[Impression]:
    found = []
    for line, raw in rows:
        row = fields(raw)
        question, document = _text(row, "question"), _text(row, "document") or _text(row, "chunk")
        position, clicked = number(row.get("position", "")), number(row.get("clicked", 1))
        if not question or not document:
            wrong = "no question." if not question else "no document."
        elif position is None or position < 1 or position != int(position):
            wrong = f"the position is `{row.get('position', '')}`, not a whole number from 1 on."
        elif clicked is None:
            wrong = f"`{row.get('clicked')}` is neither clicked nor not."
        else:
            target = (document, _text(row, "heading"), _text(row, "chunk"))
            found.append(Impression(question, target, int(position), clicked > 0, str(path), line))
            continue
        problems.append(Problem(str(path), line, wrong, _HELP["clicks"]))
    return found


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, list) and name == "heading":
        return " › ".join(map(str, value))
    return "" if value is None or isinstance(value, dict | list) else " ".join(str(value).split())
