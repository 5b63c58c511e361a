"""Documents as bytes between worker and parent.

JSON and not pickle: a parser that a hostile file has taken over can then lie about that file, and do nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

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
        return canonical_json(
            {
                "retiring": answer.retiring,
                "quarantined": [result.uri, result.content_digest, result.reason, result.hint],
            }
        )
    blocks = [
        [block.kind, block.start, block.end, block.place.line, block.place.page, block.level, block.anchors]
        for block in result.blocks
    ]
    return canonical_json(
        {
            "retiring": answer.retiring,
            "fields": [result.uri, result.content_digest, result.text],
            "about": [result.title, result.language, result.media_type],
            "blocks": blocks,
            "metadata": result.metadata,
            "references": [[item.start, item.end, item.target] for item in result.references],
        }
    )


def unpack_answer(data: bytes) -> Answer:
    """The answer in `data`."""
    value = json.loads(data)
    if "quarantined" in value:
        return Answer(Quarantined(*value["quarantined"]), value["retiring"])
    uri, digest, text = value["fields"]
    title, language, media_type = value["about"]
    document = Document(
        uri=uri,
        content_digest=digest,
        text=text,
        blocks=tuple(
            Block(kind, start, end, Place(line, page), level, tuple(anchors))
            for kind, start, end, line, page, level, anchors in value["blocks"]
        ),
        title=title,
        language=language,
        media_type=media_type,
        metadata={key: tuple(item) if isinstance(item, list) else item for key, item in value["metadata"].items()},
        references=tuple(CrossReference(*item) for item in value["references"]),
    )
    return Answer(document, value["retiring"])
