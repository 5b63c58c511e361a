"""Documents as bytes between worker and parent.

JSON and not pickle: a parser that a hostile file has taken over can then lie about that file, and do nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jargonaut.core.canonical import canonical_json
from jargonaut.core.document import Block, CrossReference, Document, Place, Quarantined


@dataclass(frozen=True, slots=True)
class Task:
    """A file that a worker is to read."""

    uri: str
    path: str
    parser: str
    """`module:class`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a task."""

    result: Document | Quarantined
    retiring: bool = False
    """Whether the worker ends after this answer: it has grown."""


def pack_task(task: Task) -> bytes:
    """`task` as bytes."""
    return json.dumps([task.uri, task.path, task.parser]).encode()


def unpack_task(data: bytes) -> Task:
    """The task in `data`."""
    return Task(*json.loads(data))


def pack_answer(answer: Answer) -> bytes:
    """`answer` as bytes."""
    result = answer.result
    if isinstance(result, Quarantined):
        quarantined = [result.uri, result.content_digest, result.reason, result.hint]
        return canonical_json({"retiring": answer.retiring, "quarantined": quarantined})
    return canonical_json({"retiring": answer.retiring, "document": document_to_json(result)})


def unpack_answer(data: bytes) -> Answer:
    """The answer in `data`."""
    value = json.loads(data)
    if "quarantined" in value:
        return Answer(Quarantined(*value["quarantined"]), value["retiring"])
    return Answer(document_from_json(value["document"]), value["retiring"])


def document_to_json(document: Document) -> dict[str, Any]:
    """A document as JSON, blocks as lists: there are many of them."""
    return {
        "uri": document.uri,
        "content_digest": document.content_digest,
        "text": document.text,
        "title": document.title,
        "language": document.language,
        "media_type": document.media_type,
        "metadata": document.metadata,
        "hidden": document.hidden,
        "blocks": [
            [
                *(block.kind, block.start, block.end, block.level, block.anchors, block.header_lines, block.lines),
                *(block.place.line, block.place.page, block.place.sheet, block.place.cell),
            ]
            for block in document.blocks
        ],
        "references": [[item.start, item.end, item.target] for item in document.references],
    }


def document_from_json(value: dict[str, Any]) -> Document:
    """The document that `document_to_json` wrote."""
    fields = dict(value)
    fields["blocks"] = tuple(
        Block(kind, start, end, Place(*place), level, tuple(anchors), header_lines, tuple(lines))
        for kind, start, end, level, anchors, header_lines, lines, *place in fields["blocks"]
    )
    fields["references"] = tuple(CrossReference(*item) for item in fields["references"])
    fields["metadata"] = {
        name: tuple(item) if isinstance(item, list) else item for name, item in fields["metadata"].items()
    }
    return Document(**fields)
