"""`jargonaut search`: which passages are found, and why in this order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jargonaut.cli.ask import Reader
from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName
from jargonaut.core.errors import InputError

if TYPE_CHECKING:
    from jargonaut.answering.retrieve import Retrieval
    from jargonaut.index.port import StoredChunk
    from jargonaut.wiring import KnowledgeBase


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    release: Annotated[str, typer.Option("--release", help="Search another release than the live one.")] = "",
    reader: Reader = [],  # noqa: B006 typer wants a plain default
    where: Annotated[str, typer.Option("--filter", help='Metadata filter as JSON, e.g. \'{"language": "zh"}\'.')] = "",
    top_k: Annotated[int, typer.Option("--top-k", "-n", min=1, max=100, help="Most passages.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show passages with their scores."""
    import asyncio

    from jargonaut.cli.output import print_json, print_table
    from jargonaut.cli.workspace import open_knowledge_base

    base = open_knowledge_base(folder, config, knowledge_base)
    found = asyncio.run(_search(base, query, release, reader, where, top_k))
    if as_json:
        print_json(
            {
                "answers": found.answers,
                "evidence": found.evidence.score,
                "threshold": found.threshold,
                "seconds": dict(found.seconds),
                "passages": [
                    {
                        "uri": item.chunk.uri,
                        "heading_path": list(item.chunk.heading_path),
                        "text": item.chunk.text,
                        "start": item.chunk.start,
                        "end": item.chunk.end,
                        "parent": list(item.chunk.parent) if item.chunk.parent else None,
                        "fused": item.scores.fused,
                        "cosine": item.scores.cosine,
                        "whitened": item.scores.whitened,
                        "bm25": item.scores.bm25,
                    }
                    for item in found.passages
                ],
            }
        )
        return
    rows = [
        (
            number,
            f"{item.scores.fused:.2f}",
            "" if item.scores.cosine is None else f"{item.scores.cosine:.3f}",
            f"{item.scores.bm25 or 0:.1f}",
            "\n".join(_where(item.chunk)),
            " ".join(item.chunk.text.split())[:160],
        )
        for number, item in enumerate(found.passages, start=1)
    ]
    print_table(("", "fused", "cosine", "BM25", "where", "text"), rows, "Nothing was found.")


def _where(chunk: StoredChunk) -> list[str]:
    lines = [chunk.uri, " › ".join(chunk.heading_path)]
    if chunk.parent:
        lines.append(f"{chunk.start}-{chunk.end}, answered from {chunk.parent[0]}-{chunk.parent[1]}")
    return lines


async def _search(
    base: KnowledgeBase, query: str, release: str, principals: list[str], where: str, top_k: int
) -> Retrieval:
    from jargonaut.answering.retrieve import Question, retrieve
    from jargonaut.core.deadline import Deadline
    from jargonaut.core.filters import parse_filter

    try:
        expression = parse_filter(json.loads(where)) if where else None
    except json.JSONDecodeError as error:
        raise InputError(f"The filter is not JSON: {error}", 'For example --filter \'{"language": "zh"}\'.') from error
    loaded, seen = await base.load_for_reading(release, principals)
    return await retrieve(loaded, Question(query, expression, top_k), seen, Deadline.after(30))
