"""`jargonaut ask`: one question, one cited answer, without a service."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jargonaut.cli.options import AsJson, Config, FolderOption, KnowledgeBaseName

if TYPE_CHECKING:
    from jargonaut.answering.answer import CitedStatement
    from jargonaut.wiring import KnowledgeBase

Reader = Annotated[
    list[str], typer.Option("--as", help="Ask as this principal, e.g. group:hr; may be given several times.")
]


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    folder: FolderOption = None,
    config: Config = None,
    knowledge_base: KnowledgeBaseName = None,
    release: Annotated[str, typer.Option("--release", help="Ask another release than the live one.")] = "",
    reader: Reader = [],  # noqa: B006 typer wants a plain default
    as_json: AsJson = False,
) -> None:
    """Answer a question from the documents, with citations."""
    import asyncio

    from jargonaut.cli.output import print_json
    from jargonaut.cli.workspace import open_knowledge_base

    base = open_knowledge_base(folder, config, knowledge_base)
    release_id, statements = asyncio.run(_answer(base, question, release, reader))
    if as_json:
        print_json({"release": release_id, "question": question, "statements": [_record(item) for item in statements]})
        return
    cited = {}
    for statement in statements:
        marks = "".join(f" [{citation.number}]" for citation in statement.citations)
        print(f"{statement.text}{marks}\n")
        cited.update({citation.number: citation for citation in statement.citations})
    for number, citation in sorted(cited.items()):
        chunk = citation.chunk
        place = chunk.place
        at = f":{place.line}" if place.line and not place.sheet else f", {place}" if f"{place}" else ""
        print(f"[{number}] {chunk.uri}{at}  {' › '.join(chunk.heading_path)}")


async def _answer(
    base: KnowledgeBase, text: str, release: str, principals: list[str]
) -> tuple[str, list[CitedStatement]]:
    from jargonaut.answering.answer import answer
    from jargonaut.answering.retrieve import Question
    from jargonaut.core.deadline import Deadline
    from jargonaut.wiring import generator_of

    loaded, seen = await base.load_for_reading(release, principals)
    deadline = Deadline.after(base.workspace.settings.service.deadline_s)
    said = answer(loaded, Question(text), seen, generator_of(loaded), deadline)
    return loaded.release_id, [statement async for statement in said]


def _record(statement: CitedStatement) -> dict[str, Any]:
    return {
        "text": statement.text,
        "kind": statement.kind,
        "citations": [
            {
                "number": citation.number,
                "uri": citation.chunk.uri,
                "title": citation.chunk.title,
                "heading_path": list(citation.chunk.heading_path),
                **dataclasses.asdict(citation.chunk.place),
                "start": citation.start,
                "end": citation.end,
                "quote": citation.quote,
            }
            for citation in statement.citations
        ],
    }
