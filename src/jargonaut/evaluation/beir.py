"""A BEIR folder: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv` (Thakur et al. 2021)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jargonaut.core.canonical import digest_of
from jargonaut.core.document import Document, Place
from jargonaut.core.errors import InputError
from jargonaut.documents.composing import Composer, Inline

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
PREFERRED = ("test_unseen", "test", "dev", "train")
"""The split that is judged if none is named: the first of these that is there."""
_JUDGED = ("test", "dev", "valid")
"""Beginnings of the names of splits whose questions nothing may be fitted on."""
_TOLD = 20


@dataclass(slots=True)
class Problems:
    """What could not be used: some of it in words, all of it counted."""

    told: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, text: str) -> None:
        """One more."""
        self.count += 1
        if self.count <= _TOLD:
            self.told.append(text)


@dataclass(frozen=True, slots=True)
class BeirSet:
    """A collection with one judged split. Made by `read_beir`."""

    folder: Path
    split: str
    queries: Mapping[str, str]
    """Text of every judged question, by its id."""
    judgments: Mapping[str, Mapping[str, int]]
    """By question, the documents that are relevant to it with their grades, 1 and above."""
    other_texts: tuple[str, ...]
    """Questions of no judged split: they need no labels to be learned from."""
    documents: int
    problems: Problems

    def corpus(self) -> Iterator[Document]:
        """The documents, read anew each time; those with a bad line or a repeated id are left out."""
        for _, identifier, record in _corpus(self.folder / CORPUS, Problems()):
            yield _document(identifier, str(record.get("title") or ""), str(record.get("text") or ""))


def read_beir(folder: Path, split: str = "") -> BeirSet:
    """Read questions and judgments, and check the corpus.

    Bad lines, judgments of documents or questions that are not there, and repeated ids are listed, and left out.

    Args:
        folder: With `corpus.jsonl`, `queries.jsonl` and `qrels/`.
        split: Name of a file in `qrels/`, without `.tsv`; empty for the first of `PREFERRED` that is there.

    Raises:
        InputError: Something is missing, or nothing in it can be used.
    """
    splits = sorted(path.stem for path in (folder / QRELS).glob("*.tsv"))
    for name in (CORPUS, QUERIES):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder / name} does not exist.",
                f"A BEIR folder has {CORPUS}, {QUERIES} and {QRELS}/<split>.tsv.",
            )
    if not splits:
        raise InputError(f"{folder / QRELS} has no judgments.", "Put them there as <split>.tsv.")
    chosen = split or next((name for name in PREFERRED if name in splits), splits[0])
    if chosen not in splits:
        raise InputError(f"There is no split `{chosen}` in {folder / QRELS}.", f"There are: {', '.join(splits)}.")
    problems = Problems()
    known = {identifier for _, identifier, _ in _corpus(folder / CORPUS, problems)}
    texts = {
        identifier: str(record.get("text") or "").strip()
        for _, identifier, record in _records(folder / QUERIES, problems)
    }
    judged = _judgments(folder / QRELS / f"{chosen}.tsv", texts, known, problems)
    if not judged:
        raise InputError(
            f"Split `{chosen}` of {folder} judges no question with a relevant document.",
            "; ".join(problems.told[:3]) or "Its file is empty.",
        )
    kept_away = {texts[query] for query in judged}
    for name in splits:
        if name.startswith(_JUDGED):
            kept_away |= {texts[query] for query in _question_ids(folder / QRELS / f"{name}.tsv") if query in texts}
    others = tuple(dict.fromkeys(text for text in texts.values() if text and text not in kept_away))
    return BeirSet(folder, chosen, {query: texts[query] for query in judged}, judged, others, len(known), problems)


def read_questions(path: Path) -> list[str]:
    """Questions without labels: one a line, or JSON Lines with `text`, `query` or `question`.

    Raises:
        InputError: The file cannot be read, or a line that begins like JSON is none, or has no question.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The questions in {path} cannot be read: {error}.", "Give a UTF-8 text file.") from error
    found = [_question(line.strip(), f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    return list(dict.fromkeys(found))


def _question(line: str, where: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON: {error}.") from error
    for name in ("text", "query", "question"):
        if isinstance(value.get(name), str) and value[name].strip():
            return str(value[name].strip())
    raise InputError(f"{where}: no question.", 'Write {"text": ...}, or one question a line.')


def _records(path: Path, problems: Problems) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line number, id and record of the lines that have both; of repeated ids the first."""
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                    identifier = str(record["_id"])
                except (ValueError, KeyError, TypeError):
                    problems.add(f"{path.name}, line {number}: no JSON object with `_id`")
                    continue
                if identifier in seen:
                    problems.add(f"{path.name}, line {number}: `{identifier}` is there already")
                    continue
                seen.add(identifier)
                yield number, identifier, record
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "It has to be JSON Lines in UTF-8.") from error


_corpus = _records


def _judgments(path: Path, texts: Mapping[str, str], known: set[str], problems: Problems) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for number, query, document, grade in _rows(path, problems):
        if grade < 1:
            continue
        if not texts.get(query):
            problems.add(f"{path.name}, line {number}: there is no question `{query}`")
        elif document not in known:
            problems.add(f"{path.name}, line {number}: there is no document `{document}`")
        else:
            judged.setdefault(query, {})[document] = grade
    return judged


def _question_ids(path: Path) -> set[str]:
    return {query for _, query, _, _ in _rows(path, Problems())}


def _rows(path: Path, problems: Problems) -> Iterator[tuple[int, str, str, int]]:
    """Line number, question, document and grade; three columns, or four as TREC writes them."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        cells = line.rstrip("\n").split("\t") if "\t" in line else line.split()
        try:
            grade = int(float(cells[-1]))
            query, document = (cells[0], cells[2]) if len(cells) == 4 else (cells[0], cells[1])
        except (ValueError, IndexError):
            if line.strip() and number > 1:  # the first may name the columns
                problems.add(f"{path.name}, line {number}: not question, document and grade")
            continue
        yield number, query, document, grade


def _document(identifier: str, title: str, text: str) -> Document:
    composer, place = Composer(), Place()
    if title.strip():
        heading = Inline()
        heading.add(" ".join(title.split()))
        composer.heading(heading, 1, place)
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            composer.verbatim("paragraph", paragraph, place)
    document = composer.document(identifier, digest_of([title, text]), "text/plain", {})
    # Without a title it has none: its id, which a file's name would stand for, is no words of its author.
    return document if title.strip() else dataclasses.replace(document, title="")
