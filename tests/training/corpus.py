"""A few linked pages, read and cut by the real parser and chunker."""

from jargonaut.chunking.by_heading import HeadingChunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.document import Chunk, Document
from jargonaut.documents.formats.markdown import MarkdownParser

PAGES = {
    "sessions.md": """# Sessions

Sessions keep data on the server. To let a visitor stay logged in for longer than a browser window, see
[Cookie age](#cookie-age). It also matters in [another place](storage/engines.md#cached-engine).

## Cookie age

The cookie lives for two weeks unless the age is set in seconds.

## Is it safe to store passwords in sessions?

No, never do that.

## Example

`request.session["a"] = 1` sets a value.

## See also

[Engines](storage/engines.md).
""",
    "storage/engines.md": """# Storage engines

Every engine writes records somewhere. An expired record stays in the table until somebody removes it (see
[Removing old records](../maintenance.md#removing-old-records)).

## Cached engine

Reads come from memory first, and writes go through to the database behind it.

## File engine

Records are files in a folder. A broken link leads [nowhere at all](missing.md).
""",
    "maintenance.md": """# Maintenance

## Removing old records

Run the cleaning command every night, for example from cron. Before you change the retention policy of a production
cluster, read [Sessions](sessions.md).
""",
}


def parsed(pages: dict[str, str]) -> list[Document]:
    return [MarkdownParser().parse(text.encode(), uri) for uri, text in sorted(pages.items())]


def cut(documents: list[Document], max_tokens: int = 60) -> list[Chunk]:
    chunker = HeadingChunker(word_spans, max_tokens, "words")
    return [chunk for document in documents for chunk in chunker.split(document)]
