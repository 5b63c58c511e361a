"""What each tool makes of files: ours in its worker processes, the peers in an environment of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser, LexborNode

from benchmarks.scoring import Reading
from jargonaut.core.document import Document, Quarantined
from jargonaut.documents import formats
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import SourceFile

ROOT = Path(__file__).resolve().parents[1]
PEERS = ("markitdown", "unstructured")
READABLE = frozenset({*formats.PARSERS, *getattr(formats, "CONTAINERS", ())})
"""Extensions that our parsers read."""
_ENVIRONMENT = Path(__file__).parent / ".cache" / "peers"
_LOCK = ROOT / "requirements" / "bench-documents.txt"
_MARKS = {
    "list": re.compile(r"^\s*(?:[-*•]|\d{1,9}[.)])\s+", re.MULTILINE),
    "note": re.compile(r"^\[\S+\] "),
}
_CELL_END = re.compile(r" \|(?: |$)")
_BLOCKS = "p, div, li, h1, h2, h3, h4, h5, h6, tr, br, pre, table, caption, section, dd, dt, figure, figcaption"
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def source_file(path: Path, uri: str = "") -> SourceFile:
    """The file at `path`, as a source folder gives it."""
    status = path.stat()
    return SourceFile(uri or path.name, path, status.st_size, status.st_mtime_ns)


def ours(paths: Sequence[Path], limits: Limits = Limits(time_s=120)) -> list[Reading]:
    """Our reading of each file, by as many worker processes as there are cores."""
    files = [source_file(path, f"{n}/{path.name}") for n, path in enumerate(paths) if path.suffix in READABLE]
    results: dict[int, list[object]] = {}
    for result in read_documents(files, limits, workers=os.cpu_count() or 1):
        # What was in a container has the container's name before its own, and comes before it; a mail is read first.
        number, own = result.uri.split("/")[0], result.uri.count("/") == 1
        found = results.setdefault(int(number), [])
        found.insert(0 if own else len(found), result)
    unread = Reading("", error="nothing here reads such files")
    return [reading_of(results[n]) if n in results else unread for n in range(len(paths))]


def reading_of(results: Iterable[object]) -> Reading:
    """All documents that came of one file; marks of lists and notes are not text, as with the peers."""
    texts: list[str] = []
    tables: list[list[list[str]]] = []
    headings: list[str] = []
    errors: list[str] = []
    for result in results:
        if isinstance(result, Quarantined):
            errors.append(result.reason)
        if not isinstance(result, Document):
            continue  # what is said of a container when all that is in it was read
        for block in result.blocks:
            text = result.text[block.start : block.end]
            texts.append(_MARKS[block.kind].sub("", text) if block.kind in _MARKS else text)
            if block.kind == "heading":
                headings.append(text)
            elif block.kind == "table":
                tables.append([_CELL_END.split(line) for line in text.split("\n")])
    return Reading("\n\n".join(texts), tables, headings, "; ".join(errors) if not texts else "")


def peer(tool: str, paths: Sequence[Path]) -> Iterator[tuple[Reading, float]]:
    """What the tool makes of each file, and the CPU seconds that it took."""
    prepare_peers()
    script = Path(__file__).parent / "peers" / f"{tool}_reader.py"
    with (_ENVIRONMENT / f"{tool}.log").open("w") as log:
        child = subprocess.Popen(
            [_ENVIRONMENT / "bin" / "python", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        for path in paths:
            child.stdin.write(f"{path.resolve()}\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
            yield peer_reading(answer), answer["seconds"]
        child.stdin.close()
        child.wait()


def prepare_peers() -> None:
    """The environment of the peers, made once for each lock."""
    stamp = _ENVIRONMENT / "installed.txt"
    if stamp.is_file() and stamp.read_bytes() == _LOCK.read_bytes():
        return
    print("  installing the peers, once", file=sys.stderr)
    uv = str(Path(sys.executable).parent / "uv")
    python = str(_ENVIRONMENT / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_ENVIRONMENT)], check=True)
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", python, "-r", str(_LOCK)]
    subprocess.run(install, check=True)
    stamp.write_bytes(_LOCK.read_bytes())


def peer_reading(answer: Mapping[str, Any]) -> Reading:
    """A peer's answer as a reading."""
    if "error" in answer:
        return Reading("", error=answer["error"])
    if "markdown" in answer:
        return markdown_reading(answer["markdown"])
    return elements_reading(answer["elements"])


def markdown_reading(text: str) -> Reading:
    """Markdown as a reader sees it: its tables are tables, and addresses of links are no text."""
    return html_reading(_MARKDOWN.render(text))


def elements_reading(elements: Sequence[Sequence[str]]) -> Reading:
    """Elements of `unstructured`. Those that it says are heads, feet and page numbers are dropped."""
    texts, tables, headings = [], [], []
    for kind, text, table in elements:
        if kind in ("Header", "Footer", "PageNumber", "PageBreak"):
            continue
        if kind == "Title":
            headings.append(text)
        part = html_reading(table) if table else None
        tables += part.tables if part else []
        texts.append(part.text if part and part.text.strip() else text)
    return Reading("\n\n".join(texts), tables, headings)


def html_reading(source: str) -> Reading:
    """Text, tables and headings of HTML."""
    tree = LexborHTMLParser(source)
    body = tree.body
    if body is None:
        return Reading("")
    tables = [_grid(table) for table in tree.css("table")]
    headings = [" ".join(node.text().split()) for node in tree.css("h1, h2, h3, h4, h5, h6")]
    # A space after every cell and a line after every block, so that words do not run together.
    for node in tree.css("td, th"):
        node.insert_after(" ")
    for node in tree.css(_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    return Reading(body.text(), tables, headings)


def _grid(table: LexborNode) -> list[list[str]]:
    """Rows of cells; a merged cell has its text at its top left, and nothing in the rest."""
    rows: list[list[str]] = []
    taken: set[tuple[int, int]] = set()
    for r, row in enumerate(table.css("tr")):
        cells: list[str] = []
        for cell in row.css("td, th"):
            while (r, len(cells)) in taken:
                cells.append("")
            height, width = (_span(cell, name) for name in ("rowspan", "colspan"))
            taken.update((r + down, len(cells) + right) for down in range(height) for right in range(width))
            cells += [" ".join(cell.text(separator=" ").split()), *[""] * (width - 1)]
        rows.append(cells)
    return rows


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(int(value), 1000) if value.isdecimal() else 1
