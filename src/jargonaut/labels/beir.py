"""Folders as BEIR has them (Thakur et al. 2021): `corpus.jsonl`, `queries.jsonl`, `qrels/{train,dev,test}.tsv`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jargonaut.core.errors import InputError
from jargonaut.labels.columns import number
from jargonaut.labels.label import Label, LabelFile, Problem, Split
from jargonaut.labels.rows import read_rows

_SPLITS: tuple[Split, ...] = ("train", "dev", "test")
_CORPUS, _QUERIES, _QRELS = "corpus.jsonl", "queries.jsonl", "qrels"


def is_beir(path: Path) -> bool:
    """Whether it is such a folder, or one of its files of judgements."""
    if path.is_dir():
        return (path / _QUERIES).is_file() and (path / _QRELS).is_dir()
    return path.suffix.lower() == ".tsv" and path.parent.name == _QRELS and is_beir(path.parent.parent)


def read_beir(path: Path) -> LabelFile:
    """Read all splits of a folder, or one file of judgements with the questions of its folder.

    A question that is in several splits is one of the last of train, dev and test, so that none of what is tested was
    trained on.

    Raises:
        InputError: A file is missing or cannot be read.
    """
    folder = path if path.is_dir() else path.parent.parent
    if not is_beir(path):
        raise InputError(f"{path} is not a folder as BEIR has it.", f"It needs {_QUERIES} and {_QRELS}/.")
    problems: list[Problem] = []
    questions = _texts(folder / _QUERIES, problems)
    corpus = _texts(folder / _CORPUS, problems) if (folder / _CORPUS).is_file() else {}
    files = [path] if path.is_file() else [folder / _QRELS / f"{split}.tsv" for split in _SPLITS]
    files = [file for file in files if file.is_file()]
    if not files:
        raise InputError(f"There are no judgements in {folder / _QRELS}.", "They are called train.tsv or test.tsv.")
    labels: list[Label] = []
    rows = 0
    for file in files:
        for item in read_rows(file):
            rows += 1
            found = item if isinstance(item, Problem) else _label(file, *item, (questions, corpus))
            if isinstance(found, Problem):
                problems.append(found)
            else:
                labels.append(found)
    kept, repeated = _each_in_one_split(labels)
    notes = [f"{repeated} questions are in several splits; they are not trained on."] if repeated else []
    return LabelFile(str(path), "beir", rows, tuple(kept), tuple(problems), tuple(notes))


def _label(file: Path, line: int, row: Any, known: tuple[dict[str, str], dict[str, str]]) -> Label | Problem:
    questions, corpus = known
    values = [value for value in row.values() if value is not None]
    if len(values) < 3:
        return Problem(str(file), line, "fewer than three cells.", "query-id, corpus-id, score, between tabs.")
    query, document, written = (str(value).strip() for value in values[:3])
    grade = number(written)
    if query not in questions:
        return Problem(str(file), line, f"there is no question `{query}` in {_QUERIES}.")
    if corpus and document not in corpus:
        return Problem(str(file), line, f"there is no document `{document}` in {_CORPUS}.")
    if grade is None:
        return Problem(str(file), line, f"`{written}` is not a grade.")
    split: Split = next((split for split in _SPLITS if file.stem.startswith(split)), "")
    return Label(
        question=questions[query],
        document=document,
        passage=corpus.get(document, ""),
        grade=max(grade, 0.0),
        split=split,
        file=str(file),
        line=line,
    )


def _texts(path: Path, problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in read_rows(path):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        line, row = item
        name, text = row.get("_id", row.get("id")), row.get("text")
        if name is None or not isinstance(text, str):
            problems.append(Problem(str(path), line, "not an object with `_id` and `text`."))
        elif str(name) in found:
            problems.append(Problem(str(path), line, f"`{name}` is there twice; the first is kept."))
        else:
            found[str(name)] = text.strip()
    return found


def _each_in_one_split(labels: Iterable[Label]) -> tuple[list[Label], int]:
    of_question: dict[str, set[Split]] = {}
    everything = list(labels)
    for label in everything:
        of_question.setdefault(label.question, set()).add(label.split)
    last = {
        question: max(splits, key=lambda s: _SPLITS.index(s) if s else -1) for question, splits in of_question.items()
    }
    kept = [label for label in everything if label.split == last[label.question]]
    return kept, sum(len(splits) > 1 for splits in of_question.values())
