"""Documents as bytes between worker and parent.

JSON and not pickle: a parser that a hostile file has taken over can then lie about that file, and do nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jargonaut.core.canonical import canonical_json
from jargonaut.core.document import Block, CrossReference, Document, Opened, Place, Quarantined

Result = Document | Quarantined | Opened


@dataclass(frozen=True, slots=True)
class Task:
    """A file that a worker is to read."""

    uri: str
    path: str
    sidecar: str = ""
    """Path of what stands beside it and speaks of it."""
    skip: int = 0
    """Files in it that need not be read: they were, or a worker died over the last of them."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is read from now on: the file, or one that is in it; or that its reading gets on."""

    uri: str
    goes_on: bool = False
    """Whether it is a beat of what was begun before, see `heartbeat`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the file, or of one that is in it. The file itself comes last."""

    result: Result
    retiring: bool = False
    """Whether the worker ends after this answer: it has grown."""


def pack_task(task: Task) -> bytes:
    """`task` as bytes."""
    return json.dumps([task.uri, task.path, task.sidecar, task.skip]).encode()


def unpack_task(data: bytes) -> Task:
    """The task in `data`."""
    return Task(*json.loads(data))


def pack_message(message: Begun | Answer) -> bytes:
    """`message` as bytes."""
    if isinstance(message, Begun):
        return canonical_json({"begun": message.uri, "goes_on": message.goes_on})
    return canonical_json({"retiring": message.retiring, **_result_to_json(message.result)})


def unpack_message(data: bytes) -> Begun | Answer:
    """The message in `data`."""
    value = json.loads(data)
    if "begun" in value:
        return Begun(str(value["begun"]), bool(value["goes_on"]))
    if "quarantined" in value:
        return Answer(Quarantined(*value["quarantined"]), value["retiring"])
    if "opened" in value:
        return Answer(Opened(*value["opened"]), value["retiring"])
    return Answer(document_from_json(value["document"]), value["retiring"])


def _result_to_json(result: Result) -> dict[str, Any]:
    if isinstance(result, Quarantined):
        return {"quarantined": [result.uri, result.content_digest, result.reason, result.hint]}
    if isinstance(result, Opened):
        return {"opened": [result.uri, result.content_digest]}
    return {"document": document_to_json(result)}


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
    fields["metadata"] = metadata_from_json(fields["metadata"])
    return Document(**fields)


def metadata_from_json(value: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """Lists as tuples."""
    return {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
